package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.config.Receiver;
import dev.eden.api.json.Json;
import dev.eden.api.rest.OpenApi;
import dev.eden.api.rest.Security;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedTemporal;
import dev.eden.proxy.Secret;
import io.temporal.api.sdk.v1.WorkflowMetadata;
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
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.StreamSupport;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/**
 * A whole server on a real PostgreSQL and Temporal's test server, mostly with fake activities, and a client for it that holds every answer
 * against docs/openapi.yaml.
 */
final class TestServer implements AutoCloseable {
    private static final OpenApi API = OpenApi.read();
    static final String TOKEN = "test-admin-token-0123456789";

    final EmbeddedPostgres postgres;
    final EmbeddedTemporal temporal;
    final FakeActivities activities = new FakeActivities();
    EdenServer server;
    /** Base64, as many as there are; null: the file that the first start makes. */
    @Nullable
    String encryptionKeys;

    /** Another way to Temporal; null: straight. */
    @Nullable
    String temporalAddress;

    /** Who may be told of migrations. */
    List<Receiver> receivers = List.of(new Receiver("oncall", new Secret("http://127.0.0.1:1/"), null));

    final Path directory;
    private final HttpClient http = HttpClient.newHttpClient();

    private final EdenServer.Activities opened;

    private TestServer(EmbeddedTemporal.Form form, boolean fakes) throws IOException {
        opened = fakes ? activities::open : ActivitySet::open;
        directory = Files.createTempDirectory("eden-api-it");
        postgres = EmbeddedPostgres.start();
        activities.directory = Jdbi.create(postgres.jdbcUrl(), postgres.user(), postgres.password());
        temporal = EmbeddedTemporal.start(EmbeddedTemporal.Options.defaults().withForm(form));
        server = EdenServer.start(options(0, 0), opened);
    }

    /** Entries of that name in a migration's audit log. */
    List<JsonNode> events(String migration, String name) {
        return StreamSupport.stream(
                        get("/api/v1/migrations/" + migration + "/events?limit=1000")
                                .json()
                                .path("events")
                                .spliterator(),
                        false)
                .filter(event -> event.path("event").asText().equals(name))
                .toList();
    }

    static TestServer start() {
        return start(EmbeddedTemporal.Form.TEST_SERVER);
    }

    /** One that encrypts what Temporal keeps. */
    static final UnaryOperator<ServerOptions> ENCRYPTING =
            options -> options.withOrchestration(new ServerOptions.Orchestration(true, null));

    /** On a Temporal of another form. */
    static TestServer start(EmbeddedTemporal.Form form) {
        return start(form, true);
    }

    /** One whose migrations happen. */
    static TestServer startWithRealActivities() {
        return start(EmbeddedTemporal.Form.TEST_SERVER, false);
    }

    private static TestServer start(EmbeddedTemporal.Form form, boolean fakes) {
        try {
            return new TestServer(form, fakes);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /**
     * Ends the server and starts another one on the same store and Temporal. Not while a workflow runs on the in-process test server: that
     * waits for the worker that is gone.
     */
    void restart(UnaryOperator<ServerOptions> change) {
        server.close();
        server = EdenServer.start(change.apply(options(0, 0)), opened);
    }

    ServerOptions options(int apiPort, int adminPort) {
        return new ServerOptions(
                        List.of(ServerOptions.Front.redis(new InetSocketAddress("127.0.0.1", 6379))),
                        "test",
                        false,
                        "127.0.0.1",
                        apiPort,
                        "127.0.0.1",
                        adminPort,
                        new EdenStore.Settings(
                                postgres.jdbcUrl(),
                                postgres.user(),
                                new Secret(postgres.password()),
                                encryptionKeys == null ? null : new Secret(encryptionKeys),
                                directory,
                                8,
                                Duration.ofSeconds(5)),
                        temporalAddress == null ? temporal.address() : temporalAddress,
                        "default",
                        "http://temporal-ui",
                        new Secret(TOKEN))
                .withLimits(new Security.Limits(100_000, 100_000, 256))
                .withPublicUrl("https://eden.example/")
                .withReceivers(receivers);
    }

    /** An answer; {@code json} is null for an empty body. */
    record Answer(int status, HttpResponse<String> raw) {
        JsonNode json() {
            return Json.tree(raw.body());
        }

        String body() {
            return raw.body();
        }
    }

    Answer get(String path) {
        return send(TOKEN, "GET", path, null);
    }

    Answer post(String path, @Nullable String body) {
        return send(TOKEN, "POST", path, body);
    }

    Answer patch(String path, String body) {
        return send(TOKEN, "PATCH", path, body);
    }

    Answer send(@Nullable String token, String method, String path, @Nullable String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path))
                .timeout(Duration.ofSeconds(30))
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        if (body != null && !List.of(headers).contains("Content-Type")) {
            request.header("Content-Type", "application/json");
        }
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            String media = response.headers().firstValue("content-type").orElse(null);
            assertThat(API.violations(method, path, response.statusCode(), media, response.body()))
                    .as(method + " " + path + " answers " + response.statusCode() + " " + response.body())
                    .isEmpty();
            return new Answer(response.statusCode(), response);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** What Temporal's Web UI shows of a migration. */
    String details(String migration) {
        WorkflowServiceStubs service = WorkflowServiceStubs.newServiceStubs(WorkflowServiceStubsOptions.newBuilder()
                .setTarget(temporal.address())
                .build());
        try {
            return WorkflowClient.newInstance(service)
                    .newUntypedWorkflowStub("migration/" + migration)
                    .query("__temporal_workflow_metadata", WorkflowMetadata.class)
                    .getCurrentDetails();
        } finally {
            service.shutdownNow();
        }
    }

    /** For proxies of this server. */
    EdenStore.Settings store() {
        return options(0, 0).store();
    }

    Answer admin(String path) {
        try {
            HttpResponse<String> response = http.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.adminPort() + path))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            return new Answer(response.statusCode(), response);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** What the fake steps do not do: a replication that follows, now and for years to come. */
    void replicates(String migration, long lagMillis) {
        Jdbi.create(postgres.jdbcUrl(), postgres.user(), postgres.password())
                .useHandle(h -> h.createUpdate("""
                        INSERT INTO replication (migration, progress) VALUES (:migration, jsonb_build_object('state', 'streaming', 'lagMs', :lag,
                            'keysDone', 0, 'keysTotal', 0, 'bytes', 0, 'keysPerSecond', 5, 'etaSeconds', 7, 'sourceOffset', 0, 'appliedOffset', 0,
                            'reverseProven', true, 'conflicts', 0, 'atMillis', 4102444800000))
                        ON CONFLICT (migration) DO UPDATE SET progress = EXCLUDED.progress""")
                        .bind("migration", migration)
                        .bind("lag", lagMillis)
                        .execute());
    }

    /** A table's rows as text, read past the API. */
    String table(String name) {
        try (var connection =
                        java.sql.DriverManager.getConnection(postgres.jdbcUrl(), postgres.user(), postgres.password());
                var rows = connection
                        .createStatement()
                        .executeQuery("SELECT coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '') FROM " + name
                                + " t")) {
            rows.next();
            return rows.getString(1);
        } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server.apiPort() + path);
    }

    HttpClient http() {
        return http;
    }

    @Override
    public void close() throws Exception {
        http.close();
        server.close();
        temporal.close();
        postgres.close();
        try (var files = Files.walk(directory)) {
            files.sorted(java.util.Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        }
    }
}
