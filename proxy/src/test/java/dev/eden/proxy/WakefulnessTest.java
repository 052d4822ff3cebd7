package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class WakefulnessTest {
    private static final long LITTLE =
            Duration.ofMillis(Wakefulness.LIMIT_MILLIS - 500).toNanos();
    private static final long LONG =
            Duration.ofMillis(Wakefulness.LIMIT_MILLIS + 500).toNanos();

    private final Wakefulness wakefulness = new Wakefulness();

    @Test
    void aPauseOfACollectorIsNoSleep() {
        assertThat(wakefulness.slept(System.nanoTime() + LITTLE)).isFalse();
        assertThat(wakefulness.beat()).isFalse();
    }

    @Test
    void aSleepEndsWithAReadThatBeganAfterTheWaking() {
        long before = System.nanoTime();
        assertThat(wakefulness.slept(before + LONG)).isTrue();
        wakefulness.beat();
        assertThat(wakefulness.slept(System.nanoTime()))
                .as("to be awake is not to know")
                .isTrue();
        assertThat(wakefulness.read(before))
                .as("an answer from before the sleep")
                .isFalse();
        assertThat(wakefulness.slept(System.nanoTime())).isTrue();
        assertThat(wakefulness.read(System.nanoTime())).isTrue();
        assertThat(wakefulness.slept(System.nanoTime())).isFalse();
    }

    @Test
    void aReadWithoutASleepChangesNothing() {
        assertThat(wakefulness.read(System.nanoTime())).isFalse();
    }
}
