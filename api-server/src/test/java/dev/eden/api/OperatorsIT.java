package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.cli.FakeTerminal;
import dev.eden.api.json.Json;
import dev.eden.api.operations.Documents;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an operator does to a running migration beside its commands: lets stages pass, tunes the copy, rehearses the cutover. */
class OperatorsIT {
    private static final String MIGRATION = "/api/v1/migrations/m";
    /** The requests of each command, oldest first. */
    private static final Map<String, List<String>> COMMANDS = new LinkedHashMap<>();

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
    void stagesPassTheCopyIsTunedAndTheCutoverRehearsed(@TempDir Path home) throws Exception {
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
                .until(() -> status().at("/canary/stage").asInt(-1) == 3);
        await().until(() -> events("stage_promoted").size() == 2);
        assertThat(events("stage_promoted"))
                .allMatch(event -> event.path("reason").asText().contains("0 of 500 reads"));

        JsonNode after = eden.get(MIGRATION + "/plan").json();
        assertThat(after.at("/copy_forecast/seconds").asDouble())
                .as("what was expected at the start")
                .isEqualTo(0.5);
        assertThat(after.path("copy_took_seconds").asDouble()).isPositive();

        tunes();
        labels();
        rehearses();
        asTheGuidePrintsThem(home);
        isNotReadyAndSaysWhy();
        whatIsOffOrNotKnownIsNull();
        changesTheStrategy();
        everyPhaseMayBePaused();
        everyCommandStandsInTheAuditLogOnce();
    }

    /** Each was answered as done, and the workflow ran without it. */
    @Test
    void whatChangesWhileAStartLooksIsNotLost() {
        for (String id : List.of("from", "to")) {
            created("/api/v1/endpoints", Json.write(Map.of("id", id, "uri", "redis://127.0.0.1:1")));
        }
        for (String id : List.of("first", "late")) {
            created("/api/v1/interlays", Json.write(Map.of("id", id, "endpoint", "from")));
        }
        created("/api/v1/migrations", "{\"id\":\"busy\",\"strategy\":{\"type\":\"canary\"}}");
        String busy = "/api/v1/migrations/busy";
        assertThat(eden.post(busy + "/interlay/first", "{\"endpoint\":\"to\"}").status())
                .isEqualTo(200);
        List<Supplier<TestServer.Answer>> changes = List.of(
                () -> eden.patch(busy, "{\"strategy\":{\"read_percentage\":0.5}}"),
                () -> eden.post(busy + "/interlay/late", "{\"endpoint\":\"to\"}"));
        for (Supplier<TestServer.Answer> change : changes) {
            eden.activities.duringPreflight.set(
                    () -> assertThat(change.get().status()).isEqualTo(200));
            TestServer.Answer refused = eden.post(busy + "/migrate", "{}");
            assertThat(refused.status()).as(refused.body()).isEqualTo(409);
            assertThat(refused.json().path("detail").asText()).contains("was changed while it was looked at");
            assertThat(eden.get(busy).json().path("started_at").isNull()).isTrue();
        }
        eden.activities.duringPreflight.set(() -> {});
        assertThat(eden.post(busy + "/migrate", "{}").status()).isEqualTo(202);
        JsonNode started = eden.get(busy).json();
        assertThat(started.path("interlays").toString()).isEqualTo("[\"first\",\"late\"]");
        assertThat(started.at("/strategy/read_percentage").asDouble()).isEqualTo(0.5);

        created("/api/v1/migrations", "{\"id\":\"gone\",\"strategy\":{\"type\":\"canary\"}}");
        created("/api/v1/endpoints", "{\"id\":\"from2\",\"uri\":\"redis://127.0.0.1:1\"}");
        created("/api/v1/endpoints", "{\"id\":\"to2\",\"uri\":\"redis://127.0.0.1:1\"}");
        created("/api/v1/interlays", "{\"id\":\"second\",\"endpoint\":\"from2\"}");
        String gone = "/api/v1/migrations/gone";
        assertThat(eden.post(gone + "/interlay/second", "{\"endpoint\":\"to2\"}")
                        .status())
                .isEqualTo(200);
        eden.activities.duringPreflight.set(() -> assertThat(
                        eden.send(TestServer.TOKEN, "DELETE", gone, null).status())
                .isEqualTo(204));
        assertThat(eden.post(gone + "/migrate", "{}").status())
                .as("nothing runs whose migration is gone")
                .isEqualTo(404);
        eden.activities.duringPreflight.set(() -> {});
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

    /** In canary: no workflow has to know of it. */
    private static void labels() {
        TestServer.Answer labelled =
                eden.patch(MIGRATION, "{\"labels\":{\"owner\":\"kim's\",\"team\":\"cache\"},\"reason\":\"who asks\"}");
        assertThat(labelled.status()).as(labelled.body()).isEqualTo(200);
        assertThat(labelled.json().path("labels")).isEqualTo(Json.tree("{\"owner\":\"kim's\",\"team\":\"cache\"}"));
        String other = "{\"labels\":{\"team\":null},\"tuning\":{\"batch\":200}}";
        TestServer.Answer both = eden.patch(MIGRATION, other);
        assertThat(both.json().path("labels")).isEqualTo(Json.tree("{\"owner\":\"kim's\"}"));
        assertThat(both.json().at("/tuning/batch").asInt()).isEqualTo(200);
        eden.patch(MIGRATION, "{\"labels\":{\"owner\":\"kim's\"}}");
        assertThat(events("migration.labelled"))
                .as("nothing changed by the third")
                .hasSize(2)
                .first()
                .satisfies(event -> {
                    assertThat(event.path("reason").asText()).isEqualTo("who asks");
                    assertThat(event.path("before")).isEqualTo(Json.tree("{\"labels\":{}}"));
                    assertThat(event.at("/after/labels/team").asText()).isEqualTo("cache");
                });
        assertThat(eden.get("/api/v1/migrations?label=owner=kim's")
                        .json()
                        .at("/migrations/0/id")
                        .asText())
                .isEqualTo("m");
        assertThat(eden.patch("/api/v1/migrations/none", other).status()).isEqualTo(404);
        eden.patch(MIGRATION, "{\"tuning\":{\"batch\":100}}");
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

    /** The guide's commands: {@code eden} by the command line, {@code curl} in bash. */
    private static void asTheGuidePrintsThem(Path home) throws Exception {
        FakeTerminal terminal = new FakeTerminal(home)
                .with("EDEN_URL", "http://127.0.0.1:" + eden.server.apiPort())
                .with("EDEN_TOKEN", TestServer.TOKEN);
        Pasted shell = new Pasted(home, Map.of("EDEN", eden.uri("/api/v1").toString(), "TOKEN", TestServer.TOKEN));
        for (Documents.Block block : Documents.runBy("OperatorsIT", "docs/guide/stages-and-tuning.md")) {
            List<String> words = new ArrayList<>(Documents.words(block.text()));
            if (words.removeFirst().equals("eden")) {
                FakeTerminal.Result result = terminal.run(words.toArray(String[]::new));
                assertThat(result.code()).as(block + ": " + result.err()).isZero();
            } else {
                Pasted.Answer answer = shell.curl(block.text());
                assertThat(answer.status()).as(block + ": " + answer.body()).isEqualTo(200);
            }
        }
        assertThat(status().path("tuning"))
                .isEqualTo(Json.tree("{\"copy_rate\":10485760,\"parallelism\":2,\"batch\":100}"));
        assertThat(events("command.rehearse"))
                .hasSize(3)
                .last()
                .satisfies(event -> assertThat(event.path("reason").asText()).contains("before Friday"));
    }

    /** What an attempt would be refused with, or wait for in vain, is told before it is begun. */
    private static void isNotReadyAndSaysWhy() {
        eden.replicates("m", 60_000);
        Jdbi store = store();
        store.useHandle(h -> {
            h.execute("UPDATE route SET migration = 'm' WHERE interlay = 'redis_interlay'");
            h.execute("""
                    INSERT INTO proxy (name, interlay, incarnation, listen, version, seen_at)
                    VALUES ('killed', 'redis_interlay', '1', 'h:1', '1', now() - interval '1 minute')""");
        });
        JsonNode status = status();
        assertThat(status.path("ready_for_cutover").asBoolean()).isFalse();
        assertThat(status.path("blockers").toString())
                .contains(
                        "replication lag is 60000 ms, the gate is 100 ms",
                        "proxy redis_interlay:killed has not been heard for more than 3 s",
                        "endpoint blue is unreachable",
                        "endpoint green is unreachable");
        store.useHandle(h -> {
            h.execute("DELETE FROM proxy WHERE name = 'killed'");
            h.execute("UPDATE route SET migration = NULL WHERE interlay = 'redis_interlay'");
        });

        String blocker = "replication lag is 60000 ms, the gate is 100 ms";
        eden.activities.blockers.set(List.of(blocker));
        Supplier<TestServer.Answer> keyed = () -> eden.send(
                TestServer.TOKEN,
                "POST",
                MIGRATION + "/cutover",
                "{\"reason\":\"friday\"}",
                "Idempotency-Key",
                "refused");
        for (TestServer.Answer refused : List.of(
                keyed.get(),
                keyed.get(),
                eden.patch(MIGRATION, "{\"strategy\":{\"write_mode\":{\"mode\":\"cutover\"}}}"),
                eden.patch(MIGRATION, "{\"strategy\":{\"write_mode\":{\"mode\":\"cutover\"}}}"))) {
            assertThat(refused.status()).as(refused.body()).isEqualTo(409);
            assertThat(refused.json().path("type").asText()).endsWith("command-refused");
            assertThat(refused.json().path("blockers").toString()).contains("60000 ms");
        }
        eden.activities.blockers.set(List.of());
        assertThat(status().path("phase").asText()).isEqualTo("canary");
        List<JsonNode> told = events("attempt_refused");
        assertThat(told)
                .as("once under one key, and once of what is asked again and again")
                .hasSize(2)
                .allSatisfy(event -> {
                    assertThat(event.path("actor").asText()).isEqualTo("environment");
                    assertThat(event.path("phase").asText()).isEqualTo("canary");
                    assertThat(event.at("/after/blockers/0").asText()).isEqualTo(blocker);
                });
        assertThat(told.stream().map(event -> event.path("reason").asText()))
                .containsExactly("friday (" + blocker + ")", blocker);
        assertThat(events("command.cutover")).as("none was begun").isEmpty();
    }

    private static Jdbi store() {
        return Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
    }

    private static void whatIsOffOrNotKnownIsNull() {
        Jdbi store = store();
        store.useHandle(h -> h.execute("""
                INSERT INTO replication (migration, progress) VALUES ('m', '{"state":"streaming","keysDone":0,"keysTotal":0,"bytes":0,
                "keysPerSecond":0,"etaSeconds":-1,"lagMs":-1,"sourceOffset":0,"appliedOffset":0,"reverseProven":false,"conflicts":0,"atMillis":0}')
                ON CONFLICT (migration) DO UPDATE SET progress = EXCLUDED.progress"""));
        JsonNode status = status();
        assertThat(status.path("replication_lag_ms").isNull()).isTrue();
        assertThat(status.at("/progress/eta_seconds").isNull()).isTrue();
        assertThat(status.at("/gates/max_error_rate").isNull()).isTrue();
        assertThat(status.at("/gates/max_lag_ms").asInt()).isEqualTo(100);
        assertThat(status.at("/strategy/stages/1/gates/max_latency_ratio").isNull())
                .isTrue();
        created(
                "/api/v1/migrations",
                "{\"id\":\"again\",\"strategy\":{\"type\":\"canary\"},\"gates\":" + status.path("gates") + "}");
        // Nobody has told it since 1970; then, since just now.
        store.useHandle(h -> h.execute("UPDATE replication SET progress = jsonb_set(progress, '{lagMs}', '7')"));
        assertThat(status().path("replication_lag_ms").isNull()).isTrue();
        store.useHandle(h -> h.execute("UPDATE replication SET progress = jsonb_set(progress, '{atMillis}', '"
                + System.currentTimeMillis() + "')"));
        assertThat(status().path("replication_lag_ms").asInt()).isEqualTo(7);
        store.useHandle(h -> h.execute("DELETE FROM replication"));
    }

    private static void changesTheStrategy() {
        TestServer.Answer patched = eden.send(
                TestServer.TOKEN,
                "PATCH",
                MIGRATION,
                "{\"strategy\":{\"read_percentage\":0.25},\"reason\":\"more\"}",
                "X-Request-Id",
                "request-of-patch");
        assertThat(patched.status()).as(patched.body()).isEqualTo(202);
        await().untilAsserted(() -> assertThat(events("command.patch_strategy"))
                .singleElement()
                .satisfies(event -> {
                    assertThat(event.path("actor").asText()).isEqualTo("environment");
                    assertThat(event.path("reason").asText()).isEqualTo("more");
                    assertThat(event.at("/before/strategy/read_percentage").asDouble())
                            .isEqualTo(0.05);
                    assertThat(event.at("/after/strategy/read_percentage").asDouble())
                            .isEqualTo(0.25);
                    assertThat(event.at("/after/request_id").asText()).isEqualTo("request-of-patch");
                }));
        assertThat(events("patch_strategy")).isEmpty();
    }

    private static void everyCommandStandsInTheAuditLogOnce() {
        assertThat(COMMANDS).containsKeys("pause", "resume", "cutover", "finalize");
        COMMANDS.forEach((command, requests) -> {
            assertThat(events(command)).isEmpty();
            assertThat(events("command." + command))
                    .extracting(event -> event.at("/after/request_id").asText())
                    .as(command)
                    .containsExactlyElementsOf(requests);
            assertThat(events("command." + command)).allSatisfy(event -> {
                assertThat(event.path("actor").asText()).isEqualTo("environment");
                assertThat(event.path("reason").asText()).isEqualTo("why " + command);
                assertThat(event.at("/before/phase").asText()).isNotEmpty();
            });
        });
        assertThat(events("command.cutover").getFirst().path("phase").asText()).isEqualTo("cutting_over");
        assertThat(events("command.pause").getFirst().at("/after/paused").asBoolean())
                .isTrue();
    }

    private static void everyPhaseMayBePaused() {
        command("pause");
        assertThat(status().path("paused").asBoolean()).isTrue();
        TestServer.Answer rehearsed = eden.post(MIGRATION + "/rehearse", "{}");
        assertThat(rehearsed.status()).as("nobody is held in a pause").isEqualTo(409);
        assertThat(rehearsed.json().path("blockers").toString()).contains("the migration is paused");
        assertThat(events("command.rehearse")).hasSize(3);
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
        // The workflow says so before the directory has it.
        await().until(() -> status().path("ended_at").isTextual());
        assertThat(eden.patch(MIGRATION, "{\"tuning\":{\"batch\":1}}").status()).isEqualTo(409);
    }

    private static void command(String name) {
        String request = name + "-" + COMMANDS.size() + "-" + System.nanoTime();
        COMMANDS.computeIfAbsent(name, _ -> new ArrayList<>()).add(request);
        TestServer.Answer answer = eden.send(
                TestServer.TOKEN,
                "POST",
                MIGRATION + "/" + name,
                "{\"reason\":\"why " + name + "\"}",
                "X-Request-Id",
                request);
        assertThat(answer.status()).as(answer.body()).isEqualTo(202);
        assertThat(answer.json().path("allowed").toString())
                .as("the status after the command")
                .doesNotContain("\"" + name + "\"");
    }

    private static JsonNode status() {
        return eden.get(MIGRATION + "/status").json();
    }

    private static List<JsonNode> events(String name) {
        List<JsonNode> found = new ArrayList<>();
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
