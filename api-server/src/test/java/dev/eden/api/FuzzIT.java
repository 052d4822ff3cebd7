package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.api.rest.OpenApi;
import dev.eden.api.rest.RequestMaker;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Requests made from docs/openapi.yaml, right and wrong: no answer tells of the inside, none is an error of Eden's own, all keep to their
 * schemas (the client of {@link TestServer} holds each against the file). {@code -Deden.fuzz.requests=20000} and
 * {@code -Deden.fuzz.seed=N} ask for more and for others.
 */
class FuzzIT {
    private static final int REQUESTS = Integer.getInteger("eden.fuzz.requests", 2_000);
    private static final long SEED = Long.getLong("eden.fuzz.seed", 20_261_131L);

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
    void whateverIsAskedIsAnsweredInOrder() {
        RequestMaker maker = new RequestMaker(OpenApi.read(), SEED);
        Map<Integer, Integer> statuses = new TreeMap<>();
        String before = "none";
        int revoked = 0;
        for (int i = 0; i < REQUESTS; i++) {
            RequestMaker.Made made = maker.next();
            TestServer.Answer answer;
            try {
                answer = send(made);
            } catch (UncheckedIOException e) {
                throw new AssertionError(
                        "request " + i + " of seed " + SEED + " has no answer: " + made + "; before it: " + before, e);
            }
            before = made + " answers " + answer.status();
            String what = "request " + i + " of seed " + SEED + ": " + made + " answers " + answer.status() + " "
                    + answer.body();
            assertThat(answer.status()).as(what).isLessThan(500);
            assertThat(answer.body())
                    .as(what)
                    .doesNotContain(RequestMaker.SECRET, TestServer.TOKEN)
                    .doesNotContain(
                            "dev.eden", "org.postgresql", "java.", "Exception", "\tat ", "SQLSTATE", "INSERT INTO");
            if (made.misspelt()) {
                assertThat(answer.status()).as(what).isGreaterThanOrEqualTo(400);
            }
            statuses.merge(answer.status(), 1, Integer::sum);
            if (answer.status() == 201) {
                TestServer.Answer again = send(made);
                assertThat(again.status()).as("asked for again: " + what).isIn(201, 409);
                statuses.merge(again.status(), 1, Integer::sum);
                learn(maker, made, answer);
                learn(maker, made, again);
            }
            if (made.method().equals("DELETE") && made.path().contains("/tokens/") && answer.status() == 204) {
                revoked++;
            }
        }
        System.out.println("statuses: " + statuses);
        assertThat(statuses.keySet())
                .as("the requests reach all kinds of answers")
                .contains(200, 201, 400, 401, 404, 409, 422);
        assertThat(revoked).as("tokens that requests have made are revoked").isPositive();
        assertThat(eden.get("/api/v1/audit/verify").json().path("intact").asBoolean())
                .isTrue();
    }

    private static void learn(RequestMaker maker, RequestMaker.Made made, TestServer.Answer answer) {
        if (made.path().startsWith("/api/v1/tokens") && answer.status() == 201) {
            maker.madeToken(answer.json().at("/token/id").asText());
        }
    }

    private static TestServer.Answer send(RequestMaker.Made made) {
        String[] headers = made.headers().toArray(String[]::new);
        return eden.send(
                made.authenticated() ? TestServer.TOKEN : null, made.method(), made.path(), made.body(), headers);
    }
}
