package dev.eden.activities.store;

import org.jspecify.annotations.Nullable;

/**
 * What an operator may set of a copy while it runs; null leaves the default. In force within two seconds.
 *
 * @param copyRate bytes per second that the full load writes to the target at most; no limit by default. As long as the load lasts the source keeps
 *     its log: keep an eye on a Redis' client-output-buffer-limit, a PostgreSQL's disk
 * @param parallelism lanes of the full load, and of a PostgreSQL's validation (1…16)
 * @param batch keys per pipeline of the full load and changes per transaction of the stream (1…8192); Redis only
 * @param maxSourceLatencyMs while the source answers a PING or SELECT 1 more slowly than this (moving average), the full load all but stands still
 */
public record Tuning(
        @Nullable Long copyRate,
        @Nullable Integer parallelism,
        @Nullable Integer batch,
        @Nullable Integer maxSourceLatencyMs) {

    /** Every default. */
    public static final Tuning NONE = new Tuning(null, null, null, null);
}
