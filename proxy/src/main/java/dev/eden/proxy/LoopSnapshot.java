package dev.eden.proxy;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

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

    /** Histograms are log-linear (16 steps per doubling, error under 7 %), so that recording costs two array accesses. */
    public static final int BUCKETS = 16 * 40;

    /** Where a duration is counted. */
    public static int bucket(long nanos) {
        long value = Math.max(16, nanos);
        int exponent = 63 - Long.numberOfLeadingZeros(value);
        int step = (int) (value >>> (exponent - 4)) & 15;
        return Math.min(BUCKETS - 1, (exponent - 4) * 16 + step);
    }

    /** The middle of a bucket, in milliseconds. */
    public static double bucketMillis(int bucket) {
        int exponent = bucket / 16 + 4;
        return (16 + bucket % 16 + 0.5) * (1L << (exponent - 4)) / 1e6;
    }

    /** Of several loops. */
    public static LoopSnapshot sum(List<LoopSnapshot> loops) {
        long[] totals = new long[10];
        long[] active = new long[BUCKETS];
        long[] standby = new long[BUCKETS];
        long[] added = new long[BUCKETS];
        Map<String, Long> ineligible = new TreeMap<>();
        Map<String, Long> events = new TreeMap<>();
        for (LoopSnapshot one : loops) {
            long[] values = {
                one.clients(),
                one.backendConnections(),
                one.pinnedConnections(),
                one.activeOperations(),
                one.activeErrors(),
                one.standbyOperations(),
                one.standbyErrors(),
                one.eligibleReads(),
                one.chosenReads(),
                one.servedByStandby()
            };
            for (int i = 0; i < totals.length; i++) {
                totals[i] += values[i];
            }
            for (int i = 0; i < BUCKETS; i++) {
                active[i] += one.activeLatency()[i];
                standby[i] += one.standbyLatency()[i];
                added[i] += one.addedLatency()[i];
            }
            one.ineligible().forEach((reason, count) -> ineligible.merge(reason, count, Long::sum));
            one.events().forEach((event, count) -> events.merge(event, count, Long::sum));
        }
        return new LoopSnapshot(
                totals[0],
                totals[1],
                totals[2],
                totals[3],
                totals[4],
                totals[5],
                totals[6],
                totals[7],
                totals[8],
                totals[9],
                active,
                standby,
                added,
                ineligible,
                events);
    }
}
