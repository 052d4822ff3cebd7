package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.cli.FakeTerminal;
import dev.eden.api.json.Json;
import dev.eden.api.operations.Documents;
import dev.eden.api.operations.Project;
import dev.eden.api.problem.StartupException;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.KeyRotation;
import dev.eden.api.store.SecretCipher;
import dev.eden.api.store.TokenStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** Tokens and roles, metrics, the audit log's own lock, and starts that can't be. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SecurityIT {
    private static TestServer eden;

    @BeforeAll
    static void start() {
        eden = TestServer.start();
        eden.restart(TestServer.ENCRYPTING);
    }

    @AfterAll
    static void stop() throws Exception {
        eden.close();
    }

    @Test
    @Order(1)
    void rolesAreEnforcedAndTokensRevocable() {
        String viewer = token("viewer");
        String operator = token("operator");
        assertThat(eden.send(viewer, "GET", "/api/v1/endpoints", null).status()).isEqualTo(200);
        assertThat(eden.send(viewer, "POST", "/api/v1/migrations", "{}").status())
                .isEqualTo(403);
        assertThat(eden.send(operator, "POST", "/api/v1/migrations", "{}").status())
                .isEqualTo(422);
        assertThat(eden.send(operator, "POST", "/api/v1/endpoints", "{}").status())
                .isEqualTo(403);
        assertThat(eden.send(operator, "GET", "/api/v1/tokens", null).status()).isEqualTo(403);
        JsonNode tokens = eden.get("/api/v1/tokens").json().path("tokens");
        assertThat(tokens.toString()).doesNotContain(viewer).doesNotContain(operator);
        for (JsonNode token : tokens) {
            if (token.path("label").asText().equals("viewer")) {
                assertThat(eden.send(
                                        TestServer.TOKEN,
                                        "DELETE",
                                        "/api/v1/tokens/" + token.path("id").asText(),
                                        null)
                                .status())
                        .isEqualTo(204);
            }
        }
        assertThat(eden.send(viewer, "GET", "/api/v1/endpoints", null).status()).isEqualTo(401);
        assertThat(eden.table("token")).doesNotContain(operator).doesNotContain(TestServer.TOKEN);
    }

    private static String token(String role) {
        TestServer.Answer made = eden.post(
                "/api/v1/tokens", "{\"role\":\"" + role + "\",\"label\":\"" + role + "\",\"lifetime\":\"1h\"}");
        assertThat(made.status()).as(made.body()).isEqualTo(201);
        return made.json().path("secret").asText();
    }

    /** They are the names under which a server itself is in the audit log. */
    @Test
    @Order(2)
    void noTokenIsNamedAsEdenItself() {
        for (String label : List.of("environment", "system")) {
            TestServer.Answer refused = eden.post("/api/v1/tokens", "{\"role\":\"admin\",\"label\":\"" + label + "\"}");
            assertThat(refused.status()).as(refused.body()).isEqualTo(422);
            assertThat(refused.json().at("/errors/0/pointer").asText()).isEqualTo("/label");
        }
    }

    @Test
    @Order(3)
    void theAdminPortServesMetricsAndHealthAlone() {
        for (String path : List.of(
                "/threads",
                "/pprof",
                "/ping",
                "/healthcheck",
                "/tasks/gc",
                "/tasks/log-level",
                "/",
                "/metrics/",
                "/x")) {
            assertThat(eden.admin(path).status()).as(path).isEqualTo(404);
        }
        for (String path : List.of("/metrics", "/health", "/health/live")) {
            assertThat(eden.admin(path).status()).as(path).isEqualTo(200);
        }
        assertThat(eden.admin("/force-open").status())
                .as("is served, and takes no GET")
                .isEqualTo(405);
    }

    @Test
    @Order(3)
    void theFiveMetricsHaveExactlyTheirNames() {
        await().untilAsserted(() -> assertThat(eden.admin("/metrics").body().lines())
                .anyMatch(line -> line.startsWith("eden_proxy_latency_ms{"))
                .anyMatch(line -> line.startsWith("eden_connections_active{"))
                .anyMatch(line -> line.startsWith("eden_throughput_ops{"))
                .anyMatch(line -> line.startsWith("eden_errors_total{")));
        assertThat(eden.admin("/health").status()).isEqualTo(200);
        assertThat(eden.admin("/health").json().at("/parts/store").asText()).isEqualTo("up");
    }

    @Test
    @Order(4)
    void theAuditLogCanOnlyGrow() throws SQLException {
        try (var connection = DriverManager.getConnection(
                        eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
                var statement = connection.createStatement()) {
            for (String change :
                    new String[] {"UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"}) {
                assertThatThrownBy(() -> statement.execute(change)).hasMessageContaining("append-only");
            }
        }
    }

    @Test
    @Order(5)
    void startsThatCannotBeSayWhy() throws Exception {
        assertThatThrownBy(() -> EdenServer.start(eden.options(eden.server.apiPort(), 0), eden.activities::open))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("taken");
        EdenStore.Settings good = eden.options(0, 0).store();
        assertThatThrownBy(() -> EdenStore.open(with(good, "postgresql://u:hidden@127.0.0.1:1/x", null), true))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("127.0.0.1:1")
                .hasMessageNotContaining("hidden");
        assertThatThrownBy(() -> EdenStore.open(with(good, "mysql://u:hidden@h/x", null), true))
                .isInstanceOf(StartupException.class)
                .hasMessageNotContaining("hidden");
        assertThatThrownBy(() -> EdenStore.open(with(good, good.url(), "bm90IDMyIGJ5dGVz"), true))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("32 bytes");
        String other = Base64.getEncoder().encodeToString(new byte[32]);
        assertThatThrownBy(() -> EdenStore.open(with(good, good.url(), other), true))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("not the one");
        Path key = eden.directory.resolve("encryption.key");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key)))
                .isEqualTo("rw-------");
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r-----"));
        try {
            assertThatThrownBy(() -> EdenStore.open(good, true))
                    .isInstanceOf(StartupException.class)
                    .hasMessageContaining("others");
        } finally {
            Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        }
    }

    @Test
    @Order(5)
    void theFirstTokenIsMadeOnceAndNeverKept() throws SQLException {
        EdenStore.Settings good = eden.options(0, 0).store();
        try (var connection = DriverManager.getConnection(
                        eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
                var statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE fresh");
        }
        String url = eden.postgres.jdbcUrl().replaceFirst("/[^/]*$", "/fresh");
        try (EdenStore store = EdenStore.open(
                        new EdenStore.Settings(
                                url,
                                good.user(),
                                good.password(),
                                null,
                                eden.directory.resolve("fresh"),
                                2,
                                Duration.ofSeconds(5)),
                        true);
                var connection = DriverManager.getConnection(url, eden.postgres.user(), eden.postgres.password());
                var statement = connection.createStatement()) {
            TokenStore tokens = new TokenStore(store.database().jdbi(), store.audit());
            String token = tokens.firstAdmin().orElseThrow();
            assertThat(token).hasSizeGreaterThan(40);
            assertThat(tokens.firstAdmin()).isEmpty();
            for (String table : List.of("token", "audit_log")) {
                try (var rows = statement.executeQuery("SELECT t::text FROM " + table + " AS t")) {
                    assertThat(rows.next()).as(table).isTrue();
                    assertThat(rows.getString(1)).doesNotContain(token);
                }
            }
        }
    }

    private static EdenStore.Settings with(
            EdenStore.Settings base, String url, @org.jspecify.annotations.Nullable String key) {
        return new EdenStore.Settings(
                url,
                url.equals(base.url()) ? base.user() : null,
                url.equals(base.url()) ? base.password() : null,
                key == null ? null : new dev.eden.proxy.Secret(key),
                base.dataDirectory(),
                2,
                Duration.ofSeconds(2));
    }

    @Test
    @Order(6)
    void temporalKeepsCiphertextsThatOnlyTheCodecReads() throws Exception {
        String word = "quince-in-the-dark";
        for (String id : new String[] {"pa", "pb"}) {
            eden.post("/api/v1/endpoints", "{\"id\":\"" + id + "\",\"uri\":\"redis://127.0.0.1:1\"}");
        }
        eden.post("/api/v1/interlays", "{\"id\":\"pfront\",\"endpoint\":\"pa\",\"listen\":\"127.0.0.1:7999\"}");
        eden.post("/api/v1/migrations", "{\"id\":\"p\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0.05}}");
        assertThat(eden.post("/api/v1/migrations/p/interlay/pfront", "{\"endpoint\":\"pb\"}")
                        .status())
                .isEqualTo(200);
        command("migrate", "");
        awaitPhase("canary");
        command("pause", word);
        command("resume", word);
        command("cutover", word);
        awaitPhase("baking");
        command("finalize", word);
        awaitPhase("completed");
        History history = History.of(eden.temporal.address(), "migration/p");
        assertThat(history.text()).contains("pause").doesNotContain(word, "read_percentage");

        String viewer = token("viewer");
        TestServer.Answer decoded = codec(viewer, "decode", history.encrypted());
        assertThat(decoded.status()).as(decoded.body()).isEqualTo(200);
        assertThat(History.plain(decoded.json())).contains(word, "readPercentage");
        String mine = "{\"payloads\":[{\"metadata\":{\"encoding\":\"anNvbi9wbGFpbg\"},\"data\":\"e30=\",\"more\":1}]}";
        assertThat(codec(viewer, "decode", mine).json())
                .as("what Eden did not encrypt")
                .isEqualTo(Json.tree(mine));
        String operator = token("operator");
        TestServer.Answer encoded = codec(operator, "encode", mine);
        assertThat(encoded.body()).doesNotContain("e30=");
        assertThat(codec(operator, "decode", encoded.body())
                        .json()
                        .at("/payloads/0/data")
                        .asText())
                .isEqualTo("e30=");

        assertThat(codec("no-token-of-eden", "decode", history.encrypted()).status())
                .isEqualTo(401);
        assertThat(codec(viewer, "encode", mine).status()).isEqualTo(403);
        String garbage = encoded.json().at("/payloads/0/data").asText();
        for (String changed : new String[] {"AAAA", garbage.substring(4), garbage.replaceFirst(".{4}$", "AAAA")}) {
            TestServer.Answer refused = codec(viewer, "decode", encoded.body().replace(garbage, changed));
            assertThat(refused.status()).as(refused.body()).isEqualTo(422);
            assertThat(refused.body()).doesNotContain("javax", "AEAD", "Tag");
        }
        for (String bad :
                new String[] {"{}", "{\"payloads\":{}}", "{\"payloads\":[1]}", "{\"payloads\":[{\"data\":\"?\"}]}"}) {
            assertThat(codec(viewer, "decode", bad).status()).as(bad).isEqualTo(422);
        }
    }

    @Test
    @Order(7)
    void onlyTheWebUisPagesMayAskTheCodec() {
        String decode = "/api/v1/temporal/codec/decode";
        String[] asked = {"Origin", "http://temporal-ui", "Access-Control-Request-Method", "POST"};
        var allowed = preflight(decode, asked);
        assertThat(allowed.statusCode()).isEqualTo(204);
        assertThat(allowed.headers().firstValue("access-control-allow-origin")).hasValue("http://temporal-ui");
        assertThat(allowed.headers().firstValue("access-control-allow-headers"))
                .hasValueSatisfying(headers -> assertThat(headers).contains("Authorization", "X-Namespace"));
        asked[1] = "http://temporal-ui.example";
        assertThat(preflight(decode, asked).statusCode()).as("another page").isEqualTo(401);
        asked[1] = "http://temporal-ui";
        assertThat(preflight("/api/v1/endpoints", asked).statusCode())
                .as("another path")
                .isEqualTo(401);
        assertThat(eden.send(TestServer.TOKEN, "GET", "/api/v1/endpoints", null, "Origin", "http://temporal-ui")
                        .raw()
                        .headers()
                        .firstValue("access-control-allow-origin"))
                .isEmpty();
    }

    /** As docker-compose.yml does it: the Web UI has no token of Eden's, and what stands between adds a viewer's. */
    @Test
    @Order(7)
    void theWebUisPagesHavePayloadsDecodedThroughWhatAddsATokenAndNothingElse(@TempDir Path directory)
            throws Exception {
        assumeTrue(
                Project.installed("haproxy"), "haproxy (Debian: haproxy) is not here: the codec's front is not tried");
        String encrypted = History.of(eden.temporal.address(), "migration/p").encrypted();
        try (Haproxy front = Haproxy.start(
                directory,
                Project.text("infra/haproxy/codec.cfg"),
                Map.of("EDEN_CODEC", "127.0.0.1:" + eden.server.apiPort(), "EDEN_CODEC_TOKEN", token("viewer")))) {
            String asItAsks = "/decode?preserveStorageRefs=true";
            String[] asked = {"Origin", "http://temporal-ui", "Access-Control-Request-Method", "POST"};
            var allowed = through(front, "OPTIONS", asItAsks, "", asked);
            assertThat(allowed.statusCode()).isEqualTo(204);
            assertThat(allowed.headers().firstValue("access-control-allow-origin"))
                    .hasValue("http://temporal-ui");
            var decoded = through(front, "POST", asItAsks, encrypted, "Origin", "http://temporal-ui");
            assertThat(decoded.statusCode()).as(decoded.body()).isEqualTo(200);
            assertThat(decoded.headers().firstValue("access-control-allow-origin"))
                    .hasValue("http://temporal-ui");
            assertThat(History.plain(Json.tree(decoded.body()))).contains("readPercentage");

            var elsewhere = through(front, "POST", "/decode", encrypted, "Origin", "http://another-page");
            assertThat(elsewhere.headers().firstValue("access-control-allow-origin"))
                    .as("a browser keeps the answer from the page")
                    .isEmpty();
            // Short: it is answered, and the connection ended, before a body has come.
            assertThat(through(front, "POST", "/encode", "{}").statusCode()).isEqualTo(404);
            assertThat(through(front, "GET", "/decode", "").statusCode()).isEqualTo(404);
            assertThat(through(front, "GET", "/api/v1/endpoints", "").statusCode())
                    .isEqualTo(404);
        }
    }

    private static java.net.http.HttpResponse<String> through(
            Haproxy front, String method, String path, String body, String... headers) throws Exception {
        var request = java.net.http.HttpRequest.newBuilder(
                        java.net.URI.create("http://127.0.0.1:" + front.port() + path))
                .header("Content-Type", "application/json")
                .method(method, java.net.http.HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return eden.http().send(request.build(), java.net.http.HttpResponse.BodyHandlers.ofString());
    }

    @Test
    @Order(8)
    void theEncryptionKeyIsReplacedWhileServersRun() throws Exception {
        String history = History.of(eden.temporal.address(), "migration/p").encrypted();
        eden.post(
                "/api/v1/endpoints",
                "{\"id\":\"sealed\",\"uri\":\"redis://127.0.0.1:1\",\"credentials\":{\"username\":\"u\",\"password\":\"medlar\"}}");
        String former =
                Files.readString(eden.directory.resolve("encryption.key")).strip();
        String fresh = Base64.getEncoder().encodeToString(new byte[32]);
        String third = Base64.getEncoder().encodeToString(new byte[] {
            1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        });
        // Each server in turn: first all know the new key, then all seal with it.
        EdenStore.Settings known = with(eden.options(0, 0).store(), eden.postgres.jdbcUrl(), former + "\n" + fresh);
        try (EdenStore store = EdenStore.open(known, false)) {
            for (int i = 0; i < 250; i++) {
                store.records().put("p", "sealed", "record " + i, "value " + i);
            }
        }
        eden.encryptionKeys = fresh + "," + former;
        eden.restart(TestServer.ENCRYPTING);

        FakeTerminal shell = new FakeTerminal(eden.directory)
                .with("EDEN_DATABASE_URL", eden.postgres.jdbcUrl())
                .with("EDEN_DATABASE_USER", eden.postgres.user())
                .with("EDEN_DATABASE_PASSWORD", eden.postgres.password());
        shell.with("EDEN_ENCRYPTION_KEY", fresh);
        FakeTerminal.Result refused = shell.run("key", "rotate");
        assertThat(refused.code()).isNotZero();
        assertThat(refused.err()).contains("not the one this database was written with");
        shell.with("EDEN_ENCRYPTION_KEY", fresh + " " + former);
        assertThat(shell.run("key", "status").code()).isEqualTo(1);
        // As docs/operating.md prints them: rotate, status.
        List<String[]> printed = Documents.runBy("SecurityIT", "docs/operating.md")
                .getFirst()
                .text()
                .lines()
                .map(line -> line.replaceFirst("^eden ", "").split(" "))
                .toList();
        interruptedInItsThirdTransaction(shell, printed.get(0), fresh + " " + former);
        FakeTerminal.Result half = shell.run("key", "status", "--json");
        assertThat(half.code()).isEqualTo(1);
        JsonNode records = Json.tree(half.out()).at("/values/1");
        assertThat(List.of(
                        records.path("current").asInt(), records.path("former").asInt()))
                .as("what was committed stays")
                .containsExactly(200, 50);
        FakeTerminal.Result rotated = shell.run(printed.get(0));
        assertThat(rotated.code()).as(rotated.err()).isZero();
        assertThat(rotated.out())
                .contains("50 of users, rules", "the store's own check")
                .doesNotContain("endpoints");
        FakeTerminal.Result status = shell.run(printed.get(1));
        assertThat(status.code()).as(status.out()).isZero();
        assertThat(shell.run("key", "rotate").out()).contains("already");
        assertThat(eden.table("audit_log")).contains("encryption.resealed").doesNotContain(former, fresh);
        assertThat(keys(fresh))
                .allMatch(count -> count.former() == 0 && count.unreadable().isEmpty());
        assertThat(keys(former))
                .as("what the former key alone still opens")
                .allMatch(count -> count.current() == 0 && count.former() == 0)
                .anyMatch(count -> count.unreadable().size() == 250);

        // What a run leaves undone, or a server with the former order of keys writes late, the next run finds.
        EdenStore.Settings store = eden.options(0, 0).store();
        try (EdenStore late = EdenStore.open(with(store, store.url(), former + "," + fresh), false)) {
            late.records().put("p", "sealed", "record 0", "value of late");
        }
        assertThat(shell.run("key", "status").code()).isEqualTo(1);
        FakeTerminal.Result missing =
                shell.with("EDEN_ENCRYPTION_KEY", fresh + "," + third).run("key", "rotate");
        assertThat(missing.code()).isNotZero();
        assertThat(missing.err()).contains("server_record", "former key");
        assertThat(shell.with("EDEN_ENCRYPTION_KEY", fresh + "," + former)
                        .run("key", "rotate")
                        .out())
                .contains("sealed anew: 1 of users, rules")
                .doesNotContain("endpoints");

        eden.encryptionKeys = fresh;
        eden.restart(TestServer.ENCRYPTING);
        assertThat(History.plain(codec(TestServer.TOKEN, "decode", history).json()))
                .as("a history of before")
                .contains("quince-in-the-dark");
        try (EdenStore after = EdenStore.open(eden.options(0, 0).store(), false)) {
            assertThat(Objects.requireNonNull(
                                    after.endpoints().endpoint("sealed").login())
                            .password()
                            .reveal())
                    .isEqualTo("medlar");
            for (int i = 1; i < 250; i++) {
                assertThat(after.records().get("p", "sealed", "record " + i)).contains("value " + i);
            }
        }
        assertThatThrownBy(() -> EdenStore.open(with(store, store.url(), former), false))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("not the one");
    }

    /** Once its session is ended by the server, once the process is killed: either way with a change made and not committed. */
    private static void interruptedInItsThirdTransaction(FakeTerminal shell, String[] rotate, String keys)
            throws Exception {
        try (var held = DriverManager.getConnection(
                        eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
                var looking = DriverManager.getConnection(
                        eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
                var hold = held.createStatement();
                var look = looking.createStatement()) {
            held.setAutoCommit(false);
            // The last by name.
            hold.execute("SELECT 1 FROM server_record WHERE name = 'record 99' FOR UPDATE");
            var running = CompletableFuture.supplyAsync(() -> shell.run(rotate));
            look.execute("SELECT pg_terminate_backend(" + waiting(look) + ")");
            FakeTerminal.Result ended = running.get(30, TimeUnit.SECONDS);
            assertThat(ended.code()).as(ended.out()).isNotZero();
            assertThat(ended.err()).contains("run it again").doesNotContain("\tat ");

            ProcessBuilder command = new ProcessBuilder(Stream.concat(
                            Stream.of(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "-XX:TieredStopAtLevel=1",
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    Eden.class.getName()),
                            Arrays.stream(rotate))
                    .toList());
            command.environment().put("EDEN_DATABASE_URL", eden.postgres.jdbcUrl());
            command.environment().put("EDEN_DATABASE_USER", eden.postgres.user());
            command.environment().put("EDEN_DATABASE_PASSWORD", eden.postgres.password());
            command.environment().put("EDEN_ENCRYPTION_KEY", keys);
            command.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
            Process process = command.start();
            int session;
            try {
                session = waiting(look);
            } finally {
                process.destroyForcibly().waitFor();
            }
            held.rollback();
            await().untilAsserted(() -> assertThat(
                            integer(look, "SELECT count(*) FROM pg_stat_activity WHERE pid = " + session))
                    .isZero());
        }
    }

    /** The session that waits for the row which the test holds. */
    private static int waiting(Statement look) {
        return await().atMost(Duration.ofSeconds(40))
                .until(
                        () -> integer(
                                look,
                                "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE"
                                        + " 'UPDATE server_record%'"),
                        pid -> pid != 0);
    }

    private static int integer(Statement statement, String query) throws SQLException {
        try (var rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getInt(1);
        }
    }

    /** What one key alone opens. */
    private static List<KeyRotation.Count> keys(String key) {
        var jdbi = Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
        return new KeyRotation(
                        jdbi, new SecretCipher(List.of(Base64.getDecoder().decode(key))), new AuditLog(jdbi))
                .counts();
    }

    private static java.net.http.HttpResponse<String> preflight(String path, String... headers) {
        try {
            return eden.http()
                    .send(
                            java.net.http.HttpRequest.newBuilder(eden.uri(path))
                                    .headers(headers)
                                    .method("OPTIONS", java.net.http.HttpRequest.BodyPublishers.noBody())
                                    .build(),
                            java.net.http.HttpResponse.BodyHandlers.ofString());
        } catch (java.io.IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static TestServer.Answer codec(String token, String what, String body) {
        return eden.send(token, "POST", "/api/v1/temporal/codec/" + what, body, "X-Namespace", "default");
    }

    private static void command(String name, String reason) {
        TestServer.Answer answer =
                eden.post("/api/v1/migrations/p/" + name, reason.isEmpty() ? "{}" : "{\"reason\":\"" + reason + "\"}");
        assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    }

    private static void awaitPhase(String phase) {
        await().atMost(Duration.ofSeconds(40)).untilAsserted(() -> {
            TestServer.Answer status = eden.get("/api/v1/migrations/p/status");
            assertThat(status.json().path("phase").asText()).as(status.body()).isEqualTo(phase);
        });
    }

    /** Last: it blocks this address. */
    @Test
    @Order(99)
    void guessesAreRefusedAndThenNotLookedAt() {
        assertThat(eden.send(null, "GET", "/api/v1/endpoints", null).status()).isEqualTo(401);
        assertThat(eden.send(null, "GET", "/nothing", null).status()).isEqualTo(401);
        assertThat(eden.send(null, "GET", "/api/v1/endpoints", null, "Authorization", "Basic eA==")
                        .status())
                .isEqualTo(401);
        int status = 401;
        for (int i = 0; i < 40 && status == 401; i++) {
            status = eden.send("wrong-token-" + i, "GET", "/api/v1/endpoints", null)
                    .status();
        }
        assertThat(status).isEqualTo(429);
        TestServer.Answer blocked = eden.get("/api/v1/endpoints");
        assertThat(blocked.status())
                .as("a right guess is not told apart either")
                .isEqualTo(429);
        assertThat(blocked.raw().headers().firstValue("retry-after")).isPresent();
    }
}
