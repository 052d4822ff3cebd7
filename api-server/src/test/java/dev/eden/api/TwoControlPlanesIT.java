package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.embedded.EmbeddedTemporal;
import dev.eden.embedded.JavaProcess;
import dev.eden.embedded.ServerProcess;
import dev.eden.proxy.Secret;
import io.temporal.client.WorkflowClient;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;

/**
 * Two servers on one store and one Temporal: the one that copies is killed, then the one that watches the canary. The migration goes on, the
 * API works through the other, and an application behind the proxy notices nothing.
 */
@Tag("alone")
class TwoControlPlanesIT {
    private static final String TOKEN = "token-of-two-control-planes";
    private static final String WORKFLOW = "migration/m";
    private static final int KEYS = 20_000;
    private static final int VALUE_BYTES = 500;

    /** Some ten seconds of copying. */
    private static final int COPY_RATE = KEYS * VALUE_BYTES / 10;

    private static final List<String> SMALL_JVM = List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<String, Plane> planes = new HashMap<>();

    @TempDir
    private Path directory;

    /** A server in a process of its own. */
    private record Plane(ServerProcess process, int port) {}

    @AfterEach
    void stop() throws Exception {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
        http.close();
    }

    @Test
    void eitherMayDieAndTheMigrationGoesOn() throws Exception {
        assumeTrue(EmbeddedTemporal.devServerBinary().isPresent(), "no Temporal dev server here: infra/temporal/build");
        EmbeddedPostgres store = opened(EmbeddedPostgres.start());
        EmbeddedRedis source = opened(EmbeddedRedis.start());
        EmbeddedRedis target = opened(EmbeddedRedis.start());
        EmbeddedTemporal temporal = opened(
                EmbeddedTemporal.start(EmbeddedTemporal.Options.defaults().withForm(EmbeddedTemporal.Form.DEV_SERVER)));
        fill(source);
        Plane first = plane("a", store, temporal);
        Plane second = plane("b", store, temporal);
        call(first, "POST", "/endpoints", "{\"id\":\"old\",\"uri\":\"redis://127.0.0.1:" + source.port() + "\"}", 201);
        call(second, "POST", "/endpoints", "{\"id\":\"new\",\"uri\":\"redis://127.0.0.1:" + target.port() + "\"}", 201);
        call(
                second,
                "POST",
                "/interlays",
                "{\"id\":\"front\",\"endpoint\":\"old\",\"listen\":\"127.0.0.1:6379\"}",
                201);
        EdenProxy proxy = opened(EdenProxy.start(new EdenProxy.Options(
                "p",
                "front",
                new InetSocketAddress("127.0.0.1", 0),
                0,
                "127.0.0.1",
                0,
                Duration.ZERO,
                settings(store))));
        Application application = opened(new Application(proxy.port()));

        call(
                first,
                "POST",
                "/migrations",
                "{\"id\":\"m\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0.3}}",
                201);
        call(second, "POST", "/migrations/m/interlay/front", "{\"endpoint\":\"new\"}", 200);
        call(first, "PATCH", "/migrations/m", "{\"tuning\":{\"copy_rate\":" + COPY_RATE + "}}", 0);
        call(second, "POST", "/migrations/m/migrate", "{}", 202);

        await("the copy has begun")
                .atMost(Duration.ofSeconds(40))
                .until(() -> status(first).at("/progress/keys_done").asLong() > 500);
        Plane survivor = killTheOneThatRuns("Replicate", temporal, first, second);
        assertThat(status(survivor).path("phase").asText()).isIn("initializing", "replicating");
        call(survivor, "PATCH", "/migrations/m", "{\"tuning\":{\"copy_rate\":null}}", 0);
        awaitPhase(survivor, "canary");

        Plane third = plane("c", store, temporal);
        await("somebody watches the canary")
                .atMost(Duration.ofSeconds(30))
                .until(() -> worker("Watch", temporal).isPresent());
        survivor = killTheOneThatRuns("Watch", temporal, survivor, third);
        assertThat(status(survivor).path("phase").asText()).isEqualTo("canary");
        Plane last = survivor;
        await("the cutover is taken").atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            HttpResponse<String> answer = send(last, "POST", "/migrations/m/cutover", "{}", "cut-over-once");
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        });
        awaitPhase(last, "baking");
        call(last, "POST", "/migrations/m/finalize", "{}", 202);
        awaitPhase(last, "completed");

        application.close();
        assertThat(application.failure.get()).isNull();
        assertThat(application.acknowledged.get()).isGreaterThan(100);
        try (Jedis jedis = new Jedis("127.0.0.1", target.port())) {
            assertThat(Long.parseLong(jedis.get("counter")))
                    .as("every write once, on the new side")
                    .isEqualTo(application.acknowledged.get());
            assertThat(jedis.dbSize()).isEqualTo(KEYS + 1);
        }
        assertThat(call(last, "GET", "/audit/verify", null, 200).path("intact").asBoolean())
                .isTrue();
    }

    /** Kills the process whose worker has the activity; answers the other one. */
    private Plane killTheOneThatRuns(String activity, EmbeddedTemporal temporal, Plane one, Plane other) {
        long pid = worker(activity, temporal).orElseThrow();
        assertThat(pid).isIn(one.process().pid(), other.process().pid());
        Plane dies = pid == one.process().pid() ? one : other;
        dies.process().kill();
        return dies == one ? other : one;
    }

    /** The process that runs the activity; its worker's identity begins with it. */
    private static Optional<Long> worker(String activity, EmbeddedTemporal temporal) {
        WorkflowServiceStubs service = WorkflowServiceStubs.newServiceStubs(WorkflowServiceStubsOptions.newBuilder()
                .setTarget(temporal.address())
                .build());
        try {
            return WorkflowClient.newInstance(service)
                    .newUntypedWorkflowStub(WORKFLOW)
                    .describe()
                    .getRawDescription()
                    .getPendingActivitiesList()
                    .stream()
                    .filter(pending -> pending.getActivityType().getName().equals(activity))
                    .map(pending -> pending.getLastWorkerIdentity())
                    .filter(identity -> identity.contains("@"))
                    .map(identity -> Long.parseLong(identity.substring(0, identity.indexOf('@'))))
                    .findFirst();
        } finally {
            service.shutdownNow();
        }
    }

    private static void fill(EmbeddedRedis source) {
        try (Jedis jedis = new Jedis("127.0.0.1", source.port())) {
            Pipeline pipeline = jedis.pipelined();
            for (int i = 0; i < KEYS; i++) {
                pipeline.set("key:" + i, "x".repeat(VALUE_BYTES));
            }
            pipeline.sync();
        }
    }

    private EdenStore.Settings settings(EmbeddedPostgres store) {
        return new EdenStore.Settings(
                store.jdbcUrl(), store.user(), new Secret(store.password()), null, directory, 4, Duration.ofSeconds(5));
    }

    private Plane plane(String name, EmbeddedPostgres store, EmbeddedTemporal temporal) {
        Path ports = directory.resolve(name + ".ports");
        ServerProcess process = opened(JavaProcess.start(
                "dev.eden.api.Eden",
                SMALL_JVM,
                List.of(
                        "server",
                        "--no-proxy",
                        "--api-port=0",
                        "--admin-port=0",
                        "--data-dir=" + directory,
                        "--ports-file=" + ports),
                Map.of(
                        "EDEN_DATABASE_URL",
                        store.jdbcUrl(),
                        "EDEN_DATABASE_USER",
                        store.user(),
                        "EDEN_DATABASE_PASSWORD",
                        store.password(),
                        "EDEN_ADMIN_TOKEN",
                        TOKEN,
                        "TEMPORAL_ADDRESS",
                        temporal.address()),
                directory.resolve(name + ".log")));
        process.awaitReady(Duration.ofSeconds(60), () -> Files.exists(ports));
        try {
            return new Plane(
                    process, Json.tree(Files.readString(ports)).path("api").asInt());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Counts in one key, and notes whatever goes wrong. */
    private static final class Application implements AutoCloseable {
        final AtomicLong acknowledged = new AtomicLong();
        final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
        private final Thread thread;
        private volatile boolean closed;

        Application(int port) {
            thread = Thread.ofPlatform().daemon().start(() -> {
                try (Jedis jedis = new Jedis("127.0.0.1", port, 20_000)) {
                    while (!closed) {
                        jedis.incr("counter");
                        acknowledged.incrementAndGet();
                        jedis.get("key:" + acknowledged.get() % KEYS);
                    }
                } catch (Exception e) {
                    failure.set(e);
                }
            });
        }

        @Override
        public void close() throws InterruptedException {
            closed = true;
            thread.join();
        }
    }

    private <T extends AutoCloseable> T opened(T part) {
        parts.push(part);
        return part;
    }

    private JsonNode status(Plane plane) throws Exception {
        return call(plane, "GET", "/migrations/m/status", null, 200);
    }

    private void awaitPhase(Plane plane, String phase) {
        await().atMost(Duration.ofSeconds(90)).alias(phase).untilAsserted(() -> {
            JsonNode status = status(plane);
            assertThat(status.path("phase").asText()).as(status.toString()).isEqualTo(phase);
        });
    }

    /** {@code expected} 0: any good answer. */
    private JsonNode call(Plane plane, String method, String path, @Nullable String body, int expected)
            throws Exception {
        HttpResponse<String> answer = send(plane, method, path, body, null);
        if (expected == 0) {
            assertThat(answer.statusCode()).as(path + ": " + answer.body()).isBetween(200, 299);
        } else {
            assertThat(answer.statusCode()).as(path + ": " + answer.body()).isEqualTo(expected);
        }
        return Json.tree(answer.body());
    }

    private HttpResponse<String> send(
            Plane plane, String method, String path, @Nullable String body, @Nullable String key) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + plane.port() + "/api/v1" + path))
                .timeout(Duration.ofSeconds(30))
                .header("Authorization", "Bearer " + TOKEN)
                .header("Content-Type", "application/json")
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (key != null) {
            request.header("Idempotency-Key", key);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
