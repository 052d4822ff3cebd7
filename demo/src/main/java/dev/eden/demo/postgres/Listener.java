package dev.eden.demo.postgres;

import dev.eden.demo.history.Heard;
import dev.eden.demo.history.History;
import dev.eden.demo.history.History.Window;
import dev.eden.demo.load.LoadStats;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection that does nothing but LISTEN. */
final class Listener implements Runnable, AutoCloseable {
    static final String CHANNEL = "app_news";
    private static final Logger LOGGER = LoggerFactory.getLogger(Listener.class);
    private static final String GOODBYE = "goodbye";
    private static final int POLL_MILLIS = 200;
    private static final long GOODBYE_NANOS = 10_000_000_000L;

    private final int address;
    private final Logins logins;
    private final History history;
    private final LoadStats stats;
    private final CountDownLatch listening = new CountDownLatch(1);
    private final List<Window> deaf = new ArrayList<>();
    private final List<Long> tokens = new ArrayList<>();
    private final Thread thread;
    private volatile boolean heardGoodbye;
    private volatile long hearUntil = Long.MAX_VALUE;
    private long since = Long.MAX_VALUE;
    /** When this connection proved that it hears; what was said afterwards may be lost with it. */
    private long lastHeard;

    Listener(int address, Logins logins, History history, LoadStats stats) {
        this.address = address;
        this.logins = logins;
        this.history = history;
        this.stats = stats;
        this.thread = Thread.ofPlatform().daemon().name("listener-" + address).unstarted(this);
    }

    void start() {
        thread.start();
    }

    /** Returns when its LISTEN was answered. */
    void awaitListening() {
        try {
            if (!listening.await(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException("LISTEN was not answered within 60 s through address " + address);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    @Override
    public void run() {
        long lost = -1;
        while (!over()) {
            try (Connection connection = logins.open(address, Logins.Style.DEFAULT, "listener-" + address);
                    Statement statement = connection.createStatement()) {
                statement.execute("LISTEN " + CHANNEL);
                if (since == Long.MAX_VALUE) {
                    since = history.now();
                    listening.countDown();
                } else if (lost >= 0) {
                    deaf.add(new Window(lost, history.now()));
                }
                lastHeard = history.now();
                lost = -1;
                hear(connection.unwrap(PGConnection.class));
                return;
            } catch (SQLException e) {
                lost = lost < 0 ? lastHeard : lost;
                stats.disconnected(-1 - address, "listener: " + e.getSQLState() + " " + e.getMessage());
                LockSupport.parkNanos(100_000_000);
            }
        }
        if (lost >= 0) {
            deaf.add(new Window(lost, Long.MAX_VALUE));
        }
    }

    private boolean over() {
        return heardGoodbye || System.nanoTime() - hearUntil > 0 && hearUntil != Long.MAX_VALUE;
    }

    private void hear(PGConnection connection) throws SQLException {
        while (!over()) {
            PGNotification[] notifications = connection.getNotifications(POLL_MILLIS);
            if (notifications == null) {
                continue;
            }
            for (PGNotification notification : notifications) {
                if (notification.getParameter().equals(GOODBYE)) {
                    heardGoodbye = true;
                } else {
                    tokens.add(Long.parseLong(notification.getParameter(), 36));
                    lastHeard = history.now();
                }
            }
        }
    }

    /** What listeners hear last: notifications come in the order of commits. */
    static void sayGoodbye(Logins logins, int addresses) {
        for (int address = 0; address < addresses; address++) {
            try (Connection connection = logins.open(address, Logins.Style.DEFAULT, "goodbye");
                    PreparedStatement notify = connection.prepareStatement("SELECT pg_notify(?, ?)")) {
                notify.setString(1, CHANNEL);
                notify.setString(2, GOODBYE);
                notify.execute();
                return;
            } catch (SQLException away) {
                // The listeners wait for a while without it; what they miss by then counts.
                LOGGER.atWarn().setCause(away).log("the end could not be told to the listeners");
            }
        }
    }

    /** Returns when it has heard the goodbye, or has waited long enough for it. */
    @Override
    public void close() {
        hearUntil = System.nanoTime() + GOODBYE_NANOS;
        SqlLoad.join(thread);
    }

    Heard heard() {
        return new Heard("listener " + address, since, deaf, tokens);
    }
}
