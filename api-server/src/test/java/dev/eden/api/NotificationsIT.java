package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.cli.FakeTerminal;
import dev.eden.api.config.Receiver;
import dev.eden.api.json.Json;
import dev.eden.api.notify.NotificationKind;
import dev.eden.api.notify.ReceivingServer;
import dev.eden.proxy.Secret;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is told of a migration, from what an admin configures to what arrives. */
class NotificationsIT {
    private static ReceivingServer hook;
    private static TestServer eden;
    private static FakeTerminal shell;

    @TempDir
    private static Path home;

    @BeforeAll
    static void start() throws Exception {
        hook = ReceivingServer.start("/hook");
        eden = TestServer.start();
        eden.receivers = List.of(
                hook.as("oncall", "of-the-receiver-0123456789"),
                new Receiver("away", new Secret("http://127.0.0.1:1/secret-path"), null));
        eden.restart(UnaryOperator.identity());
        for (String id : List.of("blue", "green")) {
            eden.post("/api/v1/endpoints", Json.write(Map.of("id", id, "uri", "redis://127.0.0.1:1")));
        }
        shell = new FakeTerminal(home)
                .with("EDEN_URL", "http://127.0.0.1:" + eden.server.apiPort())
                .with("EDEN_TOKEN", TestServer.TOKEN);
    }

    @AfterAll
    static void stop() throws Exception {
        eden.close();
        hook.close();
    }

    @Test
    void aMigrationToItsEndIsToldOf() throws Exception {
        Path file = Files.writeString(
                home.resolve("m.json"), "{\"id\":\"m\",\"description\":\"d\",\"strategy\":{\"type\":\"blue_green\"}}");
        FakeTerminal.Result nobody = shell.run("migration", "create", file.toString(), "--notify", "oncall,pager");
        assertThat(nobody.code()).as(nobody.out()).isEqualTo(2);
        assertThat(nobody.err()).contains("/notify/receivers/1", "there are oncall, away");
        assertThat(shell.run("migration", "create", file.toString(), "--notify-on", "completed")
                        .code())
                .isEqualTo(2);
        FakeTerminal.Result created = shell.run(
                "migration",
                "create",
                file.toString(),
                "--notify",
                "oncall",
                "--notify-on",
                "started,ready,cutover_committed,completed");
        assertThat(created.code()).as(created.err()).isZero();
        assertThat(created.out()).contains("oncall of started, ready, cutover_committed, completed");
        assertThat(eden.get("/api/v1/migrations/m").json().path("notify"))
                .isEqualTo(
                        Json.tree(
                                "{\"receivers\":[\"oncall\"],\"on\":[\"started\",\"ready\",\"cutover_committed\",\"completed\"]}"));
        moved("m", "green");
        await().untilAsserted(() ->
                assertThat(told("m")).containsExactly("started", "ready", "cutover_committed", "completed"));
        JsonNode last = hook.taken().getLast().json();
        assertThat(last.path("phase").asText()).isEqualTo("completed");
        assertThat(last.at("/links/report").asText()).isEqualTo("https://eden.example/api/v1/migrations/m/report");
        assertThat(last.at("/links/temporal_ui").asText())
                .isEqualTo(eden.get("/api/v1/migrations/m")
                        .json()
                        .at("/links/temporal_ui")
                        .asText());
    }

    @Test
    void receiversAreListedByNameAndTriedOnce() {
        JsonNode list = eden.get("/api/v1/receivers").json();
        assertThat(list.path("receivers").findValuesAsText("id")).containsExactly("away", "oncall");
        assertThat(eden.get("/api/v1/receivers?limit=1").json().path("next").asText())
                .isEqualTo("away");
        assertThat(shell.run("notify", "list").out()).contains("away", "oncall").doesNotContain("http");
        FakeTerminal.Result heard = shell.run("notify", "test", "oncall");
        assertThat(heard.code()).as(heard.err()).isZero();
        assertThat(hook.taken()).anySatisfy(one -> {
            assertThat(one.kind()).isEqualTo("test");
            assertThat(one.signature()).isNotNull();
            assertThat(one.key()).as("no other's").isNotEmpty();
        });
        FakeTerminal.Result away = shell.run("notify", "test", "away");
        assertThat(away.code()).isEqualTo(8);
        assertThat(away.out()).contains("has not taken it: it can't be asked: ").doesNotContain("secret-path");
        assertThat(shell.run("notify", "test", "nobody").code()).isEqualTo(4);
        String viewer = eden.post("/api/v1/tokens", "{\"role\":\"viewer\",\"label\":\"v\"}")
                .json()
                .path("secret")
                .asText();
        assertThat(eden.send(viewer, "POST", "/api/v1/receivers/oncall/test", null)
                        .status())
                .isEqualTo(403);
    }

    @Test
    void whoeverSaysNothingOfWhatIsToldOfMost() {
        TestServer.Answer made = eden.post(
                "/api/v1/migrations",
                "{\"id\":\"usual\",\"strategy\":{\"type\":\"canary\"},\"notify\":{\"receivers\":[\"away\"]}}");
        assertThat(made.status()).as(made.body()).isEqualTo(201);
        assertThat(made.json().at("/notify/on")).isEqualTo(Json.mapper().valueToTree(NotificationKind.usual()));
        TestServer.Answer untold =
                eden.post("/api/v1/migrations", "{\"id\":\"untold\",\"strategy\":{\"type\":\"canary\"}}");
        assertThat(untold.json().path("notify").isNull()).isTrue();
        for (String url : List.of("http://169.254.169.254/", "{\"url\":\"http://169.254.169.254/\"}")) {
            assertThat(eden.post(
                                    "/api/v1/migrations",
                                    "{\"id\":\"ssrf\",\"strategy\":{\"type\":\"canary\"},\"notify\":{\"receivers\":["
                                            + (url.startsWith("{") ? url : "\"" + url + "\"") + "]}}")
                            .status())
                    .as(url)
                    .isEqualTo(422);
        }
    }

    private static void moved(String id, String target) {
        String migration = "/api/v1/migrations/" + id;
        assertThat(eden.post(migration + "/interlay/redis_interlay", "{\"endpoint\":\"" + target + "\"}")
                        .status())
                .isEqualTo(200);
        assertThat(eden.post(migration + "/migrate", "{}").status()).isEqualTo(202);
        awaitPhase(id, "canary");
        assertThat(eden.post(migration + "/cutover", "{}").status()).isEqualTo(202);
        awaitPhase(id, "baking");
        assertThat(eden.post(migration + "/finalize", "{}").status()).isEqualTo(202);
        awaitPhase(id, "completed");
    }

    private static List<String> told(String migration) {
        return hook.taken().stream()
                .filter(one -> one.json().path("migration").asText().equals(migration))
                .map(ReceivingServer.Received::kind)
                .toList();
    }

    private static void awaitPhase(String id, String phase) {
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(eden.get("/api/v1/migrations/" + id)
                                .json()
                                .path("phase")
                                .asText())
                        .isEqualTo(phase));
    }
}
