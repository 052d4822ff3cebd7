package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What an endpoint says of its address, and the way that docs/troubleshooting.md gives to correct the first one's. */
class EndpointAddressIT {
    @Test
    void oneThatWasWrongFromTheBeginningIsCorrectedWhileNobodyServesItsInterlay() throws Exception {
        try (TestServer eden = TestServer.start()) {
            assertThat(eden.post("/api/v1/endpoints", "{\"id\":\"e\",\"uri\":\"redis://127.0.0.1:1\"}")
                            .status())
                    .isEqualTo(201);
            String right = "{\"id\":\"e\",\"uri\":\"redis://127.0.0.1:2\"}";
            TestServer.Answer refused = eden.send(TestServer.TOKEN, "PUT", "/api/v1/endpoints/e", right);
            assertThat(refused.status()).as(refused.body()).isEqualTo(409);
            assertThat(refused.json().path("detail").asText())
                    .contains("while interlay redis_interlay uses it", "delete the interlay, change the endpoint");

            assertThat(eden.send(TestServer.TOKEN, "DELETE", "/api/v1/interlays/redis_interlay", null)
                            .status())
                    .isEqualTo(204);
            assertThat(eden.send(TestServer.TOKEN, "PUT", "/api/v1/endpoints/e", right)
                            .status())
                    .isEqualTo(200);
            eden.restart(UnaryOperator.identity());
            assertThat(eden.get("/api/v1/interlays/redis_interlay")
                            .json()
                            .path("endpoint")
                            .asText())
                    .isEqualTo("e");
            assertThat(eden.table("route"))
                    .contains("redis_interlay,1,1,STABLE")
                    .contains(",e,");
        }
    }

    @Test
    void theOneThatIsShownMayBeGivenBack() throws Exception {
        try (TestServer eden = TestServer.start()) {
            String path = "/api/v1/endpoints/shown";
            String uri = "postgresql://db.internal:5433/our%20shop%3F?sslmode=verify-full";
            TestServer.Answer made = eden.post("/api/v1/endpoints", "{\"id\":\"shown\",\"uri\":\"" + uri + "\"}");
            assertThat(made.status()).as(made.body()).isEqualTo(201);
            assertThat(made.json().path("database").asText()).isEqualTo("our shop?");
            String shown = made.json().path("uri").asText();
            TestServer.Answer put = eden.send(TestServer.TOKEN, "PUT", path, "{\"uri\":\"" + shown + "\"}");
            assertThat(put.status()).as(put.body()).isEqualTo(200);
            for (String same : List.of("/uri", "/tls", "/database", "/host", "/port")) {
                assertThat(put.json().at(same)).as(same).isEqualTo(made.json().at(same));
            }
            assertThat(eden.send(TestServer.TOKEN, "DELETE", path, null).status())
                    .isEqualTo(204);
        }
    }
}
