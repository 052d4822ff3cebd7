package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.api.json.Json;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.embedded.JavaProcess;
import dev.eden.embedded.ServerProcess;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.args.ClientPauseMode;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** SIGTERM of a real {@code eden proxy} under load, as docs/operating.md tells it ("Ending a proxy"). */
class ProxyEndIT {
    /** What the document gives it before SIGKILL. */
    private static final Duration GRACE = Duration.ofSeconds(20);
    /** Of a JVM that SIGTERM has ended. */
    private static final int ENDED_BY_SIGTERM = 128 + 15;

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static TestServer eden;

    @TempDir
    private Path folder;

    @BeforeAll
    static void start() {
        eden = TestServer.start();
    }

    @AfterAll
    static void stop() throws Exception {
        eden.close();
    }

    @Test
    void redisClientsGetWhatWasInFlightAndNothingIsLeftBehind() throws Exception {
        try (EmbeddedRedis source = EmbeddedRedis.start()) {
            interlay("cache", "redis://127.0.0.1:" + source.port(), "cached");
            try (Running proxy = new Running("cached", 2);
                    Jedis direct = new Jedis("127.0.0.1", source.port())) {
                List<Counter> counters = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    counters.add(new Counter(proxy.port, "counter:" + i));
                }
                await().atMost(PATIENCE).until(() -> counters.stream().allMatch(counter -> counter.acknowledged > 100));
                assertThat(proxy.ready()).isEqualTo(200);
                assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/interlays/cached", null)
                                .status())
                        .as("it is served")
                        .isEqualTo(409);

                proxy.terminate();
                await("not ready").atMost(PATIENCE).until(() -> proxy.ready() == 503);
                try (Jedis late = new Jedis("127.0.0.1", proxy.port)) {
                    assertThat(late.ping())
                            .as("a client that came before it was heard")
                            .isEqualTo("PONG");
                }
                // What is in flight stays so beyond the end of the two seconds of serving on.
                direct.clientPause(5_000, ClientPauseMode.ALL);
                await("no new connections").atMost(PATIENCE).until(() -> !proxy.listens());
                assertThat(proxy.ready()).as("for as long as it drains").isEqualTo(503);
                assertThat(proxy.process.isAlive()).isTrue();

                proxy.endsWell();
                for (Counter counter : counters) {
                    assertThat(counter.end.get(20, TimeUnit.SECONDS))
                            .as("told by a closed connection")
                            .isInstanceOf(JedisConnectionException.class);
                    assertThat(Long.parseLong(direct.get(counter.key)))
                            .as("what was in flight is answered, what was not sent has not run")
                            .isEqualTo(counter.acknowledged);
                }
            }
            hasSignedOff("cached");
        }
    }

    @Test
    void postgresClientsEndTheirTransactionsAndAreTold() throws Exception {
        try (EmbeddedPostgres source = EmbeddedPostgres.start()) {
            String address = "postgresql://" + source.user() + ":" + source.password() + "@127.0.0.1:" + source.port();
            interlay("orders", address + "/eden", "ordered");
            try (Running proxy = new Running("ordered", 0);
                    Connection asks = connect(proxy, source);
                    Connection changes = connect(proxy, source);
                    Connection idles = connect(proxy, source)) {
                execute(changes, "CREATE TABLE note (text text)");
                assertThat(number(idles, "SELECT 1")).isEqualTo(1);
                changes.setAutoCommit(false);
                execute(changes, "INSERT INTO note VALUES ('begun before')");
                CompletableFuture<Long> answer =
                        CompletableFuture.supplyAsync(() -> number(asks, "SELECT 7 FROM pg_sleep(2)"));
                await("it runs").atMost(PATIENCE).until(() -> sleepers(source) == 1);

                proxy.terminate();
                await("no new connections").atMost(PATIENCE).until(() -> !proxy.listens());
                assertThat(proxy.ready()).isEqualTo(503);
                execute(changes, "INSERT INTO note VALUES ('ended after')");
                changes.commit();
                assertThat(answer.get(20, TimeUnit.SECONDS)).isEqualTo(7);

                proxy.endsWell();
                assertThatThrownBy(() -> execute(idles, "SELECT 1"))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                told -> assertThat(told.getSQLState())
                                        .as("%s", told)
                                        .isEqualTo("57P01"));
                try (Connection direct =
                        DriverManager.getConnection(source.jdbcUrl(), source.user(), source.password())) {
                    assertThat(number(direct, "SELECT count(*) FROM note")).isEqualTo(2);
                }
            }
            hasSignedOff("ordered");
        }
    }

    /** A name that stays behind is silent, and no attempt starts until somebody removes it. */
    @Test
    void whatEndsWhileItStartsSignsOff() throws Exception {
        try (EmbeddedRedis source = EmbeddedRedis.start()) {
            interlay("early", "redis://127.0.0.1:" + source.port(), "begun");
            route("begun", "PREPARED");
            try (ServerProcess process = launch("begun", 0, folder.resolve("ports.json"))) {
                await("it has joined").atMost(PATIENCE).until(() -> joined("begun"));
                terminate(process);
                assertThat(process.awaitExit(GRACE)).as(process.logTail(30)).isTrue();
                assertThat(process.exitCode()).as(process.logTail(30)).isEqualTo(ENDED_BY_SIGTERM);
            }
            route("begun", "STABLE");
            hasSignedOff("begun");
        }
    }

    private static void route(String interlay, String state) throws SQLException {
        try (Connection store =
                DriverManager.getConnection(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password())) {
            execute(store, "UPDATE route SET state = '" + state + "' WHERE interlay = '" + interlay + "'");
        }
    }

    private static boolean joined(String interlay) {
        return StreamSupport.stream(
                        eden.get("/api/v1/proxies").json().path("proxies").spliterator(), false)
                .anyMatch(proxy -> proxy.path("interlay").asText().equals(interlay));
    }

    private static void interlay(String endpoint, String uri, String interlay) {
        assertThat(eden.post("/api/v1/endpoints", "{\"id\":\"" + endpoint + "\",\"uri\":\"" + uri + "\"}")
                        .status())
                .isEqualTo(201);
        assertThat(eden.post(
                                "/api/v1/interlays",
                                "{\"id\":\"" + interlay + "\",\"endpoint\":\"" + endpoint
                                        + "\",\"listen\":\"127.0.0.1:6379\"}")
                        .status())
                .isEqualTo(201);
    }

    /** No attempt counts on it any more, and nothing holds its interlay. */
    private static void hasSignedOff(String interlay) {
        assertThat(joined(interlay)).as("of %s", interlay).isFalse();
        assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/interlays/" + interlay, null)
                        .status())
                .isEqualTo(204);
    }

    private static Connection connect(Running proxy, EmbeddedPostgres source) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://127.0.0.1:" + proxy.port + "/eden", source.user(), source.password());
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static long number(Connection connection, String sql) {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static long sleepers(EmbeddedPostgres source) throws SQLException {
        try (Connection direct = DriverManager.getConnection(source.jdbcUrl(), source.user(), source.password())) {
            return number(direct, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
        }
    }

    /** A client that is never idle: how often it was acknowledged, and what ended it. */
    private static final class Counter {
        final String key;
        final CompletableFuture<Exception> end = new CompletableFuture<>();
        volatile long acknowledged;

        Counter(int port, String key) {
            this.key = key;
            Thread.ofPlatform().daemon().start(() -> {
                try (Jedis jedis = new Jedis("127.0.0.1", port, 30_000)) {
                    while (true) {
                        acknowledged = jedis.incr(key);
                    }
                } catch (Exception e) {
                    end.complete(e);
                }
            });
        }
    }

    private ServerProcess launch(String interlay, int drainSeconds, Path ports) {
        return JavaProcess.start(
                "dev.eden.api.Eden",
                List.of("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                List.of(
                        "proxy",
                        "--name=pod-1",
                        "--interlay=" + interlay,
                        "--listen=127.0.0.1:0",
                        "--metrics-host=127.0.0.1",
                        "--metrics-port=0",
                        "--data-dir=" + eden.directory,
                        "--ports-file=" + ports),
                Map.of(
                        "EDEN_DATABASE_URL",
                        eden.postgres.jdbcUrl(),
                        "EDEN_DATABASE_USER",
                        eden.postgres.user(),
                        "EDEN_DATABASE_PASSWORD",
                        eden.postgres.password(),
                        "EDEN_DRAIN_SECONDS",
                        Integer.toString(drainSeconds)),
                folder.resolve("proxy.log"));
    }

    private static void terminate(ServerProcess process) {
        assertThat(ProcessHandle.of(process.pid()).orElseThrow().destroy()).isTrue();
    }

    /** The process. */
    private final class Running implements AutoCloseable {
        final ServerProcess process;
        final int port;
        private final URI ready;
        private final HttpClient http = HttpClient.newHttpClient();

        Running(String interlay, int drainSeconds) throws IOException {
            Path ports = folder.resolve("ports.json");
            process = launch(interlay, drainSeconds, ports);
            process.awaitReady(PATIENCE, () -> Files.exists(ports));
            var known = Json.tree(Files.readString(ports));
            port = known.path("proxy").asInt();
            ready = URI.create("http://127.0.0.1:" + known.path("metrics").asInt() + "/health/ready");
        }

        void terminate() {
            ProxyEndIT.terminate(process);
        }

        int ready() throws Exception {
            return http.send(HttpRequest.newBuilder(ready).build(), HttpResponse.BodyHandlers.ofString())
                    .statusCode();
        }

        boolean listens() {
            try (Socket socket = new Socket("127.0.0.1", port)) {
                return socket.isConnected();
            } catch (IOException refused) {
                return false;
            }
        }

        void endsWell() {
            assertThat(process.awaitExit(GRACE)).as(process.logTail(30)).isTrue();
            assertThat(process.exitCode()).as(process.logTail(30)).isEqualTo(ENDED_BY_SIGTERM);
            assertThat(process.logTail(30)).doesNotContain("could not sign off").doesNotContain("in flight");
        }

        @Override
        public void close() {
            http.close();
            process.close();
        }
    }
}
