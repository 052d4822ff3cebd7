package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.MigrationPhase.RollingBack;
import dev.eden.workflows.MigrationSpec.FailureHandling;
import dev.eden.workflows.activity.CutoverActivities.Readiness;
import dev.eden.workflows.activity.DirectoryActivities.PhaseRecord;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** A command that comes twice, or late, does not do more than was meant. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(180)
class MeantForTest {
    private Bench bench;

    @BeforeEach
    void open() {
        bench = Bench.open();
    }

    @AfterEach
    void close() {
        bench.close();
    }

    private CommandRefusal refused(Command command) {
        Throwable thrown = catchThrowable(() -> bench.send(command));
        assertThat(thrown).as("it is refused").isNotNull();
        return CommandRefusal.in(thrown).orElseThrow(() -> new AssertionError("no refusal", thrown));
    }

    private static Command command(Kind kind, String id) {
        return new Command(kind, id, "alice", "because", null);
    }

    private void untilRefused(String words) {
        await().untilAsserted(() -> assertThat(bench.world.records)
                .filteredOn(record -> record.event().equals(AuditEvents.COMMAND_REFUSED))
                .extracting(PhaseRecord::reason)
                .anyMatch(reason -> reason.contains(words)));
    }

    /** The first has taken the flip back by then: ending the migration is another thing, and has a word of its own. */
    @Test
    void aRollbackThatComesTwiceDoesNotEndTheMigration() {
        bench.start(Bench.spec());
        bench.untilReady();
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        bench.send(command(Kind.ROLLBACK, "r1"));
        bench.until(view -> view.flips() == 2 && view.phase() instanceof Canary);
        CommandRefusal refusal = refused(command(Kind.ROLLBACK, "r2"));
        assertThat(refusal.why()).contains("nothing to take back", "abort ends the migration");
        assertThat(refusal.allowed()).contains("abort", "cutover").doesNotContain("rollback");
        bench.signal(command(Kind.ROLLBACK, "r3"));
        untilRefused("rollback: the source owns the writes again");
        assertThat(bench.view().phase()).isInstanceOf(Canary.class);

        bench.world.attemptBlocked = true;
        bench.update(Kind.CUTOVER);
        bench.untilPhase("cutting_over");
        assertThat(refused(command(Kind.ROLLBACK, "r4")).why()).contains("a cutover is running");
        bench.world.attemptBlocked = false;
        bench.untilPhase("baking");
        bench.update(Kind.ROLLBACK);
        bench.until(view -> view.flips() == 4 && view.phase() instanceof Canary);
        bench.update(Kind.ABORT);
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 4));
    }

    @Test
    void aCommandThatIsMeantForAnotherPhaseIsRefusedWhicheverWayItComes() {
        bench.start(Bench.spec());
        bench.untilReady();
        Command late = command(Kind.ROLLBACK, "r1").meantFor("baking");
        CommandRefusal refusal = refused(late);
        assertThat(refusal.why()).isEqualTo("rollback was meant for phase baking, and the phase is canary");
        assertThat(refusal.allowed()).contains("rollback", "abort");
        bench.signal(late);
        untilRefused("rollback was meant for phase baking");
        assertThat(bench.view().phase()).isInstanceOf(Canary.class);
        bench.send(command(Kind.ROLLBACK, "r2").meantFor("canary"));
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 0));
    }

    /** It has been accepted: nobody is told any more. */
    @Test
    void whatWasMeantForAnAttemptIsObeyedWhereThatLeads() {
        bench.world.attemptBlocked = true;
        bench.start(Bench.spec());
        bench.untilReady();
        bench.update(Kind.CUTOVER);
        await().until(() -> bench.world.attempts.size() == 1);
        bench.send(command(Kind.ROLLBACK, "r1").meantFor("cutting_over"));
        bench.world.attemptBlocked = false;
        bench.until(view -> view.flips() == 2 && view.phase() instanceof Canary);
    }

    /** It would stop nothing. */
    @Test
    void theCleanupIsNotPaused() {
        bench.world.cleanupFailure = "target is not clean yet: it cannot be reached; source is clean";
        bench.start(Bench.spec());
        bench.untilReady();
        bench.update(Kind.ABORT);
        bench.until(view -> view.phase().equals(new RollingBack(false)));
        assertThat(refused(command(Kind.PAUSE, "p1")).why()).contains("cleaning up is not paused");
        bench.signal(command(Kind.PAUSE, "p2"));
        untilRefused("pause: cleaning up is not paused");
        assertThat(bench.view().paused()).isFalse();
        bench.world.cleanupFailure = "";
        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("rolled_back", 0));
    }

    /** What kept the first attempts from committing explains nothing once one has. */
    @Test
    void theReasonOfAnAbortedAttemptEndsWithTheFlip() {
        bench.start(Bench.spec());
        bench.untilReady();
        bench.world.next(_ -> FakeWorld.aborted("proxy p2 is silent"));
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        assertThat(bench.view().lastReason()).isEmpty();
        bench.world.next(_ -> FakeWorld.aborted("proxy p2 is silent"));
        bench.update(Kind.ROLLBACK);
        assertThat(bench.until(view -> view.flips() == 2 && view.phase() instanceof Canary)
                        .lastReason())
                .isEmpty();
    }

    @Test
    void whatAnImmediateWaitedForIsNoReasonOnceItHasCutOver() {
        bench.world.readiness = new Readiness(false, List.of("lag is 2000 ms"));
        bench.start(Bench.spec(Bench.ofType(Strategy.IMMEDIATE), FailureHandling.PAUSE, "hold"));
        bench.until(view -> view.lastReason().contains("lag is 2000 ms"));
        bench.world.readiness = new Readiness(true, List.of());
        assertThat(bench.untilPhase("baking").lastReason()).isEmpty();
    }
}
