package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalTime;
import org.junit.jupiter.api.Test;

class WatchCommandTest {
    @Test
    void everyLineBeginsWithATimeOfOneWidth() {
        assertThat(WatchCommand.clock(LocalTime.of(3, 4))).isEqualTo("03:04:00");
        assertThat(WatchCommand.clock(LocalTime.of(13, 4, 5, 678_000_000))).isEqualTo("13:04:05");
    }
}
