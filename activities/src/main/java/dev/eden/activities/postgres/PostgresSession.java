package dev.eden.activities.postgres;

import dev.eden.activities.store.Endpoint;
import dev.eden.proxy.Backend;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLState;

/**
 * One session on a server, in autocommit unless inside {@link #transaction}. Not thread-safe. Every failure is a {@link PostgresException};
 * a lost connection a {@link PostgresConnectionException}.
 *
 * <p>What the text of a value looks like does not depend on the server's or the role's settings: dates are ISO, the time zone is UTC, numbers
 * have all their digits, bytes are hexadecimal. A commit is on the server's disk when it returns, and
 * so is all that was committed there before: markers and positions mean that.
 */
public final class PostgresSession implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    /** Who asks for more keeps it; waiting for replicas that applications do not wait for is not asked for. */
    private static final String DURABLE =
            "SELECT set_config('synchronous_commit', 'local', false) WHERE current_setting('synchronous_commit') = 'off'";

    private static final String SETTINGS = String.join(
            " ",
            "-c search_path=pg_catalog",
            "-c default_transaction_read_only=off",
            "-c default_transaction_isolation=read\\ committed",
            "-c timezone=UTC",
            "-c datestyle=ISO",
            "-c intervalstyle=postgres",
            "-c extra_float_digits=3",
            "-c bytea_output=hex",
            "-c standard_conforming_strings=on",
            "-c client_min_messages=warning",
            "-c idle_in_transaction_session_timeout=0",
            "-c tcp_keepalives_idle=10", // a host that is gone without a word holds no lock for hours
            "-c tcp_keepalives_interval=5",
            "-c tcp_keepalives_count=3",
            "-c idle_session_timeout=0",
            "-c local_preload_libraries=");
    /** A library that the server lacks keeps whoever is to load it out; but only superusers may say so. */
    private static final String OF_SUPERUSERS = " -c session_preload_libraries=";

    private final Endpoint endpoint;
    private final Connection connection;
    private final int major;

    private PostgresSession(Endpoint endpoint, Connection connection, int major) {
        this.endpoint = endpoint;
        this.connection = connection;
        this.major = major;
    }

    /** Reads one row. */
    @FunctionalInterface
    public interface Row<T extends @Nullable Object> {
        T of(ResultSet row) throws SQLException;
    }

    /** As {@link #connect(Endpoint, Backend.Login, String, Duration)} with the endpoint's own login, whatever it may do. */
    public static PostgresSession connect(Endpoint endpoint, String application, Duration limit) {
        return connect(endpoint, endpoint.login(), application, limit, SETTINGS, Map.of());
    }

    /**
     * Connects within five seconds, as a superuser.
     *
     * @param application shown by the server as {@code application_name}
     * @param limit of each statement; zero: none
     */
    public static PostgresSession connect(
            Endpoint endpoint, Backend.@Nullable Login login, String application, Duration limit) {
        return connect(endpoint, login, application, limit, SETTINGS + OF_SUPERUSERS, Map.of());
    }

    private static PostgresSession connect(
            Endpoint endpoint,
            Backend.@Nullable Login login,
            String application,
            Duration limit,
            String settings,
            Map<String, String> more) {
        Properties properties = new Properties();
        properties.putAll(more);
        if (login != null) {
            properties.setProperty("user", login.user());
            properties.setProperty("password", login.password().reveal());
        }
        properties.setProperty("ApplicationName", application);
        properties.setProperty("sslmode", endpoint.tls() ? "verify-full" : "disable");
        if (endpoint.tls()) {
            properties.setProperty("sslfactory", "org.postgresql.ssl.DefaultJavaSSLFactory");
        }
        properties.setProperty("gssEncMode", "disable");
        properties.setProperty("connectTimeout", Long.toString(CONNECT.toSeconds()));
        properties.setProperty("loginTimeout", Long.toString(2 * CONNECT.toSeconds()));
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("assumeMinServerVersion", "14");
        // A detail and a context quote rows.
        properties.setProperty("logServerErrorDetail", "false");
        properties.setProperty("options", settings + " -c statement_timeout=" + limit.toMillis());
        if (!limit.isZero()) {
            properties.setProperty("socketTimeout", Long.toString(limit.toSeconds() + CONNECT.toSeconds()));
        }
        try {
            Connection connection = DriverManager.getConnection(url(endpoint), properties);
            try (Statement durable = connection.createStatement()) {
                durable.execute(DURABLE);
                return new PostgresSession(
                        endpoint, connection, connection.getMetaData().getDatabaseMajorVersion());
            } catch (SQLException e) {
                connection.close();
                throw e;
            }
        } catch (SQLException e) {
            throw PostgresException.connecting(endpoint, e);
        }
    }

    /**
     * For replication commands, on the same database: a slot that such a session makes exports the snapshot that the slot begins with, for as long
     * as the session does nothing else.
     */
    public static PostgresSession connectForReplication(
            Endpoint endpoint, Backend.@Nullable Login login, String application) {
        return connect(
                endpoint,
                login,
                application,
                Duration.ZERO,
                SETTINGS + OF_SUPERUSERS,
                Map.of("replication", "database", "preferQueryMode", "simple"));
    }

    private static String url(Endpoint endpoint) {
        String host = endpoint.host().indexOf(':') >= 0 ? "[" + endpoint.host() + "]" : endpoint.host();
        String database = endpoint.database();
        String named =
                database == null ? "" : java.net.URLEncoder.encode(database, java.nio.charset.StandardCharsets.UTF_8);
        return "jdbc:postgresql://" + host + ":" + endpoint.port() + "/" + named;
    }

    /** 14 to 18. */
    public int major() {
        return major;
    }

    /** The server's process of this session. */
    public int pid() {
        return guarded(() -> connection.unwrap(PGConnection.class).getBackendPID());
    }

    /** One statement, or several separated by semicolons. */
    public void execute(String sql) {
        guarded(() -> {
            try (Statement statement = connection.createStatement()) {
                return statement.execute(sql);
            }
        });
    }

    /** All of them in one round trip; they belong to one transaction only inside {@link #transaction}. */
    public void executeAll(List<String> statements) {
        if (statements.isEmpty()) {
            return;
        }
        guarded(() -> {
            try (Statement statement = connection.createStatement()) {
                for (String sql : statements) {
                    statement.addBatch(sql);
                }
                return statement.executeBatch();
            } catch (AssertionError e) {
                // The driver's word for a connection that was lost meanwhile.
                throw new PSQLException("the connection was lost during a batch", PSQLState.CONNECTION_FAILURE, e);
            }
        });
    }

    /** Rows changed. */
    public int update(String sql, @Nullable Object... arguments) {
        return guarded(() -> {
            try (PreparedStatement statement = prepare(sql, arguments)) {
                return statement.executeUpdate();
            }
        });
    }

    public <T> List<T> query(String sql, Row<T> row, @Nullable Object... arguments) {
        return guarded(() -> {
            List<T> all = new ArrayList<>();
            try (PreparedStatement statement = prepare(sql, arguments);
                    ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    all.add(row.of(rows));
                }
            }
            return all;
        });
    }

    /** The first row; a NULL counts as none. */
    public <T> Optional<T> first(String sql, Row<@Nullable T> row, @Nullable Object... arguments) {
        return guarded(() -> {
            try (PreparedStatement statement = prepare(sql, arguments);
                    ResultSet rows = statement.executeQuery()) {
                return rows.next() ? Optional.ofNullable(row.of(rows)) : Optional.<T>empty();
            }
        });
    }

    /** First column of the first row; 0 for none or NULL. */
    public long number(String sql, @Nullable Object... arguments) {
        return first(sql, row -> row.getLong(1), arguments).orElse(0L);
    }

    /** First column of the first row; empty for none or NULL. */
    public Optional<String> text(String sql, @Nullable Object... arguments) {
        return first(sql, row -> row.getString(1), arguments);
    }

    /** First column of the first row; false for none or NULL. */
    public boolean is(String sql, @Nullable Object... arguments) {
        return first(sql, row -> row.getBoolean(1), arguments).orElse(false);
    }

    public List<String> texts(String sql, @Nullable Object... arguments) {
        return query(sql, row -> row.getString(1), arguments);
    }

    /** Runs the body in one transaction, rolled back when it throws. */
    public <T> T transaction(Supplier<T> body) {
        guarded(() -> {
            connection.setAutoCommit(false);
            return true;
        });
        boolean done = false;
        try {
            T result = body.get();
            guarded(() -> {
                connection.commit();
                return true;
            });
            done = true;
            return result;
        } finally {
            end(!done);
        }
    }

    public void transaction(Runnable body) {
        transaction(() -> {
            body.run();
            return true;
        });
    }

    /** Runs the body in a transaction that is rolled back in any case. */
    public void rehearsal(Runnable body) {
        guarded(() -> {
            connection.setAutoCommit(false);
            return true;
        });
        try {
            body.run();
        } finally {
            end(true);
        }
    }

    private void end(boolean rollback) {
        try {
            if (rollback) {
                connection.rollback();
            }
            connection.setAutoCommit(true);
        } catch (SQLException e) {
            // What ended the transaction is on its way to the caller, or the connection is lost and the next statement
            // says so.
            if (!rollback) {
                throw PostgresException.of(endpoint, e);
            }
        }
    }

    /** For COPY, on this session. */
    public CopyManager copy() {
        return guarded(() -> connection.unwrap(PGConnection.class).getCopyAPI());
    }

    /** @throws PostgresConnectionException where this side has ended it: see {@link #abort} */
    public void requireOpen() {
        if (guarded(connection::isClosed)) {
            throw PostgresException.of(endpoint, new SQLException("the session was ended", "08003"));
        }
    }

    /** Ends the statement that runs, if one does, from another thread; the session stays. Best effort. */
    public void cancel() {
        try {
            connection.unwrap(PGConnection.class).cancelQuery();
        } catch (SQLException e) {
            // It ends by itself, then.
        }
    }

    /** Ends what runs, from another thread. */
    public void abort() {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            throw PostgresException.of(endpoint, e);
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            // Nothing is left to be done on it.
        }
    }

    private PreparedStatement prepare(String sql, @Nullable Object... arguments) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(sql);
        for (int i = 0; i < arguments.length; i++) {
            Object argument = arguments[i];
            switch (argument) {
                case null -> statement.setObject(i + 1, null);
                case String[] texts -> statement.setArray(i + 1, connection.createArrayOf("text", texts));
                case Long[] numbers -> statement.setArray(i + 1, connection.createArrayOf("bigint", numbers));
                default -> statement.setObject(i + 1, argument);
            }
        }
        return statement;
    }

    @FunctionalInterface
    private interface Work<T> {
        T run() throws SQLException;
    }

    private <T> T guarded(Work<T> work) {
        try {
            return work.run();
        } catch (SQLException e) {
            throw PostgresException.of(endpoint, e);
        }
    }
}
