package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.config.Networks;
import dev.eden.api.json.Json;
import dev.eden.api.rest.Security;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** How long a token lives, how much it may ask, and what every answer carries. */
class LimitsIT {
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
    void aTokenEndsByItself() {
        JsonNode made = eden.post("/api/v1/tokens", "{\"role\":\"viewer\",\"label\":\"short\",\"lifetime\":\"1s\"}")
                .json();
        assertThat(made.at("/token/expires_at").asText())
                .isGreaterThan(made.at("/token/created_at").asText());
        String secret = made.path("secret").asText();
        await().untilAsserted(() -> assertThat(
                        eden.send(secret, "GET", "/api/v1/interlays", null).status())
                .isEqualTo(401));
        JsonNode listed = eden.get("/api/v1/tokens").json().path("tokens");
        assertThat(listed.findValuesAsText("label"))
                .as("an expired one is still listed")
                .contains("short");
    }

    @Test
    void answersCarryTheirHeadersWhateverTheyAre() {
        for (TestServer.Answer answer : List.of(
                eden.get("/api/v1/endpoints"),
                eden.get("/api/v1/endpoints/nope"),
                eden.get("/nothing"),
                eden.send(null, "GET", "/api/v1/endpoints", null),
                eden.get("/api/v1/endpoints?x=" + "y".repeat(20_000)))) {
            var headers = answer.raw().headers();
            assertThat(headers.firstValue("x-content-type-options")).hasValue("nosniff");
            assertThat(headers.firstValue("cache-control")).hasValue("no-store");
            assertThat(headers.firstValue("content-security-policy").orElse("")).contains("default-src 'none'");
            assertThat(headers.firstValue("server"))
                    .as("says nothing of itself")
                    .isEmpty();
            assertThat(headers.firstValue("strict-transport-security"))
                    .as("without TLS")
                    .isEmpty();
        }
    }

    /** Else a client sends its next request into a connection that is about to be closed. */
    @Test
    void anAnswerThatEndsTheConnectionSaysSo() throws IOException {
        assertThat(raw("POST /api/v1/endpoints HTTP/1.1\r\nHost: eden\r\nContent-Length: 9\r\n\r\n"))
                .as("refused before its body came")
                .startsWith("HTTP/1.1 401")
                .containsIgnoringCase("connection: close");
        assertThat(raw("GET /api/v1/endpoints/%00 HTTP/1.1\r\nHost: eden\r\n\r\n"))
                .as("not understood")
                .startsWith("HTTP/1.1 400")
                .containsIgnoringCase("connection: close");
    }

    /** What the server answers until it closes. */
    private static String raw(String request) throws IOException {
        URI uri = eden.uri("/");
        try (Socket socket = new Socket(uri.getHost(), uri.getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void whatIsTooLargeIsRefusedByName() {
        TestServer.Answer longUri = eden.get("/api/v1/endpoints?x=" + "y".repeat(20_000));
        assertThat(longUri.status()).isEqualTo(414);
        assertThat(longUri.body()).contains("urn:eden:problem:uri-too-long");
        TestServer.Answer headers =
                eden.send(TestServer.TOKEN, "GET", "/api/v1/endpoints", null, "X-Large", "y".repeat(10_000));
        assertThat(headers.status()).isEqualTo(431);
        assertThat(headers.body()).contains("urn:eden:problem:headers-too-large");
    }

    @Test
    void aTokenThatAsksTooOftenWaits() throws Exception {
        try (EdenServer limited = second(new Security.Limits(1, 5, 100))) {
            HttpResponse<String> refused = null;
            for (int i = 0; i < 20 && refused == null; i++) {
                HttpResponse<String> answer = ask(limited);
                refused = answer.statusCode() == 429 ? answer : null;
            }
            assertThat(refused).isNotNull();
            Objects.requireNonNull(refused);
            assertThat(refused.headers().firstValueAsLong("retry-after")).hasValue(1);
            assertThat(Json.tree(refused.body()).path("type").asText()).isEqualTo("urn:eden:problem:too-many-requests");
            await().untilAsserted(() -> assertThat(ask(limited).statusCode()).isEqualTo(200));
        }
    }

    @Test
    void aFullServerSaysSo() throws Exception {
        try (EdenServer full = second(new Security.Limits(100, 100, 0))) {
            HttpResponse<String> answer = ask(full);
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.body()).contains("urn:eden:problem:server-busy");
            assertThat(answer.headers().firstValueAsLong("retry-after")).hasValue(1);
        }
        try (EdenServer narrow = second(new Security.Limits(100, 100, 1))) {
            for (int i = 0; i < 3; i++) {
                assertThat(ask(narrow).statusCode()).as("places are given back").isEqualTo(200);
            }
        }
    }

    /** The store may be gone when the answer is there: the answer counts, and no place is lost. */
    @Test
    void anAnswerThatCanNotBeKeptIsGivenAll() throws Exception {
        try (var connection = DriverManager.getConnection(
                        eden.postgres.jdbcUrl(), eden.postgres.user(), eden.postgres.password());
                var statement = connection.createStatement();
                EdenServer narrow = second(new Security.Limits(100, 100, 1))) {
            statement.execute("CREATE FUNCTION nothing_is_kept() RETURNS trigger LANGUAGE plpgsql AS"
                    + " $$ BEGIN RAISE EXCEPTION 'not now'; END $$;"
                    + "CREATE TRIGGER nothing_is_kept BEFORE UPDATE OF status OR DELETE ON idempotency"
                    + " FOR EACH ROW EXECUTE FUNCTION nothing_is_kept()");
            try {
                for (int i = 0; i < 3; i++) {
                    HttpResponse<String> made = keyed(narrow, "unkept_" + i);
                    assertThat(made.statusCode()).as(made.body()).isEqualTo(201);
                    assertThat(ask(narrow).statusCode()).as("its place is free").isEqualTo(200);
                }
            } finally {
                statement.execute("DROP FUNCTION nothing_is_kept CASCADE");
            }
        }
    }

    private static HttpResponse<String> keyed(EdenServer server, String key) throws Exception {
        return eden.http()
                .send(
                        HttpRequest.newBuilder(
                                        URI.create("http://127.0.0.1:" + server.apiPort() + "/api/v1/migrations"))
                                .header("Authorization", "Bearer " + TestServer.TOKEN)
                                .header("Content-Type", "application/json")
                                .header("Idempotency-Key", key)
                                .POST(HttpRequest.BodyPublishers.ofString("{\"id\":\"" + key
                                        + "\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0.1}}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void aStreamEndsWithItsToken() throws Exception {
        assertThat(eden.post(
                                "/api/v1/migrations",
                                "{\"id\":\"followed\",\"strategy\":{\"type\":\"canary\",\"read_percentage\":0.1}}")
                        .status())
                .isEqualTo(201);
        JsonNode made = eden.post("/api/v1/tokens", "{\"role\":\"viewer\",\"label\":\"follows\"}")
                .json();
        HttpResponse<Stream<String>> stream = eden.http()
                .send(
                        HttpRequest.newBuilder(eden.uri("/api/v1/migrations/followed/events"))
                                .header(
                                        "Authorization",
                                        "Bearer " + made.path("secret").asText())
                                .header("Accept", "text/event-stream")
                                .build(),
                        HttpResponse.BodyHandlers.ofLines());
        assertThat(stream.statusCode()).isEqualTo(200);
        CompletableFuture<List<String>> read =
                CompletableFuture.supplyAsync(() -> stream.body().toList());
        assertThat(eden.send(
                                TestServer.TOKEN,
                                "DELETE",
                                "/api/v1/tokens/" + made.at("/token/id").asText(),
                                null)
                        .status())
                .isEqualTo(204);
        assertThat(read.get(30, TimeUnit.SECONDS)).doesNotContain("event: end");
    }

    /** Whoever is named by a balancer is not shut out with another. */
    @Test
    void failedLoginsAreCountedByClientBehindATrustedBalancer() throws Exception {
        try (EdenServer behind = EdenServer.start(
                eden.options(0, 0).withTrustedProxies(Networks.parse("127.0.0.0/8")), eden.activities::open)) {
            for (int i = 0; i < 20; i++) {
                assertThat(wrong(behind, "198.51.100." + i + ", 203.0.113.9")).isEqualTo(401);
            }
            assertThat(wrong(behind, "203.0.113.9")).isEqualTo(429);
            assertThat(wrong(behind, "203.0.113.10")).as("another client").isEqualTo(401);
            assertThat(ask(behind).statusCode()).as("the balancer itself").isEqualTo(200);
        }
        try (EdenServer open = second(new Security.Limits(100, 100, 100))) {
            for (int i = 0; i < 20; i++) {
                assertThat(wrong(open, "203.0.113." + i)).isEqualTo(401);
            }
            assertThat(wrong(open, "203.0.113.99")).as("nobody is believed").isEqualTo(429);
        }
    }

    private static int wrong(EdenServer server, String forwarded) throws Exception {
        return eden.http()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.apiPort() + "/api/v1/endpoints"))
                                .header("Authorization", "Bearer wrong")
                                .header("X-Forwarded-For", forwarded)
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    private static EdenServer second(Security.Limits limits) {
        return EdenServer.start(eden.options(0, 0).withLimits(limits), eden.activities::open);
    }

    private static HttpResponse<String> ask(EdenServer server) throws Exception {
        return eden.http()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.apiPort() + "/api/v1/endpoints"))
                                .header("Authorization", "Bearer " + TestServer.TOKEN)
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }
}
