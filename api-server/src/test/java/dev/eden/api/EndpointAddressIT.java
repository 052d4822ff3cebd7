package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The way that docs/troubleshooting.md gives to correct the address of the first endpoint. */
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
}
