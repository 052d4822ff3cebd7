import java.io.StringReader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.Callable;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

/**
 * What pgjdbc sees, one line a check; the same lines are expected over any way to the same server. {@code PORT DATABASE CA} the checks; {@code PORT DATABASE
 * CA NAME} ordinary work until the input ends, then what came of it.
 */
final class Checks {
    private static String[] to;

    private static Connection connect(String user, String password, String more) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + to[0] + "/" + to[1] + "?" + more, user, password);
    }

    private static Connection connect(String more) throws SQLException {
        return connect("drivers", "drivers", "sslmode=disable" + more);
    }

    private static String verified() {
        return "sslmode=verify-full&sslrootcert=" + to[2];
    }

    private static void told(String name, Callable<Object> work) throws Exception {
        try {
            System.out.println(name + ": " + work.call());
        } catch (PSQLException e) {
            var said = e.getServerErrorMessage();
            System.out.println(name + ": " + e.getSQLState()
                    + (said == null ? "" : " " + said.getMessage() + " " + said.getPosition()));
        }
    }

    private static String user(String user, String password, String more) throws SQLException {
        try (Connection at = connect(user, password, more);
                Statement statement = at.createStatement();
                ResultSet row = statement.executeQuery("SELECT current_user || length(repeat('x', 200000))")) {
            row.next();
            return row.getString(1);
        }
    }

    private static long sum(Connection at, int from, int to) throws SQLException {
        long sum = 0;
        try (PreparedStatement statement = at.prepareStatement("SELECT ?::int * 2")) {
            for (int i = from; i < to; i++) {
                statement.setInt(1, i);
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    sum += row.getInt(1);
                }
            }
        }
        return sum;
    }

    private static String cancel(String more) throws Exception {
        String sleep = "SELECT pg_sleep(60)";
        try (Connection at = connect("drivers", "drivers", more);
                Connection other = connect("");
                Statement statement = at.createStatement();
                PreparedStatement look = other.prepareStatement(
                        "SELECT count(*) FROM pg_stat_activity WHERE query = ? AND state = 'active'")) {
            look.setString(1, sleep);
            Thread striker = Thread.ofVirtual().start(() -> {
                try {
                    long running = 0;
                    while (running == 0) {
                        try (ResultSet row = look.executeQuery()) {
                            row.next();
                            running = row.getLong(1);
                        }
                    }
                    statement.cancel();
                } catch (SQLException e) {
                    throw new IllegalStateException(e);
                }
            });
            try {
                statement.execute(sleep);
            } catch (SQLException e) {
                striker.join();
                return e.getSQLState() + " " + sum(at, 0, 3);
            }
            return "went on";
        }
    }

    public static void main(String[] arguments) throws Exception {
        to = arguments;
        if (to.length > 3) {
            work(to[3]);
            return;
        }
        told("wrong password", () -> user("drivers", "wrong", "sslmode=disable"));
        told("no such user", () -> user("nobody_here", "wrong", "sslmode=disable"));
        told("SCRAM", () -> user("drivers", "drivers", "sslmode=disable"));
        told("md5", () -> user("old", "elderly", "sslmode=disable"));
        told("md5, wrong password", () -> user("old", "young", "sslmode=disable"));
        told("TLS, verified", () -> user("drivers", "drivers", verified()));
        told("TLS, negotiated directly", () -> user("drivers", "drivers", verified() + "&sslNegotiation=direct"));
        told("TLS, another authority", () -> user("drivers", "drivers", "sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory"));
        told("TLS, wrong password", () -> user("drivers", "wrong", verified()));
        told("channel binding", () -> user("drivers", "drivers", verified() + "&channelBinding=require"));
        told("channel binding without TLS", () -> user("drivers", "drivers", "sslmode=disable&channelBinding=require"));
        told("md5 over TLS", () -> user("old", "elderly", verified()));
        for (String mode : new String[] {"simple", "extended", "extendedForPrepared", "extendedCacheEverything"}) {
            told("prepared, " + mode, () -> {
                try (Connection at = connect("&prepareThreshold=2&preferQueryMode=" + mode)) {
                    return sum(at, 0, 10);
                }
            });
        }
        told("fetch size", () -> {
            try (Connection at = connect("")) {
                at.setAutoCommit(false);
                long sum = 0;
                try (Statement statement = at.createStatement()) {
                    statement.setFetchSize(7);
                    try (ResultSet rows = statement.executeQuery("SELECT generate_series(1, 1000)")) {
                        while (rows.next()) {
                            sum += rows.getInt(1);
                        }
                    }
                }
                at.commit();
                return sum;
            }
        });
        told("batch", () -> {
            try (Connection at = connect("&reWriteBatchedInserts=true");
                    Statement statement = at.createStatement()) {
                statement.execute("CREATE TEMP TABLE batched (id int PRIMARY KEY)");
                try (PreparedStatement insert = at.prepareStatement("INSERT INTO batched VALUES (?)")) {
                    for (int i = 0; i < 500; i++) {
                        insert.setInt(1, i);
                        insert.addBatch();
                    }
                    return insert.executeBatch().length;
                }
            }
        });
        told("copy", () -> {
            try (Connection at = connect("");
                    Statement statement = at.createStatement()) {
                statement.execute("CREATE TEMP TABLE copied (id int)");
                var copy = at.unwrap(PGConnection.class).getCopyAPI();
                long rows = copy.copyIn("COPY copied FROM STDIN", new StringReader("1\n2\n3\n"));
                try {
                    copy.copyIn("COPY copied FROM STDIN", new StringReader("x\n"));
                } catch (SQLException e) {
                    return rows + " " + e.getSQLState() + " " + sum(at, 0, 3);
                }
                return "accepted";
            }
        });
        told("cancel", () -> cancel("sslmode=disable"));
        told("cancel over TLS", () -> cancel(verified()));
        told("notify", () -> {
            try (Connection at = connect("");
                    Connection other = connect("");
                    Statement listen = at.createStatement();
                    Statement speak = other.createStatement()) {
                listen.execute("LISTEN drivers");
                speak.execute("NOTIFY drivers, 'heard'");
                return at.unwrap(PGConnection.class).getNotifications(10_000)[0].getParameter();
            }
        });
        told("error", () -> connect("").createStatement().execute("SELECT no_such_column FROM pg_class"));
    }

    private static void work(String name) throws Exception {
        Thread ended = Thread.ofPlatform().daemon().start(() -> {
            try {
                System.in.readAllBytes();
            } catch (java.io.IOException e) {
                throw new IllegalStateException(e);
            }
        });
        try (Connection idle = connect("&prepareThreshold=1");
                Connection busy = connect("&prepareThreshold=1");
                PreparedStatement twice = idle.prepareStatement("SELECT ?::int * 2");
                PreparedStatement insert = busy.prepareStatement("INSERT INTO public.work VALUES (?, ?)")) {
            twice.setInt(1, 1);
            twice.executeQuery().close();
            System.out.println("ready");
            int done = 0;
            insert.setString(1, name);
            while (ended.isAlive()) {
                insert.setInt(2, done);
                insert.executeUpdate();
                done++;
                if (done % 50 == 0) {
                    busy.setAutoCommit(false);
                    for (int i = 0; i < 10; i++) {
                        insert.setInt(2, done + i);
                        insert.addBatch();
                    }
                    insert.executeBatch();
                    busy.commit();
                    busy.setAutoCommit(true);
                    done += 10;
                }
            }
            twice.setInt(1, 21);
            try (ResultSet row = twice.executeQuery();
                    ResultSet rows = idle.createStatement().executeQuery("SELECT count(*) FROM public.work WHERE driver = '" + name + "'")) {
                row.next();
                rows.next();
                System.out.println("work: " + done + " acknowledged, " + rows.getLong(1) + " there, idle connection answers " + row.getInt(1));
            }
        }
    }
}
