package dev.eden.activities.copy;

import dev.eden.activities.store.Tuning;
import dev.eden.workflows.activity.PreparationActivities.CopyForecast;
import java.util.Locale;

/** What an operator has set, in the forecast of a copy. */
public final class TunedForecast {
    private TunedForecast() {}

    /** As slow as the copy is tuned to be; the bytes that the source keeps stand for those that are written. */
    public static CopyForecast of(CopyForecast forecast, Tuning tuning) {
        Long rate = tuning.copyRate();
        if (rate == null) {
            return forecast;
        }
        double seconds = (double) forecast.bytes() / rate;
        return seconds <= forecast.seconds()
                ? forecast
                : new CopyForecast(
                        forecast.items(),
                        forecast.bytes(),
                        seconds,
                        String.format(Locale.ROOT, "copy_rate, %,d bytes/s of what the source keeps", rate));
    }
}
