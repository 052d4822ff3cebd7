package dev.eden.activities.postgres.replication;

import java.util.ArrayDeque;

/**
 * The age of the oldest marker that was written on one side and not seen on the other yet, by the monotonic clock of the writer alone.
 * Thread-safe; times in {@link System#nanoTime}.
 */
final class MarkerLag {
    private static final int MOST = 1 << 16;

    private record Written(long number, long atNanos) {}

    private final ArrayDeque<Written> pending = new ArrayDeque<>();
    private boolean seenAny;

    /** {@code atNanos}: before the write began. */
    synchronized void written(long number, long atNanos) {
        if (pending.size() < MOST) {
            pending.add(new Written(number, atNanos));
        }
    }

    synchronized void seen(long number) {
        Written oldest = pending.peek();
        while (oldest != null && oldest.number <= number) {
            pending.remove();
            seenAny = true;
            oldest = pending.peek();
        }
    }

    /** A marker of this writer has gone the way. */
    synchronized boolean seenAny() {
        return seenAny;
    }

    /** -1: none has been written yet, so nothing is known. */
    synchronized long millis(long nowNanos) {
        Written oldest = pending.peek();
        return oldest == null ? seenAny ? 0 : -1 : Math.max(1, (nowNanos - oldest.atNanos) / 1_000_000);
    }
}
