package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What an operator does to a running migration beside its commands: lets stages pass, tunes the copy, rehearses the cutover. */
class OperatorsIT {
    private static final String MIGRATION = "/api/v1/migrations/m";
    private static TestServer eden;

    @BeforeAll
    static void start() {
        eden = TestServer.start();
        for (String id : List.of("blue", "green")) {
            created("/api/v1/endpoints", Json.write(Map.of("id", id, "uri", "redis://127.0.0.1:1")));
        }
        created("/api/v1/migrations", """
                {"id":"m","description":"d","strategy":{"type":"canary","read_percentage":0.05,"stages":[
                {"read_percentage":0.05,"bake":"1s"},
                {"read_percentage":0.25,"bake":"1s","gates":{"max_error_rate":0.01,"min_samples":50,"on_breach":"rollback"}},
                {"read_percentage":0.5,"bake":"1s"}]}}""");
    }

    @AfterAll
    static void stop() throws Exception {
        eden.close();
    }

    @Test
    void stagesPassTheCopyIsTunedAndTheCutoverRehearsed() {
        refusedBeforeTheStart();
        assertThat(eden.post(MIGRATION + "/interlay/redis_interlay", "{\"endpoint\":\"green\"}")
                        .status())
                .isEqualTo(200);
        JsonNode plan = eden.get(MIGRATION + "/plan").json();
        assertThat(plan.at("/copy_forecast/items").asInt()).isEqualTo(1_000);
        assertThat(plan.path("copy_took_seconds").isNull()).isTrue();
        aSlowCopyIsForecastAsSlow();
        TestServer.Answer started = eden.post(MIGRATION + "/migrate", "{}");
        assertThat(started.status()).as(started.body()).isEqualTo(202);
        assertThat(started.json().at("/strategy/stages/1/gates/min_samples").asInt())
                .isEqualTo(50);
        assertThat(started.json().at("/strategy/stages/0/gates").isMissingNode())
                .isTrue();

        await().atMost(Duration.ofSeconds(30))
                .until(() -> status().at("/canary/stage").asInt(-1) == 2);
        await().until(() -> events("stage_promoted").size() == 2);
        assertThat(events("stage_promoted"))
                .allMatch(event -> event.path("reason").asText().contains("0 of 500 reads"));

        JsonNode after = eden.get(MIGRATION + "/plan").json();
        assertThat(after.at("/copy_forecast/seconds").asDouble())
                .as("what was expected at the start")
                .isEqualTo(0.5);
        assertThat(after.path("copy_took_seconds").asDouble()).isPositive();

        tunes();
        rehearses();
        everyPhaseMayBePaused();
    }

    private static void refusedBeforeTheStart() {
        assertThat(eden.post(MIGRATION + "/rehearse", null).status())
                .as("without a body's media type")
                .isIn(409, 415);
        TestServer.Answer early = eden.post(MIGRATION + "/rehearse", "{}");
        assertThat(early.status()).isEqualTo(409);
        assertThat(early.json().path("type").asText()).endsWith("migration-not-started");
    }

    private static void aSlowCopyIsForecastAsSlow() {
        assertThat(eden.patch(MIGRATION, "{\"tuning\":{\"copy_rate\":65536}}").status())
                .isEqualTo(200);
        JsonNode slow = eden.get(MIGRATION + "/plan").json().path("copy_forecast");
        assertThat(slow.path("seconds").asDouble()).isEqualTo(50_000 / 65_536.0);
        assertThat(slow.path("basis").asText()).contains("copy_rate, 65,536 bytes/s");
        assertThat(eden.patch(MIGRATION, "{\"tuning\":{\"copy_rate\":null}}").status())
                .isEqualTo(200);
    }

    private static void tunes() {
        TestServer.Answer tuned = eden.patch(
                MIGRATION, "{\"tuning\":{\"copy_rate\":1048576,\"parallelism\":8},\"reason\":\"it is noon\"}");
        assertThat(tuned.status()).as(tuned.body()).isEqualTo(200);
        assertThat(tuned.json().path("tuning")).isEqualTo(Json.tree("{\"copy_rate\":1048576,\"parallelism\":8}"));
        TestServer.Answer less = eden.patch(MIGRATION, "{\"tuning\":{\"copy_rate\":null,\"batch\":100}}");
        assertThat(less.json().path("tuning"))
                .as("null goes back to the default, what is left out stays")
                .isEqualTo(Json.tree("{\"parallelism\":8,\"batch\":100}"));
        assertThat(events("migration.tuned")).hasSize(4).element(2).satisfies(event -> {
            assertThat(event.path("reason").asText()).isEqualTo("it is noon");
            assertThat(event.at("/after/parallelism").asInt()).isEqualTo(8);
        });
        for (String wrong : List.of(
                "{\"copy_rate\":1}",
                "{\"parallelism\":17}",
                "{\"batch\":\"many\"}",
                "{\"max_source_latency_ms\":0}",
                "{\"speed\":1}")) {
            TestServer.Answer refused = eden.patch(MIGRATION, "{\"tuning\":" + wrong + "}");
            assertThat(refused.status()).as(wrong).isEqualTo(422);
            assertThat(refused.json().at("/errors/0/pointer").asText()).startsWith("/tuning/");
        }
        assertThat(eden.patch(MIGRATION, "{\"reason\":\"nothing\"}").status()).isEqualTo(422);
        assertThat(eden.patch(MIGRATION, "{\"tuning\":null}").status()).isEqualTo(422);
    }

    private static void rehearses() {
        TestServer.Answer done = eden.post(MIGRATION + "/rehearse", "{\"reason\":\"friday\"}");
        assertThat(done.status()).as(done.body()).isEqualTo(200);
        JsonNode rehearsal = done.json();
        assertThat(rehearsal.path("outcome").asText()).isEqualTo("rehearsed");
        assertThat(rehearsal.path("pause_ms").asDouble()).isEqualTo(12.345);
        assertThat(rehearsal.path("within_deadline").asBoolean()).isTrue();
        assertThat(rehearsal.at("/report/steps/0/name").asText()).isEqualTo("drain");
        assertThat(rehearsal.at("/report/proxies/0/acknowledged_at_micros").isObject())
                .isTrue();
        assertThat(status().path("phase").asText()).isEqualTo("canary");
        assertThat(events("command.rehearse"))
                .singleElement()
                .satisfies(event -> assertThat(event.path("reason").asText()).contains("friday", "12.345 ms of 100"));

        eden.activities.blockers.set(List.of("replication lag is 900 ms, the gate is 100 ms"));
        TestServer.Answer refused = eden.post(MIGRATION + "/rehearse", "{}");
        assertThat(refused.status()).isEqualTo(409);
        assertThat(refused.json().path("blockers").toString()).contains("900 ms");
        eden.activities.blockers.set(List.of());
    }

    private static void everyPhaseMayBePaused() {
        command("pause");
        assertThat(status().path("paused").asBoolean()).isTrue();
        command("resume");
        command("cutover");
        await().until(() -> status().path("phase").asText().equals("baking"));
        assertThat(eden.post(MIGRATION + "/rehearse", "{}").status())
                .as("nothing to rehearse after the cutover")
                .isEqualTo(409);
        command("pause");
        assertThat(eden.post(MIGRATION + "/finalize", "{}").status()).isEqualTo(409);
        command("resume");
        command("finalize");
        await().until(() -> status().path("phase").asText().equals("completed"));
        assertThat(eden.patch(MIGRATION, "{\"tuning\":{\"batch\":1}}").status()).isEqualTo(409);
    }

    private static void command(String name) {
        TestServer.Answer answer = eden.post(MIGRATION + "/" + name, "{}");
        assertThat(answer.status()).as(answer.body()).isEqualTo(202);
        assertThat(answer.json().path("allowed").toString())
                .as("the status after the command")
                .doesNotContain("\"" + name + "\"");
    }

    private static JsonNode status() {
        return eden.get(MIGRATION + "/status").json();
    }

    private static List<JsonNode> events(String name) {
        List<JsonNode> found = new java.util.ArrayList<>();
        eden.get(MIGRATION + "/events?limit=1000").json().path("events").forEach(event -> {
            if (event.path("event").asText().equals(name)) {
                found.add(event);
            }
        });
        return found;
    }

    private static void created(String path, String body) {
        TestServer.Answer answer = eden.post(path, body);
        assertThat(answer.status()).as(answer.body()).isEqualTo(201);
    }
}
