package dev.eden.api.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StreamRateTest {
    private final StreamRate rate = new StreamRate();

    @Test
    void isOfTheLastSeconds() {
        assertThat(rate.perSecond("m", 1, 1_000, 0)).as("one position").isZero();
        assertThat(rate.perSecond("m", 1, 3_000, 1_000)).isEqualTo(2_000);
        assertThat(rate.perSecond("m", 1, 3_000, 1_000))
                .as("told once, read twice")
                .isEqualTo(2_000);
        assertThat(rate.perSecond("m", 1, 3_000, 20_000)).as("long ago").isZero();
    }

    @Test
    void positionsOfTwoServersAreNotCompared() {
        rate.perSecond("m", 1, 1_000, 0);
        assertThat(rate.perSecond("m", 2, 900_000, 1_000)).as("after a flip").isZero();
        assertThat(rate.perSecond("m", 2, 500, 2_000))
                .as("a server that began anew")
                .isZero();
        assertThat(rate.perSecond("n", 2, 700, 3_000)).as("another migration").isZero();
        rate.retain(List.of("n"));
        assertThat(rate.perSecond("m", 2, 900, 4_000)).as("forgotten").isZero();
    }
}
