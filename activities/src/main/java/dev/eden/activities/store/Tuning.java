package dev.eden.activities.store;

import org.jspecify.annotations.Nullable;

/**
 * What an operator may set of a copy while it runs; null leaves the default. In force within a second.
 *
 * @param copyRate bytes per second that the full load writes to the target at most; no limit by default. A load that is slower than the
 *     source's own writes makes the source buffer its log: keep an eye on its client-output-buffer-limit
 * @param parallelism connections of the full load (1…16)
 * @param batch keys per pipeline of the full load and changes per transaction of the stream (1…8192)
 * @param maxSourceLatencyMs while the source answers a PING more slowly than this (moving average), the full load all but stands still
 */
public record Tuning(
        @Nullable Long copyRate,
        @Nullable Integer parallelism,
        @Nullable Integer batch,
        @Nullable Integer maxSourceLatencyMs) {

    /** Every default. */
    public static final Tuning NONE = new Tuning(null, null, null, null);
}
