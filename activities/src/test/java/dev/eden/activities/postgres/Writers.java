package dev.eden.activities.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Applications that insert one row at a time into {@code events} on whichever server lets them in, and change balances in transactions. What
 * was acknowledged and what is in doubt is remembered.
 */
final class Writers implements AutoCloseable {
    private final PostgresServers servers;
    private final List<Thread> threads = new ArrayList<>();
    final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    final Set<String> doubtful = ConcurrentHashMap.newKeySet();
    /** A sequence that gave a value twice. */
    final Set<String> duplicates = ConcurrentHashMap.newKeySet();

    private volatile boolean stop;

    Writers(PostgresServers servers, int count) {
        this.servers = servers;
        for (int i = 0; i < count; i++) {
            int worker = i;
            threads.add(Thread.ofPlatform().start(() -> run(worker)));
        }
    }

    private void run(int worker) {
        Connection connection = null;
        int turn = 0;
        for (int n = 0; !stop; ) {
            String event = worker + "-" + n;
            boolean sent = false;
            try {
                if (connection == null) {
                    connection = servers.application(turn++ % 2 == 0 ? "source" : "target");
                    connection.setAutoCommit(false);
                }
                try (var insert = connection.prepareStatement("INSERT INTO shop.events (event, note) VALUES (?, ?)");
                        var move = connection.prepareStatement(
                                "UPDATE shop.accounts SET balance = balance + ? WHERE id = ?")) {
                    insert.setString(1, event);
                    insert.setString(2, "n".repeat(n % 100));
                    insert.executeUpdate();
                    move.setInt(1, -1);
                    move.setInt(2, 1 + n % 5);
                    move.executeUpdate();
                    move.setInt(1, 1);
                    move.setInt(2, 6 + n % 5);
                    move.executeUpdate();
                    sent = true;
                    connection.commit();
                    acknowledged.add(event);
                    n++;
                }
            } catch (SQLException e) {
                String state = String.valueOf(e.getSQLState());
                if (state.startsWith("23")) {
                    duplicates.add(event);
                }
                boolean unknown = sent && !state.startsWith("40");
                if (unknown) {
                    doubtful.add(event);
                    n++;
                }
                if (!state.startsWith("40")) {
                    close(connection);
                    connection = null;
                    rest();
                } else {
                    rollback(connection);
                }
            }
        }
        close(connection);
    }

    private static void rollback(@Nullable Connection connection) {
        try {
            if (connection != null) {
                connection.rollback();
            }
        } catch (SQLException e) {
            // The next statement will tell.
        }
    }

    private static void close(@Nullable Connection connection) {
        try {
            if (connection != null) {
                connection.close();
            }
        } catch (SQLException e) {
            // It is gone anyway.
        }
    }

    private static void rest() {
        try {
            TimeUnit.MILLISECONDS.sleep(5);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        stop = true;
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
