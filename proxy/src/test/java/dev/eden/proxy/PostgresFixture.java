package dev.eden.proxy;

import static org.awaitility.Awaitility.await;

import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.RouteStore.Step;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/** Two real servers with a user {@code app} of the same verifier, for the class alone; a proxy before them, a route driven by hand. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class PostgresFixture {
    @SuppressWarnings("NullAway.Init")
    EmbeddedPostgres source;

    @SuppressWarnings("NullAway.Init")
    EmbeddedPostgres target;

    @SuppressWarnings("NullAway.Init") // by start(…)
    MemoryRouteStore store;

    @SuppressWarnings("NullAway.Init") // by start(…)
    PostgresProxy proxy;

    @SuppressWarnings("NullAway.Init") // by start(…)
    SimpleMeterRegistry meters;

    long attempt;

    @BeforeAll
    void servers() throws SQLException {
        EmbeddedPostgres.Options logical = EmbeddedPostgres.Options.defaults()
                .withVersion(version())
                .withSettings("wal_level=logical", "wal_retrieve_retry_interval=100ms");
        source = EmbeddedPostgres.start(logical);
        target = EmbeddedPostgres.start(logical);
        try (Connection at = direct(source);
                Statement statement = at.createStatement()) {
            statement.execute("CREATE ROLE app LOGIN PASSWORD 'pencil'");
            statement.execute("GRANT CREATE ON SCHEMA public TO app");
            statement.execute("SET password_encryption = md5");
            statement.execute("CREATE ROLE old LOGIN PASSWORD 'elderly'");
        }
        try (Connection at = direct(target);
                Statement statement = at.createStatement()) {
            statement.execute("CREATE ROLE app LOGIN PASSWORD '" + verifier("app") + "'");
            statement.execute("GRANT CREATE ON SCHEMA public TO app");
        }
    }

    /** The servers' major version. */
    int version() {
        return 18;
    }

    private String verifier(String user) throws SQLException {
        try (Connection at = direct(source);
                Statement statement = at.createStatement();
                ResultSet rows =
                        statement.executeQuery("SELECT rolpassword FROM pg_authid WHERE rolname = '" + user + "'")) {
            rows.next();
            return rows.getString(1);
        }
    }

    @AfterAll
    void stop() {
        source.close();
        target.close();
    }

    @AfterEach
    @SuppressWarnings("NullAway") // the next test has none until it starts one
    void end() {
        if (proxy != null) {
            proxy.close();
            proxy = null;
        }
        attempt = 0;
    }

    static Backend backend(String name, EmbeddedPostgres server) {
        return new Backend(
                name,
                "127.0.0.1",
                server.port(),
                false,
                null,
                new Backend.Login(server.user(), new Secret(server.password())),
                "eden");
    }

    void start(UnaryOperator<PostgresProxyConfig> change) {
        store = new MemoryRouteStore(MemoryRouteStore.route(backend("source", source), backend("target", target)));
        meters = new SimpleMeterRegistry();
        proxy = PostgresProxy.start(change.apply(config("p1")), store, meters);
    }

    static PostgresProxyConfig config(String name) {
        return PostgresProxyConfig.of(
                new ProxyIdentity(name, "1", "127.0.0.1", "test"), "test", new InetSocketAddress("127.0.0.1", 0));
    }

    static Connection direct(EmbeddedPostgres server) throws SQLException {
        return DriverManager.getConnection(server.jdbcUrl(), server.user(), server.password());
    }

    String url() {
        return "jdbc:postgresql://127.0.0.1:" + proxy.port() + "/eden";
    }

    Connection client(String... options) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "app");
        properties.setProperty("password", "pencil");
        properties.setProperty("sslmode", "disable");
        properties.setProperty("connectTimeout", "30");
        properties.setProperty("loginTimeout", "30");
        for (int i = 0; i < options.length; i += 2) {
            properties.setProperty(options[i], options[i + 1]);
        }
        return DriverManager.getConnection(url(), properties);
    }

    static String one(Connection at, String sql) throws SQLException {
        try (Statement statement = at.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    static void run(Connection at, String sql) throws SQLException {
        try (Statement statement = at.createStatement()) {
            statement.execute(sql);
        }
    }

    /** As the proxy reports it once everything up to now is in it. */
    TrafficReport traffic() {
        int seen = store.reports.size();
        await().atMost(Duration.ofSeconds(30)).until(() -> store.reports.size() > seen + 1);
        return store.reports.getLast();
    }

    /** How often that has happened, as the proxy's meters have it by now. */
    long event(String name) {
        FunctionCounter counter =
                meters.find("eden_proxy_events_total").tag("event", name).functionCounter();
        return counter == null ? 0 : (long) counter.count();
    }

    /** Returns when the proxy has looked at what this client's pinned session has, on the source, since its last statement. */
    void awaitProbe(Connection pinned) throws SQLException {
        String process = one(pinned, "SELECT pg_backend_pid()");
        run(pinned, "UNLISTEN nothing"); // after which the session is to be looked at again
        try (Connection at = direct(source)) {
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> one(
                                    at,
                                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_listening_channels()%' AND state = 'idle' AND pid = "
                                            + process)
                            .equals("1"));
        }
    }

    // ---- attempts

    void arm() {
        attempt++;
        store.state(RouteState.ARMED, attempt, 0);
        await().atMost(Duration.ofSeconds(60)).until(() -> store.acknowledged(attempt, Step.ARMED));
    }

    void prepare() {
        arm();
        prepareArmed();
    }

    void prepareArmed() {
        store.state(RouteState.PREPARED, attempt, 120_000);
    }

    void drained() {
        await().atMost(Duration.ofSeconds(60)).until(() -> store.acknowledged(attempt, Step.DRAINED));
    }

    void hold() {
        prepare();
        drained();
    }

    String detail() {
        return store.acknowledgements.stream()
                .filter(a -> a.attempt() == attempt && a.step() == Step.DRAINED)
                .findFirst()
                .orElseThrow()
                .detail();
    }

    /** As a coordinator does it: listeners listen before anybody opens. */
    void flip() {
        store.commit();
        if (detail().contains("\"listeners\"")) {
            await().atMost(Duration.ofSeconds(60)).until(() -> store.acknowledged(attempt, Step.CARRIED));
        }
        open();
    }

    /** As {@link #flip} where the proxy was away and sees only how it ended. */
    void flipUnseen() {
        store.flipAtOnce();
        awaitOpened();
    }

    void abort() {
        store.state(RouteState.ABORTING, attempt, 0);
        open();
    }

    private void open() {
        store.stable();
        awaitOpened();
    }

    private void awaitOpened() {
        await().atMost(Duration.ofSeconds(60)).until(() -> store.acknowledged(attempt, Step.OPENED));
    }
}
