package dev.eden.proxy.redis;

import java.util.Map;

/**
 * Totals of all loops and the latency histograms since the snapshot before.
 *
 * @param activeLatency,standbyLatency counts per bucket; {@link #bucketMillis} gives a bucket's value
 * @param addedLatency time requests and replies spent inside the proxy, same buckets
 */
public record LoopSnapshot(
        long clients,
        long backendConnections,
        long pinnedConnections,
        long activeOperations,
        long activeErrors,
        long standbyOperations,
        long standbyErrors,
        long eligibleReads,
        long chosenReads,
        long servedByStandby,
        long[] activeLatency,
        long[] standbyLatency,
        long[] addedLatency,
        Map<String, Long> ineligible,
        Map<String, Long> events) {

    public static final int BUCKETS = Traffic.BUCKETS;

    /** The middle of a bucket, in milliseconds. */
    public static double bucketMillis(int bucket) {
        return Traffic.value(bucket) / 1e6;
    }
}
