package dev.eden.api.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.eden.api.problem.StartupException;
import dev.eden.proxy.Secret;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** The connection pool to Eden's store. Writes are durable when they return: {@code synchronous_commit} is set on in every session. */
public final class Database implements AutoCloseable {
    private final HikariDataSource pool;
    private final Jdbi jdbi;

    private Database(HikariDataSource pool) {
        this.pool = pool;
        this.jdbi = Jdbi.create(pool);
    }

    /** {@code url}: {@code jdbc:postgresql://…}, without credentials where they are given apart. */
    public record Settings(
            String url, @Nullable String user, @Nullable Secret password, int poolSize, Duration timeout) {

        /** A pool of 10 and a limit of 5 s for connects and for getting a connection. */
        public static Settings of(String url, @Nullable String user, @Nullable Secret password) {
            return new Settings(url, user, password, 10, Duration.ofSeconds(5));
        }
    }

    /** Connects and brings the schema up to date. Throws {@link StartupException}. */
    public static Database open(Settings settings) {
        Database database = connect(settings);
        try {
            Flyway.configure(Database.class.getClassLoader())
                    .dataSource(database.pool)
                    .locations("classpath:db/migration")
                    .validateMigrationNaming(true)
                    .load()
                    .migrate();
        } catch (FlywayException e) {
            database.close();
            throw new StartupException(
                    "the schema of Eden's database can't be brought up to date: " + firstLine(e),
                    "give Eden a database of its own whose owner it is, not newer than this version");
        }
        return database;
    }

    /** Connects and leaves the schema alone: what a proxy does. Throws {@link StartupException}. */
    public static Database connect(Settings settings) {
        Properties properties = properties(settings);
        String address = address(settings.url());
        try (Connection probe = DriverManager.getConnection(settings.url(), properties)) {
            int version = probe.getMetaData().getDatabaseMajorVersion();
            if (version < 13) {
                throw new StartupException(
                        "Eden's database at " + address + " is PostgreSQL " + version, "use PostgreSQL 13 or later");
            }
        } catch (SQLException e) {
            throw new StartupException(
                    "Eden's database at " + address + " can't be reached: " + reason(e),
                    "start it, or correct --database-url (EDEN_DATABASE_URL)");
        }
        HikariConfig config = new HikariConfig();
        config.setDataSource(new PatientDataSource(settings.url(), properties));
        config.setPoolName("eden-store");
        config.setMaximumPoolSize(settings.poolSize());
        config.setMinimumIdle(Math.min(2, settings.poolSize()));
        config.setConnectionTimeout(settings.timeout().toMillis());
        config.setInitializationFailTimeout(-1);
        config.setConnectionInitSql("SET synchronous_commit = on");
        return new Database(new HikariDataSource(config));
    }

    public Jdbi jdbi() {
        return jdbi;
    }

    public DataSource dataSource() {
        return pool;
    }

    @Override
    public void close() {
        pool.close();
    }

    /** Host, port and database of a JDBC URL, without what may be secret in it. */
    static String address(String url) {
        String rest = url.startsWith("jdbc:postgresql://") ? url.substring("jdbc:postgresql://".length()) : "?";
        int query = rest.indexOf('?');
        String address = query < 0 ? rest : rest.substring(0, query);
        return address.substring(address.lastIndexOf('@') + 1);
    }

    private static Properties properties(Settings settings) {
        Properties properties = new Properties();
        if (settings.user() != null) {
            properties.setProperty("user", settings.user());
        }
        Secret password = settings.password();
        if (password != null) {
            properties.setProperty("password", password.reveal());
        }
        long seconds = Math.max(1, settings.timeout().toSeconds());
        properties.setProperty("connectTimeout", Long.toString(seconds));
        properties.setProperty("loginTimeout", Long.toString(seconds));
        properties.setProperty("socketTimeout", Long.toString(seconds * 6));
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("ApplicationName", "eden");
        return properties;
    }

    private static String reason(SQLException e) {
        String state = e.getSQLState();
        if (state == null) {
            return firstLine(e);
        }
        return switch (state) {
            case "28000", "28P01" -> "it refuses the login";
            case "3D000" -> "the database does not exist";
            case "08001" -> notConnected(e);
            case "57P03" -> "it is starting up or shutting down";
            default -> "SQLSTATE " + state;
        };
    }

    /** The driver has one SQLSTATE for all of it. */
    private static String notConnected(SQLException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            switch (cause) {
                case UnknownHostException _ -> {
                    return "the host is unknown";
                }
                case SocketTimeoutException _ -> {
                    return "it does not answer in time";
                }
                case ConnectException _ -> {
                    return "the connection is refused";
                }
                default -> {}
            }
        }
        return "it does not answer in time";
    }

    private static String firstLine(Exception e) {
        String message = e.getMessage();
        return message == null
                ? e.getClass().getSimpleName()
                : message.lines()
                        .filter(l -> !l.isBlank())
                        .findFirst()
                        .orElse("no message")
                        .strip();
    }
}
