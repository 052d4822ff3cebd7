package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Whatever is wrong with a request: a clear 4xx problem, nothing changed, nothing of the inside shown. */
@Isolated("reads all that is logged in this JVM")
class BadInputIT {
    private static final String SECRET = "canary-s3cret-never-shown";
    private static final String ENDPOINT =
            "{\"id\":\"e\",\"uri\":\"redis://h:1\",\"tls\":false,\"credentials\":{\"username\":\"u\",\"password\":\"p\"},\"options\":{\"client_login\":\"endpoint\"},\"labels\":{\"a\":\"b\"}}";
    private static final String ENCRYPTED =
            "{\"id\":\"e\",\"uri\":\"postgresql://h/d?sslmode=verify-full\",\"options\":{}}";
    private static final String MIGRATION = """
            {"id":"m","description":"d","strategy":{"type":"canary","read_percentage":0.05,"consistency":"session","max_wait":"5ms",
            "stages":[{"read_percentage":0.1,"bake":"1m","gates":{"max_error_rate":0.1}}],
            "write_mode":{"mode":"dual_write","policy":"old_authoritative","ack":"source","write_percentage":0}},
            "data":{"type":"scan","mechanism":"auto","replace":"replace"},
            "gates":{"max_error_rate":0.1,"max_latency_ratio":2,"max_mismatch_rate":0,"min_samples":10,"max_lag_ms":100,"on_breach":"hold"},
            "failure_handling":"pause","cutover":{"deadline_ms":100,"max_attempts":3,"open_transactions":"cancel"},"validation":{"repair":false},"labels":{"a":"b"},
            "notify":{"receivers":["oncall"]}}""";

    private static TestServer eden;
    private static final ListAppender<ILoggingEvent> LOG = new ListAppender<>();

    @BeforeAll
    static void start() {
        LOG.start();
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).addAppender(LOG);
        eden = TestServer.start();
        create("redis://user:" + SECRET + "@127.0.0.1:1", "with_secret");
        create("redis://127.0.0.1:2", "t2");
        create("redis://127.0.0.1:3", "t3");
        assertThat(eden.post("/api/v1/migrations", MIGRATION.replace("\"m\"", "\"existing\""))
                        .status())
                .isEqualTo(201);
    }

    @AfterAll
    static void stop() throws Exception {
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).detachAppender(LOG);
        eden.close();
    }

    private static void create(String uri, String id) {
        TestServer.Answer answer = eden.post("/api/v1/endpoints", Json.write(java.util.Map.of("id", id, "uri", uri)));
        assertThat(answer.status()).as(answer.body()).isEqualTo(201);
        assertThat(answer.body()).doesNotContain(SECRET);
    }

    /** Path, method, body, pointer of the wrong field, value put there ({@code null}: the field is taken away). */
    static Stream<Arguments> wrongFields() {
        String e = "/api/v1/endpoints";
        String m = "/api/v1/migrations";
        return Stream.of(
                wrong(e, ENDPOINT, "/id", "1"),
                wrong(e, ENDPOINT, "/id", "\"a b\""),
                wrong(e, ENDPOINT, "/id", "null"),
                wrong(e, ENDPOINT, "/id", "\"\""),
                wrong(e, ENDPOINT, "/id", "\"" + "x".repeat(64) + "\""),
                wrong(e, ENDPOINT, "/uri", "\"http://h:1\""),
                wrong(e, ENDPOINT, "/uri", "\"redis://\""),
                wrong(e, ENDPOINT, "/uri", "\"redis://h:99999\""),
                wrong(e, ENDPOINT, "/uri", "\"redis://h:0\""),
                wrong(e, ENDPOINT, "/uri", "\"redis://h:1/3\""),
                wrong(e, ENDPOINT, "/uri", "\"redis://h:1?x=y\""),
                wrong(e, ENDPOINT, "/uri", "\"redis://u:" + SECRET + " x@h\""),
                wrong(e, ENDPOINT, "/uri", "7"),
                wrong(e, ENDPOINT, "/uri", "\"postgresql://h/a%00b\""),
                wrong(e, "{\"id\":\"e\",\"uri\":\"redis://h:1\"}", "/uri", "\"redis://u%00:p@h:1\""),
                wrong(e, "{\"id\":\"e\",\"uri\":\"redis://h:1\"}", "/uri", "\"redis://u:p%1b@h:1\""),
                wrong(e, "{\"id\":\"e\",\"uri\":\"postgresql://h/d?sslmode=disable\"}", "/tls", "true"),
                wrong(e, ENDPOINT, "/uri", null),
                wrong(e, ENDPOINT, "/tls", "\"yes\""),
                wrong(e, ENDPOINT, "/credentials", "\"" + SECRET + "\""),
                wrong(e, ENDPOINT, "/credentials/password", "1"),
                wrong(e, ENDPOINT, "/credentials/password", null),
                wrong(e, ENDPOINT, "/credentials/username", "{}"),
                wrong(e, ENDPOINT, "/credentials/passwort", "\"" + SECRET + "\""),
                wrong(e, ENDPOINT, "/labels", "[]"),
                wrong(e, ENDPOINT, "/labels", "{\"a\":1}"),
                wrong(e, ENDPOINT, "/url", "\"redis://h\""),
                wrong(m, MIGRATION, "/id", "\"1x\""),
                wrong(m, MIGRATION, "/description", "5"),
                wrong(m, MIGRATION, "/strategy", null),
                wrong(m, MIGRATION, "/strategy", "\"canary\""),
                wrong(m, MIGRATION, "/strategy/type", "\"rolling\""),
                wrong(m, MIGRATION, "/strategy/read_percentage", "1.5"),
                wrong(m, MIGRATION, "/strategy/read_percentage", "-0.1"),
                wrong(m, MIGRATION, "/strategy/read_percentage", "\"5%\""),
                wrong(m, MIGRATION, "/strategy/consistency", "\"eventual\""),
                wrong(m, MIGRATION, "/strategy/max_wait", "\"5 parsecs\""),
                wrong(m, MIGRATION, "/strategy/stages", "{}"),
                wrong(m, MIGRATION, "/strategy/stages/0/read_percentage", "2"),
                wrong(m, MIGRATION, "/strategy/stages/0/bake", "\"soon\""),
                wrong(m, MIGRATION, "/strategy/stages/0/bake", "\"500ms\""),
                wrong(m, MIGRATION, "/strategy/stages/0/gates", "[]"),
                wrong(m, MIGRATION, "/strategy/stages/0/gates/max_lag_ms", "100"),
                wrong(m, MIGRATION, "/strategy/stages/0/gates/max_error_rate", "2"),
                wrong(m, MIGRATION, "/strategy/write_mode/mode", "\"both\""),
                wrong(m, MIGRATION, "/strategy/write_mode/mode", "\"cutover\""),
                wrong(m, MIGRATION, "/strategy/write_mode/policy", "\"new_authoritative\""),
                wrong(m, MIGRATION, "/strategy/write_mode/ack", "\"none\""),
                wrong(m, MIGRATION, "/strategy/write_mode/write_percentage", "0.5"),
                wrong(m, MIGRATION, "/strategy/write_mode/write_percentage", "1"),
                wrong(m, MIGRATION, "/data/type", "\"all\""),
                wrong(m, MIGRATION, "/data/type", "\"dms\""),
                wrong(m, MIGRATION, "/data/replace", "\"maybe\""),
                wrong(m, MIGRATION, "/data/mechanism", "\"dirty_keys\""),
                wrong(m, MIGRATION, "/data/replace", "true"),
                wrong(m, MIGRATION, "/gates/max_error_rate", "\"low\""),
                wrong(m, MIGRATION, "/gates/max_latency_ratio", "-1"),
                wrong(m, MIGRATION, "/gates/max_mismatch_rate", "2"),
                wrong(m, MIGRATION, "/gates/min_samples", "0.5"),
                wrong(m, MIGRATION, "/gates/max_lag_ms", "0"),
                wrong(m, MIGRATION, "/gates/on_breach", "\"panic\""),
                wrong(m, MIGRATION, "/failure_handling", "\"ignore\""),
                wrong(m, MIGRATION, "/cutover/deadline_ms", "1"),
                wrong(m, MIGRATION, "/cutover/max_attempts", "1e3"),
                wrong(m, MIGRATION, "/cutover/open_transactions", "\"kill\""),
                wrong(m, MIGRATION, "/validation/repair", "\"no\""),
                wrong(m, MIGRATION, "/validation/skip", "true"),
                wrong(m, MIGRATION, "/notify/url", "\"http://u/\""),
                wrong(m, MIGRATION, "/notify/receivers", "\"oncall\""),
                wrong(m, MIGRATION, "/notify/on", "[]"),
                wrong(m, MIGRATION, "/dns", "{\"zone\":\"z\"}"),
                wrong(m, MIGRATION, "/labels", "\"a=b\""),
                wrong(m, MIGRATION, "/strategi", "{}"),
                wrong("/api/v1/endpoints", ENDPOINT, "/options/client_login", "\"root\""),
                wrong("/api/v1/endpoints", ENDPOINT, "/options/client_logins", "\"endpoint\""),
                wrong(
                        "/api/v1/endpoints",
                        "{\"id\":\"e\",\"uri\":\"redis://h:1\",\"options\":{}}",
                        "/options/client_login",
                        "\"endpoint\""),
                wrong("/api/v1/endpoints", ENCRYPTED, "/options/link_tls", "\"verify\""),
                wrong("/api/v1/endpoints", ENCRYPTED, "/options/link_ca_file", "\"ca.pem\""),
                wrong("/api/v1/endpoints", ENCRYPTED, "/options/link_ca_file", "\"/etc/ssl\\nuser=root\""),
                wrong("/api/v1/endpoints", ENCRYPTED, "/options/link_ca_file", "7"),
                wrong(
                        "/api/v1/endpoints",
                        ENCRYPTED.replace("{}", "{\"link_tls\":\"system\"}"),
                        "/options/link_ca_file",
                        "\"/ca.pem\""),
                wrong(
                        "/api/v1/endpoints",
                        ENCRYPTED.replace("?sslmode=verify-full", ""),
                        "/options/link_tls",
                        "\"require\""),
                wrong(
                        "/api/v1/endpoints",
                        "{\"id\":\"e\",\"uri\":\"rediss://h:1\",\"options\":{}}",
                        "/options/link_tls",
                        "\"system\""),
                wrong("/api/v1/interlays", "{\"id\":\"i\",\"endpoint\":\"t2\"}", "/endpoint", "1"),
                wrong("/api/v1/interlays", "{\"id\":\"i\",\"endpoint\":\"t2\"}", "/id", null),
                wrong("/api/v1/interlays", "{\"id\":\"i\",\"endpoint\":\"t2\"}", "/listen", "\"6379\""),
                wrong("/api/v1/interlays", "{\"id\":\"i\",\"endpoint\":\"t2\"}", "/pool", "0"),
                wrong("/api/v1/interlays", "{\"id\":\"i\",\"endpoint\":\"t2\"}", "/tls", "1"),
                wrong("/api/v1/interlays", "{\"id\":\"i\",\"endpoint\":\"t2\"}", "/pooling", "\"statement\""),
                wrong("/api/v1/interlays", "{\"id\":\"i\",\"endpoint\":\"t2\"}", "/pooling", "\"session\""),
                wrong(m + "/existing/interlay/redis_interlay", "{\"endpoint\":\"t2\"}", "/endpoint", "[]"),
                wrong(m + "/existing/interlay/redis_interlay", "{\"endpoint\":\"t2\"}", "/endpoint", null),
                wrong(m + "/existing/migrate", "{\"reason\":\"r\"}", "/reason", "1"),
                wrong(m + "/existing/pause", "{\"reason\":\"r\"}", "/because", "\"x\""),
                wrong("/api/v1/tokens", "{\"role\":\"viewer\",\"label\":\"l\"}", "/role", "\"root\""),
                wrong("/api/v1/tokens", "{\"role\":\"viewer\",\"label\":\"l\"}", "/label", null),
                wrong("/api/v1/tokens", "{\"role\":\"viewer\",\"label\":\"l\"}", "/lifetime", "\"ever\""));
    }

    private static Arguments wrong(
            String path, String body, String pointer, @org.jspecify.annotations.Nullable String value) {
        return Arguments.of(path, body, pointer, value);
    }

    @ParameterizedTest(name = "{0} {2} = {3}")
    @MethodSource("wrongFields")
    void oneWrongFieldIsNamed(
            String path, String body, String pointer, @org.jspecify.annotations.Nullable String value) {
        String before = everything();
        JsonNode tree = Json.tree(body);
        int slash = pointer.lastIndexOf('/');
        ObjectNode parent = (ObjectNode) tree.at(pointer.substring(0, slash));
        String name = pointer.substring(slash + 1);
        if (value == null) {
            parent.remove(name);
        } else {
            parent.set(name, Json.tree(value));
        }

        TestServer.Answer answer = eden.post(path, tree.toString());

        assertProblem(answer, 422, "invalid-fields");
        assertThat(answer.json().path("errors").findValuesAsText("pointer"))
                .as(answer.body())
                .contains(pointer);
        assertThat(everything()).isEqualTo(before);
    }

    @Test
    void theBodiesTheFieldsWereTakenFromAreRight() {
        assertThat(eden.post("/api/v1/endpoints", ENDPOINT).status()).isEqualTo(201);
        assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/endpoints/e", null)
                        .status())
                .isEqualTo(204);
        assertThat(eden.post("/api/v1/migrations", MIGRATION).status()).isEqualTo(201);
        assertThat(eden.get("/api/v1/migrations/m").json().path("validation"))
                .isEqualTo(Json.tree("{\"repair\":false}"));
        assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/migrations/m", null)
                        .status())
                .isEqualTo(204);
    }

    /** Whether a gate is one of this engine is known with the first interlay. */
    @Test
    void aGateThatNothingWouldEverBreachIsRefused() {
        String before = everything();
        TestServer.Answer refused =
                eden.post("/api/v1/migrations/existing/interlay/" + redisInterlay(), "{\"endpoint\":\"t3\"}");
        assertProblem(refused, 422, "engine-mismatch");
        assertThat(refused.json().path("detail").asText()).contains("max_mismatch_rate", "is for postgres");
        assertThat(everything()).isEqualTo(before);
    }

    private static String redisInterlay() {
        for (JsonNode interlay : eden.get("/api/v1/interlays").json().path("interlays")) {
            if (interlay.path("endpoint").asText().equals("with_secret")) {
                return interlay.path("id").asText();
            }
        }
        throw new AssertionError("nothing stands in front of with_secret");
    }

    @Test
    void whatIsNoJsonIsRefused() {
        for (String body : List.of(
                "",
                "{",
                "[]",
                "null",
                "\"x\"",
                "{\"id\":\"a\"} x",
                "{\"id\":\"a\",\"id\":\"b\"}",
                "{'id':1}",
                "\u0000",
                "{\"a\":".repeat(100) + "1" + "}".repeat(100))) {
            assertProblem(eden.post("/api/v1/endpoints", body), 400, "malformed-json");
        }
        assertProblem(
                eden.post("/api/v1/endpoints", "{\"id\":\"" + "x".repeat(1 << 20) + "\"}"), 413, "body-too-large");
        assertProblem(
                eden.send(TestServer.TOKEN, "POST", "/api/v1/endpoints", "id=a", "Content-Type", "text/plain"),
                415,
                "unsupported-media-type");
    }

    @Test
    void pathsMethodsAndIdsThatDoNotExist() {
        assertProblem(eden.get("/api/v1/nothing"), 404, "path-not-found");
        assertProblem(eden.get("/"), 404, "path-not-found");
        assertProblem(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/endpoints", null), 405, "method-not-allowed");
        assertProblem(eden.get("/api/v1/endpoints/nope"), 404, "endpoint-not-found");
        assertProblem(eden.post("/api/v1/endpoints/nope/check", null), 404, "endpoint-not-found");
        assertProblem(
                eden.send(TestServer.TOKEN, "PUT", "/api/v1/endpoints/nope", ENDPOINT), 404, "endpoint-not-found");
        assertProblem(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/endpoints/nope", null), 404, "endpoint-not-found");
        assertProblem(eden.get("/api/v1/interlays/nope"), 404, "interlay-not-found");
        assertProblem(eden.get("/api/v1/interlays/nope/traffic"), 404, "interlay-not-found");
        for (String path : List.of("", "/status", "/plan", "/events", "/validation")) {
            assertProblem(eden.get("/api/v1/migrations/nope" + path), 404, "migration-not-found");
        }
        for (String command :
                List.of("migrate", "advance", "pause", "resume", "abort", "cutover", "rollback", "finalize")) {
            assertProblem(eden.post("/api/v1/migrations/nope/" + command, null), 404, "migration-not-found");
        }
        assertProblem(eden.post("/api/v1/migrations/existing/explode", null), 404, "path-not-found");
        assertProblem(
                eden.post("/api/v1/migrations/existing/interlay/nope", "{\"endpoint\":\"t2\"}"),
                404,
                "interlay-not-found");
        assertProblem(
                eden.post("/api/v1/migrations/existing/interlay/redis_interlay", "{\"endpoint\":\"nope\"}"),
                404,
                "endpoint-not-found");
        assertProblem(eden.get("/api/v1/migrations/existing/validation"), 404, "validation-not-found");
        assertProblem(eden.post("/api/v1/receivers/nope/test", null), 404, "receiver-not-found");
        assertProblem(eden.get("/api/v1/migrations?limit=x"), 400, "invalid-parameter");
        assertProblem(eden.get("/api/v1/migrations/existing/events?after=x"), 400, "invalid-parameter");
        assertProblem(
                eden.send(TestServer.TOKEN, "GET", "/api/v1/endpoints", null, "Accept", "image/png"),
                406,
                "not-acceptable");
        assertThat(eden.get("/%2e%2e/x").status()).isBetween(400, 499);
    }

    @Test
    void unknownQueryParametersAreRefusedNamingTheKnownOnes() {
        String stream = "text/event-stream";
        refusesParameter(eden.get("/api/v1/migrations?phse=canary"), "phse", "known here: after, label, limit, phase");
        refusesParameter(eden.get("/migrations?phase=canary&page=2"), "page", "known here: after, label, limit, phase");
        refusesParameter(eden.get("/api/v1/migrations/existing/status?x"), "x", "takes none");
        refusesParameter(eden.get("/migrations/existing/status?verbose=1"), "verbose", "takes none");
        refusesParameter(eden.get("/api/v1/tokens?%20%F0%9F%92%A5=1"), "?", "");
        refusesParameter(eden.post("/api/v1/migrations/existing/pause?reason=x", null), "reason", "takes none");
        refusesParameter(eden.patch("/api/v1/migrations/existing?dry_run=true", "{}"), "dry_run", "takes none");
        refusesParameter(eden.get("/api/v1/migrations/existing/events?since=1"), "since", "known here: after, limit");
        refusesParameter(
                eden.send(TestServer.TOKEN, "GET", "/migrations/existing/events?limit=1", null, "Accept", stream),
                "limit",
                "known here: after");
        refusesParameter(
                eden.send(TestServer.TOKEN, "DELETE", "/api/v1/proxies/a:b?reason=x&forced=true", null),
                "forced",
                "known here: force, reason");
        assertThat(eden.get("/api/v1/migrations?phase=canary&limit=1&label=a=b&after=x")
                        .status())
                .isEqualTo(200);
        assertThat(eden.get("/api/v1/endpoints?").status()).isEqualTo(200);
        assertThat(eden.get("/api/v1/endpoints?%ff=1").status()).isEqualTo(400);
        assertThat(eden.send(TestServer.TOKEN, "HEAD", "/api/v1/endpoints?x=1", null)
                        .status())
                .isEqualTo(400);
        assertProblem(eden.send(null, "GET", "/api/v1/endpoints?x=1", null), 401, "unauthenticated");
    }

    private static void refusesParameter(TestServer.Answer answer, String name, String known) {
        assertProblem(answer, 400, "bad-request");
        assertThat(answer.json().path("detail").asText())
                .startsWith("there is no query parameter " + name)
                .contains(known);
    }

    @Test
    void commandsBeforeTheStart() {
        for (String command : List.of("advance", "pause", "resume", "abort", "cutover", "rollback", "finalize")) {
            assertProblem(eden.post("/api/v1/migrations/existing/" + command, null), 409, "migration-not-started");
        }
        String emptied = "{\"empty_target\":true}";
        assertProblem(eden.post("/api/v1/migrations/existing/abort", emptied), 409, "migration-not-started");
        assertProblem(eden.post("/api/v1/migrations/existing/cutover", emptied), 422, "invalid-fields");
        assertProblem(
                eden.post("/api/v1/migrations/existing/rollback", "{\"phase\":\"baking\"}"),
                409,
                "migration-not-started");
        assertProblem(
                eden.post("/api/v1/migrations/existing/rollback", "{\"phase\":\"flipped\"}"), 422, "invalid-fields");
        assertProblem(
                eden.post("/api/v1/migrations/existing/migrate", "{\"phase\":\"created\"}"), 422, "invalid-fields");
        assertProblem(eden.post("/api/v1/migrations/existing/migrate", null), 409, "migration-without-interlay");
        assertProblem(eden.get("/api/v1/migrations/existing/plan"), 409, "migration-without-interlay");
        TestServer.Answer cutover = eden.patch(
                "/api/v1/migrations/existing",
                "{\"strategy\":{\"type\":\"canary\",\"read_percentage\":1.0,\"write_mode\":{\"mode\":\"cutover\",\"write_percentage\":1.0}}}");
        assertProblem(cutover, 409, "command-refused");
        assertThat(cutover.json().path("blockers")).hasSize(1);
        TestServer.Answer split = eden.patch(
                "/api/v1/migrations/existing",
                "{\"strategy\":{\"type\":\"canary\",\"write_mode\":{\"mode\":\"cutover\",\"write_percentage\":0.3}}}");
        assertProblem(split, 422, "invalid-fields");
        assertThat(split.body()).contains("split brain");
        assertThat(eden.patch("/api/v1/migrations/existing", "{\"strategy\":{\"read_percentage\":0.2}}")
                        .json()
                        .at("/strategy/read_percentage")
                        .asDouble())
                .isEqualTo(0.2);
    }

    @Test
    void anEndpointIsInOneMigrationAtATime() {
        for (String id : List.of("one", "two")) {
            assertThat(eden.post(
                                    "/api/v1/migrations",
                                    MIGRATION
                                            .replace("\"m\"", "\"" + id + "\"")
                                            .replace("\"max_mismatch_rate\":0,", "")
                                            .replace(",\"open_transactions\":\"cancel\"", ""))
                            .status())
                    .isEqualTo(201);
        }
        assertThat(eden.post("/api/v1/interlays", "{\"id\":\"front3\",\"endpoint\":\"t3\"}")
                        .status())
                .isEqualTo(201);
        assertThat(eden.post("/api/v1/migrations/one/interlay/redis_interlay", "{\"endpoint\":\"t2\"}")
                        .status())
                .isEqualTo(200);
        assertThat(eden.post("/api/v1/migrations/one/interlay/redis_interlay", "{\"endpoint\":\"t2\"}")
                        .status())
                .as("the same again changes nothing")
                .isEqualTo(200);
        assertProblem(
                eden.post("/api/v1/migrations/two/interlay/front3", "{\"endpoint\":\"t2\"}"),
                409,
                "endpoint-in-migration");
        assertProblem(
                eden.post("/api/v1/migrations/two/interlay/redis_interlay", "{\"endpoint\":\"t3\"}"),
                409,
                "endpoint-in-migration");
        assertProblem(
                eden.post("/api/v1/migrations/one/interlay/front3", "{\"endpoint\":\"with_secret\"}"),
                409,
                "migration-sides-differ");
        assertProblem(
                eden.post("/api/v1/migrations/one/interlay/redis_interlay", "{\"endpoint\":\"with_secret\"}"),
                409,
                "migration-sides-differ");
        assertProblem(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/endpoints/t2", null), 409, "endpoint-in-use");
        assertProblem(
                eden.send(TestServer.TOKEN, "PUT", "/api/v1/endpoints/t2", "{\"uri\":\"redis://elsewhere:2\"}"),
                409,
                "endpoint-in-use");
        assertProblem(
                eden.send(TestServer.TOKEN, "DELETE", "/api/v1/interlays/redis_interlay", null),
                409,
                "interlay-in-use");

        eden.activities.findings.set(
                List.of(new Finding("redis.target.not-empty", "failure", "it has keys", "empty it")));
        TestServer.Answer refused = eden.post("/api/v1/migrations/one/migrate", null);
        assertProblem(refused, 409, "preflight-refused");
        assertThat(refused.json().at("/findings/0/id").asText()).isEqualTo("redis.target.not-empty");
        assertThat(eden.get("/api/v1/migrations/one/plan")
                        .json()
                        .path("startable")
                        .asBoolean())
                .isFalse();
        eden.activities.findings.set(List.of());
        JsonNode plan = eden.get("/api/v1/migrations/one/plan").json();
        assertThat(plan.path("startable").asBoolean()).isTrue();
        assertThat(plan.path("steps").size()).isGreaterThan(5);

        for (String id : List.of("one", "two")) {
            assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/migrations/" + id, null)
                            .status())
                    .isEqualTo(204);
        }
        assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/interlays/front3", null)
                        .status())
                .isEqualTo(204);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"data\":{\"type\":\"logical\"}",
                "\"data\":{\"type\":\"none\"}",
                "\"cutover\":{\"open_transactions\":\"cancel\"}"
            })
    void whatIsOfTheOtherEngineIsRefused(String asked) {
        String other = "{\"id\":\"other\",\"strategy\":{\"type\":\"blue_green\"}," + asked + "}";
        TestServer.Answer created = eden.post("/api/v1/migrations", other);
        assertThat(created.status()).as(created.body()).isEqualTo(201);
        assertThat(created.json().at("/validation/repair").asBoolean()).isTrue();
        assertProblem(
                eden.post("/api/v1/migrations/other/interlay/redis_interlay", "{\"endpoint\":\"t2\"}"),
                422,
                "engine-mismatch");
        assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/migrations/other", null)
                        .status())
                .isEqualTo(204);
        assertProblem(eden.get("/api/v1/migrations?phase=nowhere"), 400, "invalid-parameter");
    }

    @Test
    void aSecretIsNowhere() {
        StringBuilder all = new StringBuilder(everything());
        all.append(eden.post("/api/v1/endpoints/with_secret/check", null).body());
        all.append(eden.get("/api/v1/endpoints/with_secret").body());
        all.append(eden.send(
                        TestServer.TOKEN,
                        "PUT",
                        "/api/v1/endpoints/with_secret",
                        "{\"uri\":\"redis://127.0.0.1:1\",\"credentials\":{\"username\":\"u2\",\"password\":\"" + SECRET
                                + "\"}}")
                .body());
        all.append(eden.admin("/metrics").body()).append(eden.admin("/health").body());
        assertThat(eden.get("/api/v1/endpoints/with_secret")
                        .json()
                        .path("has_credentials")
                        .asBoolean())
                .isTrue();
        assertThat(all.toString()).doesNotContain(SECRET).doesNotContain(TestServer.TOKEN);
        assertThat(List.copyOf(LOG.list))
                .extracting(event -> event.getFormattedMessage() + event.getKeyValuePairs())
                .noneMatch(line -> line.contains(SECRET) || line.contains(TestServer.TOKEN));
    }

    private static void assertProblem(TestServer.Answer answer, int status, String slug) {
        assertThat(answer.status()).as(answer.body()).isEqualTo(status);
        assertThat(answer.raw().headers().firstValue("content-type")).hasValue("application/problem+json");
        JsonNode problem = answer.json();
        assertThat(problem.path("type").asText()).isEqualTo("urn:eden:problem:" + slug);
        assertThat(problem.path("status").asInt()).isEqualTo(status);
        assertThat(problem.path("title").asText()).isNotEmpty();
        assertThat(problem.path("detail").asText()).isNotEmpty();
        assertThat(answer.body())
                .doesNotContain(SECRET)
                .doesNotContainIgnoringCase("exception")
                .doesNotContain("dev.eden")
                .doesNotContainIgnoringCase("select ")
                .doesNotContainIgnoringCase("insert ");
    }

    /** All that REST and the store can show. */
    private static String everything() {
        return eden.get("/api/v1/endpoints").body()
                + eden.get("/api/v1/interlays").body()
                + eden.get("/api/v1/migrations").body()
                + eden.get("/api/v1/tokens").body()
                + eden.table("audit_log");
    }
}
