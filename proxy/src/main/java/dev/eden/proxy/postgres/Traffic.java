package dev.eden.proxy.postgres;

import dev.eden.proxy.LoopSnapshot;

/**
 * Counts and latencies of one loop, by side. Touched by the loop's thread only. What only opens or undoes a transaction, or does nothing, is no request here: it succeeds
 * also on a server where nothing else does.
 */
final class Traffic {
    long[] active = new long[LoopSnapshot.BUCKETS];
    long[] standby = new long[LoopSnapshot.BUCKETS];
    long[] added = new long[LoopSnapshot.BUCKETS];
    long activeOperations;
    long standbyOperations;
    long activeErrors;
    long standbyErrors;

    void record(boolean onActive, long nanos, boolean error) {
        int bucket = LoopSnapshot.bucket(nanos);
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

    /** A request that the active side never answered, of which the client has been told. */
    void failed() {
        activeOperations++;
        activeErrors++;
    }

    /** What came in during one turn of the loop has gone out after this long; a request passes twice, once each way. */
    void added(long nanos) {
        added[LoopSnapshot.bucket(2 * nanos)]++;
    }
}
