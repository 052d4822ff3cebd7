package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisConnectionException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What other threads want of an {@link Applier} between two batches. Thread-safe. */
final class ApplierRequests {
    private final ConcurrentLinkedQueue<Hold> holds = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Recopy> recopies = new ConcurrentLinkedQueue<>();
    private final Runnable wake;
    private volatile boolean abandoned;

    /** {@code wake}: makes the applier look here soon. */
    ApplierRequests(Runnable wake) {
        this.wake = wake;
    }

    /** Reads on the followed side, then stillness at their position. */
    static final class Hold {
        private final List<Object[]> reads;
        private final long limitNanos;
        private final CompletableFuture<EqualPosition> reached = new CompletableFuture<>();
        private final CountDownLatch done = new CountDownLatch(1);
        private volatile boolean overrun;

        Hold(List<Object[]> reads, Duration limit) {
            this.reads = reads;
            this.limitNanos = limit.toNanos();
        }

        List<Object[]> reads() {
            return reads;
        }

        CompletableFuture<EqualPosition> reached() {
            return reached;
        }

        /** For the applier: stands still. */
        void awaitDone() throws InterruptedException {
            overrun = !done.await(limitNanos, TimeUnit.NANOSECONDS);
        }
    }

    record Recopy(List<DbKey> keys, CompletableFuture<ExactCopy> result) {}

    <T> T hold(List<Object[]> reads, Duration limit, Function<EqualPosition, T> body) {
        Hold hold = new Hold(reads, limit);
        holds.add(hold);
        wake.run();
        try {
            T result = body.apply(await(hold.reached, limit));
            if (hold.overrun) {
                throw new EqualPosition.UnreachableException("the look at both sides took longer than " + limit);
            }
            return result;
        } finally {
            holds.remove(hold);
            hold.done.countDown();
        }
    }

    ExactCopy recopy(List<DbKey> keys, Duration limit) {
        Recopy recopy = new Recopy(List.copyOf(keys), new CompletableFuture<>());
        recopies.add(recopy);
        wake.run();
        return await(recopy.result, limit);
    }

    @Nullable
    Hold nextHold() {
        return holds.poll();
    }

    @Nullable
    Recopy nextRecopy() {
        return recopies.poll();
    }

    /** The applier has ended: whoever waits is told. */
    void abandon() {
        abandoned = true;
        RedisConnectionException ended = new RedisConnectionException("the applier has ended", null);
        for (Hold hold = holds.poll(); hold != null; hold = holds.poll()) {
            hold.reached.completeExceptionally(ended);
        }
        for (Recopy recopy = recopies.poll(); recopy != null; recopy = recopies.poll()) {
            recopy.result.completeExceptionally(ended);
        }
    }

    private <T> T await(CompletableFuture<T> future, Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        while (true) {
            try {
                return future.get(
                        Math.min(100, Math.max(1, (end - System.nanoTime()) / 1_000_000)), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                if (abandoned || System.nanoTime() >= end) {
                    throw new EqualPosition.UnreachableException(
                            abandoned ? "the applier has ended" : "not within " + limit);
                }
            } catch (ExecutionException e) {
                if (e.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw new IllegalStateException(e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new EqualPosition.UnreachableException("interrupted");
            }
        }
    }
}
