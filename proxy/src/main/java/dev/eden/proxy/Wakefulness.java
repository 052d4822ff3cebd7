package dev.eden.proxy;

import java.time.Duration;

/**
 * Whether this process may act on the route it knows. One that was stopped (SIGSTOP, a paused machine) wakes with the route of then; meanwhile
 * an operator may have removed it and a cutover gone by without it. A pulse tells: where it is older than {@value #LIMIT_MILLIS} ms, the
 * process has slept once more, and a loop lets nothing new out until it has installed a route that was read after the waking. Event loops ask
 * for every request; thread-safe.
 *
 * <p>Sleeps are counted, and each loop remembers up to which one its route is known to be right: an order of the follower's that is still on its way
 * to a loop must not let that loop go on with the route of before.
 */
public final class Wakefulness {
    /** Less than a proxy has to be silent before it may be removed (10 s), far more than a collector or a busy machine takes. */
    static final long LIMIT_MILLIS = 5_000;

    static final Duration PULSE = Duration.ofMillis(100);
    private static final long LIMIT = Duration.ofMillis(LIMIT_MILLIS).toNanos();

    private volatile long pulse = System.nanoTime();
    private volatile int sleeps;
    private volatile int known;

    /** How often the process has slept. {@code now}: a {@code nanoTime} of this event. */
    public int sleeps(long now) {
        if (now - pulse > LIMIT) {
            notice(now);
        }
        return sleeps;
    }

    /** Up to which sleep the route that the follower orders is known to be right. */
    public int known() {
        return known;
    }

    /** True where the route has not been read since the process slept. */
    boolean slept() {
        return sleeps(System.nanoTime()) != known;
    }

    /** One beat; true where the last one was too long ago. */
    synchronized boolean beat() {
        long now = System.nanoTime();
        boolean late = now - pulse > LIMIT;
        if (late) {
            sleeps++;
        }
        pulse = now;
        return late;
    }

    /** The route was read, by a read that began when the process had slept {@code slept} times; true where that is news. */
    boolean read(int slept) {
        boolean news = known != slept;
        known = slept;
        return news;
    }

    private synchronized void notice(long now) {
        if (now - pulse > LIMIT) {
            sleeps++;
            pulse = now;
        }
    }
}
