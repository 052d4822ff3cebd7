package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A request under an Idempotency-Key is done once, however often it is sent. */
class IdempotencyIT {
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
        String[] remove = {"Idempotency-Key", "k2"};
        assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/proxies/a:b?reason=x", null, remove)
                        .status())
                .isEqualTo(404);
        assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/proxies/a:b?reason=x&force=true", null, remove)
                        .status())
                .as("the query is part of the request")
                .isEqualTo(422);
        assertThat(eden.send(TestServer.TOKEN, "POST", "/api/v1/endpoints", body, "Idempotency-Key", "k ü")
                        .status())
                .isEqualTo(400);
    }

    @Test
    void aRefusalForNowIsNotKept() {
        String path = "/api/v1/interlays/kept";
        eden.post("/api/v1/endpoints", "{\"id\":\"kept\",\"uri\":\"redis://h:1\"}");
        assertThat(eden.post("/api/v1/interlays", "{\"id\":\"kept\",\"endpoint\":\"kept\"}")
                        .status())
                .isEqualTo(201);
        Jdbi jdbi = Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
        jdbi.useHandle(
                handle -> handle.execute(
                        "INSERT INTO proxy (name, interlay, incarnation, listen, version) VALUES ('p', 'kept', 'x', 'h:1', '1')"));
        TestServer.Answer refused = eden.send(TestServer.TOKEN, "DELETE", path, null, "Idempotency-Key", "k3");
        assertThat(refused.status()).isEqualTo(409);
        assertThat(refused.json().path("retry").asText()).isEqualTo("later");
        jdbi.useHandle(handle -> handle.execute("DELETE FROM proxy WHERE interlay = 'kept'"));
        assertThat(eden.send(TestServer.TOKEN, "DELETE", path, null, "Idempotency-Key", "k3")
                        .status())
                .isEqualTo(204);
    }

    /** Effect and answer are two commits: a server that dies in between, or a store that fails over, leaves the first without the second. */
    @Test
    void whatWasDoneIsAnsweredSoWhereTheAnswerWasLost() {
        String endpoints = "/api/v1/endpoints";
        String migrations = "/api/v1/migrations";
        String interlays = "/api/v1/interlays";
        lostAnswer("POST", endpoints, "{\"id\":\"lost\",\"uri\":\"redis://h:1\"}", 201);
        lostAnswer("POST", migrations, "{\"id\":\"lost\",\"strategy\":{\"type\":\"canary\"}}", 201);
        lostAnswer("POST", interlays, "{\"id\":\"lost\",\"endpoint\":\"lost\"}", 201);
        Jdbi jdbi = Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
        jdbi.useHandle(
                handle -> handle.execute("INSERT INTO proxy (name, interlay, incarnation, listen, version, seen_at)"
                        + " VALUES ('p', 'lost', 'x', 'h:1', '1', now() - interval '1 hour')"));
        lostAnswer("DELETE", "/api/v1/proxies/lost:p?reason=gone&force=true", null, 204);
        for (String path : List.of(interlays, migrations, endpoints)) {
            lostAnswer("DELETE", path + "/lost", null, 204);
            assertThat(eden.get(path + "/lost").status()).isEqualTo(404);
        }
    }

    /** The workflow runs, and the migration is started: what the first request was answered with, or would have been. */
    @Test
    void aStartIsAnsweredSoWhereTheAnswerWasLost() {
        for (String id : List.of("lost_from", "lost_to")) {
            eden.post("/api/v1/endpoints", "{\"id\":\"" + id + "\",\"uri\":\"redis://127.0.0.1:1\"}");
        }
        eden.post("/api/v1/interlays", "{\"id\":\"lost_front\",\"endpoint\":\"lost_from\"}");
        eden.post("/api/v1/migrations", "{\"id\":\"lost_start\",\"strategy\":{\"type\":\"canary\"}}");
        String path = "/api/v1/migrations/lost_start";
        assertThat(eden.post(path + "/interlay/lost_front", "{\"endpoint\":\"lost_to\"}")
                        .status())
                .isEqualTo(200);
        lostAnswer("POST", path + "/migrate", "{}", 202);
        assertThat(eden.get(path + "/events").json().path("events").findValuesAsText("event"))
                .containsOnlyOnce("migration.started");
    }

    private static void lostAnswer(String method, String path, @Nullable String body, int status) {
        String[] header = {"Idempotency-Key", "lost-" + method + path};
        TestServer.Answer first = eden.send(TestServer.TOKEN, method, path, body, header);
        assertThat(first.status()).as(first.body()).isEqualTo(status);
        Jdbi jdbi = Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
        jdbi.useHandle(handle -> handle.execute(
                "UPDATE idempotency SET status = NULL, body = NULL, media_type = NULL, location = NULL,"
                        + " created_at = created_at - interval '2 minutes' WHERE key = ?",
                header[1]));
        TestServer.Answer again = eden.send(TestServer.TOKEN, method, path, body, header);
        assertThat(again.status()).as(again.body()).isEqualTo(status);
        if (body != null) {
            assertThat(again.json().path("id")).isEqualTo(first.json().path("id"));
            assertThat(eden.send(TestServer.TOKEN, method, path, body).status())
                    .as("of another request it is somebody else's")
                    .isEqualTo(409);
        }
    }
}
