package dev.eden.proxy;

import java.time.Duration;

/**
 * Whether this process may act on the route it knows. One that was stopped (SIGSTOP, a paused machine) wakes with the route of then; meanwhile
 * an operator may have removed it and a cutover gone by without it. A pulse tells: where it is older than {@value #LIMIT_MILLIS} ms, nothing new
 * goes out until the route has been read, by a read that began after the waking. Event loops ask for every request; thread-safe.
 */
public final class Wakefulness {
    /** Less than a proxy has to be silent before it may be removed (10 s), far more than a collector or a busy machine takes. */
    static final long LIMIT_MILLIS = 5_000;

    static final Duration PULSE = Duration.ofMillis(100);
    private static final long LIMIT = Duration.ofMillis(LIMIT_MILLIS).toNanos();

    private volatile long pulse = System.nanoTime();
    private volatile boolean slept;
    private long noticedAt;

    /** True from the waking until the route has been read again. {@code now}: a {@code nanoTime} of this event. */
    public boolean slept(long now) {
        if (!slept && now - pulse > LIMIT) {
            notice();
        }
        return slept;
    }

    /** One beat; true where the last one was too long ago. */
    boolean beat() {
        long now = System.nanoTime();
        boolean late = now - pulse > LIMIT;
        if (late) {
            notice();
        }
        pulse = now;
        return late;
    }

    /** The route was read by a read that began at {@code began}; true where that ends what a sleep had begun. */
    synchronized boolean read(long began) {
        if (!slept || began - noticedAt <= 0) {
            return false;
        }
        slept = false;
        return true;
    }

    private synchronized void notice() {
        if (!slept) {
            noticedAt = System.nanoTime();
            slept = true;
        }
    }
}
