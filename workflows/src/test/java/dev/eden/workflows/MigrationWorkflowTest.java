package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.workflows.Command.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The life of a migration, on the in-process Temporal server. */
@Timeout(60)
class MigrationWorkflowTest {
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
    void goesAllTheWayWithCutoverRollbackAndCutoverAgain() {
        bench.start(Bench.spec());
        bench.untilReady();
        assertThat(bench.view().allowedCommands()).contains("cutover", "rollback", "abort", "pause", "patch_strategy");

        bench.patch(Bench.canary(0.25));
        await().until(() -> bench.world.shares().contains(0.25));
        bench.patch(Bench.canary(0.75));
        await().until(() -> bench.world.shares().contains(0.75));

        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
        bench.update(Kind.ROLLBACK);
        MigrationView back = bench.until(view -> view.flips() == 2 && view.phase() instanceof MigrationPhase.Canary);
        assertThat(back.readPercentage()).isZero();
        assertThat(back.readyForCutover()).isTrue();

        bench.update(Kind.CUTOVER);
        bench.until(view -> view.flips() == 3 && view.phase() instanceof MigrationPhase.Baking);
        bench.update(Kind.FINALIZE);

        assertThat(bench.outcome()).isEqualTo(new MigrationOutcome("completed", 3));
        assertThat(bench.world.attempts.stream().map(a -> a.forward())).containsExactly(true, false, true);
        assertThat(bench.world.attempts.stream().map(a -> a.number())).containsExactly(1, 2, 3);
        assertThat(bench.world.cleanups).singleElement().matches(c -> c.completed() && !c.emptyTarget());
        assertThat(bench.world.replicating).hasValue(0);
        assertThat(bench.world.replicationStarts).hasValue(1);
        assertThat(bench.world.shares()).containsExactly(0.05, 0.25, 0.75, 0.0);
    }
}
