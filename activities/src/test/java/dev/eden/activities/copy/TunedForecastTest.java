package dev.eden.activities.copy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.store.Tuning;
import dev.eden.workflows.activity.PreparationActivities.CopyForecast;
import org.junit.jupiter.api.Test;

/** A rate that is lower than what the servers can do is what the copy takes. */
class TunedForecastTest {
    private static final CopyForecast FORECAST = new CopyForecast(10, 1_000_000, 5, "as measured");

    @Test
    void theLowerRateCounts() {
        assertThat(TunedForecast.of(FORECAST, Tuning.NONE)).isEqualTo(FORECAST);
        assertThat(TunedForecast.of(FORECAST, new Tuning(1_000_000L, null, null, null)))
                .isEqualTo(FORECAST);
        CopyForecast slow = TunedForecast.of(FORECAST, new Tuning(100_000L, null, null, null));
        assertThat(slow.seconds()).isEqualTo(10);
        assertThat(slow.basis()).contains("copy_rate, 100,000 bytes/s");
    }
}
