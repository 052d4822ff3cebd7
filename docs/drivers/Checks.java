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

/** What pgjdbc sees, one line a check; the same lines are expected over any way to the same server. */
final class Checks {
    private static String[] to;

    private static Connection connect(String more) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + to[0] + "/" + to[1] + "?sslmode=disable" + more, to[2], to[3]);
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

    public static void main(String[] arguments) throws Exception {
        to = arguments;
        told("wrong password", () -> DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + to[0] + "/" + to[1] + "?sslmode=disable", to[2], "wrong"));
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
        told("cancel", () -> {
            try (Connection at = connect("");
                    Statement statement = at.createStatement()) {
                Thread.ofVirtual().start(() -> {
                    try {
                        Thread.sleep(500);
                        statement.cancel();
                    } catch (InterruptedException | SQLException e) {
                        throw new IllegalStateException(e);
                    }
                });
                try {
                    statement.execute("SELECT pg_sleep(20)");
                } catch (SQLException e) {
                    return e.getSQLState() + " " + sum(at, 0, 3);
                }
                return "went on";
            }
        });
        told("error", () -> connect("").createStatement().execute("SELECT no_such_column FROM pg_class"));
    }
}
