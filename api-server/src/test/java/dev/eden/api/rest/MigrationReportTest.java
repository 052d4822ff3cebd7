package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the report says of pauses: each flip's, against the deadline and against what was rehearsed. */
class MigrationReportTest {
    private final ArrayNode attempts = Json.mapper().createArrayNode();

    @Test
    void aQuickRollbackDoesNotHideTheLongPauseBeforeIt() {
        attempt("forward", "aborted", 130_000);
        attempt("forward", "committed", 120_000);
        attempt("rollback", "committed", 9_500);
        ObjectNode outcome = outcome();
        assertThat(outcome.path("pauses").findValuesAsText("pause_ms")).containsExactly("120.0", "9.5");
        assertThat(outcome.path("pause_ms").asDouble()).isEqualTo(120);
        assertThat(outcome.path("within_forecast").asBoolean(true)).isFalse();
        assertThat(outcome.path("within_rehearsed").isNull()).isTrue();
        assertThat(outcome.path("attempts").asInt()).isEqualTo(3);
    }

    @Test
    void eachFlipIsHeldAgainstTheRehearsalBeforeIt() {
        attempt("forward", "rehearsed", 20_000);
        attempt("forward", "committed", 35_000);
        attempt("rollback", "committed", 10_000);
        attempt("forward", "rehearsed", 40_000);
        ObjectNode outcome = outcome();
        assertThat(outcome.at("/pauses/0/rehearsed_pause_ms").asDouble()).isEqualTo(20);
        assertThat(outcome.path("within_forecast").asBoolean()).isTrue();
        assertThat(outcome.path("within_rehearsed").asBoolean(true)).isFalse();
    }

    /** Its coordinator was lost, and with it until when clients waited. */
    @Test
    void aPauseThatIsNotKnownIsNoShortOne() {
        attempt("forward", "rehearsed", 20_000);
        attempt("forward", "committed", null);
        attempt("rollback", "committed", 9_500);
        ObjectNode outcome = outcome();
        assertThat(outcome.at("/pauses/0/pause_ms").isNull()).isTrue();
        assertThat(outcome.path("pause_ms").asDouble()).isEqualTo(9.5);
        assertThat(outcome.path("within_forecast").isNull()).isTrue();
        assertThat(outcome.path("within_rehearsed").isNull()).isTrue();
        assertThat(outcome.path("attempts").asInt()).isEqualTo(2);
        attempt("forward", "committed", 120_000);
        assertThat(outcome().path("within_forecast").asBoolean(true)).isFalse();
    }

    @Test
    void withoutFlipsThereIsNothingToCompare() {
        attempt("forward", "rehearsed", 20_000);
        ObjectNode outcome = outcome();
        assertThat(outcome.path("pause_ms").isNull()).isTrue();
        assertThat(outcome.path("within_forecast").isNull()).isTrue();
        assertThat(outcome.path("within_rehearsed").isNull()).isTrue();
    }

    private ObjectNode outcome() {
        ObjectNode outcome = Json.mapper().createObjectNode();
        MigrationReport.pauses(attempts, 100, outcome);
        return outcome;
    }

    private void attempt(String direction, String outcome, @Nullable Integer micros) {
        ObjectNode attempt = attempts.addObject().put("direction", direction).put("outcome", outcome);
        attempt.putObject("report").put("pause_micros", micros);
    }
}
