package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Asks the followed side for its position many times a second, which is what lag is measured against. Where the position stands still and is
 * applied it asks less and less often, down to four times a second, until {@link #stir}: hundreds of resting migrations would else be thousands of
 * questions a second. What that costs in truth: where the link to the log is dead and says nothing, lag begins to count up to 250 ms late.
 */
final class SourceSampler implements AutoCloseable {
    private static final long SAMPLE_MILLIS = 20;
    private static final long RESTING_MILLIS = 250;
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final Sides sides;
    private final LagSampler lag;
    private final LongSupplier applied;
    private final LongConsumer everySecond;
    private final Semaphore stirred = new Semaphore(0);
    private volatile boolean resting;
    private volatile boolean closed;
    private volatile @Nullable String problem;

    /** {@code applied}: the position that the written side has; {@code everySecond} gets {@link System#nanoTime}. */
    SourceSampler(Sides sides, LagSampler lag, LongSupplier applied, LongConsumer everySecond) {
        this.sides = sides;
        this.lag = lag;
        this.applied = applied;
        this.everySecond = everySecond;
    }

    /** Why the followed side does not answer; null while it does. */
    @Nullable
    String problem() {
        return problem;
    }

    /** Something has come from the log: any thread, cheap where nobody rests. */
    void stir() {
        if (resting) {
            resting = false;
            stirred.release();
        }
    }

    /** The sampler's thread. */
    void run() {
        long last = System.nanoTime();
        long pause = SAMPLE_MILLIS;
        long before = -1;
        RespConnection control = null;
        while (!closed) {
            long now = System.nanoTime();
            try {
                if (control == null) {
                    control = sides.connectFrom("lag");
                }
                long offset = SourceReads.position(
                                control.call("INFO", "replication").text())
                        .offset();
                lag.sample(offset, now);
                problem = null;
                boolean still = offset == before && applied.getAsLong() >= offset;
                before = offset;
                pause = still ? Math.min(RESTING_MILLIS, 2 * pause) : SAMPLE_MILLIS;
            } catch (RedisConnectionException | RedisException e) {
                problem = sides.from().id() + ": " + e.getMessage();
                pause = SAMPLE_MILLIS;
                if (control != null) {
                    control.close();
                    control = null;
                }
            }
            if (now - last >= SECOND) {
                last = now;
                everySecond.accept(now);
            }
            try {
                rest(pause);
            } catch (InterruptedException e) {
                closed = true;
            }
        }
        if (control != null) {
            control.close();
        }
    }

    /** Announced before it begins: what comes from the log meanwhile ends it. */
    private void rest(long millis) throws InterruptedException {
        if (millis == SAMPLE_MILLIS) {
            TimeUnit.MILLISECONDS.sleep(millis);
            return;
        }
        stirred.drainPermits();
        resting = true;
        stirred.tryAcquire(millis, TimeUnit.MILLISECONDS);
        resting = false;
    }

    @Override
    public void close() {
        closed = true;
    }
}
