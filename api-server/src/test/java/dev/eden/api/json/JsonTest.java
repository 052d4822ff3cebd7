package dev.eden.api.json;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.workflows.MigrationSpec.Gates;
import dev.eden.workflows.Strategy;
import org.junit.jupiter.api.Test;

/** What the store has and REST shows keeps its words, whatever histories understand besides. */
class JsonTest {
    @Test
    void gatesAndStagesAreWrittenInSnakeCaseAndReadBack() throws Exception {
        Gates gates = new Gates(0.01, 2, -1, 50, 2_000, "rollback");
        String json = Json.write(gates);
        assertThat(json)
                .isEqualTo(
                        "{\"max_error_rate\":0.01,\"max_latency_ratio\":2.0,\"max_mismatch_rate\":-1.0,\"min_samples\":50,"
                                + "\"max_lag_ms\":2000,\"on_breach\":\"rollback\"}");
        assertThat(Json.mapper().readValue(json, Gates.class)).isEqualTo(gates);
        Strategy.Stage stage = new Strategy.Stage(0.25, 60, gates);
        assertThat(Json.write(stage))
                .startsWith("{\"read_percentage\":0.25,\"bake_seconds\":60,\"gates\":{\"max_error_rate\"");
        assertThat(Json.mapper().readValue(Json.write(stage), Strategy.Stage.class))
                .isEqualTo(stage);
    }
}
