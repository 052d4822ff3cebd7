package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.ValidationLedger.Check;
import dev.eden.activities.store.ValidationLedger.Difference;
import dev.eden.activities.store.ValidationLedger.Report;
import dev.eden.api.cli.FakeTerminal;
import dev.eden.api.json.Json;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.ForgottenMigrations;
import dev.eden.api.store.StoredValidationReports;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands as people and scripts type them, against a real server. */
class CommandLineIT {
    private static TestServer eden;

    @TempDir
    private Path home;

    private FakeTerminal shell;

    @BeforeAll
    static void start() {
        eden = TestServer.start();
    }

    @AfterAll
    static void stop() throws Exception {
        eden.close();
    }

    @BeforeEach
    void logIn() {
        eden.activities.findings.set(List.of());
        shell = new FakeTerminal(home)
                .with("EDEN_URL", "http://127.0.0.1:" + eden.server.apiPort())
                .with("EDEN_TOKEN", TestServer.TOKEN);
    }

    @Test
    void aMigrationGoesFromItsBeginningToItsEndByTheCommandsThatAnswersSuggest() throws IOException {
        try (EmbeddedRedis one = EmbeddedRedis.start();
                EmbeddedRedis two = EmbeddedRedis.start()) {
            goesFromItsBeginningToItsEnd(one, two);
        }
    }

    private void goesFromItsBeginningToItsEnd(EmbeddedRedis one, EmbeddedRedis two) throws IOException {
        ok("endpoint", "create", "one", "redis://127.0.0.1:" + one.port());
        ok("endpoint", "create", "two", "redis://127.0.0.1:" + two.port(), "--label", "team=cache");
        assertThat(ok("endpoint", "list").out()).contains("one", "team=cache").doesNotContain("null");
        String front = interlayOf("one");
        assertThat(ok("interlay", "list").out()).contains(front, "one");

        Path file = home.resolve("migration.json");
        Files.writeString(file, """
                {"id": "m1", "description": "one to two", "strategy": {"type": "canary", "read_percentage": 0.05}}""");
        assertThat(ok("migration", "create", file.toString()).lastLine())
                .isEqualTo("next: eden migration add-interlay m1 INTERLAY TARGET_ENDPOINT");
        assertThat(ok("migration", "add-interlay", "m1", front, "two").lastLine())
                .isEqualTo("next: eden migration plan m1");

        eden.activities.findings.set(List.of(
                new Finding("redis.noted", "info", "it is a Redis", ""),
                new Finding("redis.maxmemory", "failure", "the target is too small", "give it 2 GiB")));
        FakeTerminal.Result plan = shell.run("migration", "plan", "m1");
        assertThat(plan.code()).as("a plan with failures fails a script").isEqualTo(8);
        assertThat(plan.out())
                .contains(
                        "failure    redis.maxmemory\n           the target is too small\n           remedy: give it 2 GiB\n")
                .contains("1 failure, 1 warning;")
                .contains("  1. initializing")
                .containsPattern("copy +1,000 keys or rows, .* 0.5 s")
                .doesNotContain("It has been started");
        FakeTerminal.Result refused = shell.run("migration", "migrate", "m1");
        assertThat(refused.code()).isEqualTo(3);
        assertThat(refused.err())
                .as("as the plan has them")
                .contains(
                        "\nfailure    redis.maxmemory\n           the target is too small\n           remedy: give it 2 GiB\n")
                .contains("\ninfo       redis.noted\n           it is a Redis\nwhat to do:")
                .containsSubsequence("redis.maxmemory", "redis.noted", "what to do:");
        eden.activities.findings.set(List.of());
        assertThat(ok("migration", "plan", "m1").lastLine()).isEqualTo("next: eden migration migrate m1");

        FakeTerminal.Result early = shell.run("migration", "pause", "m1");
        assertThat(early.err())
                .contains("what to do: eden migration migrate m1 starts it, eden migration delete m1 forgets it.");
        assertThat(shell.run("migration", "status", "nope").err())
                .contains("what to do: eden migration list lists them.");
        assertThat(shell.run("migration", "status", "nope", "--json").err())
                .as("the server's own document")
                .contains("GET /api/v1/migrations lists them.");
        assertThat(shell.run("migration", "add-interlay", "m1", front, "one").err())
                .contains("eden migration delete m1 forgets one that has not been started");
        ok("migration", "migrate", "m1", "--reason", "change 4711");
        for (String[] late : new String[][] {{"delete", "m1"}, {"add-interlay", "m1", front, "two"}}) {
            FakeTerminal.Result begun = shell.run(
                    Stream.concat(Stream.of("migration"), Stream.of(late)).toArray(String[]::new));
            assertThat(begun.code()).isEqualTo(3);
            assertThat(begun.err()).contains("eden migration abort m1 ends it").containsPattern("allowed now: .*abort");
        }
        FakeTerminal.Result mistyped = shell.run("migration", "watch", "m1", "--until", "cannary");
        assertThat(mistyped.code()).isEqualTo(2);
        assertThat(mistyped.err()).contains("--until canary");
        eden.replicates("m1", 3);
        FakeTerminal.Result watched = ok("migration", "watch", "m1", "--until", "ready", "--interval", "50");
        assertThat(watched.out()).contains("canary 5 %", "5/s", "7 s left", "ready for cutover");
        assertThat(watched.lastLine()).isEqualTo("next: eden migration cutover m1");

        FakeTerminal.Result onceStarted = ok("migration", "plan", "m1");
        assertThat(onceStarted.out()).contains("It has been started: ").doesNotContain("after the remedies");
        assertThat(onceStarted.lastLine()).isEqualTo("next: eden migration status m1");

        ok("migration", "set", "m1", "read_percentage=25%");
        assertThat(ok("migration", "set", "m1", "label.backup_verified=kim, on Monday")
                        .out())
                .containsPattern("labels +backup_verified=kim, on Monday");
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(eden.activities.shares).contains(0.25));

        tunesAndRehearses();

        Path flip = Files.writeString(
                home.resolve("flip.json"), "{\"strategy\": {\"write_mode\": {\"mode\": \"cutover\"}}}");
        assertThat(shell.run("migration", "set", "m1", "--file", flip.toString())
                        .code())
                .as("a strategy that cuts over is confirmed as a cutover is")
                .isEqualTo(7);
        assertThat(shell.run("migration", "set", "m1", "type=immediate").code()).isEqualTo(7);
        FakeTerminal.Result asked = shell.run("migration", "cutover", "m1");
        assertThat(asked.code()).as("a script without --yes").isEqualTo(7);
        assertThat(asked.err()).contains("--yes");
        assertThat(shell.typing("m2\n", "migration", "cutover", "m1").code())
                .as("another word typed")
                .isEqualTo(7);
        assertThat(status()).as("nothing has been done").isEqualTo("canary");
        assertThat(shell.typing("", "migration", "rollback", "m1").out()).contains("Rollback ends m1, as abort does");
        FakeTerminal.Result typed = shell.typing("m1\n", "migration", "cutover", "m1");
        assertThat(typed.code()).as(typed.err()).isZero();
        assertThat(typed.out()).contains("from one to two", "Type m1 to go on");
        ok("migration", "watch", "m1", "--until", "baking", "--interval", "50");

        assertThat(shell.typing("", "migration", "rollback", "m1").out()).contains("gives reads and writes of m1 back");
        FakeTerminal.Result other = shell.run("migration", "rollback", "m1", "--yes", "--phase", "cutting_over");
        assertThat(other.code()).isEqualTo(3);
        assertThat(other.err()).contains("rollback was meant for phase cutting_over, and the phase is baking");
        assertThat(shell.run("migration", "rollback", "m1", "--yes", "--phase", "bakin")
                        .err())
                .contains("--phase baking");
        ok("migration", "rollback", "m1", "--yes");
        ok("migration", "watch", "m1", "--until", "canary", "--interval", "50");
        FakeTerminal.Result again = shell.run("migration", "rollback", "m1", "--yes");
        assertThat(again.code()).as("sent twice").isEqualTo(3);
        assertThat(again.err()).contains("nothing to take back", "abort ends the migration");
        assertThat(shell.typing("", "migration", "rollback", "m1").out()).doesNotContain("Type m1");
        assertThat(status()).isEqualTo("canary");
        ok("migration", "cutover", "m1", "--yes");
        assertThat(ok("migration", "watch", "m1", "--until", "baking", "--interval", "50")
                        .lastLine())
                .contains("eden migration finalize m1", "eden migration rollback m1");
        for (String end : List.of("finalize", "abort")) {
            assertThat(shell.run("migration", end, "m1").code())
                    .as(end + " in a script without --yes")
                    .isEqualTo(7);
            assertThat(shell.typing("m2\n", "migration", end, "m1").code())
                    .as(end + ": another word typed")
                    .isEqualTo(7);
        }
        assertThat(status()).as("nothing has been done").isEqualTo("baking");
        ok("migration", "finalize", "m1", "--yes");
        ok("migration", "watch", "m1", "--interval", "50");
        assertThat(ok("migration", "list", "--phase", "completed").out()).contains("m1");
        assertThat(ok("migration", "events", "m1").out()).contains("change 4711", "command.cutover");
        assertThat(ok("migration", "events", "m1", "--follow", "--json").out().lines())
                .allSatisfy(line ->
                        assertThat(Json.tree(line).path("migration").asText()).isEqualTo("m1"));
        JsonNode progress =
                Json.tree(ok("migration", "status", "m1", "--json").out()).path("progress");
        assertThat(progress.path("rate").asDouble(-1)).as("it has ended").isZero();
        assertThat(progress.path("eta_seconds").isNull()).isTrue();
        FakeTerminal.Result late = shell.run("migration", "cutover", "m1", "--yes");
        assertThat(late.code()).isEqualTo(3);
        assertThat(late.err()).contains("has ended", "allowed now: nothing");
        validates();
        reports();
        givesUp(front);
        isForgotten();
        beginsAgainUnderTheSameId(front);
        keepsWhatAChangeDoesNotName(one);
    }

    private void isForgotten() {
        String operator = Json.tree(ok("token", "create", "o", "--role", "operator", "--json")
                        .out())
                .path("secret")
                .asText();
        assertThat(eden.send(operator, "DELETE", "/api/v1/migrations/m1", null).status())
                .as("an operator's token")
                .isEqualTo(409);
        assertThat(shell.run("migration", "delete", "m1").code())
                .as("a script without --yes")
                .isEqualTo(7);
        assertThat(shell.typing("m2\n", "migration", "delete", "m1").code()).isEqualTo(7);
        ok("migration", "status", "m1");
        FakeTerminal.Result typed = shell.typing("m1\n", "migration", "delete", "m1");
        assertThat(typed.code()).as(typed.err()).isZero();
        assertThat(typed.out()).contains("which has ended (completed)", "migration m1 is forgotten");
        assertThat(shell.run("migration", "status", "m1").code()).isEqualTo(4);
        assertThat(eden.table("validation_report")).doesNotContain("m1");
        assertThat(ok("audit", "list", "--subject", "migration/m1").out())
                .containsPattern("migration.forgotten +migration/m1 +environment");
    }

    /** Temporal keeps the history of the one that was forgotten. */
    private void beginsAgainUnderTheSameId(String front) throws IOException {
        ok("migration", "create", home.resolve("migration.json").toString());
        ok("migration", "add-interlay", "m1", front, "one");
        ok("migration", "migrate", "m1");
        ok("migration", "watch", "m1", "--until", "canary", "--interval", "50");
        ok("migration", "abort", "m1", "--yes");
        shell.run("migration", "watch", "m1", "--interval", "50");
    }

    private void validates() {
        Jdbi jdbi = Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
        StoredValidationReports reports = new StoredValidationReports(jdbi);
        reports.save(validation("1", null));
        assertThat(eden.get("/api/v1/migrations/m1/validation").json().has("checks"))
                .as("begun on a server from before")
                .isFalse();
        assertThat(ok("migration", "validation", "m1").out())
                .containsPattern("keys_compared +20")
                .contains("k:1")
                .doesNotContain("CHECK");
        assertThat(ok("migration", "report", "m1").out())
                .contains("## Validation", "| all | 20 keys or rows | 1 | 0 | different |");
        reports.save(validation("2", List.of(new Check("keys", "keys", 20, 1, 0, "different"))));
        assertThat(eden.get("/api/v1/migrations/m1/validation")
                        .json()
                        .at("/checks/0/outcome")
                        .asText())
                .isEqualTo("different");
        assertThat(ok("migration", "validation", "m1").out())
                .containsPattern("CHECK +COMPARED +OF +DIFFERENT +REPAIRED +OUTCOME")
                .containsPattern("keys +20 +keys +1 +0 +different")
                .containsPattern("0 +k:1 +missing +false +only the source has it");
        assertThat(ok("migration", "report", "m1").out()).contains("| keys | 20 keys | 1 | 0 | different |");
        assertThat(eden.get("/api/v1/migrations/m1/report")
                        .json()
                        .at("/validation/checks/0/compared")
                        .asInt())
                .isEqualTo(20);
    }

    private static Report validation(String id, @Nullable List<Check> checks) {
        String at = "2026-01-01T00:00:00Z";
        List<Difference> sample = List.of(new Difference(0, "k:1", "missing", "only the source has it", false));
        return new Report(id, "m1", at, at, 20, 1, 1, 0, 1, 0, sample, checks);
    }

    private void givesUp(String front) throws IOException {
        Path file = Files.writeString(
                home.resolve("again.json"),
                "{\"id\": \"m2\", \"description\": \"and back\", \"strategy\": {\"type\": \"blue_green\"}}");
        ok("migration", "create", file.toString());
        ok("migration", "add-interlay", "m2", front, "one");
        ok("migration", "migrate", "m2");
        ok("migration", "watch", "m2", "--until", "canary", "--interval", "50");
        assertThat(eden.activities.emptied).as("finalize deletes nothing").containsExactly(false);
        ok("migration", "abort", "m2", "--empty-target", "--yes");
        shell.run("migration", "watch", "m2", "--interval", "50");
        assertThat(eden.activities.emptied).containsExactly(false, true);
    }

    private void tunesAndRehearses() {
        FakeTerminal.Result tuned = ok(
                "migration", "tune", "m1", "--copy-rate", "10MiB", "--max-source-latency", "5ms", "--reason", "noon");
        assertThat(tuned.out())
                .containsPattern("copy rate +10,485,760 bytes/s")
                .containsPattern("max source latency +5 ms")
                .containsPattern("parallelism +default");
        assertThat(tuned.lastLine()).isEqualTo("next: eden migration watch m1");
        JsonNode less = Json.tree(ok("migration", "tune", "m1", "--copy-rate", "default", "--json")
                .out());
        assertThat(less.path("tuning")).isEqualTo(Json.tree("{\"max_source_latency_ms\":5}"));
        FakeTerminal.Result tooMany = shell.run("migration", "tune", "m1", "--parallelism", "17");
        assertThat(tooMany.code()).isEqualTo(2);
        assertThat(tooMany.err()).contains("/tuning/parallelism", "between 1 and 16");
        assertThat(shell.run("migration", "tune", "m1").code()).isEqualTo(2);
        assertThat(shell.run("migration", "tune", "m1", "--copy-rate", "fast").err())
                .contains("10MiB");

        FakeTerminal.Result rehearsed = ok("migration", "rehearse", "m1", "--reason", "before Friday");
        assertThat(rehearsed.out())
                .contains("Rehearsal of m1: rehearsed", "12.3 ms, the deadline is 100 ms")
                .containsPattern("drain +0.9 ms +yes")
                .containsPattern("p +redis_interlay +- +12.3 ms");
        assertThat(rehearsed.lastLine()).isEqualTo("next: eden migration cutover m1");
        eden.activities.blockers.set(List.of("replication lag is 900 ms"));
        FakeTerminal.Result blocked = shell.run("migration", "rehearse", "m1");
        assertThat(blocked.code()).isEqualTo(3);
        assertThat(blocked.err()).contains("blocker: replication lag is 900 ms");
        eden.activities.blockers.set(List.of());
    }

    private void reports() throws IOException {
        FakeTerminal.Result markdown = ok("migration", "report", "m1");
        assertThat(markdown.out()).startsWith("# Migration m1").contains("## Forecast and outcome", "| completed |");
        assertThat(markdown.lastLine()).as("nothing that a pipe would not want").startsWith("|");
        Path file = home.resolve("report.md");
        assertThat(ok("migration", "report", "m1", "--output", file.toString()).lastLine())
                .isEqualTo("next: eden migration events m1");
        assertThat(Files.readString(file)).isEqualTo(markdown.out());
        assertThat(Json.tree(ok("migration", "report", "m1", "--json").out())
                        .path("migration")
                        .asText())
                .isEqualTo("m1");
        assertThat(shell.run("migration", "report", "m1", "--output", home.toString())
                        .code())
                .isEqualTo(1);
        assertThat(shell.run("migration", "report", "nobody").code()).isEqualTo(4);
        assertThat(Json.tree(ok("audit", "verify", "--json").out())
                        .path("intact")
                        .asBoolean())
                .isTrue();
        assertThat(ok("audit", "verify").out()).containsPattern("intact +true");
    }

    private void keepsWhatAChangeDoesNotName(EmbeddedRedis redis) {
        try (RespConnection server = RespConnection.connect(
                new Endpoint("kept", "redis", "127.0.0.1", redis.port(), false, null), "test", Duration.ofSeconds(5))) {
            server.call("ACL", "SETUSER", "app", "on", ">old", "~*", "&*", "+@all");
            String uri = "redis://127.0.0.1:" + redis.port();
            shell.with("EDEN_ENDPOINT_PASSWORD", "old");
            ok("endpoint", "create", "kept", uri, "--username", "app", "--label", "a=b", "--client-login", "endpoint");
            server.call("ACL", "SETUSER", "app", "resetpass", "> new ");
            shell.with("EDEN_ENDPOINT_PASSWORD", " new ");
            JsonNode changed =
                    Json.tree(ok("endpoint", "update", "kept", uri, "--json").out());
            assertThat(changed.at("/labels/a").asText()).isEqualTo("b");
            assertThat(changed.at("/options/client_login").asText()).isEqualTo("endpoint");
            // With the same user, and with the password's blanks: any other login is refused.
            ok("endpoint", "check", "kept");
            ok("endpoint", "create", "named", "redis://app@127.0.0.1:" + redis.port());
            ok("endpoint", "check", "named");
            FakeTerminal.Result twice = shell.run("endpoint", "create", "twice", "redis://app:secret@127.0.0.1:1");
            assertThat(twice.code()).isEqualTo(2);
            assertThat(twice.err())
                    .contains("EDEN_ENDPOINT_PASSWORD", "--username")
                    .doesNotContain("secret@");
        }
    }

    @Test
    void whatAnAnswerSuggestsGoesToTheSameServer() {
        String url = "http://127.0.0.1:" + eden.server.apiPort();
        FakeTerminal plain = new FakeTerminal(home).with("TOKEN", TestServer.TOKEN);
        plain.run("context", "add", "other", "--url", "http://127.0.0.1:1", "--token-env", "TOKEN");
        plain.run("context", "add", "mine", "--url", url, "--token-env", "TOKEN");
        plain.run("endpoint", "create", "suggested", "postgresql://127.0.0.1:1/d", "--context", "mine");
        assertThat(plain.run("endpoint", "get", "suggested", "--context", "mine")
                        .lastLine())
                .isEqualTo("next: eden endpoint check suggested --context mine");
        assertThat(plain.run("migration", "status", "nobody", "--context", "mine")
                        .err())
                .contains("eden migration list --context mine lists them.");
        assertThat(plain.typing("", "migration", "abort", "nobody", "--context", "mine")
                        .out())
                .contains("the server is " + url + " (context mine)");
        assertThat(shell.typing("", "migration", "abort", "nobody").out()).contains("the server is " + url + ".");
    }

    @Test
    void jsonIsTheServersAnswerAndAFailureIsItsProblem() {
        FakeTerminal.Result list = ok("migration", "list", "--json");
        assertThat(Json.tree(list.out()).has("migrations")).isTrue();
        FakeTerminal.Result none = shell.run("migration", "status", "nobody", "--json");
        assertThat(none.code()).isEqualTo(4);
        assertThat(none.out()).isEmpty();
        assertThat(Json.tree(none.err()).path("type").asText()).isEqualTo("urn:eden:problem:migration-not-found");
    }

    @Test
    void tokensAreMadeShownOnceAndRevoked() {
        FakeTerminal.Result made = ok("token", "create", "ci", "--role", "viewer", "--lifetime", "1d", "--json");
        String secret = Json.tree(made.out()).path("secret").asText();
        String id = Json.tree(made.out()).path("token").path("id").asText();
        shell.with("EDEN_TOKEN", secret);
        ok("migration", "list");
        FakeTerminal.Result tooLow = shell.run("token", "list");
        assertThat(tooLow.code()).isEqualTo(5);
        assertThat(tooLow.err()).contains("admin").doesNotContain(secret);
        shell.with("EDEN_TOKEN", TestServer.TOKEN);
        assertThat(ok("token", "list").out()).contains(id, "ci").doesNotContain(secret);
        ok("token", "revoke", id);
        assertThat(shell.with("EDEN_TOKEN", secret).run("migration", "list").code())
                .isEqualTo(5);
    }

    @Test
    void aContextKeepsServerAndTokenForItsOwnerOnly() throws IOException {
        String url = "http://127.0.0.1:" + eden.server.apiPort();
        FakeTerminal plain = new FakeTerminal(home);
        assertThat(plain.run("migration", "list").code()).as("no token").isEqualTo(5);
        assertThat(plain.piping(TestServer.TOKEN + "\n", "context", "add", "here", "--url", url, "--token-stdin")
                        .code())
                .isZero();
        Path file = home.resolve(".config/eden/contexts.json");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(plain.run("migration", "list").code()).isZero();
        assertThat(plain.run("context", "list").out())
                .contains("*", "here", url)
                .doesNotContain(TestServer.TOKEN);
        assertThat(plain.run("migration", "list", "--url", "http://127.0.0.1:1").err())
                .as("a context's token goes to its own server only")
                .contains("there is no token");

        assertThat(plain.run("context", "add", "gone", "--url", "http://127.0.0.1:1", "--token-env", "GONE_TOKEN")
                        .code())
                .isZero();
        assertThat(plain.run("context", "use", "gone").code()).isZero();
        FakeTerminal.Result away = plain.with("GONE_TOKEN", "x").run("migration", "list");
        assertThat(away.code()).isEqualTo(6);
        assertThat(away.err()).contains("http://127.0.0.1:1", "eden dev");
        assertThat(plain.run("migration", "list", "--context", "here").code()).isZero();
        assertThat(plain.run("migration", "list", "--context", "her").code()).isEqualTo(4);
        plain.with("EDEN_TOKEN", "of-another-server").with("EDEN_URL", "http://127.0.0.1:1");
        assertThat(plain.run("migration", "list", "--context", "here").code())
                .as("a context that is chosen wins over the environment")
                .isZero();
        Path rightOne = Files.writeString(home.resolve("token"), TestServer.TOKEN);
        assertThat(plain.run("migration", "list", "--url", url, "--token-file", rightOne.toString())
                        .code())
                .isZero();
        assertThat(plain.run("migration", "list", "--url", url).code())
                .as("the environment wins over the context in use")
                .isEqualTo(5);
        assertThat(plain.run("migration", "list").code()).isEqualTo(6);

        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(shell.run("migration", "interlay", "m1").err()).contains("eden migration add-interlay");
        FakeTerminal.Result open = plain.run("migration", "list");
        assertThat(open.code()).isEqualTo(1);
        assertThat(open.err()).contains("chmod 600");
    }

    @Test
    void aWrongCommandIsAnsweredWithTheOneThatWasMeant() {
        assertThat(shell.run("status", "m1").err()).contains("did you mean: eden migration status");
        assertThat(shell.run("migraton", "list").err()).contains("did you mean: eden migration");
        assertThat(shell.run("migration", "stauts", "m1").err()).contains("did you mean: eden migration status");
        assertThat(shell.run("migration", "list", "--jsn").err()).contains("did you mean: --json");
        assertThat(shell.run("migration", "set", "m1", "read_percentge=5%").err())
                .contains("did you mean read_percentage?");
        assertThat(shell.run("migration", "cut", "m1").err()).contains("did you mean: eden migration cutover");
        assertThat(shell.run("migration", "cut", "m1").err()).startsWith("eden: eden migration has no command cut");
        assertThat(shell.run("cut", "m1").err()).contains("did you mean: eden migration cutover");
        assertThat(shell.run("proxy", "ls").err()).contains("did you mean: eden proxy list");
        assertThat(shell.run("endpoint", "rm", "e").err()).doesNotContain("did you mean");
        assertThat(shell.run("migration").code()).isEqualTo(2);
        FakeTerminal.Result nowhere = shell.run("migration", "list", "--phase", "canry");
        assertThat(nowhere.code()).isEqualTo(2);
        assertThat(nowhere.err())
                .contains("there is no phase canry", "--phase canary", "created, initializing", "needs_operator");
        assertThat(shell.run("migration", "list", "--limit", "many").code()).isEqualTo(2);
    }

    @Test
    void colourIsForTerminalsThatWantIt() {
        assertThat(shell.typing("", "context", "list").out()).contains("\u001b[");
        assertThat(shell.run("context", "list").out()).doesNotContain("\u001b[");
        assertThat(shell.with("NO_COLOR", "1").typing("", "context", "list").out())
                .doesNotContain("\u001b[");
    }

    @Test
    void aWatchThatTakesTooLongSaysSo() throws IOException {
        Path file = home.resolve("idle.json");
        Files.writeString(file, """
                {"id": "idle", "description": "", "strategy": {"type": "blue_green"}}""");
        ok("migration", "create", file.toString());
        FakeTerminal.Result late =
                shell.run("migration", "watch", "idle", "--until", "canary", "--timeout", "1", "--interval", "100");
        assertThat(late.code()).isEqualTo(9);
        assertThat(late.err()).contains("idle is not canary after 1 s", "eden migration status idle");
        ok("migration", "delete", "idle");
    }

    @Test
    void aConfigurationFileIsCheckedBeforeAnythingStarts() throws IOException {
        Path file = Files.writeString(home.resolve("eden.yaml"), "server:\n  api_prt: 1\n");
        FakeTerminal.Result checked = shell.run("config", "check", file.toString());
        assertThat(checked.code()).isEqualTo(2);
        assertThat(checked.err())
                .contains(file + ":2:3: there is no setting server.api_prt; did you mean server.api_port?");
        FakeTerminal.Result started = shell.run("server", "--config", file.toString());
        assertThat(started.code()).isEqualTo(1);
        assertThat(started.err()).contains(file + ":2:3:", "eden config check");
        Files.writeString(file, shell.run("config", "example").out());
        FakeTerminal.Result empty = shell.run("config", "check", file.toString());
        assertThat(empty.code()).isEqualTo(2);
        assertThat(empty.err()).contains("Eden's database is not named");
        Files.writeString(file, "database:\n  url: postgresql://eden@db/eden?password=hunter2\nlog: {format: json}\n");
        FakeTerminal.Result open = shell.run("config", "check", file.toString());
        assertThat(open.code()).isEqualTo(2);
        assertThat(open.err())
                .contains(file + ":2:8: database.url has a password in it")
                .doesNotContain("hunter2");
        Files.writeString(file, "database:\n  url: postgresql://eden@db/eden\nlog: {format: json}\n");
        FakeTerminal.Result shown = shell.with("EDEN_API_PORT", "9000")
                .with("EDEN_ADMIN_TOKEN", "hunter2-hunter2-")
                .run("config", "check", file.toString());
        assertThat(shown.out())
                .containsPattern("server.api_port +9000 +EDEN_API_PORT")
                .containsPattern("server.admin_port +8001 +default")
                .containsPattern("log.format +json +.*eden.yaml:3:15")
                .contains("next: eden server --config " + file)
                .doesNotContain("hunter2");
        FakeTerminal.Result proxy =
                shell.with("EDEN_METRICS_PORT", "x").run("config", "check", file.toString(), "--for", "proxy");
        assertThat(proxy.code()).isEqualTo(2);
        assertThat(proxy.err())
                .contains("EDEN_METRICS_PORT must be a whole number")
                .doesNotContain("hunter2");
        assertThat(shell.run("server", "--api-port", "many").err()).contains("--api-port must be a whole number");
        assertThat(shell.with("EDEN_METRICS_PORT", "0").run("proxy").err()).contains("the proxy has no name");
    }

    @Test
    void aFinishedMigrationIsForgottenAfterItsTimeAndTheAuditLogKeepsIt() throws Exception {
        Path file = home.resolve("old.json");
        for (String id : List.of("old", "young")) {
            Files.writeString(
                    file, "{\"id\": \"" + id + "\", \"description\": \"\", \"strategy\": {\"type\": \"blue_green\"}}");
            ok("migration", "create", file.toString());
        }
        Jdbi jdbi = Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
        jdbi.useHandle(handle -> handle.execute("""
                UPDATE migration SET phase = 'completed', started_at = now(),
                    ended_at = now() - CASE id WHEN 'old' THEN interval '2 days' ELSE interval '1 hour' END
                WHERE id IN ('old', 'young')"""));
        try (Retention _ = Retention.start(new ForgottenMigrations(jdbi, new AuditLog(jdbi)), Duration.ofDays(1))) {
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(
                                    shell.run("migration", "status", "old").code())
                            .isEqualTo(4));
        }
        ok("migration", "status", "young");
        assertThat(eden.table("audit_log")).contains("migration.forgotten", "migration/old");
    }

    @Test
    void aProxyIsRemovedOnlyWhereItIsSurelyDead() {
        ok("endpoint", "create", "lone", "redis://127.0.0.1:1");
        ok("interlay", "create", "lone_front", "lone");
        Jdbi jdbi = Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
        jdbi.useHandle(handle -> handle.execute("""
                INSERT INTO proxy (name, interlay, incarnation, listen, version, seen_at, serving) VALUES
                    ('gone', 'lone_front', 'x', '10.0.0.1:6379', '0.1.0+wire.2', now() - interval '1 hour', true),
                    ('here', 'lone_front', 'x', '10.0.0.2:6379', '0.1.0+wire.2', now() + interval '1 hour', true),
                    ('holding', 'lone_front', 'x', '10.0.0.3:6379', '0.1.0+wire.2', now() + interval '1 hour', false),
                    ('older', 'lone_front', 'x', '10.0.0.4:6379', '0.1.0', now() + interval '1 hour', true)"""));
        FakeTerminal.Result list = ok("proxy", "list");
        assertThat(list.out())
                .containsPattern("lone_front:gone +10.0.0.1:6379 +0.1.0 +no +\\? +- +1 h 0 min ago")
                .containsPattern("lone_front:here +10.0.0.2:6379 +0.1.0 +yes +yes")
                .containsPattern("lone_front:holding +10.0.0.3:6379 +0.1.0 +yes +holds")
                .as("one that does not say whether it serves")
                .containsPattern("lone_front:older +10.0.0.4:6379 +0.1.0 +yes +\\?");
        assertThat(list.lastLine()).isEqualTo("next: eden proxy remove lone_front:gone --reason WHY");

        FakeTerminal.Result used = shell.run("interlay", "delete", "lone_front");
        assertThat(used.code()).isEqualTo(3);
        assertThat(used.err()).contains("served by proxy lone_front:gone", "eden proxy remove lone_front:gone");

        String[] remove = {"proxy", "remove", "lone_front:gone", "--reason", "its node was lost"};
        assertThat(shell.run(remove).code()).as("a script without --yes").isEqualTo(7);
        assertThat(shell.typing("gone\n", remove).code()).isEqualTo(7);
        FakeTerminal.Result unchecked = shell.typing("lone_front:gone\n", remove);
        assertThat(unchecked.code()).isEqualTo(3);
        assertThat(unchecked.err()).contains("endpoint lone can't be asked", "--force");
        assertThat(shell.run("proxy", "remove", "lone_front:here", "--reason", "x", "--yes", "--force")
                        .err())
                .contains("was heard 0 s ago");
        assertThat(shell.run("proxy", "remove", "lone_front:nobody", "--reason", "x", "--yes")
                        .code())
                .isEqualTo(4);
        assertThat(shell.run("proxy", "remove", "lone_front:gone", "--yes").code())
                .as("without a reason")
                .isEqualTo(2);
        assertThat(shell.run("proxy", "remove", "lone_front:gone", "--reason", " ", "--yes")
                        .code())
                .isEqualTo(2);
        ok("proxy", "remove", "lone_front:gone", "--reason", "its node was lost", "--yes", "--force");
        assertThat(ok("proxy", "list").out()).doesNotContain("lone_front:gone");
        assertThat(eden.table("audit_log"))
                .contains(
                        "proxy.removed",
                        "proxy/lone_front:gone",
                        "its node was lost",
                        "lone could not be asked; forced");
        FakeTerminal.Result who = ok("audit", "list", "--subject", "proxy/lone_front:gone");
        assertThat(who.out())
                .containsPattern("ENTRY +AT +EVENT +SUBJECT +ACTOR +REASON")
                .containsPattern("proxy.removed +proxy/lone_front:gone +environment +its node was lost");
        assertThat(who.lastLine()).isEqualTo("next: eden audit verify");
        FakeTerminal.Result first = ok("audit", "list", "--limit", "1");
        assertThat(first.lastLine()).isEqualTo("next: eden audit list --limit 1 --after 1");
        assertThat(Json.tree(ok("audit", "list", "--json").out())
                        .path("entries")
                        .size())
                .isGreaterThan(4);
        assertThat(ok("audit", "verify").out()).containsPattern("intact +true");

        String operator = Json.tree(ok("token", "create", "op", "--role", "operator", "--json")
                        .out())
                .path("secret")
                .asText();
        assertThat(shell.with("EDEN_TOKEN", operator)
                        .run("proxy", "remove", "lone_front:here", "--reason", "x", "--yes")
                        .code())
                .isEqualTo(5);
        assertThat(shell.run("audit", "list").code()).isEqualTo(5);
        jdbi.useHandle(handle -> handle.execute("DELETE FROM proxy WHERE interlay = 'lone_front'"));
        assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/interlays/lone_front", null)
                        .status())
                .isEqualTo(204);
    }

    private FakeTerminal.Result ok(String... arguments) {
        FakeTerminal.Result result = shell.run(arguments);
        assertThat(result.code())
                .as(String.join(" ", arguments) + ": " + result.err())
                .isZero();
        return result;
    }

    private String status() {
        return Json.tree(ok("migration", "status", "m1", "--json").out())
                .path("phase")
                .asText();
    }

    private static String interlayOf(String endpoint) {
        for (var interlay : eden.get("/api/v1/interlays").json().path("interlays")) {
            if (interlay.path("endpoint").asText().equals(endpoint)) {
                return interlay.path("id").asText();
            }
        }
        throw new AssertionError("nothing stands in front of " + endpoint);
    }
}
