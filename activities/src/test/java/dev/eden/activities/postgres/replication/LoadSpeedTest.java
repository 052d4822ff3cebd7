package dev.eden.activities.postgres.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LoadSpeedTest {
    private final LoadSpeed speed = new LoadSpeed();

    @Test
    void whatWasThereBeforeCountsForNothing() {
        assertThat(speed.rate(2, copied(800_000), at(0))).isZero();
        assertThat(speed.rate(2, copied(800_000), at(1))).isZero();
        assertThat(speed.rate(2, copied(801_000), at(2))).isEqualTo(500);
        assertThat(speed.rate(3, copied(801_000), at(100))).as("another run").isZero();
        assertThat(speed.rate(3, copied(805_000), at(101))).isEqualTo(4_000);
    }

    @Test
    void rowsThatAreCopiedAgainBeginAnew() {
        speed.rate(1, copied(0), at(0));
        assertThat(speed.rate(1, copied(1_000), at(1))).isEqualTo(1_000);
        assertThat(speed.rate(1, LoadProgress.NONE, at(2))).isZero();
        assertThat(speed.rate(1, new LoadProgress(0, 1, -1, 2_000, 0, List.of()), at(3)))
                .isZero();
    }

    @Test
    void isThatOfTheLastSeconds() {
        for (int second = 0; second <= 20; second++) {
            speed.rate(1, copied(Math.min(second, 10) * 1_000L), at(second));
        }
        assertThat(speed.rate(1, copied(10_000), at(21))).as("keys are built").isZero();
    }

    private static long at(int seconds) {
        return TimeUnit.SECONDS.toNanos(seconds);
    }

    private static LoadProgress copied(long rows) {
        return new LoadProgress(0, 1, rows, 1_000_000, 0, List.of());
    }
}
