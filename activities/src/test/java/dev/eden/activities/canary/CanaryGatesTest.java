package dev.eden.activities.canary;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.canary.CanaryGates.Seen;
import dev.eden.activities.canary.SinceFirstSeen.Step;
import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.activities.store.StageLedger.Latency;
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
        assertThat(CanaryGates.missing(GATES, few)).containsExactly("99 of 100 reads");
        assertThat(CanaryGates.breach(GATES, few)).isEmpty();
    }

    @Test
    void errorsAndLatencyBreachWithTheirNumbers() {
        assertThat(CanaryGates.breach(GATES, seen(1_000, 11, 1, 1)))
                .hasValueSatisfying(why ->
                        assertThat(why).contains("max_error_rate", "11 of 1000", "0.0110", "the gate is 0.0100"));
        assertThat(CanaryGates.breach(GATES, seen(1_000, 10, 2, 3.2)))
                .hasValueSatisfying(
                        why -> assertThat(why)
                                .isEqualTo(
                                        "max_latency_ratio: p99 over about 5 s at proxy front:p1 is 3.200 ms of 120 reads on the target"
                                                + " and 2.000 ms of 2400 requests on the source, ratio 1.60, the gate is 1.50"));
        assertThat(CanaryGates.breach(GATES, seen(1_000, 10, 2, 3))).isEmpty();
        assertThat(CanaryGates.numbers(GATES, seen(1_000, 10, 2, 3)))
                .contains("10 of 1000 reads", "in the worst window p99", "front:p1", "of 120 reads", "ratio 1.50");
        assertThat(CanaryGates.missing(GATES, seen(1_000, 10, 2, 3))).isEmpty();
    }

    /** The slow target of one was held against the slow source of the other. */
    @Test
    void eachProxyIsHeldAgainstItself() {
        List<Step> crossed =
                List.of(served("p1", 1, 1_000, 4, 200), served("p2", 10, 1_000, 2, 200), served("p3", 9, 3, 99, 9));
        Seen seen = new Seen(1_000, 0, 0, 0, null);
        assertThat(CanaryGates.breach(GATES, seen.timed(GATES, told(crossed))))
                .hasValueSatisfying(why -> assertThat(why).contains("front:p1", "ratio 4.00"));
        List<Step> healthy = List.of(served("p1", 1, 1_000, 1, 200), served("p2", 10, 1_000, 9, 200));
        assertThat(CanaryGates.breach(GATES, seen.timed(GATES, told(healthy))))
                .as("p2 is farther from both")
                .isEmpty();
        assertThat(seen.timed(GATES, told(crossed)).timed(GATES, told(healthy)).latency())
                .as("the worst is kept")
                .isEqualTo(seen.timed(GATES, told(crossed)).latency());
    }

    @Test
    void aPercentileOfAFewIsNone() {
        Seen seen = new Seen(1_000, 0, 0, 0, null).timed(GATES, told(List.of(served("p1", 1, 1_000, 9, 99))));
        assertThat(CanaryGates.breach(GATES, seen)).isEmpty();
        assertThat(CanaryGates.missing(GATES, seen))
                .containsExactly(
                        "p99 needs 100 reads on the target and 100 requests on the source within about 5 s,"
                                + " twice in a row, at one proxy or at several together, the nearest was 99 and 1000 (front:p1)");
        assertThat(CanaryGates.numbers(GATES, seen)).contains("latencies were not compared");
        Seen nearer = seen.timed(GATES, told(List.of(served("p2", 1, 5, 1, 5_000))));
        assertThat(nearer.latency()).isEqualTo(seen.latency());
        Seen enough = nearer.timed(GATES, told(List.of(served("p2", 1, 100, 1, 100))));
        assertThat(CanaryGates.missing(GATES, enough)).isEmpty();
        Gates modest = new Gates(0.01, 1.5, -1, 20, 100, "hold");
        assertThat(CanaryGates.breach(modest, seen))
                .as("whoever gates by fewer reads compares fewer")
                .isPresent();
    }

    /** All reads go to the target, and nobody writes. */
    @Test
    void withoutASourceNothingIsComparedAndNothingPasses() {
        Seen seen = new Seen(1_000, 0, 0, 0, null).timed(GATES, told(List.of(served("p1", 0, 0, 9, 5_000))));
        assertThat(CanaryGates.breach(GATES, seen)).isEmpty();
        assertThat(CanaryGates.missing(GATES, seen)).singleElement().asString().contains("the nearest was 5000 and 0");
        Gates errorsAlone = new Gates(0.01, -1, -1, 100, 100, "hold");
        assertThat(CanaryGates.missing(errorsAlone, seen)).isEmpty();
    }

    private static List<Latency> told(List<Step> steps) {
        return steps.stream().map(Latencies::of).toList();
    }

    private static Step served(String proxy, double source, long sources, double target, long targets) {
        TrafficReport report = new TrafficReport(
                1,
                1,
                0,
                new TrafficReport.Side(sources, 0, source, source, sources),
                new TrafficReport.Side(targets, 0, target, target, targets),
                0,
                0,
                0,
                0,
                0,
                Map.of());
        return new Step("front", proxy, report, report, false);
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
        Seen seen = Seen.NOTHING.plus(List.of(new Step("front", "p1", report(0, 0, 50), report(0, 0, 200), false)));
        assertThat(seen.compared()).isEqualTo(150);
        assertThat(CanaryGates.breach(mismatches(0), seen)).isEmpty();
    }

    @Test
    void nobodyAskedForTheGate() {
        assertThat(CanaryGates.breach(Gates.defaults(), compared(100, 100))).isEmpty();
    }

    private static Seen compared(long compared, long mismatched) {
        return new Seen(1_000, 0, compared, mismatched, null);
    }

    private static Gates mismatches(double most) {
        return new Gates(-1, -1, most, 100, 100, "hold");
    }

    private static Seen seen(long reads, long errors, double sourceP99, double targetP99) {
        return new Seen(reads, errors, 0, 0, new Latency("front", "p1", sourceP99, 2_400, targetP99, 120));
    }
}
