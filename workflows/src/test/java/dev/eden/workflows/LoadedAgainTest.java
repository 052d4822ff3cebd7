package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.workflows.MigrationPhase.NeedsOperator;
import dev.eden.workflows.MigrationPhase.Replicating;
import dev.eden.workflows.MigrationSpec.FailureHandling;
import io.temporal.api.enums.v1.EventType;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A full load that begins anew in the middle of a migration, and what its clients must not notice of it. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(180)
class LoadedAgainTest {
    private static final String LOST = "the source's log is lost";

    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.open();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void readsAreTakenBackBeforeTheTargetIsEmptied() {
        bench.start(Bench.spec());
        bench.untilReady();
        bench.world.lostLog = LOST;
        await().until(() -> bench.world.replicationStarts.get() == 2);
        assertThat(scheduled()).startsWith("Replicate", "Apply", "Apply", "Replicate");
    }

    @ParameterizedTest
    @EnumSource(
            value = FailureHandling.class,
            names = {"PAUSE", "NEEDS_OPERATOR"})
    void whoeverWaitsForAPersonGoesOnWaitingForTheSameReason(FailureHandling handling) {
        bench.start(Bench.spec(Bench.acknowledgedByBoth(Bench.canary(0.05)), handling, "hold"));
        bench.untilReady();
        bench.world.watchFailure = "no such interlay";
        await().until(() -> bench.world.shares().equals(List.of(0.05, 0.0)));
        bench.world.lostLog = LOST;
        await().until(() -> bench.world.replicationStarts.get() == 2);
        assertThat(bench.world.acks()).as("no reply waits for the load").containsExactly("both", "both", "source");
        assertThat(scheduled()).startsWith("Replicate", "Apply", "Apply", "Apply", "Replicate");
        MigrationView view = bench.view();
        assertThat(view.phase() instanceof NeedsOperator parked ? parked.resumeTo() : view.phase())
                .isEqualTo(new Replicating());
        assertThat(view.lastReason()).contains("no such interlay");
        assertThat(bench.world.records.getLast().reason()).contains(LOST);
    }

    /** Else the next run would go on in canary with the comparison of the load before. */
    @Test
    void whatIsFoundWhileARunHandsOverIsHeardByTheNext() {
        bench.start(Bench.spec(), 90);
        bench.untilReady();
        bench.world.lostWhenCancelled = LOST;
        String first = bench.currentRun();
        int share = 0;
        while (bench.currentRun().equals(first)) {
            double next = ++share / 100.0;
            bench.patch(Bench.canary(next));
            await().until(() -> bench.world.shares().contains(next));
        }
        await().until(() -> bench.world.validations.get() == 2);
        bench.untilReady();
        assertThat(bench.world.records)
                .filteredOn(record -> record.reason().contains(LOST))
                .singleElement()
                .matches(record -> record.phase().equals("replicating"));
    }

    /** What was scheduled of replication and of shares, in order. */
    private List<String> scheduled() {
        return bench.client().fetchHistory(MigrationWorkflow.workflowId(Bench.ID)).getEvents().stream()
                .filter(event -> event.getEventType() == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
                .map(event -> event.getActivityTaskScheduledEventAttributes()
                        .getActivityType()
                        .getName())
                .filter(Set.of("Replicate", "Apply")::contains)
                .toList();
    }
}
