package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.util.Durations;
import dev.eden.api.json.Json;
import dev.eden.embedded.EmbeddedTemporal;
import io.temporal.api.workflowservice.v1.RegisterNamespaceRequest;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Phaser;
import java.util.stream.IntStream;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Migrations, and servers, that are started while Temporal does not answer. */
class StartIT {
    /** As many as the store's pool has connections. */
    private static final List<String> MIGRATIONS =
            IntStream.range(0, 8).mapToObj(i -> "m" + i).toList();

    private static TestServer eden;
    private static Way way;

    @BeforeAll
    static void start() {
        eden = TestServer.start();
        way = new Way(eden.temporal.address());
        eden.temporalAddress = way.address();
        eden.restart(options -> options);
        for (String id : MIGRATIONS) {
            created("/api/v1/endpoints", Map.of("id", id + "_from", "uri", "redis://127.0.0.1:1"));
            created("/api/v1/endpoints", Map.of("id", id + "_to", "uri", "redis://127.0.0.1:1"));
            created("/api/v1/interlays", Map.of("id", id + "_front", "endpoint", id + "_from"));
            created("/api/v1/migrations", Map.of("id", id, "strategy", Map.of("type", "canary", "read_percentage", 0)));
            assertThat(eden.post(path(id) + "/interlay/" + id + "_front", Json.write(Map.of("endpoint", id + "_to")))
                            .status())
                    .isEqualTo(200);
        }
    }

    @AfterAll
    static void stop() throws Exception {
        way.close();
        eden.close();
    }

    @Test
    void holdNothingOfTheStoreAndAreStartedByTheNextRequest() {
        way.shut();
        List<CompletableFuture<TestServer.Answer>> starts = new ArrayList<>();
        for (String id : MIGRATIONS) {
            starts.add(CompletableFuture.supplyAsync(
                    () -> eden.post(path(id) + "/migrate", "{}"),
                    task -> Thread.ofVirtual().start(task)));
        }
        await().atMost(Duration.ofSeconds(20)).until(() -> eden.activities.requests.size() == MIGRATIONS.size());
        for (String id : MIGRATIONS) {
            await().atMost(Duration.ofSeconds(4))
                    .until(() -> eden.patch(path(id), "{\"strategy\":{\"read_percentage\":0.5}}")
                                    .status()
                            == 409);
        }
        assertThat(starts).as("they are under way").noneMatch(CompletableFuture::isDone);
        TestServer.Answer changed = eden.patch(path("m0"), "{\"strategy\":{\"read_percentage\":0.5}}");
        assertThat(changed.status()).as(changed.body()).isEqualTo(409);
        assertThat(changed.body()).contains("is being started");
        TestServer.Answer late = eden.post("/api/v1/interlays", "{\"id\":\"late\",\"endpoint\":\"m0_to\"}");
        assertThat(late.status()).as(late.body()).isEqualTo(409);
        for (CompletableFuture<TestServer.Answer> start : starts) {
            assertThat(start.join().status()).as(start.join().body()).isEqualTo(503);
        }

        way.open();
        for (String id : MIGRATIONS) {
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> List.of(202, 409)
                            .contains(eden.post(path(id) + "/migrate", "{}").status()));
            assertThat(eden.get(path(id)).json().path("started_at").isTextual()).isTrue();
            assertThat(eden.table("audit_log")).containsOnlyOnce("migration.started,migration/" + id + ",");
        }
    }

    /** Its proxy's clients must not lose it because Temporal is away, and nobody else would start its workers. */
    @Test
    void aServerWithAProxyInsideServesWithoutTemporalAndGoesOnWhenItIsThere() throws Exception {
        way.shut();
        servesUntil(eden.options(0, 0).temporalAddress(), "default", way::open);
    }

    /** Its frontend answers before the namespace is made, or its database is there. */
    @Test
    void aServerWithAProxyInsideServesWhereTemporalHasNoNamespaceYet() throws Exception {
        assumeTrue(EmbeddedTemporal.devServerBinary().isPresent(), "no Temporal dev server here: infra/temporal/build");
        try (EmbeddedTemporal temporal = EmbeddedTemporal.start(
                EmbeddedTemporal.Options.defaults().withForm(EmbeddedTemporal.Form.DEV_SERVER))) {
            servesUntil(temporal.address(), "later", () -> {
                WorkflowServiceStubs stubs =
                        WorkflowServiceStubs.newServiceStubs(WorkflowServiceStubsOptions.newBuilder()
                                .setTarget(temporal.address())
                                .build());
                try {
                    stubs.blockingStub()
                            .registerNamespace(RegisterNamespaceRequest.newBuilder()
                                    .setNamespace("later")
                                    .setWorkflowExecutionRetentionPeriod(Durations.fromDays(1))
                                    .build());
                } finally {
                    stubs.shutdownNow();
                }
            });
        }
    }

    /** It had made one before it failed, and the next start made no other: nobody ever saw one. */
    @Test
    void theFirstTokenIsOfTheFirstStartThatSucceeds() throws Exception {
        Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password())
                .useHandle(handle -> handle.execute("CREATE DATABASE first"));
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> EdenServer.start(withoutToken(taken.getLocalPort()), eden.activities::open)
                            .close())
                    .hasMessageContaining("can't listen");
        }
        try (EdenServer server = EdenServer.start(withoutToken(0), eden.activities::open)) {
            assertThat(server.firstToken()).isPresent();
        }
        try (EdenServer server = EdenServer.start(withoutToken(0), eden.activities::open)) {
            assertThat(server.firstToken()).as("shown once").isEmpty();
        }
    }

    /** On a store of its own. */
    private static ServerOptions withoutToken(int port) {
        ServerOptions base = eden.options(0, 0);
        EdenStore.Settings store = base.store();
        return new ServerOptions(
                List.of(ServerOptions.Front.redis(new InetSocketAddress("127.0.0.1", port))),
                "first",
                true,
                "127.0.0.1",
                0,
                "127.0.0.1",
                0,
                new EdenStore.Settings(
                        eden.postgres.jdbcUrl("first"),
                        store.user(),
                        store.password(),
                        null,
                        store.dataDirectory(),
                        store.poolSize(),
                        store.timeout()),
                eden.temporal.address(),
                "default",
                null,
                null);
    }

    private static void servesUntil(String temporal, String namespace, Runnable mended) throws Exception {
        ServerOptions base = eden.options(0, 0);
        ServerOptions inside = new ServerOptions(
                List.of(ServerOptions.Front.redis(new InetSocketAddress("127.0.0.1", 0))),
                "inside",
                true,
                "127.0.0.1",
                0,
                "127.0.0.1",
                0,
                base.store(),
                temporal,
                namespace,
                null,
                base.adminToken());
        try (EdenServer server = EdenServer.start(inside, eden.activities::open, Duration.ofSeconds(1));
                Socket client = new Socket(
                        "127.0.0.1", server.proxyPorts().values().iterator().next());
                HttpClient http = HttpClient.newHttpClient()) {
            client.setSoTimeout(20_000);
            client.getOutputStream().write("ECHO here\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(client.getInputStream().read()).as("an answer").isPositive();
            HttpRequest ready = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + server.adminPort() + "/health/ready"))
                    .build();
            HttpResponse<String> away = http.send(ready, HttpResponse.BodyHandlers.ofString());
            assertThat(away.statusCode()).isEqualTo(503);
            assertThat(away.body()).contains("\"temporal\":\"down\"", "\"store\":\"up\"");

            mended.run();
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> http.send(ready, HttpResponse.BodyHandlers.ofString())
                                    .statusCode()
                            == 200);
        } finally {
            way.open();
        }
    }

    private static String path(String migration) {
        return "/api/v1/migrations/" + migration;
    }

    private static void created(String path, Map<String, ?> body) {
        TestServer.Answer answer = eden.post(path, Json.write(body));
        assertThat(answer.status()).as(answer.body()).isEqualTo(201);
    }

    /** To a server; while it is shut, what is sent is kept on it. */
    private static final class Way implements AutoCloseable {
        private final ServerSocket listener;
        private final String host;
        private final int port;
        private final Phaser gate = new Phaser();
        private volatile boolean shut;

        Way(String address) {
            host = address.substring(0, address.lastIndexOf(':'));
            port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
            try {
                listener = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            gate.register();
            Thread.ofVirtual().start(this::accept);
        }

        String address() {
            return "127.0.0.1:" + listener.getLocalPort();
        }

        void shut() {
            shut = true;
        }

        void open() {
            shut = false;
            gate.arrive();
        }

        private void accept() {
            while (!listener.isClosed()) {
                try {
                    Socket here = listener.accept();
                    Socket there = new Socket(host, port);
                    Thread.ofVirtual().start(() -> carry(here, there));
                    Thread.ofVirtual().start(() -> carry(there, here));
                } catch (IOException e) {
                    // Closed, or nobody is there: whoever came comes again.
                }
            }
        }

        private void carry(Socket from, Socket to) {
            byte[] buffer = new byte[1 << 16];
            try (from;
                    to) {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    int phase = gate.getPhase();
                    if (shut) {
                        gate.awaitAdvance(phase);
                    }
                    out.write(buffer, 0, read);
                    out.flush();
                }
            } catch (IOException e) {
                // The other half ends with it.
            }
        }

        @Override
        public void close() throws IOException {
            open();
            listener.close();
        }
    }
}
