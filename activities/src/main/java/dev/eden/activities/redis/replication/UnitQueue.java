package dev.eden.activities.redis.replication;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Between the thread that reads the log and the one that applies it; bounded by bytes, so that a slow target slows the reader down. */
final class UnitQueue {
    private final ArrayDeque<Unit> units = new ArrayDeque<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition added = lock.newCondition();
    private final Condition removed = lock.newCondition();
    private final long maxBytes;
    private long bytes;
    private boolean woken;

    UnitQueue(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Waits for room. */
    void put(Unit unit) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (bytes > 0 && bytes + unit.bytes() > maxBytes) {
                removed.await();
            }
            units.add(unit);
            bytes += unit.bytes();
            added.signal();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes what is there, up to the limits and never beyond offset {@code upTo}; waits at most {@code waitMillis} for the first. Empty when
     * nothing came or the next unit ends after {@code upTo}.
     */
    List<Unit> take(int maxUnits, long maxTaken, long upTo, long waitMillis) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long left = TimeUnit.MILLISECONDS.toNanos(waitMillis);
            while (units.isEmpty()) {
                if (left <= 0 || woken) {
                    woken = false;
                    return List.of();
                }
                left = added.awaitNanos(left);
            }
            List<Unit> taken = new ArrayList<>();
            long takenBytes = 0;
            Unit next = units.peek();
            while (next != null
                    && next.end() <= upTo
                    && taken.size() < maxUnits
                    && (taken.isEmpty() || takenBytes + next.bytes() <= maxTaken)) {
                taken.add(units.remove());
                takenBytes += next.bytes();
                next = units.peek();
            }
            bytes -= takenBytes;
            removed.signal();
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /** Makes a {@link #take} that waits, or the next one, return at once. */
    void wake() {
        lock.lock();
        try {
            woken = true;
            added.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
