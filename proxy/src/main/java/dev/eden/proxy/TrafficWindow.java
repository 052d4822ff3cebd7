package dev.eden.proxy;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The last few snapshots: percentiles over about five seconds. */
final class TrafficWindow {
    private static final int SNAPSHOTS = 5;

    private final Deque<LoopSnapshot> recent = new ArrayDeque<>();
    private @Nullable LoopSnapshot last;

    void add(LoopSnapshot snapshot) {
        recent.addLast(snapshot);
        last = snapshot;
        if (recent.size() > SNAPSHOTS) {
            recent.removeFirst();
        }
    }

    TrafficReport report() {
        LoopSnapshot now = last;
        if (now == null) {
            throw new IllegalStateException("nothing to report yet");
        }
        long[] active = new long[LoopSnapshot.BUCKETS];
        long[] standby = new long[LoopSnapshot.BUCKETS];
        for (LoopSnapshot one : recent) {
            for (int i = 0; i < LoopSnapshot.BUCKETS; i++) {
                active[i] += one.activeLatency()[i];
                standby[i] += one.standbyLatency()[i];
            }
        }
        return new TrafficReport(
                now.clients(),
                now.backendConnections(),
                now.pinnedConnections(),
                side(now.activeOperations(), now.activeErrors(), active),
                side(now.standbyOperations(), now.standbyErrors(), standby),
                now.eligibleReads(),
                now.chosenReads(),
                now.servedByStandby(),
                now.events().getOrDefault("shadow_compared", 0L),
                now.events().getOrDefault("shadow_mismatched", 0L),
                now.ineligible());
    }

    private static TrafficReport.Side side(long operations, long errors, long[] histogram) {
        long samples = 0;
        for (long count : histogram) {
            samples += count;
        }
        return new TrafficReport.Side(
                operations,
                errors,
                percentile(histogram, samples, 0.50),
                percentile(histogram, samples, 0.99),
                samples);
    }

    /** In milliseconds; 0 without samples. */
    static double percentile(long[] histogram, long samples, double share) {
        long rank = (long) Math.ceil(samples * share);
        long seen = 0;
        for (int i = 0; i < histogram.length && samples > 0; i++) {
            seen += histogram[i];
            if (seen >= rank) {
                return LoopSnapshot.bucketMillis(i);
            }
        }
        return 0;
    }
}
