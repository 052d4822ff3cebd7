package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.cli.FakeTerminal;
import dev.eden.api.json.Json;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** All lists of the API page the same way, and the command line shows all of them. */
class ListsIT {
    private static final int MANY = 1_100;

    private static TestServer eden;
    private static Jdbi store;

    @TempDir
    private Path home;

    @BeforeAll
    static void start() {
        eden = TestServer.start();
        store = Jdbi.create(eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
        for (int i = 1; i <= 4; i++) {
            made(eden.post("/api/v1/endpoints", "{\"id\":\"e" + i + "\",\"uri\":\"redis://127.0.0.1:" + i + "\"}"));
            made(eden.post("/api/v1/interlays", "{\"id\":\"i" + i + "\",\"endpoint\":\"e1\"}"));
            made(eden.post("/api/v1/migrations", "{\"id\":\"m" + i + "\",\"strategy\":{\"type\":\"canary\"}}"));
            String share = "{\"strategy\":{\"read_percentage\":0." + i + "}}";
            assertThat(eden.send(TestServer.TOKEN, "PATCH", "/api/v1/migrations/m1", share)
                            .status())
                    .isEqualTo(200);
            made(eden.post("/api/v1/tokens", "{\"role\":\"viewer\",\"label\":\"t" + i + "\"}"));
        }
        // One interlay with several, several with one of the same name.
        store.useHandle(handle -> handle.execute("""
                INSERT INTO proxy (name, interlay, incarnation, listen, version)
                SELECT name, interlay, 'x', '127.0.0.1:1', '0' FROM (VALUES ('p', 'i1'), ('q', 'i1'), ('p', 'i2')) AS p (name, interlay)
                ON CONFLICT DO NOTHING"""));
    }

    private static void made(TestServer.Answer answer) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(201);
    }

    @AfterAll
    static void stop() throws Exception {
        eden.close();
    }

    @ParameterizedTest
    @CsvSource({
        "endpoints, /endpoints",
        "interlays, /interlays",
        "proxies, /proxies",
        "tokens, /tokens",
        "migrations, /migrations",
        "events, /migrations/m1/events",
        "entries, /audit"
    })
    void pagesTogetherAreTheWholeList(String member, String path) {
        JsonNode whole = eden.get("/api/v1" + path).json();
        int size = whole.path(member).size();
        assertThat(size).isGreaterThan(2);
        assertThat(whole.path("next").isNull()).isTrue();
        for (int limit = 1; limit <= size + 1; limit++) {
            List<String> found = new ArrayList<>();
            String after = "";
            int pages = 0;
            while (true) {
                JsonNode page =
                        eden.get("/api/v1" + path + "?limit=" + limit + after).json();
                pages++;
                page.path(member).forEach(one -> found.add(one.path("id").asText()));
                assertThat(page.path(member).size()).isBetween(1, limit);
                if (page.path("next").isNull()) {
                    break;
                }
                after = "&after=" + URLEncoder.encode(page.path("next").asText(), StandardCharsets.UTF_8);
            }
            assertThat(found).as("pages of " + limit).containsExactlyElementsOf(ids(whole, member));
            assertThat(pages).as("no empty page at the end").isEqualTo((size + limit - 1) / limit);
        }
        for (String wrong : List.of("limit=0", "limit=1001", "limit=x")) {
            TestServer.Answer answer = eden.get("/api/v1" + path + "?" + wrong);
            assertThat(answer.status()).as(wrong).isEqualTo(400);
            assertThat(answer.json().path("type").asText()).endsWith("invalid-parameter");
        }
    }

    @Test
    void theAuditLogIsFilteredBySubjectOrItsKind() {
        JsonNode tokens = eden.get("/api/v1/audit?subject=token/").json().path("entries");
        assertThat(tokens.findValuesAsText("subject"))
                .hasSizeGreaterThan(3)
                .allMatch(subject -> subject.startsWith("token/"));
        JsonNode one = eden.get("/api/v1/audit?subject=endpoint/e1").json().path("entries");
        assertThat(one.findValuesAsText("event")).containsExactly("endpoint.created");
        assertThat(one.at("/0/actor").asText()).isEqualTo("environment");
        assertThat(eden.get("/api/v1/audit?subject=endpoint").json().path("entries"))
                .isEmpty();
        assertThat(eden.get("/api/v1/audit?after=x").status()).isEqualTo(400);
        String operator = eden.post("/api/v1/tokens", "{\"role\":\"operator\",\"label\":\"o\"}")
                .json()
                .path("secret")
                .asText();
        assertThat(eden.send(operator, "GET", "/api/v1/audit", null).status()).isEqualTo(403);
    }

    @Test
    void aTokenThatIsNoneIsNoPlaceInTheList() {
        TestServer.Answer answer = eden.get("/api/v1/tokens?after=x");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.json().at("/errors/0/pointer").asText()).isEqualTo("after");
    }

    @Test
    void theCommandLineFetchesAllPages() {
        store.useHandle(handle -> handle.execute("""
                INSERT INTO token (hash, role, label) SELECT sha256(convert_to('many ' || i, 'UTF8')), 'viewer', 'many' FROM generate_series(1, ?) i""", MANY));
        FakeTerminal shell = new FakeTerminal(home)
                .with("EDEN_URL", "http://127.0.0.1:" + eden.server.apiPort())
                .with("EDEN_TOKEN", TestServer.TOKEN);
        JsonNode all = Json.tree(shell.run("token", "list", "--json").out());
        assertThat(all.path("tokens").findValuesAsText("label"))
                .filteredOn("many"::equals)
                .hasSize(MANY);
        assertThat(all.path("tokens").findValuesAsText("id")).doesNotHaveDuplicates();
        assertThat(all.path("next").isNull()).isTrue();
        store.useHandle(handle -> handle.execute("DELETE FROM token WHERE label = 'many'"));
        assertThat(ids(Json.tree(shell.run("migration", "list", "--json").out()), "migrations"))
                .containsExactly("m1", "m2", "m3", "m4");
        assertThat(ids(
                        Json.tree(shell.run("migration", "list", "--json", "--after", "m1", "--limit", "2")
                                .out()),
                        "migrations"))
                .containsExactly("m2", "m3");
        assertThat(shell.run("migration", "list", "--limit", "2").lastLine())
                .isEqualTo("next: eden migration list --limit 2 --after m2");
        assertThat(shell.run("migration", "list", "--phase", "created", "--limit", "1")
                        .lastLine())
                .as("what was asked for is asked for again")
                .isEqualTo("next: eden migration list --phase created --limit 1 --after m1");
    }

    private static List<String> ids(JsonNode list, String member) {
        List<String> ids = new ArrayList<>();
        list.path(member).forEach(one -> ids.add(one.path("id").asText()));
        return ids;
    }
}
