package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.api.operations.MetricsTable;
import dev.eden.api.operations.MetricsTable.Metric;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.Secret;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a server and a proxy show on their admin ports is what docs/metrics.md says, and their health is the truth. */
class MetricsIT {
    private static TestServer eden;
    private static EmbeddedRedis source;
    private static EmbeddedRedis target;
    private static EdenProxy proxy;

    @BeforeAll
    static void start() throws Exception {
        eden = TestServer.start();
        source = EmbeddedRedis.start();
        target = EmbeddedRedis.start();
        assertThat(eden.post("/api/v1/endpoints", "{\"id\":\"s\",\"uri\":\"" + source.uri() + "\"}")
                        .status())
                .isEqualTo(201);
        assertThat(eden.post("/api/v1/endpoints", "{\"id\":\"t\",\"uri\":\"" + target.uri() + "\"}")
                        .status())
                .isEqualTo(201);
        proxy = EdenProxy.start(new EdenProxy.Options(
                "p1",
                "redis_interlay",
                new InetSocketAddress("127.0.0.1", 0),
                0,
                "127.0.0.1",
                0,
                Duration.ZERO,
                new EdenStore.Settings(
                        eden.postgres.jdbcUrl(),
                        eden.postgres.user(),
                        new Secret(eden.postgres.password()),
                        null,
                        eden.directory,
                        4,
                        Duration.ofSeconds(5))));
        assertThat(eden.post(
                                "/api/v1/migrations",
                                "{\"id\":\"m\",\"description\":\"d\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0,\"write_mode\":{\"mode\":\"dual_write\",\"policy\":\"old_authoritative\"}},\"data\":{\"type\":\"scan\",\"replace\":\"replace\"},\"failure_handling\":\"needs_operator\"}")
                        .status())
                .isEqualTo(201);
        assertThat(eden.post("/api/v1/migrations/m/interlay/redis_interlay", "{\"endpoint\":\"t\"}")
                        .status())
                .isIn(200, 201);
        TestServer.Answer started =
                eden.send(TestServer.TOKEN, "POST", "/api/v1/migrations/m/migrate", null, "X-Request-Id", "start-of-m");
        assertThat(started.status()).as(started.body()).isEqualTo(202);
        assertThat(started.raw().headers().firstValue("X-Request-Id")).contains("start-of-m");
        // What the steps of a real migration leave in the store; the steps of this server are fakes.
        execute("INSERT INTO interlay (id, engine) VALUES ('postgres_interlay', 'postgres')");
        execute("INSERT INTO attempt (migration, epoch, direction, coordinator, outcome, report)"
                + " VALUES ('m', 1, 'forward', 'c', 'committed', '{\"pauseMicros\": 63000}'),"
                + " ('m', 1, 'forward', 'c', 'committed', '{\"pauseMicros\": 41500}'),"
                + " ('m', 1, 'forward', 'c', 'aborted', '{\"pauseMicros\": 0}')");
        execute(
                "INSERT INTO replication (migration, progress) VALUES ('m', '{\"state\": \"streaming\", \"keysDone\": 11, \"keysTotal\": 44, \"retainedBytes\": 4096, \"bytes\": 0,"
                        + " \"keysPerSecond\": 5, \"etaSeconds\": 0, \"lagMs\": 7, \"sourceOffset\": 0, \"appliedOffset\": 1, \"reverseProven\": true,"
                        + " \"conflicts\": 0, \"atMillis\": 9000000000000}') ON CONFLICT (migration) DO UPDATE SET progress = EXCLUDED.progress");
        execute(
                "INSERT INTO validation_report (id, migration, report) VALUES ('v', 'm', '{\"remaining\": 0, \"keysCompared\": 900,"
                        + " \"startedAt\": \"2026-01-01T00:00:00Z\", \"endedAt\": \"2026-01-01T00:00:03Z\"}')");
    }

    @AfterAll
    static void stop() throws Exception {
        proxy.close();
        eden.close();
        source.close();
        target.close();
    }

    /** -1 in the store. */
    @Test
    void aLagThatIsNotKnownIsNoNumber() throws Exception {
        lag(-1);
        try {
            await().untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                    .contains("eden_replication_keys_done{migration=\"m\"}")
                    .doesNotContain("eden_replication_lag_ms{"));
        } finally {
            lag(7);
        }
        await().untilAsserted(() ->
                assertThat(scrape(eden.server.adminPort())).contains("eden_replication_lag_ms{migration=\"m\"} 7"));
    }

    /** No lag is known then: without this nothing would tell. */
    @Test
    void replicationThatDoesNotRunAndACleanupThatDoesNotEndAreSeen() throws Exception {
        await().untilAsserted(() ->
                assertThat(eden.get("/api/v1/migrations?phase=canary").body()).contains("\"id\":\"m\""));
        await().untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                .contains(
                        "eden_replication_streaming{migration=\"m\"} 1",
                        "eden_migration_cleaning_up{migration=\"m\"} 0"));
        execute(
                "UPDATE replication SET progress = jsonb_set(progress, '{state}', '\"waiting\"') WHERE migration = 'm'");
        try {
            await().untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                    .contains("eden_replication_streaming{migration=\"m\"} 0")
                    .contains("eden_migration_progress_percent{migration=\"m\"} 25.0")
                    .doesNotContain("eden_replication_stream_rate{"));
            execute("UPDATE migration SET phase = 'baking' WHERE id = 'm'");
            await("no interlay is in it any more")
                    .untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                            .contains("eden_migration_cleaning_up{migration=\"m\"} 1")
                            .doesNotContain("eden_replication_streaming{"));
        } finally {
            execute("UPDATE migration SET phase = 'canary' WHERE id = 'm'");
            execute(
                    "UPDATE replication SET progress = jsonb_set(progress, '{state}', '\"streaming\"') WHERE migration = 'm'");
        }
        told(1);
        try {
            await("nobody has told")
                    .untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                            .contains("eden_replication_streaming{migration=\"m\"} 0"));
        } finally {
            told(9_000_000_000_000L);
        }
    }

    /** Its phase stays what it was: only these two tell. */
    @Test
    void aMigrationThatIsPausedBecauseAStepFailedIsSeen() throws Exception {
        await().untilAsserted(() ->
                assertThat(eden.get("/api/v1/migrations?phase=canary").body()).contains("\"id\":\"m\""));
        await().untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                .contains("eden_migration_paused{migration=\"m\"} 0", "eden_migration_failed{migration=\"m\"} 0"));
        execute("UPDATE migration SET view = view || '{\"paused\": true, \"failed\": true}' WHERE id = 'm'");
        try {
            await().untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                    .contains("eden_migration_paused{migration=\"m\"} 1", "eden_migration_failed{migration=\"m\"} 1"));
            execute("UPDATE migration SET view = view - 'failed' WHERE id = 'm'");
            await("as an older version recorded it")
                    .untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                            .contains(
                                    "eden_migration_paused{migration=\"m\"} 1",
                                    "eden_migration_failed{migration=\"m\"} 0"));
        } finally {
            execute("UPDATE migration SET view = view || '{\"paused\": false, \"failed\": false}' WHERE id = 'm'");
        }
    }

    /** Whoever measured is dead, or stopped for a person. */
    @Test
    void whatNobodyHasToldForAWhileIsNoNumber() throws Exception {
        told(System.currentTimeMillis() - 11_000);
        try {
            await().untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                    .contains("eden_replication_keys_done{migration=\"m\"}")
                    .doesNotContain("eden_replication_lag_ms{")
                    .doesNotContain("eden_replication_rate{"));
        } finally {
            told(9_000_000_000_000L);
        }
        await().untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                .contains("eden_replication_lag_ms{migration=\"m\"} 7")
                .contains("eden_replication_rate{migration=\"m\"} 5"));
    }

    /** The rate of the load says nothing then. */
    @Test
    void howFastChangesGoOnIsSeen() throws Exception {
        long now = System.currentTimeMillis() + 60_000;
        applied(now, 1, 8);
        try {
            await("it has been read")
                    .untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                            .contains("eden_replication_lag_ms{migration=\"m\"} 8"));
            applied(now + 2_000, 5_001, 8);
            await().untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                    .contains("eden_replication_stream_rate{migration=\"m\"} 2500.0"));
        } finally {
            applied(9_000_000_000_000L, 1, 7);
        }
    }

    /** Before the first rows, and before the first comparison. */
    @Test
    void aShareOfWhatIsNotKnownIsNoNumber() throws Exception {
        execute(
                "UPDATE replication SET progress = progress || '{\"state\": \"loading\", \"keysDone\": 0, \"keysTotal\": 0}' WHERE migration = 'm'");
        execute("UPDATE validation_report SET report = report - 'keysCompared' WHERE migration = 'm'");
        try {
            await().untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                    .contains("eden_replication_keys_done{migration=\"m\"} 0")
                    .doesNotContain("eden_migration_progress_percent{", "eden_data_consistency_percent{"));
        } finally {
            execute(
                    "UPDATE replication SET progress = progress || '{\"state\": \"streaming\", \"keysDone\": 11, \"keysTotal\": 44}' WHERE migration = 'm'");
            execute("UPDATE validation_report SET report = report || '{\"keysCompared\": 900}' WHERE migration = 'm'");
        }
    }

    private static void applied(long atMillis, long offset, long lag) throws SQLException {
        execute("UPDATE replication SET progress = progress || '{\"atMillis\": " + atMillis + ", \"appliedOffset\": "
                + offset + ", \"lagMs\": " + lag + "}' WHERE migration = 'm'");
    }

    private static void told(long atMillis) throws SQLException {
        execute("UPDATE replication SET progress = jsonb_set(progress, '{atMillis}', '" + atMillis
                + "') WHERE migration = 'm'");
    }

    private static void lag(long millis) throws SQLException {
        execute("UPDATE replication SET progress = jsonb_set(progress, '{lagMs}', '" + millis
                + "') WHERE migration = 'm'");
    }

    @Test
    void whatIsShownIsWhatIsDocumented() throws Exception {
        try (Socket client = new Socket("127.0.0.1", proxy.port())) {
            client.getOutputStream().write("SET k v\r\nGET k\r\nNOSUCHCOMMAND\r\n".getBytes(StandardCharsets.UTF_8));
            client.getInputStream().readNBytes(10);
            await().untilAsserted(() -> {
                assertThat(types(scrape(proxy.metricsPort()))).isEqualTo(documented("proxy"));
                assertThat(types(scrape(eden.server.adminPort()))).isEqualTo(documented("server"));
            });
            await().untilAsserted(() -> assertThat(scrape(eden.server.adminPort()))
                    .contains("eden_cutover_pause_ms{direction=\"forward\",migration=\"m\"} 41.5")
                    .contains("eden_cutover_pause_ms_max{direction=\"forward\",migration=\"m\"} 63.0")
                    .contains("eden_validation_rate{migration=\"m\"} 300.0")
                    .contains("eden_replication_keys_expected{migration=\"m\"} 44")
                    .contains("eden_migration_progress_percent{migration=\"m\"} 100.0")
                    .contains("eden_replication_retained_bytes{migration=\"m\"} 4096")
                    .contains("eden_cutover_attempts{direction=\"forward\",migration=\"m\",outcome=\"aborted\"} 1")
                    .contains("eden_replication_lag_ms{migration=\"m\"} 7")
                    .contains("eden_proxies{interlay=\"redis_interlay\",state=\"alive\"} 1")
                    .contains("eden_proxies{interlay=\"redis_interlay\",state=\"silent\"} 0")
                    .doesNotContain("eden_proxies{interlay=\"postgres_interlay\"")
                    .contains("eden_dependency_up{dependency=\"store\"} 1")
                    .contains("eden_dependency_up{dependency=\"temporal\"} 1"));
        }
    }

    @Test
    void healthNamesEveryDependencyAndTheProxyThatIsSilent() throws Exception {
        assertThat(eden.admin("/health/live").status()).isEqualTo(200);
        assertThat(eden.admin("/health/ready").status()).isEqualTo(200);
        assertThat(eden.admin("/health/nothing").status()).isEqualTo(404);
        assertThat(get(proxy.metricsPort(), "/health").body())
                .contains("\"status\":\"healthy\"")
                .contains("\"store\":\"up\"");
        assertThat(get(proxy.metricsPort(), "/health/ready").statusCode()).isEqualTo(200);
        assertThat(get(proxy.metricsPort(), "/health/live").statusCode()).isEqualTo(200);
        execute(
                "INSERT INTO proxy (name, interlay, incarnation, listen, version, seen_at, traffic)"
                        + " SELECT 'gone', interlay, 'x', listen, version, now() - interval '1 hour', traffic FROM proxy WHERE name = 'p1'");
        try {
            await().untilAsserted(() -> {
                TestServer.Answer health = eden.admin("/health");
                assertThat(health.status()).as("traffic is served").isEqualTo(200);
                assertThat(health.json().at("/status").asText()).isEqualTo("degraded");
                assertThat(health.json().at("/away/redis_interlay/0").asText()).isEqualTo("gone");
            });
        } finally {
            execute("DELETE FROM proxy WHERE name = 'gone'");
        }
        await().untilAsserted(() ->
                assertThat(eden.admin("/health").json().at("/status").asText()).isEqualTo("healthy"));
    }

    @Test
    void healthIsTimelyAndTrueWhileTheStoreHangs() throws Exception {
        eden.postgres.suspend();
        try {
            for (String path : new String[] {"/health/ready", "/health"}) {
                long begin = System.nanoTime();
                TestServer.Answer health = eden.admin(path);
                assertThat(Duration.ofNanos(System.nanoTime() - begin))
                        .as("the probes of infra/kubernetes wait for 4 s")
                        .isLessThan(Duration.ofSeconds(4));
                assertThat(health.status()).isEqualTo(503);
                assertThat(health.json().at("/parts/store").asText()).isEqualTo("down");
                assertThat(health.json().at("/parts/temporal").asText()).isEqualTo("up");
                assertThat(health.json().at("/parts/proxies").asText()).isEqualTo("unknown");
            }
            assertThat(eden.admin("/health/live").status()).isEqualTo(200);
        } finally {
            eden.postgres.resume();
        }
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(
                                eden.admin("/health").json().at("/status").asText())
                        .isEqualTo("healthy"));
    }

    @Test
    void theRequestThatStartedAMigrationIsInTheLogsOfItsSteps() {
        await().untilAsserted(() -> assertThat(eden.activities.requests).contains("start-of-m"));
        assertThat(eden.send(null, "GET", "/api/v1/endpoints", null)
                        .raw()
                        .headers()
                        .firstValue("X-Request-Id"))
                .as("a refused request has one too")
                .isPresent();
        assertThat(eden.send(TestServer.TOKEN, "GET", "/api/v1/endpoints", null, "X-Request-Id", "a b")
                        .raw()
                        .headers()
                        .firstValue("X-Request-Id"))
                .as("nothing strange gets into the log")
                .isPresent()
                .get()
                .isNotEqualTo("a b");
    }

    private static Map<String, String> documented(String process) {
        return MetricsTable.metrics().stream()
                .filter(metric -> metric.where().contains(process))
                .collect(Collectors.toMap(
                        Metric::name, metric -> metric.typeOn(process), (one, _) -> one, TreeMap::new));
    }

    private static Map<String, String> types(String scrape) {
        return scrape.lines()
                .filter(line -> line.startsWith("# TYPE "))
                .map(line -> line.split(" "))
                .collect(Collectors.toMap(words -> words[2], words -> words[3], (one, _) -> one, TreeMap::new));
    }

    private static String scrape(int port) throws IOException, InterruptedException {
        return get(port, "/metrics").body();
    }

    private static HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
        return eden.http()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    private static void execute(String sql) throws java.sql.SQLException {
        try (var connection = DriverManager.getConnection(
                        eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
                var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
