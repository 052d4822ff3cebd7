package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.MigrationPhase.Initializing;
import dev.eden.workflows.MigrationSpec.FailureHandling;
import dev.eden.workflows.activity.DirectoryActivities.PhaseRecord;
import io.temporal.api.enums.v1.EventType;
import io.temporal.api.history.v1.ActivityTaskScheduledEventAttributes;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** What a server refuses however often it is asked: people hear of it within seconds, and it is theirs within minutes. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(180)
class RefusedForGoodTest {
    private static final Duration LONG_ENOUGH = Duration.ofMinutes(15);

    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.skipping();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void aPreparationThatIsRefusedSaysWhyAndIsThenAFailure() {
        bench.world.prepareFailure = "user batch could not be made on the target";
        bench.start(Bench.spec(Bench.canary(0.05), FailureHandling.PAUSE, "hold"));
        MigrationView told = bench.until(view -> view.lastReason().contains("user batch"));
        assertThat(told.phase()).isEqualTo(new Initializing());
        assertThat(told.failed()).as("it is tried on").isFalse();
        await().untilAsserted(() -> assertThat(failures()).hasSize(1));
        bench.environment.sleep(LONG_ENOUGH);
        MigrationView failed = bench.until(MigrationView::failed);
        assertThat(failed.phase()).isEqualTo(new Initializing());
        assertThat(failed.lastReason()).contains("user batch");
        await().untilAsserted(() -> assertThat(failures()).hasSize(2));
        bench.world.prepareFailure = "";
        bench.update(Kind.RESUME);
        bench.untilReady();
    }

    @Test
    void aServerThatIsAwayForAMomentIsWaitedFor() {
        bench.world.prepareFailure = "target is away";
        bench.start(Bench.spec());
        bench.until(view -> view.lastReason().contains("target is away"));
        bench.world.prepareFailure = "";
        assertThat(bench.untilReady().lastReason()).isEmpty();
    }

    /** In one activity: the next attempt goes on where the last had come to. */
    @Test
    void aComparisonThatIsRefusedIsAFailureInTheEnd() {
        bench.world.validationFailure = "no right to read orders";
        bench.start(Bench.spec());
        await().until(() -> bench.world.validations.get() == 2);
        assertThat(scheduled("Validate"))
                .singleElement()
                .matches(one -> one.getRetryPolicy().getMaximumAttempts() == Phases.UNTIL_DECIDED);
        bench.world.validationFailure = "";
        bench.untilReady();
    }

    /** A schema of thousands of tables takes longer than any limit that finds dead workers. */
    @Test
    void aPreparationMayTakeAsLongAsItDoes() {
        bench.start(Bench.spec());
        bench.untilReady();
        ActivityTaskScheduledEventAttributes prepare = scheduled("Prepare").getFirst();
        assertThat(prepare.getStartToCloseTimeout().getSeconds())
                .isGreaterThan(Duration.ofDays(365).toSeconds());
        assertThat(prepare.getHeartbeatTimeout().getSeconds())
                .as("a dead worker is found")
                .isEqualTo(10);
    }

    private List<ActivityTaskScheduledEventAttributes> scheduled(String activity) {
        return bench.client().fetchHistory(MigrationWorkflow.workflowId(Bench.ID)).getEvents().stream()
                .filter(event -> event.getEventType() == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
                .map(event -> event.getActivityTaskScheduledEventAttributes())
                .filter(one -> one.getActivityType().getName().equals(activity))
                .toList();
    }

    private List<PhaseRecord> failures() {
        return bench.world.records.stream()
                .filter(record -> record.event().equals(AuditEvents.STEP_FAILED))
                .toList();
    }
}
