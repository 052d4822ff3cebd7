package dev.eden.demo.load;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/** Live figures of a running load; everything may be read at any time from any thread. */
public final class LoadStats {
    private static final int BUCKETS = 512;
    private static final int KEPT_ERRORS = 20;

    private final LongAdder operations = new LongAdder();
    private final LongAdder errors = new LongAdder();
    private final LongAdder disconnects = new LongAdder();
    private final LongAdder conflicts = new LongAdder();
    private final AtomicLongArray latencies = new AtomicLongArray(BUCKETS);
    private static final int KEPT_TROUBLES = 100_000;

    private final Deque<String> messages = new ArrayDeque<>();
    private final List<Trouble> troubles = new ArrayList<>();

    /**
     * What one client met.
     *
     * @param nanos when, {@link System#nanoTime()}
     * @param connection true where its connection was lost or refused, false for an error reply
     */
    public record Trouble(int client, long nanos, boolean connection, String message) {}

    public void answered(int count, long nanos) {
        operations.add(count);
        latencies.incrementAndGet(bucket(nanos));
    }

    /** Counts without a latency: a blocking command waits by design. */
    public void answered() {
        operations.increment();
    }

    public void error(int client, String message) {
        errors.increment();
        keep(client, false, "error: " + message);
    }

    public void disconnected(int client, String message) {
        disconnects.increment();
        keep(client, true, "disconnected: " + message);
    }

    public void conflict() {
        conflicts.increment();
    }

    private void keep(int client, boolean connection, String message) {
        synchronized (messages) {
            if (troubles.size() < KEPT_TROUBLES) {
                troubles.add(new Trouble(client, System.nanoTime(), connection, message));
            }
            if (messages.size() < KEPT_ERRORS) {
                messages.add(message);
            }
        }
    }

    public long operations() {
        return operations.sum();
    }

    public long errors() {
        return errors.sum();
    }

    public long disconnects() {
        return disconnects.sum();
    }

    /** Transactions that a changed WATCH key ended; the application tries again. */
    public long conflicts() {
        return conflicts.sum();
    }

    /** The first errors and disconnects, as the clients saw them. */
    public List<String> messages() {
        synchronized (messages) {
            return new ArrayList<>(messages);
        }
    }

    /** Every error and disconnect (of the first 100,000), in order. */
    public List<Trouble> troubles() {
        synchronized (messages) {
            return List.copyOf(troubles);
        }
    }

    /** Latency counts so far, to be subtracted from a later one. */
    public long[] latencyCounts() {
        long[] counts = new long[BUCKETS];
        for (int i = 0; i < BUCKETS; i++) {
            counts[i] = latencies.get(i);
        }
        return counts;
    }

    /** Milliseconds below which {@code quantile} of the requests between two counts stayed; 0 where there were none. */
    public static double millis(long[] before, long[] after, double quantile) {
        long total = 0;
        for (int i = 0; i < BUCKETS; i++) {
            total += after[i] - before[i];
        }
        long rank = (long) Math.ceil(total * quantile);
        long seen = 0;
        for (int i = 0; i < BUCKETS && total > 0; i++) {
            seen += after[i] - before[i];
            if (seen >= rank) {
                return upper(i) / 1e6;
            }
        }
        return 0;
    }

    /** 16 buckets per power of two, from 1 µs. */
    private static int bucket(long nanos) {
        long micros = Math.max(1, nanos / 1000);
        int power = 63 - Long.numberOfLeadingZeros(micros);
        int fraction = (int) (power >= 4 ? (micros >>> (power - 4)) & 15 : (micros << (4 - power)) & 15);
        return Math.min(BUCKETS - 1, power * 16 + fraction);
    }

    private static double upper(int bucket) {
        return Math.scalb(1.0 + (bucket % 16 + 1) / 16.0, bucket / 16) * 1000;
    }
}
