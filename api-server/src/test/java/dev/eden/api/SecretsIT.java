package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.embedded.EmbeddedTemporal;
import dev.eden.proxy.Secret;
import io.temporal.api.history.v1.History;
import io.temporal.client.WorkflowClient;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.Jedis;

/**
 * Secrets are planted wherever Eden is given one, and in the data that it moves; a migration goes there, back and there; then everything
 * that Eden says or keeps is searched for them, in every form that an encoder would give them.
 */
@Isolated("reads all that is logged in this JVM")
class SecretsIT {
    private static final String ID = "secretive";
    private static final String SOURCE = "canary-of-the-source-77130";
    private static final String TARGET = "canary-of-the-target-58211";
    private static final String APPLICATION = "canary-of-the-application-90415";
    private static final String MISTAKEN = "canary-of-a-typing-error-33602";
    private static final String VALUE = "canary-in-a-value-61288";
    private static final String TOKEN = "canary-admin-token-20973";

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final HttpClient http = HttpClient.newHttpClient();
    private final StringBuffer answers = new StringBuffer();
    private final Logs logs = new Logs();
    private @Nullable EdenServer server;

    @AfterEach
    void stop() throws Exception {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
    }

    @Test
    void noSecretIsWhereItDoesNotBelong() throws Exception {
        logs.open();
        parts.push(logs::close);
        EmbeddedPostgres store = opened(EmbeddedPostgres.start());
        EmbeddedRedis source = opened(redis(SOURCE));
        EmbeddedRedis target = opened(redis(TARGET));
        EmbeddedTemporal temporal = opened(EmbeddedTemporal.start());
        Path directory = Files.createTempDirectory("eden-secrets-");
        EdenServer eden = opened(EdenServer.start(new ServerOptions(
                List.of(ServerOptions.Front.redis(new InetSocketAddress("127.0.0.1", 0))),
                "secrets",
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
        server = eden;
        try (Jedis admin = new Jedis("127.0.0.1", source.port())) {
            admin.auth(SOURCE);
            admin.aclSetUser("app", "on", ">" + APPLICATION, "~*", "&*", "+@all");
            for (int i = 0; i < 500; i++) {
                admin.set("key:" + i, VALUE + i);
            }
        }
        migrate(eden, source, target);

        String metrics =
                get("http://127.0.0.1:" + eden.adminPort() + "/metrics").body();
        Map<String, String> places = new LinkedHashMap<>();
        places.put("an answer of the API", answers.toString());
        places.put("a metric", metrics);
        places.put("a log line", logs.text());
        places.put("a history of Temporal", histories(temporal.address()));
        places.put("a row of the store", rows(store));
        // Each place is really looked at: it has what it must have.
        places.forEach((place, text) -> {
            if (!place.equals("a metric")) {
                assertThat(text).as(place).contains(ID);
            }
        });
        assertThat(metrics).contains("eden_throughput_ops");
        // A secret in what a request carries further would be looked for in vain if nothing were carried.
        assertThat(logs.text().lines().filter(line -> line.startsWith("cutover attempt ended")))
                .hasSizeGreaterThanOrEqualTo(3)
                .allSatisfy(line -> assertThat(line)
                        .as("an attempt is logged under the id of the request that asked for it")
                        .contains(line.contains("direction=\"forward\"") ? "asked-for-cutover" : "asked-for-rollback"));

        String encryptionKey =
                Files.readString(directory.resolve("encryption.key")).strip();
        // The store keeps a token's hash, and nothing else of it.
        String hash = sha256(TOKEN);
        assertThat(places.get("a row of the store")).contains(hash);
        places.computeIfPresent("a row of the store", (_, text) -> text.replace(hash, ""));
        for (String secret :
                List.of(SOURCE, TARGET, APPLICATION, MISTAKEN, VALUE, TOKEN, store.password(), encryptionKey)) {
            for (String form : forms(secret)) {
                places.forEach((place, text) -> assertThat(text.contains(form))
                        .as(secret + " as " + form + " in " + place)
                        .isFalse());
            }
        }
    }

    private void migrate(EdenServer eden, EmbeddedRedis source, EmbeddedRedis target) throws Exception {
        post("/endpoints", endpoint("old", SOURCE, source.port()), 201);
        post("/endpoints", endpoint("new", TARGET, target.port()), 201);
        post("/endpoints", endpoint("wrong", MISTAKEN, source.port()), 201);
        post("/endpoints/wrong/check", null, 0);
        post("/endpoints", "{\"id\":\"typo\",\"uri\":\"redis://u:" + MISTAKEN + "@127.0.0.1:port\"}", 422);
        post("/endpoints", "{\"id\":\"typo\",\"password\":\"" + MISTAKEN + "\"", 0);
        post(
                "/migrations",
                "{\"id\":\"" + ID + "\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0.2},"
                        + "\"failure_handling\":\"needs_operator\",\"cutover\":{\"deadline_ms\":3000},"
                        + "\"gates\":{\"max_lag_ms\":2000}}",
                201);
        post("/migrations/" + ID + "/interlay/redis_interlay", "{\"endpoint\":\"new\"}", 200);
        send("GET", "/migrations/" + ID + "/plan", null, 200);
        try (Jedis application =
                new Jedis("127.0.0.1", Objects.requireNonNull(eden.proxyPorts().get("redis_interlay")))) {
            application.auth("app", APPLICATION);
            post("/migrations/" + ID + "/migrate", null, 202);
            awaitPhase("canary");
            application.set("key:0", VALUE);
            for (String[] step :
                    new String[][] {{"cutover", "baking"}, {"rollback", "canary"}, {"cutover", "baking"}}) {
                post("/migrations/" + ID + "/" + step[0], "{\"reason\":\"test\"}", 202);
                awaitPhase(step[1]);
                assertThat(application.get("key:0")).isEqualTo(VALUE);
            }
            send("GET", "/migrations/" + ID + "/validation", null, 200);
            post("/migrations/" + ID + "/finalize", null, 202);
            awaitPhase("completed");
            assertThat(application.get("key:0")).isEqualTo(VALUE);
        }
        for (String path : List.of(
                "/endpoints",
                "/endpoints/old",
                "/endpoints/new",
                "/interlays",
                "/migrations",
                "/migrations/" + ID,
                "/migrations/" + ID + "/status",
                "/migrations/" + ID + "/events?limit=1000",
                "/migrations/" + ID + "/report",
                "/tokens")) {
            send("GET", path, null, 200);
        }
        HttpResponse<String> markdown =
                ask(request("/migrations/" + ID + "/report").header("Accept", "text/markdown"));
        assertThat(markdown.body()).startsWith("#");
    }

    private static String endpoint(String id, String password, int port) {
        return "{\"id\":\"" + id + "\",\"uri\":\"redis://:" + password + "@127.0.0.1:" + port + "\"}";
    }

    private static EmbeddedRedis redis(String password) {
        return EmbeddedRedis.start(EmbeddedRedis.Options.defaults().withConfig("requirepass " + password));
    }

    private static List<String> forms(String secret) throws Exception {
        byte[] bytes = secret.getBytes(StandardCharsets.UTF_8);
        String base64 = Base64.getEncoder().encodeToString(bytes);
        return Stream.of(
                        secret,
                        new StringBuilder(secret).reverse().toString(),
                        URLEncoder.encode(secret, StandardCharsets.UTF_8),
                        base64.replace("=", ""),
                        HexFormat.of().formatHex(bytes),
                        sha256(secret))
                .distinct()
                .toList();
    }

    private static String sha256(String text) throws Exception {
        return HexFormat.of()
                .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Of all runs of the migration's workflow, as they are stored: payloads are JSON in them. */
    private static String histories(String address) {
        StringBuilder text = new StringBuilder();
        WorkflowServiceStubs service = WorkflowServiceStubs.newServiceStubs(
                WorkflowServiceStubsOptions.newBuilder().setTarget(address).build());
        try {
            WorkflowClient client = WorkflowClient.newInstance(service);
            String run = "";
            do {
                History history = (run.isEmpty()
                                ? client.fetchHistory("migration/" + ID)
                                : client.fetchHistory("migration/" + ID, run))
                        .getHistory();
                text.append(new String(history.toByteArray(), StandardCharsets.ISO_8859_1));
                run = history.getEvents(0)
                        .getWorkflowExecutionStartedEventAttributes()
                        .getContinuedExecutionRunId();
            } while (!run.isEmpty());
        } finally {
            service.shutdownNow();
        }
        return text.toString();
    }

    /** Every table, bytes as text and as hexadecimal digits. */
    private static String rows(EmbeddedPostgres store) throws SQLException {
        StringBuilder text = new StringBuilder();
        try (var connection = DriverManager.getConnection(store.jdbcUrl(), store.user(), store.password());
                var statement = connection.createStatement()) {
            List<String> tables = new java.util.ArrayList<>();
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
                        String row = all.getString(1);
                        text.append(table).append(' ').append(row).append('\n');
                    }
                }
            }
        }
        return text.toString();
    }

    /** Everything that is logged in this process, Eden's own down to the last detail. */
    private static final class Logs extends AppenderBase<ILoggingEvent> {
        private final StringBuffer lines = new StringBuffer();
        private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        private final Logger own = (Logger) LoggerFactory.getLogger("dev.eden");
        private final Level rootBefore = root.getLevel();
        private final @Nullable Level ownBefore = own.getLevel();

        void open() {
            setContext(root.getLoggerContext());
            start();
            root.addAppender(this);
            root.setLevel(Level.INFO);
            own.setLevel(Level.TRACE);
        }

        void close() {
            root.detachAppender(this);
            root.setLevel(rootBefore);
            own.setLevel(ownBefore);
        }

        @Override
        protected void append(ILoggingEvent event) {
            lines.append(event.getFormattedMessage())
                    .append(' ')
                    .append(event.getKeyValuePairs())
                    .append(event.getMDCPropertyMap());
            if (event.getThrowableProxy() != null) {
                lines.append(ThrowableProxyUtil.asString(event.getThrowableProxy()));
            }
            lines.append('\n');
        }

        String text() {
            return lines.toString();
        }
    }

    private <T extends AutoCloseable> T opened(T part) {
        parts.push(part);
        return part;
    }

    private JsonNode post(String path, @Nullable String body, int expected) throws Exception {
        return send("POST", path, body, expected);
    }

    /** {@code expected} 0: whatever it is. */
    private JsonNode send(String method, String path, @Nullable String body, int expected) throws Exception {
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

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(
                        "http://127.0.0.1:" + Objects.requireNonNull(server).apiPort() + "/api/v1" + path))
                .header("Authorization", "Bearer " + TOKEN);
    }

    private HttpResponse<String> ask(HttpRequest.Builder request) throws Exception {
        HttpResponse<String> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        answers.append(answer.headers().map()).append(answer.body()).append('\n');
        return answer;
    }

    private HttpResponse<String> get(String uri) throws Exception {
        return http.send(HttpRequest.newBuilder(URI.create(uri)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private void awaitPhase(String phase) {
        await().atMost(Duration.ofSeconds(180)).alias(phase).untilAsserted(() -> {
            JsonNode status = send("GET", "/migrations/" + ID + "/status", null, 200);
            assertThat(status.path("phase").asText()).as(status.toString()).isEqualTo(phase);
        });
    }
}
