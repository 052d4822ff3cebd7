package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.api.store.MigrationDefinition;
import dev.eden.workflows.Strategy;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a PATCH makes of a strategy. */
class StrategyPatchTest {
    private static final MigrationDefinition PLANNED =
            MigrationRequests.create(bytes("""
                    {"id":"m","strategy":{"type":"canary","stages":[
                    {"read_percentage":0.05},{"read_percentage":0.25},{"read_percentage":1,"bake":0}]}}"""), Set.of()).definition();

    /** The share beside the plan is 0 from the beginning: the last stage could not be taken back by naming it. */
    @ParameterizedTest
    @CsvSource({"0", "0.5"})
    void aShareThatIsNamedEndsThePlan(double share) {
        Strategy patched =
                patch("{\"strategy\":{\"read_percentage\":" + share + "}}").strategy();
        assertThat(patched.stages()).isNull();
        assertThat(patched.readPercentage()).isEqualTo(share);
    }

    @Test
    void whatIsSaidOfAnythingElseLeavesIt() {
        MigrationRequests.StrategyPatch patch = patch("{\"strategy\":{\"consistency\":\"global\"}}");
        assertThat(patch.strategy().stages()).hasSize(3);
        assertThat(patch.shareNamed()).isFalse();
        Strategy faster = patch("{\"strategy\":{\"read_percentage\":0.5,\"max_wait\":\"7ms\"}}")
                .strategy();
        assertThat(patch.onto().apply(faster))
                .as("what somebody else has said meanwhile stays")
                .isEqualTo(new Strategy("canary", 0.5, "global", 7, null, faster.writeMode()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"\"read_percentage\":0.1", "\"type\":\"canary\"", "\"stages\":[{\"read_percentage\":0.1}]"},
            quoteCharacter = '\'')
    void sharesAreNamed(String field) {
        assertThat(patch("{\"strategy\":{" + field + "}}").shareNamed()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"consistency\":\"global\"|consistency",
                "\"max_wait\":\"7ms\"|max_wait",
                "\"write_mode\":{\"mode\":\"dual_write\",\"ack\":\"both\"}|ack",
                "\"write_mode\":{\"mode\":\"dual_write\"}|",
                "\"read_percentage\":0.1|"
            },
            quoteCharacter = '\'')
    void termsAreNamed(String field, @Nullable String term) {
        assertThat(patch("{\"strategy\":{" + field + "}}").termsNamed())
                .isEqualTo(term == null ? List.of() : List.of(term));
    }

    private static MigrationRequests.StrategyPatch patch(String body) {
        return Objects.requireNonNull(
                MigrationRequests.patch(bytes(body), PLANNED, null).strategy());
    }

    private static byte[] bytes(String body) {
        return body.getBytes(StandardCharsets.UTF_8);
    }
}
