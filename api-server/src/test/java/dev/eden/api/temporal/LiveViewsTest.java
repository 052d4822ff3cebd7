package dev.eden.api.temporal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.workflows.MigrationPhase;
import dev.eden.workflows.MigrationView;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class LiveViewsTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final Duration SHORT = Duration.ofMillis(1);

    private final AtomicInteger asked = new AtomicInteger();
    private volatile CountDownLatch answers = new CountDownLatch(0);
    private volatile Optional<MigrationView> says = Optional.of(view("one"));

    private LiveViews views(Duration patience) {
        return new LiveViews(
                migration -> {
                    asked.incrementAndGet();
                    Optional<MigrationView> answer = says;
                    try {
                        answers.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return answer;
                },
                patience,
                Duration.ZERO);
    }

    /** A view that was heard, and a workflow that does not answer from now on. */
    private LiveViews heardAndSlowNow(String revisionOne) {
        LiveViews views = views(SHORT);
        says = Optional.of(view(revisionOne));
        await().until(() -> views.of("m", 1).isPresent());
        answers = new CountDownLatch(1);
        return views;
    }

    @Test
    void tellsWhatTheWorkflowSaysNow() {
        LiveViews views = views(LONG);
        assertThat(reason(views.of("m", 1))).isEqualTo("one");
        says = Optional.of(view("two"));
        await().untilAsserted(() -> assertThat(views.of("m", 1)).contains(new LiveViews.Live(view("two"), 0)));
    }

    @Test
    void asksOnceASecondHoweverManyWatchButAtOnceWhereSomethingWasRecorded() {
        LiveViews views = new LiveViews(
                migration -> {
                    asked.incrementAndGet();
                    return says;
                },
                LONG,
                LONG);
        for (int i = 0; i < 20; i++) {
            assertThat(reason(views.of("m", 1))).isEqualTo("one");
        }
        assertThat(asked).hasValue(1);
        says = Optional.of(view("two"));
        assertThat(reason(views.of("m", 2))).isEqualTo("two");
        says = Optional.of(view("three"));
        views.commanded("m");
        assertThat(reason(views.of("m", 2))).isEqualTo("three");
    }

    @Test
    void doesNotWaitForASlowWorkflowWhereItHasHardlyAged() {
        LiveViews views = heardAndSlowNow("one");
        await().until(() -> views.of("m", 1).orElseThrow().ageMillis() > 0);
        assertThat(reason(views.of("m", 1))).isEqualTo("one");
        answers.countDown();
    }

    @Test
    void neverTellsWhatWasSaidBeforeTheDirectoryMovedOn() {
        LiveViews views = heardAndSlowNow("one");
        assertThat(views.of("m", 2)).isEmpty();
        answers.countDown();
    }

    @Test
    void aQuestionFromBeforeTheDirectoryMovedOnIsNoAnswer() throws Exception {
        LiveViews views = views(LONG);
        answers = new CountDownLatch(1);
        CompletableFuture<Optional<LiveViews.Live>> early = CompletableFuture.supplyAsync(() -> views.of("m", 1));
        await().until(() -> asked.get() == 1);
        says = Optional.of(view("moved"));
        CompletableFuture<Optional<LiveViews.Live>> late = CompletableFuture.supplyAsync(() -> views.of("m", 2));
        await().until(() -> asked.get() == 2);
        answers.countDown();
        assertThat(reason(early.get(10, TimeUnit.SECONDS))).isEqualTo("one");
        assertThat(reason(late.get(10, TimeUnit.SECONDS))).isEqualTo("moved");
    }

    @Test
    void whoeverHasCommandedSeesWhatCameOfIt() throws Exception {
        LiveViews views = heardAndSlowNow("before");
        says = Optional.of(view("after"));
        views.commanded("m");
        CompletableFuture<Optional<LiveViews.Live>> seen = CompletableFuture.supplyAsync(() -> views.of("m", 1));
        await().pollDelay(Duration.ofMillis(50)).until(() -> !seen.isDone());
        answers.countDown();
        assertThat(seen.get(10, TimeUnit.SECONDS)).contains(new LiveViews.Live(view("after"), 0));
    }

    @Test
    void saysNothingWhereTheWorkflowDoesNotAnswer() {
        says = Optional.empty();
        assertThat(views(LONG).of("m", 1)).isEmpty();
    }

    private static String reason(Optional<LiveViews.Live> live) {
        return live.orElseThrow().view().lastReason();
    }

    private static MigrationView view(String reason) {
        return new MigrationView(
                new MigrationPhase.Canary(0), false, 0, true, true, List.of(), 0, 0, reason, List.of(), false, null);
    }
}
