package dev.eden.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.eden.demo.DemoVerdict.DamageResult;
import dev.eden.demo.check.Anomaly;
import dev.eden.demo.check.Pauses;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.engine.Judgement;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DemoVerdictTest {
    private static final List<Flip> ALL =
            List.of(flip("forward", "committed"), flip("rollback", "committed"), flip("forward", "committed"));

    @Test
    void aCleanRunPasses() throws Exception {
        DemoVerdict verdict = verdict(Map.of(), 0, 0, 0, ALL, DamageResult.NONE, null);

        assertThat(verdict.passed()).isTrue();
        JsonNode json = new ObjectMapper().readTree(verdict.json().toString());
        assertThat(json.get("verdict").asText()).isEqualTo("passed");
        assertThat(json.get("acknowledged_writes").asLong()).isEqualTo(1000);
        for (String zero : List.of("lost", "duplicated", "stale_reads", "client_errors", "disconnects")) {
            assertThat(json.get(zero).asLong(-1)).as(zero).isZero();
        }
        assertThat(json.get("flips")).hasSize(3);
        assertThat(json.at("/flips/1/direction").asText()).isEqualTo("rollback");
        assertThat(json.at("/flips/0/pause_ms_max").asDouble()).isEqualTo(31.5);
        assertThat(json.at("/flips/0/pause_ms_p99").asDouble()).isEqualTo(31.5);
        assertThat(json.at("/flips/0/latencies_ms")).hasSize(3);
        assertThat(json.at("/flips/0/steps_ms/prepare").asDouble()).isEqualTo(1.5);
        assertThat(json.get("ops_per_second").asLong()).isEqualTo(6000);
        assertThat(json.get("reads_on_target").asLong()).isEqualTo(300);
    }

    /** No read is stale where the target serves none. */
    @Test
    void aCanaryThatServesNothingFails() {
        DemoVerdict verdict = verdict(Map.of(), 0, 0, 0, ALL, DamageResult.NONE, 0, null);

        assertThat(verdict.failures()).singleElement().asString().contains("served no read");
        assertThat(verdict.json().get("reads_on_target").asLong(-1)).isZero();
        assertThat(verdict(Map.of(), 0, 0, 0, ALL, DamageResult.NONE, 0, "stopped")
                        .failures())
                .as("it did not come so far, perhaps")
                .containsExactly("stopped");
    }

    @Test
    void anAbortedAttemptIsReportedApart() throws Exception {
        List<Flip> flips = List.of(flip("forward", "aborted"), ALL.get(0), ALL.get(1), ALL.get(2));
        DemoVerdict verdict = verdict(Map.of(), 0, 0, 0, flips, DamageResult.NONE, null);

        assertThat(verdict.passed()).isTrue();
        JsonNode json = new ObjectMapper().readTree(verdict.json().toString());
        assertThat(json.get("flips")).hasSize(3);
        assertThat(json.get("aborted_attempts")).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(Anomaly.class)
    void anyAnomalyFails(Anomaly anomaly) {
        assertThat(verdict(Map.of(anomaly, 1L), 0, 0, 0, ALL, DamageResult.NONE, null)
                        .passed())
                .isFalse();
    }

    @Test
    void whateverMustBeZeroFailsWhereItIsNot() {
        assertThat(verdict(Map.of(), 1, 0, 0, ALL, DamageResult.NONE, null).passed())
                .isFalse();
        assertThat(verdict(Map.of(), 0, 1, 0, ALL, DamageResult.NONE, null).passed())
                .isFalse();
        assertThat(verdict(Map.of(), 0, 0, 1, ALL, DamageResult.NONE, null).passed())
                .isFalse();
        assertThat(verdict(Map.of(), 0, 0, 0, ALL.subList(0, 2), DamageResult.NONE, null)
                        .passed())
                .isFalse();
        assertThat(verdict(Map.of(), 0, 0, 0, ALL, new DamageResult(40, 40, 40, false), null)
                        .passed())
                .isFalse();
        assertThat(verdict(Map.of(), 0, 0, 0, ALL, DamageResult.NONE, "stopped").passed())
                .isFalse();
    }

    private static Flip flip(String direction, String outcome) {
        return new Flip(
                direction,
                outcome,
                true,
                12_000,
                Map.of("prepare", 1.5),
                Map.of("proxy-1 drained", 2.5),
                new Pauses.Pause(List.of(1.0, 20.0, 31.54)));
    }

    private static DemoVerdict verdict(
            Map<Anomaly, Long> anomalies,
            long stillLost,
            long errors,
            long disconnects,
            List<Flip> flips,
            DamageResult damage,
            @Nullable String failure) {
        return verdict(anomalies, stillLost, errors, disconnects, flips, damage, 300, failure);
    }

    private static DemoVerdict verdict(
            Map<Anomaly, Long> anomalies,
            long stillLost,
            long errors,
            long disconnects,
            List<Flip> flips,
            DamageResult damage,
            long readsOnTarget,
            @Nullable String failure) {
        return new DemoVerdict(
                "redis",
                new DemoOptions(60, 100_000, 24, 6000, 1, 100, true, damage.planted(), false, null),
                new Judgement(new Verdict(5000, 1000, 0, anomalies, List.of()), stillLost, List.of()),
                errors,
                disconnects,
                0,
                List.of(),
                flips,
                6000,
                9,
                60,
                damage,
                readsOnTarget,
                failure);
    }
}
