package dev.eden.activities.copy;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Measures how fast the source answers while it is copied from, for a {@link CopyPace}; asks only where somebody wants to know. */
public final class SourcePing implements AutoCloseable {
    private static final long PERIOD_MILLIS = 50;

    private final CopyPace pace;
    private final Supplier<Connection> connections;
    private final Thread thread;
    private volatile boolean closed;

    /**
     * One of its own to the source.
     *
     * @param ask one cheap round trip
     */
    public record Connection(Runnable ask, Runnable close) {}

    /** @param name of what is copied, for the thread */
    public SourcePing(String name, CopyPace pace, Supplier<Connection> connections) {
        this.pace = pace;
        this.connections = connections;
        this.thread = Thread.ofVirtual().name("eden-ping-" + name).start(this::run);
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    private void run() {
        Connection connection = null;
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
            connection.close().run();
        }
    }

    private @Nullable Connection ping(@Nullable Connection open) {
        Connection connection = open;
        try {
            if (connection == null) {
                connection = connections.get();
            }
            ask(connection);
            return connection;
        } catch (RuntimeException e) {
            // The copy's own connection will say what is wrong.
            if (connection != null) {
                connection.close().run();
            }
            return null;
        }
    }

    /** One that failed after a long time was slow, too. */
    private void ask(Connection connection) {
        long began = System.nanoTime();
        pace.sourceAsked();
        try {
            connection.ask().run();
        } finally {
            pace.sourceAnswered(System.nanoTime() - began);
        }
    }
}
