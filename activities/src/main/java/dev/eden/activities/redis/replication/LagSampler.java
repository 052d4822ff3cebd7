package dev.eden.activities.redis.replication;

import java.util.ArrayDeque;

/**
 * Replication lag as the age of the oldest position of the followed server that is not applied yet, from sampled positions: 0 when the
 * newest sample is applied. Thread-safe; times in {@link System#nanoTime}.
 */
final class LagSampler {
    private static final int MOST = 1 << 16;

    private record Sample(long offset, long atNanos) {}

    private final ArrayDeque<Sample> pending = new ArrayDeque<>();
    private long newest;

    /** A position read from the followed server at that time. */
    synchronized void sample(long offset, long atNanos) {
        newest = offset;
        Sample last = pending.peekLast();
        if (last != null && (last.offset == offset || pending.size() >= MOST)) {
            return;
        }
        pending.add(new Sample(offset, atNanos));
    }

    synchronized long newest() {
        return newest;
    }

    synchronized long lagMillis(long applied, long nowNanos) {
        Sample oldest = pending.peek();
        while (oldest != null && oldest.offset <= applied) {
            pending.remove();
            oldest = pending.peek();
        }
        return oldest == null ? 0 : Math.max(1, (nowNanos - oldest.atNanos) / 1_000_000);
    }
}
