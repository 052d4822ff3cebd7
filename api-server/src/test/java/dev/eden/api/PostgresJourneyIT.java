package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.operations.Documents;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedTemporal;
import dev.eden.proxy.Secret;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A PostgreSQL 15 moves to an 18 and back and there again, by the requests that the guide prints, while applications write, each through one
 * connection.
 */
class PostgresJourneyIT {
    private static final String MIGRATION = "/migrations/orders_to_18";
    private static final String TOKEN = "a-token-of-the-journey-of-a-postgres";
    private static final String PASSWORD = "the application's own";
    private static final String[] LOGICAL = {
        "wal_level=logical", "max_replication_slots=20", "max_wal_senders=20", "max_logical_replication_workers=12"
    };

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    @TempDir
    private Path folder;

    @SuppressWarnings("NullAway.Init")
    private Pasted shell;

    @AfterEach
    void stop() throws Exception {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
    }

    @Test
    void movesThereAndBackAndThereWithoutLosingACommit() throws Exception {
        EmbeddedPostgres store = opened(EmbeddedPostgres.start());
        EmbeddedPostgres source = opened(EmbeddedPostgres.start(
                EmbeddedPostgres.Options.defaults().withVersion(15).withSettings(LOGICAL)));
        EmbeddedPostgres target = opened(
                EmbeddedPostgres.start(EmbeddedPostgres.Options.defaults().withSettings(LOGICAL)));
        EmbeddedTemporal temporal = opened(EmbeddedTemporal.start());
        Path directory = Files.createTempDirectory("eden-journey-");
        EdenServer eden = opened(EdenServer.start(new ServerOptions(
                List.of(ServerOptions.Front.postgres(new InetSocketAddress("127.0.0.1", 0))),
                "journey",
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
                        directory,
                        8,
                        Duration.ofSeconds(5)),
                temporal.address(),
                "default",
                null,
                new Secret(TOKEN))));
        shell = new Pasted(
                folder,
                Map.of(
                        "EDEN",
                        "http://127.0.0.1:" + eden.apiPort() + "/api/v1",
                        "TOKEN",
                        TOKEN,
                        "SOURCE",
                        uri(source),
                        "TARGET",
                        uri(target)));
        prepare(source);

        List<String> guide = Documents.runBy("PostgresJourneyIT", "docs/guide/postgresql.md").stream()
                .map(Documents.Block::text)
                .toList();
        assertThat(guide.stream().map(PostgresJourneyIT::path))
                .as("the guide's requests")
                .containsExactly(
                        "/endpoints",
                        "/endpoints",
                        "/migrations",
                        MIGRATION + "/interlay/postgres_interlay",
                        MIGRATION + "/plan",
                        MIGRATION + "/migrate",
                        MIGRATION + "/status",
                        MIGRATION + "/cutover",
                        MIGRATION + "/rollback",
                        MIGRATION + "/cutover",
                        MIGRATION + "/finalize");
        send(guide.get(0), 201);
        send(guide.get(1), 201);
        assertThat(send("curl -X POST \"$EDEN/endpoints/old_orders/check\" -H \"Authorization: Bearer $TOKEN\"", 200)
                        .path("version")
                        .asText())
                .startsWith("15");
        send(guide.get(2), 201);
        send(guide.get(3), 200);
        assertThat(send(guide.get(4), 200).toString()).doesNotContain("\"severity\":\"failure\"");

        String through = "jdbc:postgresql://127.0.0.1:" + eden.proxyPorts().get("postgres_interlay") + "/eden";
        Writers writers = new Writers(through);
        try {
            send(guide.get(5), 202);
            awaitPhase(guide.get(6), "canary");
            awaitReady(guide.get(6));
            change(through, "ALTER TABLE note ADD COLUMN remark text NOT NULL DEFAULT 'none'");
            change(through, "CREATE INDEX CONCURRENTLY note_remark ON note (remark)");
            assertThatThrownBy(() -> change(through, "ALTER TABLE note DROP COLUMN number"))
                    .hasMessageContaining("refused while Eden moves this database");
            flip(guide.get(7), guide.get(6), "baking", writers);
            change(through, "ALTER TABLE note ADD COLUMN later int");
            flip(guide.get(8), guide.get(6), "canary", writers);
            flip(guide.get(9), guide.get(6), "baking", writers);
            assertThat(serverVersion(through)).startsWith("18");
            send(guide.get(10), 202);
            awaitPhase(guide.get(6), "completed");
        } finally {
            writers.stop();
        }
        assertThat(writers.failures).isEmpty();
        assertThat(writers.acknowledged).hasSizeGreaterThan(100);
        assertThat(rows(target)).containsExactlyInAnyOrderElementsOf(writers.acknowledged);
        assertThat(writers.identities).doesNotHaveDuplicates();
        for (EmbeddedPostgres server : List.of(source, target)) {
            try (Connection direct = connect(server.jdbcUrl(), server.user(), server.password());
                    Statement statement = direct.createStatement();
                    ResultSet counted = statement.executeQuery(
                            "SELECT count(*) FROM note WHERE remark = 'none' AND later IS NULL AND to_regclass('note_remark') IS NOT NULL")) {
                counted.next();
                assertThat(counted.getInt(1)).isGreaterThan(100);
            }
        }
        try (Connection direct = connect(target.jdbcUrl(), target.user(), target.password());
                Statement statement = direct.createStatement();
                ResultSet left = statement.executeQuery("""
                        SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'eden\\_%'
                        UNION ALL SELECT slot_name::text FROM pg_replication_slots
                        UNION ALL SELECT subname::text FROM pg_subscription
                        UNION ALL SELECT pubname::text FROM pg_publication
                        UNION ALL SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'eden%'""")) {
            assertThat(left.next()).as("something of Eden's is left").isFalse();
        }
    }

    /** By the application, through the proxy. */
    private static void change(String through, String sql) throws SQLException {
        try (Connection connection = connect(through, "app", PASSWORD);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private void flip(String command, String status, String phase, Writers writers) throws Exception {
        int before = writers.acknowledged.size();
        await().atMost(Duration.ofSeconds(60)).until(() -> writers.acknowledged.size() > before + 50);
        send(command, 202);
        awaitPhase(status, phase);
        int after = writers.acknowledged.size();
        await().atMost(Duration.ofSeconds(60)).until(() -> writers.acknowledged.size() > after + 50);
    }

    /** Each inserts a number of its own, over and over, on a connection that outlives every flip. */
    private static final class Writers {
        final List<Long> acknowledged = Collections.synchronizedList(new ArrayList<>());
        final List<Long> identities = Collections.synchronizedList(new ArrayList<>());
        final List<String> failures = Collections.synchronizedList(new ArrayList<>());
        private final List<Thread> threads = new ArrayList<>();
        private volatile boolean stopped;

        Writers(String url) {
            for (int i = 0; i < 4; i++) {
                long first = i * 1_000_000_000L;
                threads.add(Thread.ofPlatform().start(() -> write(url, first)));
            }
        }

        private void write(String url, long first) {
            try (Connection connection = connect(url, "app", PASSWORD);
                    PreparedStatement insert =
                            connection.prepareStatement("INSERT INTO note (number) VALUES (?) RETURNING id")) {
                for (long number = first; !stopped; number++) {
                    insert.setLong(1, number);
                    try (ResultSet made = insert.executeQuery()) {
                        made.next();
                        identities.add(made.getLong(1));
                        acknowledged.add(number);
                    }
                }
            } catch (SQLException e) {
                failures.add(e.getSQLState() + " " + e.getMessage());
            }
        }

        void stop() throws InterruptedException {
            stopped = true;
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    private static void prepare(EmbeddedPostgres source) throws SQLException {
        try (Connection connection = connect(source.jdbcUrl(), source.user(), source.password());
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE ROLE app LOGIN PASSWORD '" + PASSWORD.replace("'", "''") + "'");
            statement.execute(
                    "CREATE TABLE note (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number bigint NOT NULL)");
            statement.execute("CREATE INDEX note_number ON note (number)");
            statement.execute("ALTER TABLE note OWNER TO app");
            statement.execute("GRANT CREATE ON SCHEMA public TO app");
        }
    }

    private static List<Long> rows(EmbeddedPostgres owner) throws SQLException {
        List<Long> rows = new ArrayList<>();
        try (Connection connection = connect(owner.jdbcUrl(), owner.user(), owner.password());
                Statement statement = connection.createStatement();
                ResultSet all = statement.executeQuery("SELECT number FROM note")) {
            while (all.next()) {
                rows.add(all.getLong(1));
            }
        }
        return rows;
    }

    private static String serverVersion(String url) throws SQLException {
        try (Connection connection = connect(url, "app", PASSWORD);
                Statement statement = connection.createStatement();
                ResultSet version = statement.executeQuery("SHOW server_version")) {
            version.next();
            return version.getString(1);
        }
    }

    private static Connection connect(String url, String user, String password) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        return DriverManager.getConnection(url, properties);
    }

    private static String uri(EmbeddedPostgres server) {
        return "postgresql://" + server.user() + ":" + server.password() + "@127.0.0.1:" + server.port() + "/eden";
    }

    private <T extends AutoCloseable> T opened(T part) {
        parts.push(part);
        return part;
    }

    /** Where a printed request goes. */
    private static String path(String request) {
        Matcher path = Pattern.compile("\"\\$EDEN([^\"]*)\"").matcher(request);
        assertThat(path.find()).as(request).isTrue();
        return path.group(1);
    }

    private JsonNode send(String request, int expected) throws Exception {
        Pasted.Answer answer = shell.curl(request);
        assertThat(answer.status()).as(request + ": " + answer.body()).isEqualTo(expected);
        return answer.json();
    }

    /** The target's fence keeps out the very login that Eden was given. */
    private void awaitReady(String status) {
        await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            JsonNode now = send(status, 200);
            assertThat(now.path("target").asText()).as(now.toString()).isEqualTo("healthy");
            assertThat(now.path("ready_for_cutover").asBoolean())
                    .as(now.toString())
                    .isTrue();
        });
    }

    private void awaitPhase(String status, String phase) {
        await().atMost(Duration.ofSeconds(180)).alias(phase).untilAsserted(() -> {
            JsonNode now = send(status, 200);
            assertThat(now.path("phase").asText()).as(now.toString()).isEqualTo(phase);
        });
    }
}
