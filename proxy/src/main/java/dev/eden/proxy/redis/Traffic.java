package dev.eden.proxy.redis;

/**
 * Counts and latencies of one loop, by side. Histograms are log-linear (16 steps per doubling, error under 7 %) so that recording costs two array
 * accesses. Touched by the loop's thread only.
 */
final class Traffic {
    static final int BUCKETS = 16 * 40;

    long[] active = new long[BUCKETS];
    long[] standby = new long[BUCKETS];
    long[] added = new long[BUCKETS];
    final java.util.Map<String, Long> ineligible = new java.util.TreeMap<>();
    long activeOperations;
    long standbyOperations;
    long activeErrors;
    long standbyErrors;

    void record(boolean onActive, long nanos, boolean error) {
        int bucket = bucket(nanos);
        if (onActive) {
            activeOperations++;
            active[bucket]++;
            if (error) {
                activeErrors++;
            }
        } else {
            standbyOperations++;
            standby[bucket]++;
            if (error) {
                standbyErrors++;
            }
        }
    }

    /** What came in during one turn of the loop has gone out after this long; a request passes twice, once each way. */
    void added(long nanos) {
        added[bucket(2 * nanos)]++;
    }

    static int bucket(long nanos) {
        long value = Math.max(16, nanos);
        int exponent = 63 - Long.numberOfLeadingZeros(value);
        int step = (int) (value >>> (exponent - 4)) & 15;
        return Math.min(BUCKETS - 1, (exponent - 4) * 16 + step);
    }

    /** The middle of a bucket, in nanoseconds. */
    static double value(int bucket) {
        int exponent = bucket / 16 + 4;
        return (16 + bucket % 16 + 0.5) * (1L << (exponent - 4));
    }
}
