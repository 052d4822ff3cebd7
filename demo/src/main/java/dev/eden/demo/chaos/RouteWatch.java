package dev.eden.demo.chaos;

import dev.eden.demo.history.History;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Looks at the route row itself all the time: what it says must not depend on the server that may just be dead. */
final class RouteWatch implements AutoCloseable {
    private static final Duration PERIOD = Duration.ofMillis(20);

    /** What the row said from {@code at} on; {@code state} is {@code AWAY} while the store could not be read. */
    record Sample(long at, long epoch, String state, String active) {
        boolean stable() {
            return state.equals("STABLE");
        }
    }

    private final String url;
    private final String interlay;
    private final History history;
    private final List<Sample> changes = new ArrayList<>();
    private final Thread thread;
    private volatile Sample latest = new Sample(0, 0, "AWAY", "");
    private volatile boolean running = true;

    RouteWatch(String url, String interlay, History history) {
        this.url = url + "&connectTimeout=2&socketTimeout=2";
        this.interlay = interlay;
        this.history = history;
        this.thread = Thread.ofPlatform().daemon().name("route-watch").start(this::watch);
    }

    Sample latest() {
        return latest;
    }

    /** When the row last changed, and to what. */
    synchronized Sample latestChange() {
        return changes.isEmpty() ? latest : changes.getLast();
    }

    /** The longest time in which the row was readable and not STABLE, among those that touch the window; milliseconds. */
    long longestUnsettledMillis(long from, long to) {
        long longest = 0;
        long since = -1;
        for (Sample sample : snapshot()) {
            if (sample.at() > to && since < 0) {
                break;
            }
            boolean unsettled = !sample.stable() && !sample.state().equals("AWAY");
            if (unsettled && since < 0) {
                since = sample.at();
            } else if (!unsettled && since >= 0) {
                if (sample.at() >= from && since <= to) {
                    longest = Math.max(longest, sample.at() - since);
                }
                since = -1;
            }
        }
        return longest / 1000;
    }

    /** The states between two moments, in words. */
    String story(long from, long to) {
        StringBuilder words = new StringBuilder();
        for (Sample sample : snapshot()) {
            if (sample.at() >= from && sample.at() <= to) {
                words.append(words.isEmpty() ? "" : " → ")
                        .append(sample.state())
                        .append('(')
                        .append(sample.epoch())
                        .append(")+")
                        .append((sample.at() - from) / 1000);
            }
        }
        return words.toString();
    }

    private synchronized List<Sample> snapshot() {
        return List.copyOf(changes);
    }

    private void watch() {
        Connection connection = null;
        while (running) {
            try {
                if (connection == null) {
                    connection = DriverManager.getConnection(url);
                }
                note(read(connection));
            } catch (SQLException away) {
                // A store that cannot be read is one of the things that this looks for.
                note(new Sample(history.now(), latest.epoch(), "AWAY", latest.active()));
                close(connection);
                connection = null;
            }
            try {
                Thread.sleep(PERIOD);
            } catch (InterruptedException e) {
                break;
            }
        }
        close(connection);
    }

    private Sample read(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT epoch, state, active FROM route WHERE interlay = '" + interlay + "'")) {
            if (!row.next()) {
                return new Sample(history.now(), 0, "NONE", "");
            }
            return new Sample(history.now(), row.getLong(1), row.getString(2), String.valueOf(row.getString(3)));
        }
    }

    private synchronized void note(Sample sample) {
        Sample before = latest;
        if (changes.isEmpty() || !before.state().equals(sample.state()) || before.epoch() != sample.epoch()) {
            changes.add(sample);
        }
        latest = sample;
    }

    private static void close(@Nullable Connection connection) {
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException gone) {
                // It is gone already, which is why it is being closed.
            }
        }
    }

    @Override
    public void close() {
        running = false;
        thread.interrupt();
    }
}
