package dev.eden.activities.cutover;

import dev.eden.activities.store.RouteLedger;
import dev.eden.proxy.OutageLog;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** Runs {@link AttemptSettler} and, in a server, {@link FenceSweeper} and {@link LostAttempts} for as long as a process lives; survives an absent store. */
public final class SweepLoop implements AutoCloseable {
    private static final Duration IDLE = Duration.ofMillis(500);
    private static final long FENCE_NANOS = Duration.ofSeconds(2).toNanos();

    private final OutageLog store = new OutageLog(
            LoggerFactory.getLogger(SweepLoop.class), "the store cannot be read", "the store can be read again");
    private final RouteLedger routes;
    private final AttemptSettler settler;
    private final @Nullable FenceSweeper fences;
    private final Thread thread;
    private final LostAttempts lost;
    private volatile boolean closed;

    /** Starts at once. {@code fences}: null in a proxy, where checking fences and telling of lost attempts is left to the servers. */
    public SweepLoop(RouteLedger routes, AttemptSettler settler, @Nullable FenceSweeper fences) {
        this.routes = routes;
        this.settler = settler;
        this.fences = fences;
        this.lost = new LostAttempts(routes);
        this.thread = Thread.ofVirtual().name("sweep").start(this::run);
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    private void run() {
        long fencesAt = System.nanoTime() + FENCE_NANOS;
        while (!closed) {
            long mark = routes.changeMark();
            long next = -1;
            try {
                next = settler.sweep();
                if (fences != null && System.nanoTime() - fencesAt > 0 && next < 0) {
                    fences.sweep();
                    lost.sweep();
                    fencesAt = System.nanoTime() + FENCE_NANOS;
                }
                store.answered();
            } catch (RuntimeException e) {
                store.failed(e);
                mark = routes.changeMark();
            }
            if (next < 0) {
                routes.awaitChange(mark, IDLE);
            } else {
                // Not woken by what the attempt's own processes tell each other.
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(next));
            }
        }
    }
}
