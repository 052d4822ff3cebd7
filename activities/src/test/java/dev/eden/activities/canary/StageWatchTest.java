package dev.eden.activities.canary;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.activities.store.StageLedger.Counted;
import dev.eden.proxy.TrafficReport;
import dev.eden.workflows.MigrationSpec.Gates;
import dev.eden.workflows.activity.CanaryActivities.CanaryVerdict;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A stage is judged by all that was served since it began, whoever has watched it. */
class StageWatchTest {
    private static final Gates GATES = new Gates(0.001, -1, -1, 1_000, 100, "hold");
    private static final long BAKED = 3_600_000;

    @Test
    void anotherWatchGoesOnWhereTheOneBeforeIt() {
        StageWatch first = new StageWatch(GATES, BAKED, null, served(5_000, 0), 0);
        assertThat(first.look(served(5_900, 5), 1, 1_000))
                .as("too few to judge")
                .isEmpty();
        Counted counted = first.counted();
        StageWatch second = new StageWatch(GATES, BAKED, counted, served(6_400, 5), 2);
        assertThat(second.look(served(7_000, 5), 3, BAKED))
                .hasValueSatisfying(verdict -> assertThat(verdict.breached()).isTrue())
                .map(CanaryVerdict::reason)
                .hasValueSatisfying(why -> assertThat(why).contains("5 of 2000 reads"));
        StageWatch forgetful = new StageWatch(GATES, BAKED, null, served(5_900, 5), 2);
        assertThat(forgetful.look(served(7_000, 5), 3, BAKED))
                .map(CanaryVerdict::passed)
                .hasValue(true);
    }

    /** It was not heard just when the watch ended. */
    @Test
    void aProxyThatWasSilentForAMomentGoesOnWhereItWas() {
        StageWatch first = new StageWatch(GATES, BAKED, null, served(0, 0), 0);
        assertThat(first.look(served(900, 0), 1, 1_000)).isEmpty();
        assertThat(first.look(List.of(), 2, 1_001)).isEmpty();
        StageWatch second = new StageWatch(GATES, BAKED, first.counted(), List.of(), 3);
        assertThat(second.look(served(2_000, 50), 4, BAKED + 1))
                .map(CanaryVerdict::breached)
                .hasValue(true);
    }

    @Test
    void whatWasServedUnwatchedCounts() {
        Counted counted = new Counted(10, 0, 0, 0, served(100, 0));
        StageWatch watch = new StageWatch(GATES, BAKED, counted, served(2_100, 100), 0);
        assertThat(watch.look(served(2_100, 100), 1, BAKED + 1))
                .map(CanaryVerdict::breached)
                .hasValue(true);
    }

    private static List<Reported> served(long reads, long errors) {
        var idle = new TrafficReport.Side(0, 0, 1, 1, 0);
        var standby = new TrafficReport.Side(reads, errors, 1, 1, reads);
        return List.of(new Reported(
                "front", "p1", "i1", new TrafficReport(1, 1, 0, idle, standby, reads, reads, reads, 0, 0, Map.of())));
    }
}
