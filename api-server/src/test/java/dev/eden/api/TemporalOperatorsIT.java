package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.cli.FakeTerminal;
import dev.eden.api.json.Json;
import dev.eden.api.operations.Documents;
import dev.eden.embedded.EmbeddedTemporal;
import dev.eden.workflows.worker.WorkerVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What operators do with Temporal's own command line, on its real server. Skipped where that is not built. */
class TemporalOperatorsIT {
    private static TestServer eden;
    private static String binary;

    @TempDir
    private Path home;

    private FakeTerminal shell;

    @BeforeAll
    static void start() {
        assumeTrue(EmbeddedTemporal.devServerBinary().isPresent(), "no Temporal dev server here: infra/temporal/build");
        binary = EmbeddedTemporal.devServerBinary().orElseThrow().toString();
        eden = TestServer.start(EmbeddedTemporal.Form.DEV_SERVER);
        eden.restart(options ->
                options.withOrchestration(new ServerOptions.Orchestration(false, null, Duration.ofSeconds(1))));
    }

    @AfterAll
    static void stop() throws Exception {
        if (eden != null) {
            eden.close();
        }
    }

    @BeforeEach
    void logIn() {
        shell = new FakeTerminal(home)
                .with("EDEN_URL", "http://127.0.0.1:" + eden.server.apiPort())
                .with("EDEN_TOKEN", TestServer.TOKEN);
    }

    @Test
    void signalsCommandAMigrationWhileTheApiIsAway() throws Exception {
        running("s1", "s1a", "s1b");
        signal("s1", "pause", "{\"actor\": \"kim\", \"reason\": \"lunch\"}");
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() ->
                        assertThat(status("s1").path("paused").asBoolean()).isTrue());
        signal("s1", "resume", "{\"actor\": \"kim\", \"reason\": \"back\"}");
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() ->
                        assertThat(status("s1").path("paused").asBoolean()).isFalse());
        signal(
                "s1",
                "patch_strategy",
                "{\"actor\": \"kim\", \"reason\": \"more\", \"strategy\": {\"type\": \"canary\", \"readPercentage\": 0.25}}");
        await("what is in force is what is shown")
                .atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(
                                status("s1").at("/strategy/read_percentage").asDouble())
                        .isEqualTo(0.25));
        assertThat(status("s1").at("/strategy/write_mode/mode").asText()).isEqualTo("dual_write");
        signal("s1", "cutover", "{\"actor\": \"kim\", \"reason\": \"window\"}");
        awaitPhase("s1", "baking");
        signal("s1", "finalize", "{\"actor\": \"kim\", \"reason\": \"\"}");
        awaitPhase("s1", "completed");
        assertThat(ok("migration", "events", "s1").out()).contains("kim", "window");
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(
                                temporal("workflow", "list", "--query", "EdenMigration='s1' AND EdenPhase='completed'"))
                        .contains("migration/s1"));
    }

    @Test
    void theCommandsOfTheDocumentsWorkAsPrinted() throws Exception {
        running("ec2_to_azure", "d1a", "d1b");
        String view = printed("docs/operating.md", "Commands by Temporal's own tools");
        assertThat(view).contains("allowedCommands", "patch_strategy");
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(status("ec2_to_azure")
                                .at("/strategy/read_percentage")
                                .asDouble())
                        .isEqualTo(0.25));
        assertThat(status("ec2_to_azure").path("paused").asBoolean()).isFalse();
        assertThat(ok("migration", "events", "ec2_to_azure").out()).contains("kim", "lunch", "back", "more reads");

        running("doubtful", "d2a", "d2b");
        printed("docs/guide/rolling-back.md", "Rolling back");
        awaitPhase("doubtful", "rolled_back");
    }

    /** What the document says of the two ways: an update is answered, a signal that can't be obeyed is told in the audit log. */
    @Test
    void aStageIsAdvancedAndWhatCanNotBeObeyedIsTold() throws Exception {
        running("a1", "a1a", "a1b", """
                {"type": "canary", "stages": [{"read_percentage": 0.05, "bake": "0s"}, {"read_percentage": 0.5, "bake": "0s"}]}""");
        temporal("workflow", "signal", "--workflow-id", "migration/a1", "--name", "advance");
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() ->
                        assertThat(status("a1").at("/canary/stage").asInt()).isEqualTo(2));
        assertThat(ok("migration", "events", "a1").out())
                .as("who did it where nobody is named")
                .contains("temporal");
        signal("a1", "finalize", "{\"actor\": \"kim\", \"reason\": \"too early\"}");
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(ok("migration", "events", "a1").out())
                        .contains("command_refused", "cut over first"));
        assertThatThrownBy(() -> temporal(
                        "workflow", "update", "execute", "--workflow-id", "migration/a1", "--name", "finalize"))
                .hasMessageContaining("cut over first");
    }

    @Test
    void aMigrationWhoseWorkflowWasTerminatedIsRecoveredAndGoesOn() throws Exception {
        running("r1", "r1a", "r1b");
        assertThat(shell.run("migration", "recover", "r1").code())
                .as("nothing is to recover while the workflow runs")
                .isEqualTo(3);
        terminate("r1");
        FakeTerminal.Result refused = shell.run("migration", "cutover", "r1", "--yes");
        assertThat(refused.code()).isEqualTo(3);
        assertThat(refused.err()).contains("eden migration recover r1");

        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(orphaned())
                        .as("found by the server's own clock")
                        .isEqualTo(1));
        eden.server.lookForOrphans();
        JsonNode lost = status("r1");
        assertThat(lost.path("ready_for_cutover").asBoolean()).isFalse();
        assertThat(lost.path("blockers").toString()).contains("eden migration recover r1");
        assertThat(lost.path("allowed")).isEqualTo(Json.tree("[\"recover\"]"));
        assertThat(ok("migration", "status", "r1").lastLine()).isEqualTo("next: eden migration recover r1");
        assertThat(ok("migration", "events", "r1").out())
                .as("said once, however often somebody looks")
                .containsOnlyOnce("migration.orphaned");

        // As docs/operating.md prints them: recover, status.
        for (String line : Documents.runBy("TemporalOperatorsIT", "docs/operating.md", "EdenMigrationOrphaned")
                .text()
                .lines()
                .toList()) {
            List<String> words = new ArrayList<>(Documents.words(line.replace("ec2_to_azure", "r1")));
            assertThat(words.removeFirst()).isEqualTo("eden");
            ok(words.toArray(String[]::new));
        }
        awaitPhase("r1", "needs_operator");
        assertThat(status("r1").path("resumes_to").asText()).isEqualTo("replicating");
        assertThat(status("r1").path("last_reason").asText()).contains("the workflow was terminated by mistake");
        assertThat(status("r1").path("allowed").toString()).contains("resume").doesNotContain("recover");
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(orphaned()).isZero());
        ok("migration", "resume", "r1");
        awaitPhase("r1", "canary");
        ok("migration", "cutover", "r1", "--yes");
        awaitPhase("r1", "baking");

        // What a real flip leaves in the store; the steps here are not real.
        store().useHandle(
                        handle -> handle.execute(
                                "UPDATE route SET migration = 'r1', active = 'r1b', standby = 'r1a', epoch = epoch + 1 WHERE interlay = 'front_r1'"));
        terminate("r1");
        ok("migration", "recover", "r1");
        awaitPhase("r1", "needs_operator");
        assertThat(status("r1").path("resumes_to").asText())
                .as("the committed route says who owns writes")
                .isEqualTo("baking");

        // What finalize leaves in the store before it cleans up the servers.
        store().useHandle(handle ->
                handle.execute("UPDATE route SET migration = NULL, standby = NULL WHERE interlay = 'front_r1'"));
        terminate("r1");
        ok("migration", "recover", "r1");
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(status("r1").path("allowed").toString())
                        .contains("finalize")
                        .doesNotContain("recover", "abort", "rollback"));
        assertThat(status("r1").path("resumes_to").asText()).isEqualTo("baking");
        assertThat(status("r1").path("active").asText()).isEqualTo("r1b");
        assertThat(shell.run("migration", "abort", "r1", "--yes").code()).isEqualTo(3);
        ok("migration", "finalize", "r1", "--yes");
        awaitPhase("r1", "completed");
        assertThat(shell.run("migration", "recover", "r1").code()).isEqualTo(3);
    }

    /** It has given its routes back and waited for a server that was away: there is nothing to replicate any more. */
    @Test
    void aMigrationThatWasBeingUndoneIsRecoveredToBeUndone() throws Exception {
        running("u1", "u1a", "u1b");
        terminate("u1");
        store().useHandle(
                        handle -> handle.execute(
                                "UPDATE migration SET phase = 'rolling_back', view = jsonb_set(view, '{phase}', '{\"phase\": \"rolling_back\", \"flip\": false}') WHERE id = 'u1'"));
        ok("migration", "recover", "u1");
        awaitPhase("u1", "needs_operator");
        assertThat(status("u1").path("resumes_to").asText()).isEqualTo("rolling_back");
        terminate("u1");
        ok("migration", "recover", "u1", "--reason", "once more");
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() ->
                        assertThat(status("u1").path("last_reason").asText()).contains("once more"));
        assertThat(status("u1").path("resumes_to").asText())
                .as("of one that was parked")
                .isEqualTo("rolling_back");
        ok("migration", "resume", "u1");
        awaitPhase("u1", "rolled_back");
    }

    @Test
    void theWebUiShowsTheMigrationAsAPage() throws Exception {
        running("p1", "p1a", "p1b");
        String details = temporal("workflow", "metadata", "--workflow-id", "migration/p1", "--output", "json");
        assertThat(details)
                .contains("**p1**: redis, p1a to p1b")
                .contains("| canary | **now** |", "cutover: ready", "eden migration watch p1");
    }

    @Test
    void aPlainHistoryGoesOnEncryptedAndTheCommandLineReadsItThroughTheCodec() throws Exception {
        running("m1", "e1a", "e1b");
        ok("migration", "pause", "m1", "--reason", "kumquat-in-the-open");
        assertThat(show("m1")).contains("kumquat-in-the-open");
        eden.restart(TestServer.ENCRYPTING);
        logIn();
        ok("migration", "resume", "m1", "--reason", "quince-in-the-dark");
        ok("migration", "cutover", "m1", "--yes");
        awaitPhase("m1", "baking");
        assertThat(show("m1"))
                .as("what was written before stays as it is")
                .contains("kumquat-in-the-open")
                .doesNotContain("quince-in-the-dark");
        assertThat(show(
                        "m1",
                        "--codec-endpoint",
                        "http://127.0.0.1:" + eden.server.apiPort() + "/api/v1/temporal/codec",
                        "--codec-auth",
                        "Bearer " + TestServer.TOKEN))
                .contains("kumquat-in-the-open", "quince-in-the-dark");

        printed("docs/operating.md", "Temporal's payloads");

        // The setting taken back: what is encrypted is read on.
        eden.restart(options -> options);
        logIn();
        signal("m1", "finalize", "{\"actor\": \"kim\", \"reason\": \"in the open\"}");
        awaitPhase("m1", "completed");
    }

    /** What the history's payloads hold. */
    private static String show(String id, String... more) throws IOException, InterruptedException {
        List<String> arguments =
                new ArrayList<>(List.of("workflow", "show", "--workflow-id", "migration/" + id, "--output", "json"));
        arguments.addAll(List.of(more));
        StringBuilder text = new StringBuilder();
        for (String data : Json.tree(temporal(arguments.toArray(String[]::new))).findValuesAsText("data")) {
            text.append(new String(Base64.getDecoder().decode(data), StandardCharsets.UTF_8))
                    .append('\n');
        }
        return text.toString();
    }

    @Test
    void aMigrationGoesOverToTheCurrentVersionBetweenTwoSteps() throws Exception {
        temporal("operator", "namespace", "create", "--namespace", "versions", "--retention", "24h");
        store().useHandle(handle -> handle.execute("CREATE DATABASE versions"));
        EdenServer first = versioned("build-1");
        EdenServer second = null;
        try {
            current("build-1");
            shell.with("EDEN_URL", "http://127.0.0.1:" + first.apiPort());
            running("v1", "v1a", "v1b");
            assertThat(described("v1")).contains("build-1");

            second = versioned("build-2");
            shell.with("EDEN_URL", "http://127.0.0.1:" + second.apiPort());
            assertThat(described("v1"))
                    .as("a newer version alone changes nothing")
                    .contains("build-1")
                    .doesNotContain("build-2");
            current("build-2");
            // The word that another version is current takes its time to reach the workflow, which looks when something
            // happens to it.
            await().atMost(Duration.ofSeconds(60))
                    .pollInterval(Duration.ofSeconds(1))
                    .untilAsserted(() -> {
                        shell.run("migration", "pause", "v1");
                        shell.run("migration", "resume", "v1");
                        assertThat(described("v1")).contains("build-2");
                    });

            first.close();
            awaitPhase("v1", "canary");
            ok("migration", "cutover", "v1", "--yes");
            awaitPhase("v1", "baking");
            ok("migration", "finalize", "v1", "--yes");
            awaitPhase("v1", "completed");
        } finally {
            first.close();
            if (second != null) {
                second.close();
            }
        }
    }

    /** In a namespace and a store of their own: a server takes migrations that its Temporal does not know for orphans. */
    private static EdenServer versioned(String build) {
        ServerOptions base = eden.options(0, 0);
        EdenStore.Settings store = base.store();
        return EdenServer.start(
                new ServerOptions(
                                List.of(),
                                build,
                                false,
                                "127.0.0.1",
                                0,
                                "127.0.0.1",
                                0,
                                new EdenStore.Settings(
                                        eden.postgres.jdbcUrl("versions"),
                                        store.user(),
                                        store.password(),
                                        null,
                                        store.dataDirectory(),
                                        store.poolSize(),
                                        store.timeout()),
                                base.temporalAddress(),
                                "versions",
                                null,
                                base.adminToken())
                        .withOrchestration(new ServerOptions.Orchestration(false, new WorkerVersion("eden", build))),
                eden.activities::open);
    }

    /** By the command that the documentation prints; a deployment is known once its workers have asked for work. */
    private static void current(String build) {
        String printed = Documents.runBy("TemporalOperatorsIT", "docs/operating.md", "Rolling upgrades")
                .text()
                .strip()
                .replace("\"$BUILD\"", build);
        assertThat(printed).startsWith("temporal ");
        List<String> arguments = new ArrayList<>(List.of(printed.split(" ")));
        arguments.removeFirst();
        arguments.addAll(List.of("--namespace", "versions"));
        await().atMost(Duration.ofSeconds(30))
                .ignoreExceptions()
                .untilAsserted(() -> temporal(arguments.toArray(String[]::new)));
    }

    private static String described(String id) throws IOException, InterruptedException {
        return temporal("workflow", "describe", "--workflow-id", "migration/" + id, "--namespace", "versions");
    }

    private void running(String id, String source, String target) throws IOException {
        running(id, source, target, "{\"type\": \"canary\", \"read_percentage\": 0.05}");
    }

    private void running(String id, String source, String target, String strategy) throws IOException {
        ok("endpoint", "create", source, "redis://127.0.0.1:1");
        ok("endpoint", "create", target, "redis://127.0.0.1:2");
        ok("interlay", "create", "front_" + id, source);
        Path file = home.resolve(id + ".json");
        Files.writeString(file, "{\"id\": \"%s\", \"description\": \"\", \"strategy\": %s}".formatted(id, strategy));
        ok("migration", "create", file.toString());
        ok("migration", "add-interlay", id, "front_" + id, target);
        ok("migration", "migrate", id);
        awaitPhase(id, "canary");
    }

    private static void signal(String id, String name, String input) throws IOException, InterruptedException {
        temporal("workflow", "signal", "--workflow-id", "migration/" + id, "--name", name, "--input", input);
    }

    /** What a document's block says, pasted as it stands there. */
    private String printed(String document, String heading) throws IOException, InterruptedException {
        return new Pasted(
                        home,
                        Map.of(
                                "PATH",
                                Path.of(binary).getParent() + ":" + System.getenv("PATH"),
                                "TEMPORAL_ADDRESS",
                                eden.temporal.address(),
                                "EDEN",
                                "http://127.0.0.1:" + eden.server.apiPort() + "/api/v1",
                                "TOKEN",
                                TestServer.TOKEN))
                .run(Documents.runBy("TemporalOperatorsIT", document, heading).text());
    }

    private static Jdbi store() {
        return Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
    }

    private static int orphaned() {
        Matcher gauge = Pattern.compile("(?m)^eden_migrations_orphaned (\\d+)")
                .matcher(eden.admin("/metrics").body());
        assertThat(gauge.find()).isTrue();
        return Integer.parseInt(gauge.group(1));
    }

    private static void terminate(String id) throws IOException, InterruptedException {
        temporal("workflow", "terminate", "--workflow-id", "migration/" + id, "--reason", "by mistake");
    }

    private static String temporal(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(binary));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--address", eden.temporal.address(), "--color", "never"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    private JsonNode status(String id) {
        return Json.tree(ok("migration", "status", id, "--json").out());
    }

    private void awaitPhase(String id, String phase) {
        await().atMost(Duration.ofSeconds(40))
                .untilAsserted(
                        () -> assertThat(status(id).path("phase").asText()).isEqualTo(phase));
    }

    private FakeTerminal.Result ok(String... arguments) {
        FakeTerminal.Result result = shell.run(arguments);
        assertThat(result.code())
                .as(String.join(" ", arguments) + ": " + result.err())
                .isZero();
        return result;
    }
}
