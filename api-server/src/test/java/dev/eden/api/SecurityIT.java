package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.problem.StartupException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Base64;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Tokens and roles, idempotency, metrics, the audit log's own lock, and starts that can't be. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SecurityIT {
    private static TestServer eden;

    @BeforeAll
    static void start() {
        eden = TestServer.start();
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

    @Test
    @Order(2)
    void aRepeatedKeyGetsTheFirstAnswer() {
        String body = "{\"id\":\"once\",\"uri\":\"redis://h:1\"}";
        TestServer.Answer first =
                eden.send(TestServer.TOKEN, "POST", "/api/v1/endpoints", body, "Idempotency-Key", "k1");
        TestServer.Answer again =
                eden.send(TestServer.TOKEN, "POST", "/api/v1/endpoints", body, "Idempotency-Key", "k1");
        assertThat(first.status()).isEqualTo(201);
        assertThat(again.status()).isEqualTo(201);
        assertThat(again.json()).isEqualTo(first.json());
        assertThat(again.raw().headers().firstValue("idempotency-replayed")).hasValue("true");
        assertThat(eden.send(TestServer.TOKEN, "POST", "/api/v1/endpoints", body)
                        .status())
                .isEqualTo(409);
        TestServer.Answer other = eden.send(
                TestServer.TOKEN,
                "POST",
                "/api/v1/endpoints",
                "{\"id\":\"twice\",\"uri\":\"redis://h:1\"}",
                "Idempotency-Key",
                "k1");
        assertThat(other.status()).isEqualTo(422);
        assertThat(other.json().path("type").asText()).isEqualTo("urn:eden:problem:idempotency-key-reused");
        assertThat(eden.send(TestServer.TOKEN, "POST", "/api/v1/endpoints", body, "Idempotency-Key", "k ü")
                        .status())
                .isEqualTo(400);
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

    private static EdenStore.Settings with(
            EdenStore.Settings base, String url, @org.jspecify.annotations.Nullable String key) {
        return new EdenStore.Settings(
                url,
                url.equals(base.url()) ? base.user() : null,
                url.equals(base.url()) ? base.password() : null,
                key == null ? null : new dev.eden.proxy.Secret(key),
                base.dataDirectory(),
                2,
                java.time.Duration.ofSeconds(2));
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
