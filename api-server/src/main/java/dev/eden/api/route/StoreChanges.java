package dev.eden.api.route;

import dev.eden.api.store.MigrationStore;
import dev.eden.proxy.OutageLog;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hears of changes in the store (PostgreSQL documentation: NOTIFY) on a connection of its own. A notification may be late or
 * lost with the connection: after each reconnect everybody is told to look, and listeners must poll besides.
 */
public final class StoreChanges implements MigrationStore.Records, AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(StoreChanges.class);
    private static final int WAIT_MILLIS = 1_000;
    private static final String RECORDED = "eden_migration";
    private static final List<String> ROUTES = List.of("eden_route", "eden_acknowledgement", "eden_cancel");

    private final OutageLog outage =
            new OutageLog(LOGGER, "the store's notices cannot be heard", "the store's notices are heard again");
    private final String url;
    private final Properties properties;
    private final List<String> channels;
    private final List<BiConsumer<String, String>> listeners = new CopyOnWriteArrayList<>();
    private final Object lock = new Object();
    private final Thread thread;
    private long mark;
    private volatile boolean closed;
    private volatile @Nullable Connection connection;

    /** What proxies need to hear: of routes. Starts listening; never throws, it connects in the background. */
    public StoreChanges(String url, Properties properties) {
        this(url, properties, ROUTES);
    }

    private StoreChanges(String url, Properties properties, List<String> channels) {
        this.url = url;
        this.properties = properties;
        this.channels = channels;
        // A thread of the system: inside the pause of a cutover each thread that has to be woken counts.
        this.thread = Thread.ofPlatform().daemon().name("store-changes").start(this::run);
    }

    /** As a server needs it: also of what workflows record, which would only wake proxies. */
    public static StoreChanges withRecords(String url, Properties properties) {
        return new StoreChanges(
                url,
                properties,
                Stream.concat(ROUTES.stream(), Stream.of(RECORDED)).toList());
    }

    @Override
    public Runnable listen(String migration, Runnable then) {
        return listen((channel, payload) -> {
            if (channel.isEmpty() || channel.equals(RECORDED) && payload.equals(migration)) {
                then.run();
            }
        });
    }

    /** {@code listener} gets channel and payload, both empty after a reconnect; called on the listening thread: be quick. */
    Runnable listen(BiConsumer<String, String> listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    long mark() {
        synchronized (lock) {
            return mark;
        }
    }

    void await(long since, Duration atMost) {
        long end = System.nanoTime() + atMost.toNanos();
        synchronized (lock) {
            while (mark == since && !closed) {
                long left = end - System.nanoTime();
                if (left <= 0) {
                    return;
                }
                try {
                    lock.wait(left / 1_000_000, (int) (left % 1_000_000));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        Connection current = connection;
        if (current != null) {
            try {
                current.abort(Runnable::run);
            } catch (SQLException e) {
                LOGGER.atDebug().setCause(e).log("closing the listening connection");
            }
        }
        thread.interrupt();
    }

    private void run() {
        while (!closed) {
            try (Connection c = DriverManager.getConnection(url, properties)) {
                connection = c;
                try (Statement statement = c.createStatement()) {
                    for (String channel : channels) {
                        statement.execute("LISTEN " + channel);
                    }
                }
                outage.answered();
                changed("", "");
                PGConnection listening = c.unwrap(PGConnection.class);
                while (!closed) {
                    PGNotification[] notifications = listening.getNotifications(WAIT_MILLIS);
                    if (notifications == null || notifications.length == 0) {
                        // A dead peer is noticed by asking.
                        try (Statement statement = c.createStatement()) {
                            statement.execute("SELECT 1");
                        }
                        continue;
                    }
                    for (PGNotification n : notifications) {
                        changed(n.getName(), n.getParameter());
                    }
                }
            } catch (SQLException e) {
                if (!closed) {
                    outage.failed(e);
                    pause();
                }
            }
        }
    }

    private void changed(String channel, String payload) {
        if (!channel.equals(RECORDED)) {
            synchronized (lock) {
                mark++;
                lock.notifyAll();
            }
        }
        for (BiConsumer<String, String> listener : listeners) {
            listener.accept(channel, payload);
        }
    }

    private void pause() {
        await(mark(), Duration.ofMillis(200));
    }
}
