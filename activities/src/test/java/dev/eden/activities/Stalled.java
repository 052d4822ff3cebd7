package dev.eden.activities;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Work on a thread of its own that stands still where it calls {@link #here} first, as in a process that is stopped, until it is let go on. */
public final class Stalled {
    private final CountDownLatch there = new CountDownLatch(1);
    private final CountDownLatch onwards = new CountDownLatch(1);
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private @Nullable Thread thread;

    public void here() {
        there.countDown();
        try {
            onwards.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns when the work stands still, or has ended before. */
    public void start(Runnable work) throws InterruptedException {
        thread = Thread.ofPlatform().daemon().start(() -> {
            try {
                work.run();
            } catch (Throwable e) {
                failure.set(e);
            } finally {
                there.countDown();
            }
        });
        there.await();
    }

    /** Returns what the work ended with, null where it went well. */
    public @Nullable Throwable goOn() throws InterruptedException {
        onwards.countDown();
        if (thread != null) {
            thread.join();
        }
        return failure.get();
    }
}
