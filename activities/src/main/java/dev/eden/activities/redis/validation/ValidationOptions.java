package dev.eden.activities.redis.validation;

import java.time.Duration;

/**
 * @param batch most keys compared at a time; fewer while values are large
 * @param lanes sessions on the source that a batch is spread over: a hot key spoils only its own share
 * @param batchBytes serialised bytes of one side that a batch should not exceed
 * @param keysPerSecond upper bound, so that applications do not feel it
 * @param patience how long the applier may take to come to a position
 * @param sample differences that the report names
 */
public record ValidationOptions(
        int batch, int lanes, long batchBytes, int keysPerSecond, Duration patience, int sample) {
    public static ValidationOptions defaults() {
        return new ValidationOptions(256, 16, 8L << 20, 50_000, Duration.ofSeconds(10), 1_000);
    }
}
