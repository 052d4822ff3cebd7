package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.api.EdenProxy;
import dev.eden.api.EdenServer;
import dev.eden.api.EdenStore;
import dev.eden.api.SelfSigned;
import dev.eden.api.ServerOptions;
import dev.eden.api.config.Configuration;
import dev.eden.api.config.Setting;
import dev.eden.api.problem.StartupException;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedTemporal;
import dev.eden.proxy.Secret;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.PGConnection;

/** What the settings of proxies do for the clients of a PostgreSQL whose own certificate no public authority has signed. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PostgresFrontIT {
    private static final String TOKEN = "front-admin-token-0123456789";

    @TempDir
    private static Path folder;

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final HttpClient http = HttpClient.newHttpClient();

    @SuppressWarnings("NullAway.Init")
    private EmbeddedPostgres store;

    @SuppressWarnings("NullAway.Init")
    private EmbeddedPostgres database;

    @SuppressWarnings("NullAway.Init")
    private EdenServer server;

    @BeforeAll
    void start() throws Exception {
        certificate("server");
        certificate("proxy");
        certificate("other");
        store = opened(EmbeddedPostgres.start());
        database = opened(EmbeddedPostgres.start());
        encrypt(database);
        EmbeddedTemporal temporal = opened(EmbeddedTemporal.start(
                EmbeddedTemporal.Options.defaults().withForm(EmbeddedTemporal.Form.TEST_SERVER)));
        Configuration configuration = Configuration.load(
                Setting.Verb.SERVER,
                Map.of(),
                Map.of(
                        "EDEN_PROXY_TLS_CERT_FILE", file("proxy.crt"),
                        "EDEN_PROXY_TLS_KEY_FILE", file("proxy.key"),
                        "EDEN_TLS_CA_FILE", file("server.crt"),
                        "EDEN_PROXY_TRUSTED_USERS", "nobody, guest"),
                null);
        SettingOptions.trust(configuration);
        server = opened(EdenServer.start(ServerCommand.common(
                new ServerOptions(
                        List.of(ServerOptions.Front.postgres(new InetSocketAddress("127.0.0.1", 0))),
                        "inside",
                        true,
                        "127.0.0.1",
                        0,
                        "127.0.0.1",
                        0,
                        new EdenStore.Settings(
                                store.jdbcUrl(),
                                store.user(),
                                new Secret(store.password()),
                                null,
                                folder,
                                8,
                                Duration.ofSeconds(5)),
                        temporal.address(),
                        "default",
                        null,
                        new Secret(TOKEN)),
                configuration)));
        send(
                "POST",
                "/endpoints",
                "{\"id\": \"orders\", \"uri\": \"postgresql://" + database.user() + ":" + database.password()
                        + "@localhost:" + database.port() + "/eden?sslmode=verify-full\"}",
                201);
    }

    @AfterAll
    void stop() throws Exception {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
    }

    @Test
    void clientsVerifyTheProxyAndTheProxyItsServer() throws Exception {
        int port = Objects.requireNonNull(server.proxyPorts().get("postgres_interlay"));
        await().atMost(Duration.ofSeconds(60))
                .ignoreExceptionsInstanceOf(SQLException.class)
                .until(() -> {
                    try (Connection client = client(port, "app", "pencil", "proxy.crt", "channelBinding", "require")) {
                        return one(client, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                                .equals("t");
                    }
                });
        try (Connection guest = client(port, "guest", "", "proxy.crt")) {
            assertThat(one(guest, "SELECT current_user")).isEqualTo("guest");
        }
        assertThatThrownBy(() -> client(port, "app", "pencil", "other.crt"))
                .as("another authority")
                .isInstanceOf(SQLException.class);
        assertThatThrownBy(() -> client(port, "app", "pen", "proxy.crt"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
    }

    @Test
    void theControlPlaneTrustsTheSameAuthorities() throws Exception {
        send("POST", "/endpoints/orders/check", "", 200);
        send(
                "POST",
                "/endpoints",
                "{\"id\": \"by_address\", \"tls\": true, \"uri\": \"postgresql://" + database.user() + ":"
                        + database.password() + "@127.0.0.1:" + database.port() + "/eden\"}",
                201);
        send("POST", "/endpoints/by_address/check", "", 409);
    }

    @Test
    void anEndpointSaysHowTheOtherServerVerifiesIt() throws Exception {
        FakeTerminal terminal = new FakeTerminal(folder)
                .with("EDEN_URL", "http://127.0.0.1:" + server.apiPort())
                .with("EDEN_TOKEN", TOKEN);
        String uri = "postgresql://db.internal/orders?sslmode=verify-full";
        FakeTerminal.Result made =
                terminal.run("endpoint", "create", "linked", uri, "--link-ca-file", "/etc/ssl/company.pem");
        assertThat(made.code()).as(made.err()).isZero();
        assertThat(send("GET", "/endpoints/linked", "", 200))
                .contains("\"link_ca_file\":\"/etc/ssl/company.pem\"")
                .doesNotContain("link_tls");
        FakeTerminal.Result changed = terminal.run("endpoint", "update", "linked", uri, "--link-tls", "require");
        assertThat(changed.code()).as(changed.err()).isZero();
        assertThat(send("GET", "/endpoints/linked", "", 200))
                .contains("\"link_tls\":\"require\"")
                .doesNotContain("link_ca_file");
        terminal.run("endpoint", "update", "linked", uri);
        assertThat(send("GET", "/endpoints/linked", "", 200))
                .as("what is not named stays")
                .contains("\"link_tls\":\"require\"");
        terminal.run("endpoint", "update", "linked", uri, "--link-tls", "system");
        assertThat(send("GET", "/endpoints/linked", "", 200)).contains("\"link_tls\":\"system\"");
        assertThat(terminal.run("endpoint", "update", "linked", uri, "--link-ca-file", "company.pem")
                        .err())
                .contains("link_ca_file", "absolute path");
    }

    @Test
    void aProxyPoolsAsItsInterlaySays() throws Exception {
        send("POST", "/interlays", "{\"id\": \"sessions\", \"endpoint\": \"orders\", \"pooling\": \"session\"}", 201);
        assertThat(serverSession("sessions")).as("told the server's own number").isTrue();
        send("PATCH", "/interlays/sessions", "{\"pooling\": \"transaction\"}", 200);
        assertThat(serverSession("sessions")).isFalse();
    }

    /** Whether {@code eden proxy} of that interlay gives a client a session of the server's for itself. */
    private boolean serverSession(String interlay) throws Exception {
        try (EdenProxy proxy = EdenProxy.start(alone(interlay, true));
                Connection client = client(proxy.port(), "app", "pencil", "proxy.crt")) {
            int told = client.unwrap(PGConnection.class).getBackendPID();
            return one(client, "SELECT pg_backend_pid()").equals(Integer.toString(told));
        }
    }

    /** {@code eden proxy} of that interlay, with a certificate or without. */
    private EdenProxy.Options alone(String interlay, boolean certified) {
        Map<String, String> environment = new HashMap<>(Map.of(
                "EDEN_DATABASE_URL",
                store.jdbcUrl(),
                "EDEN_DATABASE_USER",
                store.user(),
                "EDEN_DATABASE_PASSWORD",
                store.password(),
                "EDEN_DATA_DIR",
                folder.toString(),
                "EDEN_PROXY_NAME",
                "alone",
                "EDEN_INTERLAY",
                interlay,
                "EDEN_LISTEN",
                "127.0.0.1:0",
                "EDEN_METRICS_HOST",
                "127.0.0.1"));
        if (certified) {
            environment.put("EDEN_PROXY_TLS_CERT_FILE", file("proxy.crt"));
            environment.put("EDEN_PROXY_TLS_KEY_FILE", file("proxy.key"));
        }
        return ProxyCommand.options(Configuration.load(Setting.Verb.PROXY, Map.of(), environment, null));
    }

    @Test
    void anInterlayWithTlsIsServedWithACertificateAlone() throws Exception {
        FakeTerminal terminal = new FakeTerminal(folder)
                .with("EDEN_URL", "http://127.0.0.1:" + server.apiPort())
                .with("EDEN_TOKEN", TOKEN);
        send("POST", "/endpoints", "{\"id\": \"nowhere\", \"uri\": \"redis://127.0.0.1:1\"}", 201);
        for (String created : List.of("sealed orders", "sealed_cache nowhere")) {
            FakeTerminal.Result made = terminal.run(("interlay create " + created + " --tls").split(" "));
            assertThat(made.code()).as(made.err()).isZero();
        }
        assertThat(send("GET", "/interlays/sealed", "", 200)).contains("\"tls\":true");
        assertThatThrownBy(() -> EdenProxy.start(alone("sealed", false)))
                .isInstanceOfSatisfying(StartupException.class, e -> {
                    assertThat(e).hasMessage("interlay sealed is served with TLS, and proxy alone has no certificate");
                    assertThat(e.remedy()).contains("proxy.tls_cert_file", "proxy.tls_key_file");
                });
        try (EdenProxy proxy = EdenProxy.start(alone("sealed", true));
                Connection client = client(proxy.port(), "app", "pencil", "proxy.crt")) {
            assertThat(one(client, "SELECT current_user")).isEqualTo("app");
        }
        assertThatThrownBy(() -> EdenProxy.start(alone("sealed_cache", false)))
                .isInstanceOf(StartupException.class)
                .hasMessageStartingWith("interlay sealed_cache is served with TLS");
        try (EdenProxy proxy = EdenProxy.start(alone("sealed_cache", true));
                Socket plain = new Socket("127.0.0.1", proxy.port())) {
            plain.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(new String(plain.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .isEqualTo("-ERR eden: clients speak TLS here, and nothing else\r\n");
        }
    }

    private static Connection client(int port, String user, String password, String root, String... more)
            throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        properties.setProperty("sslmode", "verify-full");
        properties.setProperty("sslrootcert", file(root));
        for (int i = 0; i < more.length; i += 2) {
            properties.setProperty(more[i], more[i + 1]);
        }
        return DriverManager.getConnection("jdbc:postgresql://localhost:" + port + "/eden", properties);
    }

    private static String one(Connection client, String sql) throws SQLException {
        try (Statement statement = client.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private String send(String method, String path, String body, int expected) throws Exception {
        HttpResponse<String> answer = http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.apiPort() + "/api/v1" + path))
                        .header("Authorization", "Bearer " + TOKEN)
                        .header("Content-Type", "application/json")
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(expected);
        return answer.body();
    }

    private static void encrypt(EmbeddedPostgres database) throws Exception {
        Path data = database.dataDir();
        for (String name : List.of("server.crt", "server.key")) {
            Path copy = Files.copy(folder.resolve(name), data.resolve(name));
            Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-------"));
            Files.setOwner(copy, Files.getOwner(data));
        }
        Path rules = data.resolve("pg_hba.conf");
        Files.writeString(rules, "hostssl all guest 127.0.0.1/32 trust\n" + Files.readString(rules));
        try (Connection owner = DriverManager.getConnection(database.jdbcUrl(), database.user(), database.password());
                Statement statement = owner.createStatement()) {
            statement.execute("CREATE ROLE app LOGIN PASSWORD 'pencil'");
            statement.execute("CREATE ROLE guest LOGIN");
            statement.execute("ALTER SYSTEM SET ssl = on");
            statement.execute("SELECT pg_reload_conf()");
        }
    }

    /** {@code NAME.crt} and {@code NAME.key}. */
    private static void certificate(String name) throws Exception {
        SelfSigned pair = SelfSigned.make(folder, "EC");
        pair.writeCertificate(folder.resolve(name + ".crt"));
        pair.writeKey(folder.resolve(name + ".key"));
    }

    private static String file(String name) {
        return folder.resolve(name).toString();
    }

    private <T extends AutoCloseable> T opened(T part) {
        parts.push(part);
        return part;
    }
}
