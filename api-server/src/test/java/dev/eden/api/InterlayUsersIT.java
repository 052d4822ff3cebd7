package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.cli.FakeTerminal;
import dev.eden.api.json.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Users whose passwords an interlay has, over REST and by the command line. */
class InterlayUsersIT {
    private static final String USERS = "/api/v1/interlays/orders/users";

    private static TestServer eden;

    @TempDir
    private Path home;

    @BeforeAll
    static void start() {
        eden = TestServer.start();
        for (String[] made : new String[][] {
            {"endpoints", "{\"id\":\"pg\",\"uri\":\"postgresql://127.0.0.1:1/db\"}"},
            {"endpoints", "{\"id\":\"kv\",\"uri\":\"redis://127.0.0.1:1\"}"},
            {"interlays", "{\"id\":\"orders\",\"endpoint\":\"pg\"}"},
            {"interlays", "{\"id\":\"tills\",\"endpoint\":\"pg\"}"},
            {"interlays", "{\"id\":\"cache\",\"endpoint\":\"kv\"}"}
        }) {
            assertThat(eden.post("/api/v1/" + made[0], made[1]).status()).isEqualTo(201);
        }
    }

    @AfterAll
    static void stop() throws Exception {
        eden.close();
    }

    private static TestServer.Answer put(String path, String body) {
        return eden.send(TestServer.TOKEN, "PUT", path, body);
    }

    @Test
    void passwordsGoInAndNeverComeOut() {
        for (String name : List.of("shop", "back%20office", "%C3%9Cber")) {
            TestServer.Answer set = put(USERS + "/" + name, "{\"password\":\"medlar\"}");
            assertThat(set.status()).as(set.body()).isEqualTo(200);
            assertThat(set.body()).doesNotContain("medlar", "SCRAM");
        }
        assertThat(put(USERS + "/shop", "{\"name\":\"shop\",\"password\":\" with blanks \"}")
                        .status())
                .isEqualTo(200);
        JsonNode all = eden.get(USERS).json();
        assertThat(all.path("users").findValuesAsText("name")).containsExactlyInAnyOrder("shop", "back office", "Über");
        assertThat(all.at("/users/0").size()).as("name and set_at").isEqualTo(2);
        JsonNode first = eden.get(USERS + "?limit=2").json();
        assertThat(first.path("users").size()).isEqualTo(2);
        assertThat(eden.get(USERS + "?limit=2&after="
                                + first.path("next").asText().replace(" ", "%20"))
                        .json()
                        .path("users")
                        .size())
                .isEqualTo(1);
        assertThat(eden.send(TestServer.TOKEN, "DELETE", USERS + "/back%20office", null)
                        .status())
                .isEqualTo(204);
        assertThat(eden.get("/api/v1/audit?subject=interlay/orders").body())
                .contains("interlay.user_set", "interlay.user_removed")
                .doesNotContain("medlar", "with blanks");
    }

    @Test
    void whatIsNotRightIsSaid() {
        problem(put(USERS + "/shop2", "{\"password\":\"\"}"), 422, "invalid-fields", "/password");
        problem(put(USERS + "/shop2", "{}"), 422, "invalid-fields", "/password");
        problem(put(USERS + "/shop2", "{\"password\":7}"), 422, "invalid-fields", "/password");
        problem(put(USERS + "/shop2", "{\"password\":\"" + "x".repeat(4_097) + "\"}"), 422, "invalid-fields", "");
        problem(put(USERS + "/shop2", "{\"name\":\"shop3\",\"password\":\"p\"}"), 422, "invalid-fields", "/name");
        problem(put(USERS + "/" + "ü".repeat(32).replace("ü", "%C3%BC"), "{\"password\":\"p\"}"), 422, "", "/name");
        problem(put(USERS + "/%20", "{\"password\":\"p\"}"), 422, "invalid-fields", "/name");
        problem(put("/api/v1/interlays/cache/users/shop", "{\"password\":\"p\"}"), 422, "invalid-fields", "PostgreSQL");
        problem(put("/api/v1/interlays/nope/users/shop", "{\"password\":\"p\"}"), 404, "interlay-not-found", "nope");
        problem(eden.get("/api/v1/interlays/nope/users"), 404, "interlay-not-found", "nope");
        problem(eden.get(USERS + "?limit=0"), 400, "invalid-parameter", "limit");
        problem(eden.send(TestServer.TOKEN, "DELETE", USERS + "/nobody", null), 404, "user-not-found", "nobody");
        for (String role : List.of("viewer", "operator")) {
            String token = eden.post("/api/v1/tokens", "{\"role\":\"" + role + "\",\"label\":\"t\"}")
                    .json()
                    .path("secret")
                    .asText();
            problem(eden.send(token, "PUT", USERS + "/shop2", "{\"password\":\"p\"}"), 403, "forbidden", "admin");
            problem(eden.send(token, "DELETE", USERS + "/shop2", null), 403, "forbidden", "admin");
            assertThat(eden.send(token, "GET", USERS, null).status()).isEqualTo(200);
        }
        assertThat(eden.get(USERS).body()).doesNotContain("shop2");
    }

    private static void problem(TestServer.Answer answer, int status, String slug, String said) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(status);
        assertThat(answer.json().path("type").asText()).contains(slug);
        assertThat(answer.body()).contains(said);
    }

    @Test
    void theCommandLineNeverTakesOneAsAnArgument() throws Exception {
        FakeTerminal shell = new FakeTerminal(home)
                .with("EDEN_URL", "http://127.0.0.1:" + eden.server.apiPort())
                .with("EDEN_TOKEN", TestServer.TOKEN);
        FakeTerminal.Result none = shell.run("interlay", "user", "list", "tills");
        assertThat(none.out()).contains("It has no user's password.");
        assertThat(none.lastLine()).isEqualTo("next: eden interlay user set tills NAME");

        Path file = Files.writeString(home.resolve("password"), " in a file \n");
        FakeTerminal.Result set =
                shell.run("interlay", "user", "set", "tills", "shop", "--password-file", file.toString());
        assertThat(set.code()).as(set.err()).isZero();
        assertThat(set.lastLine()).isEqualTo("next: eden interlay user list tills");
        FakeTerminal.Result piped = shell.piping("piped in\r\n", "interlay", "user", "set", "tills", "till", "--json");
        assertThat(Json.tree(piped.out()).path("name").asText()).isEqualTo("till");
        FakeTerminal.Result typed = shell.typing("typed\n", "interlay", "user", "set", "tills", "back office");
        assertThat(typed.err()).contains("Password of back office: ");
        assertThat(set.out() + piped.out() + typed.out() + typed.err())
                .doesNotContain("in a file", "piped in", "typed\n");
        try (EdenStore store = EdenStore.open(eden.options(0, 0).store(), false)) {
            var known = store.routeStore().users("tills");
            assertThat(known.byName().values().stream()
                            .map(user -> user.password().reveal()))
                    .containsExactlyInAnyOrder(" in a file ", "piped in", "typed");
            assertThat(store.routeStore().users("tills").seed())
                    .as("as another process reads it")
                    .isNotNull()
                    .isEqualTo(known.seed());
        }

        assertThat(shell.run("interlay", "user", "list", "tills").out()).contains("shop", "till", "back office", "SET");
        FakeTerminal.Result removed = shell.run("interlay", "user", "remove", "tills", "back office");
        assertThat(removed.out()).contains("the password of back office is forgotten");
        FakeTerminal.Result again = shell.run("interlay", "user", "remove", "tills", "back office");
        assertThat(again.code()).isEqualTo(4);
        assertThat(again.err()).contains("eden interlay user list tills");
        for (String name : List.of("a/b", "..", ".")) {
            assertThat(shell.run("interlay", "user", "remove", "tills", name).code())
                    .isEqualTo(2);
        }
        assertThat(shell.run("interlay", "user", "set", "tills", "shop").err()).contains("there is no password");
        assertThat(shell.run("interlay", "user", "set", "tills", "shop", "--password-file", "/nowhere")
                        .err())
                .contains("can't be read");
    }
}
