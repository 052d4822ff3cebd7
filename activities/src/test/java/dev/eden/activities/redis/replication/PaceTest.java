package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.store.Tuning;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A copy goes as fast as it is told to, from one moment to the next. */
@Timeout(30)
class PaceTest {
    private final Pace pace = new Pace();

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
