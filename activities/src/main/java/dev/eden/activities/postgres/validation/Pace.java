package dev.eden.activities.postgres.validation;

import dev.eden.activities.copy.CopyPace;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Keeps a comparison from taking what replication or the source's applications need: while the lag is high or the source slower than an operator
 * lets it be, a lane rests three times as long as it worked. Thread-safe.
 */
record Pace(LongSupplier lagMillis, CopyPace source) {
    private static final long HIGH_MILLIS = 250;
    private static final int TIMES = 3;
    private static final long LONGEST_MILLIS = 2_000;

    /** After a range that took so long. */
    void rest(long workedNanos) {
        if (lagMillis.getAsLong() > HIGH_MILLIS || source.sourceIsSlow()) {
            Sides.pause(Math.min(LONGEST_MILLIS, TIMES * TimeUnit.NANOSECONDS.toMillis(workedNanos)));
        }
    }
}
