package dev.eden.activities.postgres;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Queue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Works pieces off, first come first served, on as many threads as are wanted at that moment: one that is too many ends after the piece it is at. Where
 * one fails, the others finish theirs and take no more. An interrupt of the caller is passed on to all.
 *
 * @param <T> a piece
 */
public final class Lanes<T> {
    private static final Logger LOGGER = LoggerFactory.getLogger(Lanes.class);
    private static final long LOOK_MILLIS = 100;
    private static final long JOIN_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Queue<T> pieces;
    private final IntSupplier wanted;
    private final Lane<T> lane;
    private int most;
    private int running;
    private long joinAt = System.nanoTime();
    private @Nullable RuntimeException failure;

    private Lanes(Collection<T> pieces, IntSupplier wanted, Lane<T> lane) {
        this.pieces = new ArrayDeque<>(pieces);
        this.wanted = wanted;
        this.lane = lane;
    }

    /** What one thread does: makes itself ready, then asks for pieces until there is none for it. */
    @FunctionalInterface
    public interface Lane<T> {
        void work(Supplier<@Nullable T> pieces);
    }

    /**
     * Returns when all is done; throws what the first has failed with. One that fails before it has had a piece is missed only where it is the
     * last: a server may have no room for more sessions.
     *
     * @param wanted asked ten times a second, at least 1
     */
    public static <T> void run(Collection<T> pieces, IntSupplier wanted, Lane<T> lane) {
        new Lanes<>(pieces, wanted, lane).run();
    }

    private void run() {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            try {
                for (int more = missing(); more >= 0; more = missing()) {
                    for (int i = 0; i < more; i++) {
                        Seat seat = new Seat();
                        threads.execute(() -> work(seat));
                    }
                    await();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                fail(new IllegalStateException("interrupted"));
                threads.shutdownNow();
            } catch (RuntimeException e) {
                fail(e);
            }
        }
        RuntimeException failed = failure();
        if (failed != null) {
            throw failed;
        }
    }

    /** How many are to be begun, as if they were already; -1: all is over. */
    private int missing() {
        int now = wanted.getAsInt();
        synchronized (this) {
            most = now;
            if (running == 0 && (pieces.isEmpty() || failure != null)) {
                return -1;
            }
            boolean joins = failure == null && (running == 0 || System.nanoTime() - joinAt >= 0);
            int more = joins ? Math.clamp(most - running, 0, pieces.size()) : 0;
            running += more;
            return more;
        }
    }

    private synchronized void await() throws InterruptedException {
        if (running > 0) {
            wait(LOOK_MILLIS);
        }
    }

    private void work(Seat seat) {
        try {
            lane.work(seat);
        } catch (RuntimeException e) {
            if (seat.mayBeMissed()) {
                LOGGER.atWarn().setCause(e).log("a lane can't join now");
            } else {
                fail(e);
            }
        } catch (Error e) {
            fail(new IllegalStateException(e));
        } finally {
            seat.leave();
        }
    }

    private synchronized void fail(RuntimeException e) {
        if (failure == null) {
            failure = e;
        }
    }

    private synchronized @Nullable RuntimeException failure() {
        return failure;
    }

    private final class Seat implements Supplier<@Nullable T> {
        private boolean taken = true;
        private boolean worked;

        @Override
        public @Nullable T get() {
            synchronized (Lanes.this) {
                T next = running > most || failure != null ? null : pieces.poll();
                worked = true;
                if (next == null) {
                    leave();
                }
                return next;
            }
        }

        boolean mayBeMissed() {
            synchronized (Lanes.this) {
                boolean missed = !worked && (running > 1 || pieces.isEmpty()); // all was taken meanwhile
                if (missed) {
                    joinAt = System.nanoTime() + JOIN_AGAIN_NANOS;
                    leave();
                }
                return missed;
            }
        }

        void leave() {
            synchronized (Lanes.this) {
                if (taken) {
                    taken = false;
                    running--;
                    Lanes.this.notifyAll();
                }
            }
        }
    }
}
