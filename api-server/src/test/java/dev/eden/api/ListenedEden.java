package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.config.Receiver;
import dev.eden.api.json.Json;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedTemporal;
import dev.eden.proxy.Secret;
import io.temporal.api.history.v1.History;
import io.temporal.api.sdk.v1.WorkflowMetadata;
import io.temporal.client.WorkflowClient;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** A whole Eden of which nothing that it says gets lost: a server with a proxy inside, a proxy beside it, a collector of their spans. */
final class ListenedEden implements AutoCloseable {
    static final String TOKEN = "canary-admin-token-20973";

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final HttpClient http = HttpClient.newHttpClient();
    private final StringBuffer answers = new StringBuffer();
    private final StringBuffer followed = new StringBuffer();
    private final String interlay;
    private final LoggedLines logs;
    private final EmbeddedPostgres store;
    private final EmbeddedTemporal temporal;
    private final Path directory;
    private final EdenServer server;
    private final EdenProxy proxy;
    final SpanCollector spans;

    private ListenedEden(ServerOptions.Front front, List<Receiver> receivers) throws Exception {
        interlay = front.interlay();
        logs = opened(LoggedLines.open());
        spans = opened(SpanCollector.start());
        store = opened(EmbeddedPostgres.start());
        temporal = opened(EmbeddedTemporal.start());
        directory = Files.createTempDirectory("eden-listened-");
        EdenStore.Settings settings = new EdenStore.Settings(
                store.jdbcUrl(), store.user(), new Secret(store.password()), null, directory, 8, Duration.ofSeconds(5));
        server = opened(EdenServer.start(new ServerOptions(
                        List.of(front),
                        "inside",
                        true,
                        "127.0.0.1",
                        0,
                        "127.0.0.1",
                        0,
                        settings,
                        temporal.address(),
                        "default",
                        null,
                        new Secret(TOKEN))
                .withTraces(spans.endpoint())
                .withReceivers(receivers)));
        proxy = opened(EdenProxy.start(new EdenProxy.Options(
                "beside",
                interlay,
                new InetSocketAddress("127.0.0.1", 0),
                0,
                "127.0.0.1",
                0,
                Duration.ZERO,
                settings)));
    }

    static ListenedEden start(ServerOptions.Front front) throws Exception {
        return start(front, List.of());
    }

    /** One whose migrations somebody may be told of. */
    static ListenedEden start(ServerOptions.Front front, List<Receiver> receivers) throws Exception {
        return new ListenedEden(front, receivers);
    }

    /** Of the proxy inside and of the one beside. */
    List<Integer> ports() {
        return List.of(Objects.requireNonNull(server.proxyPorts().get(interlay)), proxy.port());
    }

    /** What Eden itself has been given, or has made, to keep. */
    List<String> ownSecrets() throws Exception {
        return List.of(
                TOKEN,
                store.password(),
                Files.readString(directory.resolve("encryption.key")).strip());
    }

    String logs() {
        return logs.text();
    }

    JsonNode post(String path, @Nullable String body, int expected) throws Exception {
        return send("POST", path, body, expected);
    }

    /** {@code expected} 0: whatever it is. */
    JsonNode send(String method, String path, @Nullable String body, int expected) throws Exception {
        HttpResponse<String> answer = ask(request(path)
                .header("Content-Type", "application/json")
                .header("X-Request-Id", "asked-for-" + path.replaceFirst(".*/", ""))
                .method(
                        method,
                        body == null
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body)));
        if (expected != 0) {
            assertThat(answer.statusCode()).as(path + ": " + answer.body()).isEqualTo(expected);
        }
        return answer.body().isEmpty() ? Json.tree("{}") : Json.tree(answer.body());
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.apiPort() + "/api/v1" + path))
                .header("Authorization", "Bearer " + TOKEN);
    }

    HttpResponse<String> ask(HttpRequest.Builder request) throws Exception {
        HttpResponse<String> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        answers.append(answer.headers().map()).append(answer.body()).append('\n');
        return answer;
    }

    /** Keeps the stream of a migration's events from now on. */
    void follow(String migration) {
        HttpRequest events = request("/migrations/" + migration + "/events")
                .header("Accept", "text/event-stream")
                .build();
        var _ = http.sendAsync(
                events,
                HttpResponse.BodyHandlers.ofByteArrayConsumer(
                        some -> some.ifPresent(bytes -> followed.append(new String(bytes, StandardCharsets.UTF_8)))));
    }

    void awaitPhase(String migration, String phase) {
        await().atMost(Duration.ofSeconds(180)).alias(phase).untilAsserted(() -> {
            JsonNode status = send("GET", "/migrations/" + migration + "/status", null, 200);
            assertThat(status.path("phase").asText()).as(status.toString()).isEqualTo(phase);
        });
    }

    /** Asks for all that there is to be read of a migration that has ended. */
    void readEverything(String migration, String... endpoints) throws Exception {
        List<String> paths = new ArrayList<>(List.of(
                "/endpoints",
                "/interlays",
                "/proxies",
                "/migrations",
                "/migrations/" + migration,
                "/migrations/" + migration + "/status",
                "/migrations/" + migration + "/validation",
                "/migrations/" + migration + "/events?limit=1000",
                "/migrations/" + migration + "/report",
                "/receivers",
                "/tokens"));
        List.of(endpoints).forEach(endpoint -> paths.add("/endpoints/" + endpoint));
        for (String path : paths) {
            send("GET", path, null, 200);
        }
        HttpResponse<String> markdown =
                ask(request("/migrations/" + migration + "/report").header("Accept", "text/markdown"));
        assertThat(markdown.body()).startsWith("#");
        await().untilAsserted(() -> assertThat(followed.toString()).contains("event: end"));
        await().untilAsserted(() -> assertThat(spans.text()).contains("Record"));
    }

    /** Everything that was said, or is kept, about a migration. Each place is really looked at: it has what it must have. */
    SecretSearch places(String migration) throws Exception {
        // Whether anything else failed is chance.
        LoggerFactory.getLogger("dev.eden.listened")
                .atDebug()
                .setCause(new IllegalStateException(migration))
                .log("one that is always there");
        SecretSearch search = new SecretSearch()
                .in("an answer of the API", answers.toString())
                .in("a stream of events", followed.toString())
                .in("a log line", logs.text())
                .in("a history of Temporal", histories(migration))
                .in("current details in Temporal", currentDetails(migration))
                .in("a span", spans.text())
                .in("a row of the store", rows());
        for (String place : List.of(
                "an answer of the API",
                "a stream of events",
                "a log line",
                "a history of Temporal",
                "current details in Temporal",
                "a span",
                "a row of the store")) {
            assertThat(search.text(place)).as(place).contains(migration);
        }
        search.in("a metric of the server", admin(server.adminPort(), "/metrics"))
                .in("a metric of a proxy", admin(proxy.metricsPort(), "/metrics"))
                .in("the health of the server", admin(server.adminPort(), "/health"))
                .in("the health of a proxy", admin(proxy.metricsPort(), "/health"))
                .in("a logged throwable", logs.throwables());
        for (String metric : List.of("a metric of the server", "a metric of a proxy")) {
            assertThat(search.text(metric)).contains("eden_throughput_ops");
        }
        for (String health : List.of("the health of the server", "the health of a proxy")) {
            assertThat(search.text(health)).contains("\"status\"");
        }
        assertThat(search.text("a logged throwable")).contains("Exception");
        // The store keeps a token's hash, and nothing else of it.
        String hash = SecretSearch.sha256(TOKEN);
        assertThat(search.text("a row of the store")).contains(hash);
        return search.without("a row of the store", hash);
    }

    private String admin(int port, String path) throws Exception {
        return http.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }

    /** Of all runs of the migration's workflow, as they are stored: payloads are JSON in them. */
    private String histories(String migration) {
        return inTemporal(client -> {
            StringBuilder text = new StringBuilder();
            String workflow = "migration/" + migration;
            String run = "";
            do {
                History history = (run.isEmpty() ? client.fetchHistory(workflow) : client.fetchHistory(workflow, run))
                        .getHistory();
                text.append(new String(history.toByteArray(), StandardCharsets.ISO_8859_1));
                run = history.getEvents(0)
                        .getWorkflowExecutionStartedEventAttributes()
                        .getContinuedExecutionRunId();
            } while (!run.isEmpty());
            return text.toString();
        });
    }

    private String currentDetails(String migration) {
        return inTemporal(client -> client.newUntypedWorkflowStub("migration/" + migration)
                .query("__temporal_workflow_metadata", WorkflowMetadata.class)
                .getCurrentDetails());
    }

    private String inTemporal(java.util.function.Function<WorkflowClient, String> look) {
        WorkflowServiceStubs service = WorkflowServiceStubs.newServiceStubs(WorkflowServiceStubsOptions.newBuilder()
                .setTarget(temporal.address())
                .build());
        try {
            return look.apply(WorkflowClient.newInstance(service));
        } finally {
            service.shutdownNow();
        }
    }

    /** Every table, bytes as text and as hexadecimal digits. */
    private String rows() throws SQLException {
        StringBuilder text = new StringBuilder();
        try (var connection = DriverManager.getConnection(store.jdbcUrl(), store.user(), store.password());
                var statement = connection.createStatement()) {
            List<String> tables = new ArrayList<>();
            try (var names = statement.executeQuery(
                    "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
                            + " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")) {
                while (names.next()) {
                    tables.add(names.getString(1));
                }
            }
            for (String table : tables) {
                try (var all = statement.executeQuery("SELECT t::text FROM " + table + " t")) {
                    while (all.next()) {
                        text.append(table).append(' ').append(all.getString(1)).append('\n');
                    }
                }
            }
        }
        return text.toString();
    }

    private <T extends AutoCloseable> T opened(T part) {
        parts.push(part);
        return part;
    }

    @Override
    public void close() throws Exception {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
    }
}
