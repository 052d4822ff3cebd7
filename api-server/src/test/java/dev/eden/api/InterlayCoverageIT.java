package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.util.List;
import java.util.Map;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Interlays before one server move together, or nothing moves. */
class InterlayCoverageIT {
    private static final String MIGRATION = "/api/v1/migrations/m";

    private static TestServer eden;

    @BeforeAll
    static void start() {
        eden = TestServer.start();
        for (String id : List.of("old", "new", "other")) {
            created("/api/v1/endpoints", Map.of("id", id, "uri", "redis://127.0.0.1:1"));
        }
        created("/api/v1/interlays", Map.of("id", "web", "endpoint", "old"));
        created("/api/v1/interlays", Map.of("id", "batch", "endpoint", "old"));
        created(
                "/api/v1/migrations",
                Map.of("id", "m", "description", "d", "strategy", Map.of("type", "canary", "read_percentage", 0)));
        assertThat(eden.post(MIGRATION + "/interlay/web", "{\"endpoint\":\"new\"}")
                        .status())
                .isEqualTo(200);
    }

    @AfterAll
    static void stop() throws Exception {
        eden.close();
    }

    /** It was left out: made after the look at the interlays, before the start. */
    @Test
    void anInterlayThatIsMadeWhileAStartLooksStopsIt() {
        for (String id : List.of("from", "to")) {
            created("/api/v1/endpoints", Map.of("id", id, "uri", "redis://127.0.0.1:1"));
        }
        created("/api/v1/interlays", Map.of("id", "front", "endpoint", "from"));
        created("/api/v1/migrations", Map.of("id", "busy", "strategy", Map.of("type", "canary", "read_percentage", 0)));
        String busy = "/api/v1/migrations/busy";
        assertThat(eden.post(busy + "/interlay/front", "{\"endpoint\":\"to\"}").status())
                .isEqualTo(200);
        for (String side : List.of("from", "to")) {
            eden.activities.duringPreflight.set(
                    () -> created("/api/v1/interlays", Map.of("id", "before_" + side, "endpoint", side)));
            TestServer.Answer refused = eden.post(busy + "/migrate", "{}");
            assertThat(refused.status()).as(refused.body()).isEqualTo(409);
            assertThat(refused.json().path("detail").asText()).contains("was changed while it was looked at");
            assertThat(eden.get(busy).json().path("started_at").isNull()).isTrue();
        }
        eden.activities.duringPreflight.set(() -> {});
        assertThat(eden.post(busy + "/migrate", "{}").status())
                .as("nothing changes, and no proxy serves them")
                .isEqualTo(202);
    }

    @Test
    void anInterlayThatIsLeftOutStopsTheStartAndNoneIsPutBeforeAServerThatMoves() {
        Jdbi store = Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
        assertThat(severity()).as("no proxy serves it").isEqualTo("warning");
        store.useHandle(
                h -> h.execute(
                        "INSERT INTO proxy (name, interlay, incarnation, listen, version) VALUES ('p', 'batch', '1', 'h:1', '1')"));
        assertThat(severity()).isEqualTo("failure");
        TestServer.Answer refused = eden.post(MIGRATION + "/migrate", "{}");
        assertThat(refused.status()).as(refused.body()).isEqualTo(409);
        assertThat(refused.body()).contains("interlay.left_out", "Interlay batch stands before old");

        assertThat(eden.post(MIGRATION + "/interlay/batch", "{\"endpoint\":\"new\"}")
                        .status())
                .isEqualTo(200);
        assertThat(severity()).as("it is in").isEmpty();
        TestServer.Answer started = eden.post(MIGRATION + "/migrate", "{}");
        assertThat(started.status()).as(started.body()).isEqualTo(202);
        for (String moving : List.of("old", "new")) {
            TestServer.Answer late =
                    eden.post("/api/v1/interlays", Json.write(Map.of("id", "late", "endpoint", moving)));
            assertThat(late.status()).as(late.body()).isEqualTo(409);
            assertThat(late.body()).contains("endpoint-in-migration", "moved by migration m");
        }
        created("/api/v1/interlays", Map.of("id", "late", "endpoint", "other"));
    }

    private static String severity() {
        for (JsonNode finding : eden.get(MIGRATION + "/plan").json().path("findings")) {
            if (finding.path("id").asText().equals(InterlayCoverage.FINDING)
                    && finding.path("message").asText().startsWith("Interlay batch ")) {
                return finding.path("severity").asText();
            }
        }
        return "";
    }

    private static void created(String path, Map<String, ?> body) {
        TestServer.Answer answer = eden.post(path, Json.write(body));
        assertThat(answer.status()).as(answer.body()).isEqualTo(201);
    }
}
