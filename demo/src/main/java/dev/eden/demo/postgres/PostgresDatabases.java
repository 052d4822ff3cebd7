package dev.eden.demo.postgres;

import dev.eden.demo.DemoException;
import dev.eden.demo.engine.Databases;
import dev.eden.embedded.EmbeddedDatabase;
import dev.eden.embedded.EmbeddedPostgres;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Two PostgreSQL servers of any two versions, ready for logical replication. */
public final class PostgresDatabases implements Databases {
    private static final String DATABASE = "eden";

    /** Eden's fence leaves roles of such a name alone: this one reads fenced servers, and damages the target behind Eden's back. */
    static final String SABOTEUR = "eden_demo_saboteur_link";

    /** {@code plan} refuses such names, so it is made later, in a database that no fence is around. */
    private static final String OTHER_DATABASE = "postgres";

    private static final String STAGEHAND = "stagehand";

    private static final String[] SETTINGS = {
        "wal_level=logical",
        "max_replication_slots=24",
        "max_wal_senders=24",
        "max_logical_replication_workers=16",
        "max_worker_processes=24"
    };

    private final int sourceVersion;
    private final int targetVersion;
    private final String appPassword = secret();
    private final String saboteurPassword = secret();
    private volatile @Nullable EmbeddedPostgres source;
    private volatile @Nullable EmbeddedPostgres target;

    /** Major versions; see {@link EmbeddedPostgres.Options#withVersion}. */
    public PostgresDatabases(int sourceVersion, int targetVersion) {
        this.sourceVersion = sourceVersion;
        this.targetVersion = targetVersion;
    }

    private static String secret() {
        byte[] bytes = new byte[24];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    @Override
    public String engine() {
        return "postgres";
    }

    @Override
    public String source() {
        return "PostgreSQL " + sourceVersion;
    }

    @Override
    public String target() {
        return "PostgreSQL " + targetVersion;
    }

    @Override
    public List<Supplier<? extends AutoCloseable>> starters() {
        return List.of(() -> source = start(sourceVersion), () -> target = start(targetVersion));
    }

    private static EmbeddedPostgres start(int version) {
        return EmbeddedPostgres.start(
                EmbeddedPostgres.Options.defaults().withVersion(version).withSettings(SETTINGS));
    }

    @Override
    public void prepare() {
        try (Connection admin = admin(started(source))) {
            AppSchema.makeUser(admin, appPassword);
        } catch (SQLException e) {
            throw new DemoException("the source's user could not be made: " + e.getMessage(), e);
        }
        try (Connection atSource = admin(started(source));
                Connection atTarget = admin(started(target))) {
            run(atSource, "CREATE ROLE " + STAGEHAND + " LOGIN PASSWORD '" + saboteurPassword + "'");
            try (Statement statement = atSource.createStatement();
                    ResultSet verifier = statement.executeQuery(
                            "SELECT rolpassword FROM pg_authid WHERE rolname = '" + STAGEHAND + "'")) {
                verifier.next();
                run(atTarget, "CREATE ROLE " + STAGEHAND + " LOGIN PASSWORD '" + verifier.getString(1) + "'");
            }
            for (EmbeddedPostgres server : List.of(started(source), started(target))) {
                try (Connection admin =
                        DriverManager.getConnection(server.jdbcUrl(OTHER_DATABASE), server.user(), server.password())) {
                    run(admin, """
                            CREATE FUNCTION public.saboteur(password text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
                              IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%1$s') THEN
                                EXECUTE format('CREATE ROLE %1$s SUPERUSER LOGIN PASSWORD %%L', password);
                              END IF;
                            END $$""".formatted(SABOTEUR));
                }
            }
        } catch (SQLException e) {
            throw new DemoException("a server's user could not be made: " + e.getMessage(), e);
        }
    }

    private static void run(Connection at, String sql) throws SQLException {
        try (Statement statement = at.createStatement()) {
            statement.execute(sql);
        }
    }

    /** To the source, before anything has been asked of Eden. */
    Connection connectFirst() throws SQLException {
        return admin(started(source));
    }

    private static Connection admin(EmbeddedPostgres server) throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl(DATABASE), server.user(), server.password());
    }

    @Override
    public String sourceUri() {
        return uri(started(source));
    }

    @Override
    public String targetUri() {
        return uri(started(target));
    }

    private static String uri(EmbeddedPostgres server) {
        return "postgresql://" + server.user() + ":" + server.password() + "@" + server.host() + ":" + server.port()
                + "/" + DATABASE;
    }

    @Override
    public String migration() {
        return "";
    }

    @Override
    public boolean answers(InetSocketAddress proxy) {
        Properties properties = new Properties();
        properties.setProperty("user", AppSchema.USER);
        properties.setProperty("password", appPassword);
        properties.setProperty("connectTimeout", "2");
        properties.setProperty("socketTimeout", "5");
        try (Connection connection = DriverManager.getConnection(url(proxy), properties)) {
            return connection.isValid(5);
        } catch (SQLException notYet) {
            return false;
        }
    }

    private static String url(InetSocketAddress address) {
        return "jdbc:postgresql://" + address.getHostString() + ":" + address.getPort() + "/" + DATABASE;
    }

    @Override
    public EmbeddedDatabase process(boolean ofTarget) {
        return started(ofTarget ? target : source);
    }

    /** Where and as whom the application connects. */
    Logins logins(List<InetSocketAddress> addresses) {
        return new Logins(addresses.stream().map(PostgresDatabases::url).toList(), appPassword);
    }

    /** The application's own connection to the source, before Eden's proxies stand before it. */
    Logins direct() {
        return new Logins(List.of(started(source).jdbcUrl(DATABASE)), appPassword);
    }

    /** A connection to one of the servers itself that no fence touches; it may do everything. */
    Connection connect(boolean toTarget) throws SQLException {
        EmbeddedPostgres server = started(toTarget ? target : source);
        try (Connection stagehand =
                        DriverManager.getConnection(server.jdbcUrl(OTHER_DATABASE), STAGEHAND, saboteurPassword);
                PreparedStatement make = stagehand.prepareStatement("SELECT public.saboteur(?)")) {
            make.setString(1, saboteurPassword);
            make.execute();
        }
        return DriverManager.getConnection(server.jdbcUrl(DATABASE), SABOTEUR, saboteurPassword);
    }

    @Override
    public List<String> addresses(List<InetSocketAddress> proxies) {
        List<String> lines = new ArrayList<>();
        for (InetSocketAddress proxy : proxies) {
            lines.add("through Eden    psql " + psql(AppSchema.USER, appPassword, proxy.getPort()));
        }
        EmbeddedPostgres from = source;
        EmbeddedPostgres to = target;
        if (from != null && to != null) {
            lines.add("source          psql " + psql(from.user(), from.password(), from.port()));
            lines.add("target          psql " + psql(to.user(), to.password(), to.port()));
        }
        return lines;
    }

    private static String psql(String user, String password, int port) {
        return "postgresql://" + user + ":" + password + "@127.0.0.1:" + port + "/" + DATABASE;
    }

    private static EmbeddedPostgres started(@Nullable EmbeddedPostgres server) {
        if (server == null) {
            throw new IllegalStateException("not started");
        }
        return server;
    }
}
