package dev.eden.api.temporal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.workflows.MigrationPhase;
import dev.eden.workflows.MigrationView;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LiveViewsTest {
    private final AtomicInteger asked = new AtomicInteger();
    private volatile CountDownLatch answers = new CountDownLatch(0);
    private volatile Optional<MigrationView> says = Optional.of(view("one"));
    private final LiveViews views = new LiveViews(migration -> {
        asked.incrementAndGet();
        Optional<MigrationView> answer = says;
        try {
            answers.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return answer;
    });

    @Test
    void tellsWhatTheWorkflowSaysNow() {
        assertThat(reason(views.of("m", 1))).isEqualTo("one");
        says = Optional.of(view("two"));
        await().untilAsserted(
                        () -> assertThat(views.of("m", 1).orElseThrow()).isEqualTo(new LiveViews.Live(view("two"), 0)));
    }

    @Test
    void doesNotWaitForASlowWorkflowWhereItHasHardlyAged() {
        views.of("m", 1);
        answers = new CountDownLatch(1);
        LiveViews.Live old = views.of("m", 1).orElseThrow();
        assertThat(old.view().lastReason()).isEqualTo("one");
        assertThat(old.ageMillis()).isPositive();
        answers.countDown();
    }

    @Test
    void neverTellsWhatWasSaidBeforeTheDirectoryMovedOn() throws Exception {
        views.of("m", 1);
        says = Optional.of(view("moved"));
        answers = new CountDownLatch(1);
        CompletableFuture<Optional<LiveViews.Live>> waits = CompletableFuture.supplyAsync(() -> views.of("m", 2));
        await().until(() -> asked.get() == 2);
        assertThat(waits).isNotDone();
        answers.countDown();
        assertThat(reason(waits.get())).isEqualTo("moved");
    }

    @Test
    void aQuestionFromBeforeTheDirectoryMovedOnIsAskedAgain() throws Exception {
        answers = new CountDownLatch(1);
        CompletableFuture<Optional<LiveViews.Live>> early = CompletableFuture.supplyAsync(() -> views.of("m", 1));
        await().until(() -> asked.get() == 1);
        says = Optional.of(view("moved"));
        CompletableFuture<Optional<LiveViews.Live>> late = CompletableFuture.supplyAsync(() -> views.of("m", 2));
        answers.countDown();
        assertThat(reason(early.get())).isEqualTo("one");
        assertThat(reason(late.get())).isEqualTo("moved");
    }

    @Test
    void saysNothingWhereTheWorkflowDoesNotAnswer() {
        views.of("m", 1);
        says = Optional.empty();
        await().until(() -> views.of("m", 1).isEmpty());
    }

    private static String reason(Optional<LiveViews.Live> live) {
        return live.orElseThrow().view().lastReason();
    }

    private static MigrationView view(String reason) {
        return new MigrationView(
                new MigrationPhase.Canary(0), false, 0, true, true, List.of(), 0, 0, reason, List.of());
    }
}
