package dev.eden.api.store;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One look at the store for everybody who asks within a moment: hundreds of migrations that each look at their own row many times a second are
 * then one statement. Nobody is answered with more than {@code maxAge}; who comes while a look is under way waits for it. Thread-safe.
 */
public final class SharedLook<T> {
    private final long maxAgeNanos;
    private final Supplier<T> look;
    private final ReentrantLock lock = new ReentrantLock();
    private volatile @Nullable Seen<T> seen;

    private record Seen<T>(T what, long atNanos) {}

    public SharedLook(Duration maxAge, Supplier<T> look) {
        this.maxAgeNanos = maxAge.toNanos();
        this.look = look;
    }

    /** Throws what the look throws; the next one looks again. */
    public T get() {
        Seen<T> last = seen;
        if (last != null && System.nanoTime() - last.atNanos() < maxAgeNanos) {
            return last.what();
        }
        lock.lock();
        try {
            last = seen;
            // Its age counts from before it was asked for.
            long now = System.nanoTime();
            if (last == null || now - last.atNanos() >= maxAgeNanos) {
                last = new Seen<>(look.get(), now);
                seen = last;
            }
            return last.what();
        } finally {
            lock.unlock();
        }
    }
}
