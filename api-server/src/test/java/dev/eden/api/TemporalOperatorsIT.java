package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.cli.FakeTerminal;
import dev.eden.api.json.Json;
import dev.eden.embedded.EmbeddedTemporal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
    void aMigrationWhoseWorkflowWasTerminatedIsRecoveredAndGoesOn() throws Exception {
        running("r1", "r1a", "r1b");
        assertThat(shell.run("migration", "recover", "r1").code())
                .as("nothing is to recover while the workflow runs")
                .isEqualTo(3);
        terminate("r1");
        FakeTerminal.Result refused = shell.run("migration", "cutover", "r1", "--yes");
        assertThat(refused.code()).isEqualTo(3);
        assertThat(refused.err()).contains("eden migration recover r1");

        assertThat(orphaned()).as("nobody has looked yet").isZero();
        eden.server.lookForOrphans();
        eden.server.lookForOrphans();
        assertThat(orphaned()).isEqualTo(1);
        JsonNode lost = status("r1");
        assertThat(lost.path("ready_for_cutover").asBoolean()).isFalse();
        assertThat(lost.path("blockers").toString()).contains("eden migration recover r1");
        assertThat(lost.path("allowed")).isEqualTo(Json.tree("[\"recover\"]"));
        assertThat(ok("migration", "status", "r1").lastLine()).isEqualTo("next: eden migration recover r1");
        assertThat(ok("migration", "events", "r1").out())
                .as("said once, however often somebody looks")
                .containsOnlyOnce("migration.orphaned");

        ok("migration", "recover", "r1", "--reason", "somebody terminated it");
        awaitPhase("r1", "needs_operator");
        assertThat(status("r1").path("resumes_to").asText()).isEqualTo("replicating");
        assertThat(status("r1").path("last_reason").asText()).contains("somebody terminated it");
        assertThat(status("r1").path("allowed").toString()).contains("resume").doesNotContain("recover");
        eden.server.lookForOrphans();
        assertThat(orphaned()).isZero();
        ok("migration", "resume", "r1");
        awaitPhase("r1", "canary");
        ok("migration", "cutover", "r1", "--yes");
        awaitPhase("r1", "baking");

        // What a real flip leaves in the store; the steps here are not real.
        Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password())
                .useHandle(
                        handle -> handle.execute(
                                "UPDATE route SET migration = 'r1', active = 'r1b', standby = 'r1a', epoch = epoch + 1 WHERE interlay = 'front_r1'"));
        terminate("r1");
        ok("migration", "recover", "r1");
        awaitPhase("r1", "needs_operator");
        assertThat(status("r1").path("resumes_to").asText())
                .as("the committed route says who owns writes")
                .isEqualTo("baking");
        ok("migration", "finalize", "r1");
        awaitPhase("r1", "completed");
        assertThat(shell.run("migration", "recover", "r1").code()).isEqualTo(3);
    }

    @Test
    void theWebUiShowsTheMigrationAsAPage() throws Exception {
        running("p1", "p1a", "p1b");
        String details = temporal("workflow", "metadata", "--workflow-id", "migration/p1", "--output", "json");
        assertThat(details)
                .contains("**p1**: redis, p1a to p1b")
                .contains("| canary | **now** |", "cutover: ready", "eden migration watch p1");
    }

    private void running(String id, String source, String target) throws IOException {
        ok("endpoint", "create", source, "redis://127.0.0.1:1");
        ok("endpoint", "create", target, "redis://127.0.0.1:2");
        ok("interlay", "create", "front_" + id, source);
        Path file = home.resolve(id + ".json");
        Files.writeString(file, """
                {"id": "%s", "description": "", "strategy": {"type": "canary", "read_percentage": 0.05}}""".formatted(id));
        ok("migration", "create", file.toString());
        ok("migration", "add-interlay", id, "front_" + id, target);
        ok("migration", "migrate", id);
        awaitPhase(id, "canary");
    }

    private static void signal(String id, String name, String input) throws IOException, InterruptedException {
        temporal("workflow", "signal", "--workflow-id", "migration/" + id, "--name", name, "--input", input);
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
