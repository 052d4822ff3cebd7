package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Asks the followed side for its position many times a second, which is what lag is measured against. */
final class SourceSampler implements AutoCloseable {
    private static final long SAMPLE_MILLIS = 20;
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final Sides sides;
    private final LagSampler lag;
    private final LongConsumer everySecond;
    private volatile boolean closed;
    private volatile @Nullable String problem;

    /** {@code everySecond} gets {@link System#nanoTime}. */
    SourceSampler(Sides sides, LagSampler lag, LongConsumer everySecond) {
        this.sides = sides;
        this.lag = lag;
        this.everySecond = everySecond;
    }

    /** Why the followed side does not answer; null while it does. */
    @Nullable
    String problem() {
        return problem;
    }

    /** The sampler's thread. */
    void run() {
        long last = System.nanoTime();
        RespConnection control = null;
        while (!closed) {
            long now = System.nanoTime();
            try {
                if (control == null) {
                    control = sides.connectFrom("lag");
                }
                lag.sample(
                        SourceReads.position(control.call("INFO", "replication").text())
                                .offset(),
                        now);
                problem = null;
            } catch (RedisConnectionException | RedisException e) {
                problem = sides.from().id() + ": " + e.getMessage();
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
                TimeUnit.MILLISECONDS.sleep(SAMPLE_MILLIS);
            } catch (InterruptedException e) {
                closed = true;
            }
        }
        if (control != null) {
            control.close();
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
