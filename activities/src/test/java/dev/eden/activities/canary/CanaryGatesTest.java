package dev.eden.activities.canary;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.canary.CanaryGates.Seen;
import dev.eden.activities.canary.SinceFirstSeen.Step;
import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.proxy.TrafficReport;
import dev.eden.workflows.MigrationSpec.Gates;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a stage of a canary passes or fails by. */
class CanaryGatesTest {
    private static final Gates GATES = new Gates(0.01, 1.5, -1, 100, 100, "hold");

    @Test
    void fewReadsProveNothing() {
        Seen few = seen(99, 99, 1, 9);
        assertThat(CanaryGates.enough(GATES, few)).isFalse();
        assertThat(CanaryGates.breach(GATES, few)).isEmpty();
    }

    @Test
    void errorsAndLatencyBreachWithTheirNumbers() {
        assertThat(CanaryGates.breach(GATES, seen(1_000, 11, 1, 1)))
                .hasValueSatisfying(why ->
                        assertThat(why).contains("max_error_rate", "11 of 1000", "0.0110", "the gate is 0.0100"));
        assertThat(CanaryGates.breach(GATES, seen(1_000, 10, 2, 3.2)))
                .hasValueSatisfying(why -> assertThat(why)
                        .contains("max_latency_ratio", "3.200 ms", "2.000 ms", "ratio 1.60", "the gate is 1.50"));
        assertThat(CanaryGates.breach(GATES, seen(1_000, 10, 2, 3))).isEmpty();
        assertThat(CanaryGates.numbers(GATES, seen(1_000, 10, 2, 3)))
                .contains("10 of 1000 reads", "ratio 1.50 over 1000 reads");
    }

    @Test
    void withoutGatesNoReadIsNeeded() {
        Gates none = Gates.defaults();
        assertThat(CanaryGates.enough(none, Seen.NOTHING)).isTrue();
        assertThat(CanaryGates.breach(none, seen(1_000, 1_000, 1, 9))).isEmpty();
    }

    @Test
    void aProxyThatRestartsTakesNothingBack() {
        SinceFirstSeen counted = new SinceFirstSeen(List.of(heard("1", 0, 0)));
        Seen seen = Seen.NOTHING.plus(counted.next(List.of(heard("1", 500, 5))));
        seen = seen.plus(counted.next(List.of(heard("2", 20, 0))));
        assertThat(seen.reads()).isEqualTo(500);
        assertThat(seen.errors()).isEqualTo(5);
        assertThat(seen.plus(counted.next(List.of(heard("2", 30, 1)))).reads()).isEqualTo(510);
    }

    /** Else a restart of the store would have a stage judged by errors of weeks ago. */
    @Test
    void aProxyThatWasSilentAddsWhatCameSince() {
        SinceFirstSeen counted = new SinceFirstSeen(List.of(heard("1", 10_000, 500)));
        Seen seen = Seen.NOTHING.plus(counted.next(List.of()));
        seen = seen.plus(counted.next(List.of(heard("1", 10_200, 501))));
        assertThat(seen.reads()).isEqualTo(200);
        assertThat(seen.errors()).isEqualTo(1);
        assertThat(CanaryGates.breach(GATES, seen)).isEmpty();
    }

    @Test
    void aProxyThatIsSilentAtTheBeginningBringsNoneOfItsPast() {
        SinceFirstSeen counted = new SinceFirstSeen(List.of());
        Seen seen = Seen.NOTHING.plus(counted.next(List.of(heard("1", 10_000, 500))));
        assertThat(seen.reads()).isZero();
        seen = seen.plus(counted.next(List.of(heard("1", 10_010, 502))));
        assertThat(seen.reads()).isEqualTo(10);
        assertThat(seen.errors()).isEqualTo(2);
    }

    private static Reported heard(String incarnation, long operations, long errors) {
        return new Reported("front", "p1", incarnation, report(operations, errors, 0));
    }

    private static TrafficReport report(long operations, long errors, long compared) {
        return new TrafficReport(
                1,
                1,
                0,
                new TrafficReport.Side(9_999, 0, 0.5, 1, 100),
                new TrafficReport.Side(operations, errors, 0.5, 1, 100),
                operations,
                operations,
                operations,
                compared,
                Math.min(1, compared),
                Map.of());
    }

    @Test
    void oneConfirmedDifferenceIsTooManyWhereNoneIsAllowed() {
        assertThat(CanaryGates.breach(mismatches(0), compared(3, 1)))
                .hasValueSatisfying(words -> assertThat(words).contains("1 of 3 reads"));
    }

    @Test
    void aRateNeedsItsSamples() {
        assertThat(CanaryGates.breach(mismatches(0.01), compared(99, 50))).isEmpty();
        assertThat(CanaryGates.breach(mismatches(0.01), compared(100, 2))).isPresent();
        assertThat(CanaryGates.breach(mismatches(0.02), compared(100, 2))).isEmpty();
    }

    @Test
    void whatWasThereBeforeTheWindowDoesNotCount() {
        Seen seen = Seen.NOTHING.plus(List.of(new Step(report(0, 0, 50), report(0, 0, 200))));
        assertThat(seen.compared()).isEqualTo(150);
        assertThat(CanaryGates.breach(mismatches(0), seen)).isEmpty();
    }

    @Test
    void nobodyAskedForTheGate() {
        assertThat(CanaryGates.breach(Gates.defaults(), compared(100, 100))).isEmpty();
    }

    private static Seen compared(long compared, long mismatched) {
        return new Seen(1_000, 0, compared, mismatched, 1, 1);
    }

    private static Gates mismatches(double most) {
        return new Gates(-1, -1, most, 100, 100, "hold");
    }

    private static Seen seen(long reads, long errors, double sourceP99, double targetP99) {
        return new Seen(reads, errors, 0, 0, sourceP99, targetP99);
    }
}
