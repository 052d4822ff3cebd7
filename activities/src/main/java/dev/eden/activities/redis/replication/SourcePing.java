package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Measures how fast the source answers while it is loaded from, for {@link Pace}; asks only where somebody wants to know. */
final class SourcePing implements AutoCloseable {
    private static final long PERIOD_MILLIS = 50;

    private final Sides sides;
    private final Pace pace;
    private final Thread thread;
    private volatile boolean closed;

    SourcePing(Sides sides, Pace pace) {
        this.sides = sides;
        this.pace = pace;
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("eden-ping-" + sides.migration())
                .start(this::run);
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    private void run() {
        RespConnection connection = null;
        while (!closed) {
            if (pace.watchesSource()) {
                connection = ping(connection);
            }
            try {
                TimeUnit.MILLISECONDS.sleep(PERIOD_MILLIS);
            } catch (InterruptedException e) {
                closed = true;
            }
        }
        if (connection != null) {
            connection.close();
        }
    }

    private @Nullable RespConnection ping(@Nullable RespConnection open) {
        RespConnection connection = open;
        try {
            if (connection == null) {
                connection = sides.connectFrom("ping");
            }
            long began = System.nanoTime();
            connection.call("PING");
            pace.sourceAnswered(System.nanoTime() - began);
            return connection;
        } catch (RedisConnectionException | RedisException e) {
            // The load's own connection will say what is wrong.
            if (connection != null) {
                connection.close();
            }
            return null;
        }
    }
}
