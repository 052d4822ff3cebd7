package dev.eden.activities.canary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.activities.store.StageLedger.Counted;
import dev.eden.proxy.TrafficReport;
import dev.eden.workflows.MigrationSpec.Gates;
import dev.eden.workflows.activity.CanaryActivities.CanaryVerdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A stage is judged by all that was served since it began, whoever has watched it. */
class StageWatchTest {
    private static final Gates GATES = new Gates(0.001, -1, -1, 1_000, 100, "hold");
    private static final Gates TIMED = new Gates(0.001, 1.5, -1, 1_000, 100, "hold");
    private static final long BEGAN = 500;
    private static final long SETTLED = BEGAN + 8_000;
    private static final long BAKED = 3_600_000;

    @Test
    void anotherWatchGoesOnWhereTheOneBeforeIt() {
        StageWatch first = watch(GATES, null, served(5_000, 0));
        assertThat(first.look(served(5_900, 5), 1, 1_000))
                .as("too few to judge")
                .isEmpty();
        Counted counted = first.counted();
        StageWatch second = watch(GATES, counted, served(6_400, 5));
        assertThat(second.look(served(7_000, 5), 3, BAKED))
                .hasValueSatisfying(verdict -> assertThat(verdict.breached()).isTrue())
                .map(CanaryVerdict::reason)
                .hasValueSatisfying(why -> assertThat(why).contains("5 of 2000 reads"));
        StageWatch forgetful = watch(GATES, null, served(5_900, 5));
        assertThat(forgetful.look(served(7_000, 5), 3, BAKED))
                .map(CanaryVerdict::passed)
                .hasValue(true);
    }

    /** It was not heard just when the watch ended. */
    @Test
    void aProxyThatWasSilentForAMomentGoesOnWhereItWas() {
        StageWatch first = watch(GATES, null, served(0, 0));
        assertThat(first.look(served(900, 0), 1, 1_000)).isEmpty();
        assertThat(first.look(List.of(), 2, 1_001)).isEmpty();
        StageWatch second = watch(GATES, first.counted(), List.of());
        assertThat(second.look(served(2_000, 50), 4, BAKED + 1))
                .map(CanaryVerdict::breached)
                .hasValue(true);
    }

    @Test
    void whatWasServedUnwatchedCounts() {
        Counted counted = new Counted(10, 0, 0, 0, null, 0, served(100, 0));
        StageWatch watch = watch(GATES, counted, served(2_100, 100));
        assertThat(watch.look(served(2_100, 100), 1, BAKED + 1))
                .map(CanaryVerdict::breached)
                .hasValue(true);
    }

    /** It was promoted by a ratio of 0. */
    @Test
    void aStageWithoutAComparableWindowIsNotPromotedAndSaysSo() {
        StageWatch watch = watch(TIMED, null, timed(0, 0, 1, 1));
        assertThat(watch.look(timed(2_000, 0, 1, 99), 1, BAKED - 1)).isEmpty();
        assertThat(watch.waits(BAKED - 1)).as("it bakes").isEmpty();
        assertThat(watch.look(timed(2_000, 0, 1, 99), 2, BAKED)).isEmpty();
        assertThat(watch.waits(BAKED))
                .hasValueSatisfying(why -> assertThat(why)
                        .startsWith("baked, waits for samples: p99 needs 100 reads")
                        .contains("99 and 5000 (front:p1)")
                        .doesNotContain("2000"));
        assertThat(watch.look(timed(2_050, 0, 1.4, 100), 3, BAKED + 1))
                .as("once")
                .isEmpty();
        assertThat(watch.look(timed(2_100, 0, 1.4, 100), 3, BAKED + 8_001)).hasValueSatisfying(verdict -> {
            assertThat(verdict.passed()).isTrue();
            assertThat(verdict.reason()).contains("0 of 2100 reads", "of 100 reads on the target", "ratio 1.40");
        });
        assertThat(watch.waits(BAKED + 8_001)).isEmpty();
    }

    @Test
    void aStageShortOfReadsSaysHowMany() {
        StageWatch watch = watch(GATES, null, served(0, 0));
        assertThat(watch.look(served(37, 0), 1, BAKED)).isEmpty();
        assertThat(watch.waits(BAKED)).hasValue("baked, waits for samples: 37 of 1000 reads");
    }

    /** What latencies wait for keeps no error back. */
    @Test
    void errorsBreachThoughLatenciesCannotBeCompared() {
        StageWatch watch = watch(TIMED, null, timed(0, 0, 1, 0));
        assertThat(watch.look(timed(900, 5, 1, 0), 1, 1_000)).isEmpty();
        StageWatch next = watch(TIMED, watch.counted(), timed(900, 5, 1, 0));
        assertThat(next.look(timed(1_800, 5, 1, 0), 2, BAKED))
                .map(CanaryVerdict::reason)
                .hasValueSatisfying(why -> assertThat(why).contains("max_error_rate: 5 of 1800"));
    }

    /** Percentiles are not told again, as totals are. */
    @Test
    void theWorstWindowOutlivesWhoeverSawIt() {
        StageWatch first = watch(TIMED, null, timed(0, 0, 1, 0));
        assertThat(first.look(timed(800, 0, 9, 500), 1, SETTLED)).isEmpty();
        assertThat(first.look(timed(850, 0, 90, 500), 1, SETTLED + 7_999))
                .as("half of it is the same window")
                .isEmpty();
        assertThat(first.look(timed(900, 0, 7, 500), 1, SETTLED + 8_000))
                .as("too few reads in all")
                .isEmpty();
        StageWatch second = watch(TIMED, first.counted(), timed(900, 0, 1, 500));
        assertThat(second.look(timed(1_950, 0, 1, 500), 2, BAKED))
                .map(CanaryVerdict::reason)
                .hasValueSatisfying(why -> assertThat(why).contains("max_latency_ratio", "ratio 7.00"));
    }

    /** The windows that proxies report then began under the share before, and may have breached its gate. */
    @Test
    void windowsOfTheStageBeforeAreNotThisOnes() {
        StageWatch watch = watch(TIMED, null, timed(0, 0, 7, 500));
        assertThat(watch.look(timed(5_000, 0, 7, 500), 1, SETTLED - 1)).isEmpty();
        assertThat(watch.counted().latency()).isNull();
        assertThat(watch.look(timed(5_001, 0, 1, 500), 2, SETTLED)).isEmpty();
        assertThat(watch.look(timed(5_001, 0, 1, 500), 2, SETTLED + 8_000)).isEmpty();
        StageWatch next = watch(TIMED, watch.counted(), timed(5_001, 0, 1, 500));
        assertThat(next.look(timed(5_001, 0, 1, 500), 3, BAKED))
                .map(CanaryVerdict::passed)
                .hasValue(true);
    }

    /** A percentile of some hundred requests is far off now and then. */
    @Test
    void oneSlowWindowIsNoBreach() {
        StageWatch watch = watch(TIMED, null, timed(0, 0, 1, 0));
        long now = SETTLED;
        for (double p99 : new double[] {1, 9, 1, 1, 8}) {
            assertThat(watch.look(timed(5_000, 0, p99, 500), 1, now)).isEmpty();
            now += 8_000;
        }
        assertThat(watch.look(timed(5_000, 0, 7, 500), 1, now))
                .map(CanaryVerdict::reason)
                .hasValueSatisfying(why -> assertThat(why).contains("ratio 7.00"));
    }

    /** It is cold, and its target's connections are new. */
    @Test
    void aProxyThatHasBegunLatelyIsNotHeldAgainstTheTarget() {
        StageWatch watch = watch(TIMED, null, timed(0, 0, 1, 0));
        assertThat(watch.look(fleet(1, 5_000, 9, 500), 1, SETTLED)).isEmpty();
        assertThat(watch.look(fleet(1, 5_000, 9, 500), 1, SETTLED + 7_000)).isEmpty();
        assertThat(watch.look(fleet(1, 5_000, 1.2, 500), 1, SETTLED + 8_000)).isEmpty();
        assertThat(watch.look(fleet(1, 5_000, 1.2, 500), 1, SETTLED + 16_000)).isEmpty();
        assertThat(watch.counted().latency())
                .isNotNull()
                .satisfies(worst -> assertThat(worst.ratio()).isEqualTo(1.2));
    }

    /** Fifty side-cars with some reads each have enough of them together; with hardly any, their p99 is any request. */
    @Test
    void manyWithFewSamplesAreTakenTogether() {
        StageWatch watch = watch(TIMED, null, fleet(50, 0, 1, 20));
        assertThat(watch.look(fleet(50, 5_000, 1.2, 20), 1, SETTLED)).isEmpty();
        assertThat(watch.look(fleet(50, 5_000, 1.2, 20), 1, SETTLED + 8_000)).isEmpty();
        assertThat(watch.counted().latency()).isNotNull().satisfies(worst -> {
            assertThat(worst.proxy()).isEqualTo("50 together");
            assertThat(worst.targetSamples()).isEqualTo(1_000);
            assertThat(worst.ratio()).isCloseTo(1.2, within(0.001));
        });
        assertThat(watch.look(fleet(50, 5_000, 9, 20), 1, SETTLED + 16_000)).isEmpty();
        assertThat(watch.look(fleet(50, 5_000, 9, 20), 1, SETTLED + 24_000))
                .map(CanaryVerdict::reason)
                .hasValueSatisfying(why -> assertThat(why).contains("front:50 together", "ratio 9.00"));
    }

    @Test
    void manyWithHardlyAnySamplesAreNotTakenTogether() {
        StageWatch watch = watch(TIMED, null, fleet(50, 0, 1, 19));
        assertThat(watch.look(fleet(50, 5_000, 9, 19), 1, SETTLED)).isEmpty();
        assertThat(watch.look(fleet(50, 5_000, 9, 19), 1, SETTLED + 8_000)).isEmpty();
        assertThat(watch.waits(BAKED)).hasValueSatisfying(why -> assertThat(why).contains("the nearest was 19"));
    }

    /** Nobody has to gate them to be told. */
    @Test
    void readsThatDifferAreCountedWithoutAGate() {
        StageWatch watch = watch(GATES, null, compared(10, 0));
        assertThat(watch.look(compared(14, 0), 1, BEGAN)).isEmpty();
        assertThat(watch.mismatched()).isZero();
        assertThat(watch.look(compared(30, 2), 2, BEGAN)).isEmpty();
        assertThat(watch.mismatched()).isEqualTo(2);
        assertThat(watch.mismatches())
                .isEqualTo("2 of 20 reads asked of both sides had different rows, rate 0.1000, not gated");
    }

    private static List<Reported> compared(long compared, long mismatched) {
        var none = new TrafficReport.Side(0, 0, 1, 1, 0);
        return List.of(new Reported(
                "front", "p1", "i1", new TrafficReport(1, 1, 0, none, none, 0, 0, 0, compared, mismatched, Map.of())));
    }

    private static List<Reported> fleet(int proxies, long reads, double p99, long samples) {
        List<Reported> heard = new ArrayList<>();
        for (int i = 0; i < proxies; i++) {
            Reported one = timed(reads, 0, p99, samples).getFirst();
            heard.add(new Reported("front", "pod-" + i, "i1", one.report()));
        }
        return heard;
    }

    private static StageWatch watch(Gates gates, @Nullable Counted before, List<Reported> heard) {
        return new StageWatch(gates, BAKED, before, heard, 0, BEGAN);
    }

    private static List<Reported> served(long reads, long errors) {
        return timed(reads, errors, 1, 0);
    }

    /** The source takes a millisecond. */
    private static List<Reported> timed(long reads, long errors, double p99, long samples) {
        var active = new TrafficReport.Side(0, 0, 1, 1, 5_000);
        var standby = new TrafficReport.Side(reads, errors, p99, p99, samples);
        return List.of(new Reported(
                "front", "p1", "i1", new TrafficReport(1, 1, 0, active, standby, reads, reads, reads, 0, 0, Map.of())));
    }
}
