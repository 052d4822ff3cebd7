package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.activities.store.StageLedger.Counted;
import dev.eden.activities.store.StageLedger.Latency;
import dev.eden.api.json.Json;
import dev.eden.api.metrics.TrafficWindow;
import dev.eden.api.store.MigrationDefinition;
import dev.eden.api.store.StatusStore;
import dev.eden.workflows.MigrationPhase;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.MigrationSpec.Gates;
import dev.eden.workflows.MigrationView;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.Strategy.Stage;
import dev.eden.workflows.Strategy.WriteMode;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A stage that waits says for what, in the form that docs/openapi.yaml describes. */
class CanaryStatusTest {
    private static final JsonNode SCHEMA = Json.tree("{\"$ref\": \"#/components/schemas/Canary\"}");
    private static final Gates OF_ALL = new Gates(0.01, -1, -1, 200, 100, "hold");
    private static final Gates OWN = new Gates(0.001, 1.5, -1, 1_000, 100, "rollback");
    private static final long BEGAN = Instant.parse("2026-01-01T00:00:00Z").toEpochMilli();
    private static final long BAKED = BEGAN + 60_000;
    private final OpenApi api = OpenApi.read();

    @Test
    void aStageShortOfReadsSaysWhatItWaitsFor() {
        JsonNode canary = status(
                new MigrationPhase.Canary(1), BAKED, new Counted(37, 1, 0, 0, null, BEGAN, List.of()), BAKED, BAKED);
        assertThat(canary.at("/bake/began_at").asText()).isEqualTo("2026-01-01T00:00:00Z");
        assertThat(canary.at("/bake/ends_at").asText()).isEqualTo("2026-01-01T00:01:00Z");
        assertThat(canary.at("/bake/over").asBoolean()).isTrue();
        assertThat(canary.at("/bake/seen/error_rate").asDouble()).isEqualTo(1.0 / 37);
        assertThat(canary.at("/bake/seen/mismatch_rate").isNull()).isTrue();
        assertThat(canary.at("/bake/seen/latency").isNull()).isTrue();
        assertThat(canary.at("/bake/seen/missing/0").asText()).isEqualTo("37 of 1000 reads");
        assertThat(canary.at("/bake/seen/missing/1").asText()).startsWith("p99 needs 100 reads");
        assertThat(canary.path("gates")).isEqualTo(Json.tree("""
                {"max_error_rate": 0.001, "max_latency_ratio": 1.5, "max_mismatch_rate": null, "min_samples": 1000, "on_breach": "rollback"}"""));
    }

    @Test
    void theWorstWindowNamesItsProxy() {
        Latency worst = new Latency("front", "p1", 2, 500, 2.5, 100);
        JsonNode canary = status(
                new MigrationPhase.Canary(1),
                BAKED,
                new Counted(2_000, 0, 10, 1, worst, BEGAN, List.of()),
                BAKED,
                BAKED - 1);
        assertThat(canary.at("/bake/over").asBoolean()).isFalse();
        assertThat(canary.at("/bake/seen/missing")).isEmpty();
        assertThat(canary.at("/bake/seen/latency")).isEqualTo(Json.tree("""
                {"ratio": 1.25, "interlay": "front", "proxy": "p1", "target_p99_millis": 2.5, "target_samples": 100,
                 "source_p99_millis": 2.0, "source_samples": 500}"""));
    }

    @Test
    void whatWasCountedOfAnotherStageIsNotThisOnes() {
        Counted former = new Counted(2_000, 0, 0, 0, null, BEGAN, List.of());
        JsonNode next = status(new MigrationPhase.Canary(0), BAKED, former, BAKED - 1, BAKED);
        assertThat(next.path("stage").asInt()).isEqualTo(1);
        assertThat(next.at("/bake/seen").isNull()).isTrue();
        assertThat(next.at("/gates/min_samples").asLong()).as("the migration's").isEqualTo(200);
        JsonNode last = status(new MigrationPhase.Canary(2), null, former, BAKED, BAKED);
        assertThat(last.path("bake").isNull()).isTrue();
        assertThat(last.path("gates").isObject()).isTrue();
        JsonNode after = status(new MigrationPhase.Baking(), null, former, BAKED, BAKED);
        assertThat(after.path("gates").isNull()).isTrue();
        assertThat(after.path("stage").isNull()).isTrue();
    }

    private JsonNode status(
            MigrationPhase phase, @Nullable Long bakeUntil, Counted counted, long countedUntil, long nowMillis) {
        Strategy strategy = new Strategy(
                "canary",
                0.05,
                "session",
                5,
                List.of(new Stage(0.05, 60), new Stage(0.25, 60, OWN), new Stage(0.5, 0)),
                new WriteMode("dual_write", null, "source", null));
        MigrationDefinition definition = new MigrationDefinition(
                strategy,
                new MigrationSpec.Data("scan", "auto", "replace"),
                OF_ALL,
                "pause",
                new MigrationSpec.CutoverBudget(100, 1),
                null,
                null);
        MigrationView view =
                new MigrationView(phase, false, 0.25, true, true, List.of(), 0, 0, "", List.of(), false, bakeUntil);
        JsonNode canary = CanaryStatus.of(
                definition,
                view,
                new TrafficWindow.Figures(1, 1, 1, 1, 1, 0.25, 0.2, Map.of("blocking", 1L)),
                new StatusStore.Stage(countedUntil, counted),
                nowMillis);
        // As it is sent: what is not there and what is null are not the same.
        JsonNode sent = Json.tree(canary.toString());
        assertThat(api.errors(SCHEMA, sent)).isEmpty();
        return sent;
    }
}
