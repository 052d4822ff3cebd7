package dev.eden.activities.canary;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.proxy.TrafficReport;
import dev.eden.workflows.MigrationSpec.Gates;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Rolls back by itself for clients that are not served, and for nothing else. */
class OwnerWatchTest {
    private static final long WINDOW = 5;

    @Test
    void aQuietNightIsNoReason() {
        OwnerWatch watch = watch(0.1, 1_000, 10);
        for (int second = 1; second < 1_000; second++) {
            assertThat(watch.look(traffic(1_000, 10), second)).isEmpty();
        }
    }

    @Test
    void requestsOfWhichNoneSucceedsAreHoweverSlowlyTheyCome() {
        OwnerWatch watch = watch(-1, 1_000, 10);
        for (int second = 1; second < 20; second++) {
            assertThat(watch.look(traffic(1_000 + second, 10 + second), 10L * second))
                    .isEmpty();
        }
        assertThat(watch.look(traffic(1_020, 30), 200))
                .hasValueSatisfying(why -> assertThat(why).contains("none of 20"));
    }

    @Test
    void oneSuccessBeginsTheCountAnew() {
        OwnerWatch watch = watch(-1, 0, 0);
        assertThat(watch.look(traffic(19, 19), 1)).isEmpty();
        assertThat(watch.look(traffic(20, 19), 2)).isEmpty();
        assertThat(watch.look(traffic(39, 38), 3)).isEmpty();
        assertThat(watch.look(traffic(40, 39), 4)).isPresent();
    }

    @Test
    void theErrorRateHasItsGateAndNeedsSamples() {
        OwnerWatch watch = watch(0.1, 0, 0);
        assertThat(watch.look(traffic(99, 50), 1)).as("too few").isEmpty();
        assertThat(watch.look(traffic(100, 50), 2))
                .hasValueSatisfying(why -> assertThat(why).contains("0.5000 of 100"));
        assertThat(watch(-1, 0, 0).look(traffic(1_000, 999), 1)).as("not gated").isEmpty();
    }

    @Test
    void whatWasLongAgoCountsNoMore() {
        OwnerWatch watch = watch(0.1, 0, 0);
        assertThat(watch.look(traffic(90, 80), WINDOW + 1)).isEmpty();
        assertThat(watch.look(traffic(1_090, 90), WINDOW + 2)).isEmpty();
    }

    @Test
    void aProxyThatIsGoneIsNoFailure() {
        OwnerWatch watch = watch(0.1, 1_000, 10);
        assertThat(watch.look(traffic("2", 10, 5), 1)).isEmpty();
        assertThat(watch.look(traffic("2", 110, 5), 2)).isEmpty();
    }

    /** The store restarts, or a proxy is stopped for a moment: errors of before the flip are no reason to take writes back. */
    @Test
    void proxiesThatWereSilentBringNoneOfTheirPast() {
        OwnerWatch watch = watch(0.01, 10_000, 500);
        assertThat(watch.look(List.of(), 1)).isEmpty();
        assertThat(watch.look(traffic(10_010, 500), 2)).isEmpty();
        assertThat(watch.look(List.of(), 3)).isEmpty();
        assertThat(watch.look(traffic(10_110, 500), 4)).isEmpty();
        OwnerWatch late = new OwnerWatch(gates(0.01), List.of(), 0, WINDOW);
        assertThat(late.look(traffic(10_000, 10_000), 1)).isEmpty();
        assertThat(late.look(traffic(10_019, 10_019), 2)).isEmpty();
        assertThat(late.look(traffic(10_020, 10_020), 3)).isPresent();
    }

    private static OwnerWatch watch(double errorRate, long operations, long errors) {
        return new OwnerWatch(gates(errorRate), traffic(operations, errors), 0, WINDOW);
    }

    private static Gates gates(double errorRate) {
        return new Gates(errorRate, -1, -1, 100, 100, "hold");
    }

    private static List<Reported> traffic(long operations, long errors) {
        return traffic("1", operations, errors);
    }

    private static List<Reported> traffic(String incarnation, long operations, long errors) {
        var none = new TrafficReport.Side(0, 0, 0, 0, 0);
        var half = new TrafficReport.Side(operations / 2, errors / 2, 0, 0, 0);
        var other = new TrafficReport.Side(operations - operations / 2, errors - errors / 2, 0, 0, 0);
        return List.of(
                new Reported(
                        "front", "p1", incarnation, new TrafficReport(0, 0, 0, half, none, 0, 0, 0, 0, 0, Map.of())),
                new Reported(
                        "front", "p2", incarnation, new TrafficReport(0, 0, 0, other, none, 0, 0, 0, 0, 0, Map.of())));
    }
}
