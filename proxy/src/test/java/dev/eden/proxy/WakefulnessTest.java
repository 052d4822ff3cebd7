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
        assertThat(wakefulness.sleeps(System.nanoTime() + LITTLE)).isZero();
        assertThat(wakefulness.beat()).isFalse();
        assertThat(wakefulness.slept()).isFalse();
    }

    @Test
    void aSleepEndsWithAReadThatBeganAfterTheWaking() {
        int before = wakefulness.sleeps(System.nanoTime());
        assertThat(wakefulness.sleeps(System.nanoTime() + LONG)).isEqualTo(before + 1);
        assertThat(wakefulness.sleeps(System.nanoTime()))
                .as("one sleep, however many notice it")
                .isEqualTo(before + 1);
        wakefulness.beat();
        assertThat(wakefulness.slept()).as("to be awake is not to know").isTrue();
        assertThat(wakefulness.read(before))
                .as("an answer from before the sleep")
                .isFalse();
        assertThat(wakefulness.slept()).isTrue();
        assertThat(wakefulness.known()).isEqualTo(before);
        assertThat(wakefulness.read(before + 1)).isTrue();
        assertThat(wakefulness.slept()).isFalse();
        assertThat(wakefulness.known()).isEqualTo(before + 1);
    }

    @Test
    void aReadWithoutASleepIsNoNews() {
        assertThat(wakefulness.read(wakefulness.sleeps(System.nanoTime()))).isFalse();
    }
}
