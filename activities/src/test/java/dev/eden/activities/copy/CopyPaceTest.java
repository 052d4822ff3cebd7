package dev.eden.activities.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.store.Tuning;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A copy goes as fast as it is told to, from one moment to the next. */
@Timeout(30)
class CopyPaceTest {
    private final CopyPace pace = new CopyPace();

    @Test
    void withoutARateNobodyWaits() {
        assertThat(millis(() -> pace.pay(1 << 30, () -> {}))).isLessThan(500);
    }

    @Test
    void bytesArePaidForAtTheRate() {
        pace.tune(new Tuning(1_000_000L, null, null, null));
        assertThat(millis(() -> pace.pay(600_000, () -> {}))).isGreaterThan(400);
    }

    @Test
    void aDebtIsPaidAtTheNewRate() throws Exception {
        pace.tune(new Tuning(64_000L, null, null, null));
        var waiting = CompletableFuture.runAsync(() -> millis(() -> pace.pay(64_000_000, () -> {})));
        assertThat(waiting).isNotDone();
        pace.tune(Tuning.NONE);
        waiting.get(10, TimeUnit.SECONDS);
    }

    @Test
    void aSlowSourceIsLeftAloneButNotForEver() {
        pace.tune(new Tuning(null, null, null, 10));
        for (int i = 0; i < 20; i++) {
            pace.sourceAnswered(Duration.ofMillis(40).toNanos());
        }
        assertThat(millis(() -> pace.pay(1, () -> {}))).isGreaterThan(400);
        for (int i = 0; i < 40; i++) {
            pace.sourceAnswered(Duration.ofMillis(1).toNanos());
        }
        assertThat(millis(() -> pace.pay(1, () -> {}))).isLessThan(400);
    }

    @Test
    void severalLanesShareTheRate() {
        pace.tune(new Tuning(1_000_000L, null, null, null));
        assertThat(millis(() -> together(4, () -> pace.pay(150_000, () -> {})))).isGreaterThan(450);
    }

    @Test
    void aHighRateIsReached() {
        pace.tune(new Tuning(100_000_000L, null, null, null));
        assertThat(millis(() -> {
                    for (int i = 0; i < 400; i++) {
                        pace.pay(128 << 10, () -> {});
                    }
                }))
                .as("half a second, not 20 ms a block")
                .isBetween(400L, 4_000L);
    }

    @Test
    void ofSeveralLanesOneBlockPassesASlowSource() {
        pace.tune(new Tuning(null, null, null, 10));
        pace.sourceAnswered(Duration.ofMillis(40).toNanos());
        assertThat(millis(() -> together(3, () -> pace.pay(1, () -> {})))).isGreaterThan(1_400);
    }

    @Test
    void whoGivesUpLeavesNoDebt() {
        pace.tune(new Tuning(64_000L, null, null, null));
        assertThatThrownBy(() -> pace.pay(640_000_000, () -> {
                    throw new IllegalStateException("closed");
                }))
                .hasMessage("closed");
        assertThat(millis(() -> pace.pay(1, () -> {}))).isLessThan(10_000);
    }

    private static void together(int lanes, Waiting what) {
        CompletableFuture.allOf(IntStream.range(0, lanes)
                        .mapToObj(_ -> CompletableFuture.runAsync(
                                () -> millis(what), work -> Thread.ofVirtual().start(work)))
                        .toArray(CompletableFuture[]::new))
                .join();
    }

    private interface Waiting {
        void run() throws InterruptedException;
    }

    private static long millis(Waiting what) {
        long began = System.nanoTime();
        try {
            what.run();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
    }
}
