package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.store.Tuning;
import dev.eden.api.json.Json;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.MigrationDefinition;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class FieldsTest {
    private static final Strategy CUT_OVER =
            new Strategy("canary", 0.75, "session", 5, null, new Strategy.WriteMode("cutover", null, "source", 1.0));

    private static final MigrationDefinition DEFINITION = new MigrationDefinition(
            CUT_OVER,
            new MigrationSpec.Data("scan", "auto", "fail"),
            new MigrationSpec.Gates(0.01, -1, -1, 200, 5_000, "rollback"),
            "pause",
            MigrationSpec.CutoverBudget.defaults(),
            null);

    @Test
    void aStagesOwnGatesBeginWithTheMigrations() {
        String stage = "{\"strategy\":{\"stages\":[{\"read_percentage\":0.1,\"gates\":%s}]}}";
        Strategy patched = Objects.requireNonNull(MigrationRequests.patch(
                                bytes(stage.formatted("{\"max_latency_ratio\":1.5}")), DEFINITION, "redis")
                        .strategy())
                .strategy();
        assertThat(patched.stages())
                .extracting(Strategy.Stage::gates)
                .containsExactly(new MigrationSpec.Gates(0.01, 1.5, -1, 200, 5_000, "rollback"));
        String created =
                "{\"id\":\"m\",\"gates\":{\"max_error_rate\":0.01,\"on_breach\":\"rollback\"},\"strategy\":{\"type\":\"canary\",\"stages\":[{\"read_percentage\":0.1,\"gates\":{\"max_error_rate\":null}}]}}";
        assertThat(MigrationRequests.create(bytes(created))
                        .definition()
                        .strategy()
                        .stages())
                .extracting(Strategy.Stage::gates)
                .as("null is off")
                .containsExactly(new MigrationSpec.Gates(-1, -1, -1, 100, 100, "rollback"));
        byte[] mismatches = bytes(stage.formatted("{\"max_mismatch_rate\":0}"));
        assertThatThrownBy(() -> MigrationRequests.patch(mismatches, DEFINITION, "redis"))
                .isInstanceOfSatisfying(
                        Problem.class,
                        problem -> assertThat(problem.errors())
                                .extracting("pointer")
                                .containsExactly("/strategy/stages/0/gates/max_mismatch_rate"));
        for (String other : new String[] {"postgres", null}) {
            assertThat(MigrationRequests.patch(mismatches, DEFINITION, other).strategy())
                    .isNotNull();
        }
    }

    @Test
    void aPatchKeepsWhatItLeavesOutButNeverTheWishToCutOver() {
        MigrationRequests.Patch patch =
                MigrationRequests.patch(bytes("{\"strategy\":{\"consistency\":\"global\"}}"), DEFINITION, null);

        Strategy patched = Objects.requireNonNull(patch.strategy()).strategy();
        assertThat(patched.readPercentage()).isEqualTo(0.75);
        assertThat(patched.consistency()).isEqualTo("global");
        assertThat(patched.writeMode().asksForCutover()).isFalse();
    }

    @Test
    void aPostgresIsTunedButHasNoBatch() {
        byte[] rates = bytes(
                "{\"tuning\":{\"copy_rate\":65536,\"parallelism\":3,\"max_source_latency_ms\":9,\"batch\":null}}");
        assertThat(Objects.requireNonNull(MigrationRequests.patch(rates, DEFINITION, "postgres")
                                .tuning())
                        .apply(new Tuning(null, null, 7, null)))
                .as("null takes back what was set before the engine was known")
                .isEqualTo(new Tuning(65_536L, 3, null, 9));
        byte[] batch = bytes("{\"tuning\":{\"batch\":7}}");
        assertThatThrownBy(() -> MigrationRequests.patch(batch, DEFINITION, "postgres"))
                .isInstanceOfSatisfying(
                        Problem.class,
                        problem -> assertThat(problem.errors()).singleElement().satisfies(error -> {
                            assertThat(error.pointer()).isEqualTo("/tuning/batch");
                            assertThat(error.detail()).contains("is for Redis");
                        }));
        for (String other : new String[] {"redis", null}) {
            assertThat(Objects.requireNonNull(MigrationRequests.patch(batch, DEFINITION, other)
                                    .tuning())
                            .apply(Tuning.NONE))
                    .isEqualTo(new Tuning(null, null, 7, null));
        }
    }

    @Test
    void allThatIsWrongIsReportedAtOnceAndNoValueRepeated() {
        assertThatThrownBy(() -> MigrationRequests.create(
                        bytes("{\"id\":\"s3cret 1\",\"strategy\":{\"type\":\"s3cret2\",\"x\":1},\"y\":2}")))
                .isInstanceOfSatisfying(Problem.class, problem -> {
                    assertThat(problem.errors())
                            .extracting("pointer")
                            .containsExactlyInAnyOrder("/id", "/strategy/type", "/strategy/x", "/y");
                    assertThat(problem.errors().toString()).doesNotContain("s3cret");
                });
    }

    @Test
    void namesOfOtherModulesAreTurnedIntoTheApis() {
        assertThat(Json.snakeCase(Json.tree("{\"holdAtMicros\":1,\"steps\":[{\"aB\":{\"cD\":2}}]}")))
                .isEqualTo(Json.tree("{\"hold_at_micros\":1,\"steps\":[{\"a_b\":{\"c_d\":2}}]}"));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
