package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;

/**
 * One store, one Temporal, two Redis servers, a proxy of the interlay {@code front}, and as many servers, each in a process of its own, as are
 * started. The migration is {@code m}.
 */
final class ControlPlanes implements AutoCloseable {
    static final String TOKEN = "token-of-two-control-planes";
    private static final String WORKFLOW = "migration/m";
    private static final List<String> SMALL_JVM = List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final HttpClient http = HttpClient.newHttpClient();
    private final Path directory;
    private final Path failpoints;
    private final EmbeddedPostgres store;
    private final EmbeddedTemporal temporal;
    final EmbeddedRedis source;
    final EmbeddedRedis target;

    /** A server in a process of its own. */
    record Plane(ServerProcess process, int port, int admin) {}

    ControlPlanes(Path directory) throws IOException {
        this.directory = directory;
        failpoints = Files.createDirectory(directory.resolve("failpoints"));
        store = opened(EmbeddedPostgres.start());
        source = opened(EmbeddedRedis.start());
        target = opened(EmbeddedRedis.start());
        temporal = opened(
                EmbeddedTemporal.start(EmbeddedTemporal.Options.defaults().withForm(EmbeddedTemporal.Form.DEV_SERVER)));
    }

    void fill(int keys, int valueBytes) {
        try (Jedis jedis = new Jedis("127.0.0.1", source.port())) {
            Pipeline pipeline = jedis.pipelined();
            for (int i = 0; i < keys; i++) {
                pipeline.set("key:" + i, "x".repeat(valueBytes));
            }
            pipeline.sync();
        }
    }

    /** Starts a server; all of them have one directory of failpoints, so that whoever comes to a place first acts. */
    Plane plane(String name) {
        Path ports = directory.resolve(name + ".ports");
        List<String> jvm = new ArrayList<>(SMALL_JVM);
        jvm.add("-Deden.failpoints=" + failpoints);
        ServerProcess process = opened(JavaProcess.start(
                "dev.eden.api.Eden",
                jvm,
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
            JsonNode bound = Json.tree(Files.readString(ports));
            return new Plane(
                    process, bound.path("api").asInt(), bound.path("admin").asInt());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Registers both endpoints and the interlay, half of it at each server, and starts a proxy. */
    EdenProxy proxy(Plane one, Plane other) throws Exception {
        call(one, "POST", "/endpoints", "{\"id\":\"old\",\"uri\":\"redis://127.0.0.1:" + source.port() + "\"}", 201);
        call(other, "POST", "/endpoints", "{\"id\":\"new\",\"uri\":\"redis://127.0.0.1:" + target.port() + "\"}", 201);
        call(other, "POST", "/interlays", "{\"id\":\"front\",\"endpoint\":\"old\",\"listen\":\"127.0.0.1:6379\"}", 201);
        return opened(EdenProxy.start(new EdenProxy.Options(
                "p", "front", new InetSocketAddress("127.0.0.1", 0), 0, "127.0.0.1", 0, Duration.ZERO, settings())));
    }

    private EdenStore.Settings settings() {
        return new EdenStore.Settings(
                store.jdbcUrl(), store.user(), new Secret(store.password()), null, directory, 4, Duration.ofSeconds(5));
    }

    /** The first server that comes to the place ends as by {@code kill -9}. */
    void killAt(String place) throws IOException {
        Files.writeString(failpoints.resolve(place), "kill");
    }

    boolean reached(String place) {
        return Files.exists(failpoints.resolve(place + ".hit"));
    }

    /** The process that runs the activity; its worker's identity begins with it. */
    Optional<Long> worker(String activity) {
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

    JsonNode status(Plane plane) throws Exception {
        return call(plane, "GET", "/migrations/m/status", null, 200);
    }

    void awaitPhase(Plane plane, String phase) {
        await().atMost(Duration.ofSeconds(90)).alias(phase).untilAsserted(() -> {
            JsonNode status = status(plane);
            assertThat(status.path("phase").asText()).as(status.toString()).isEqualTo(phase);
        });
    }

    /** Asks until the gates are open. */
    void cutOver(Plane plane) {
        await("the cutover is taken").atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            HttpResponse<String> answer = send(plane, "POST", "/migrations/m/cutover", "{}", "cut-over-once");
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        });
    }

    /** {@code expected} 0: any good answer. */
    JsonNode call(Plane plane, String method, String path, @Nullable String body, int expected) throws Exception {
        HttpResponse<String> answer = send(plane, method, path, body, null);
        if (expected == 0) {
            assertThat(answer.statusCode()).as(path + ": " + answer.body()).isBetween(200, 299);
        } else {
            assertThat(answer.statusCode()).as(path + ": " + answer.body()).isEqualTo(expected);
        }
        return Json.tree(answer.body());
    }

    HttpResponse<String> send(Plane plane, String method, String path, @Nullable String body, @Nullable String key)
            throws Exception {
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

    /** Closed before everything that was opened earlier. */
    <T extends AutoCloseable> T opened(T part) {
        parts.push(part);
        return part;
    }

    @Override
    public void close() throws Exception {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
        http.close();
    }
}
