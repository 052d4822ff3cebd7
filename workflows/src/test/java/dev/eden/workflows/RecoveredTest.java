package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.MigrationPhase.Replicating;
import dev.eden.workflows.MigrationSpec.FailureHandling;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Nobody knows what a lost workflow had been told: what it may have held stays held. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(180)
class RecoveredTest {
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
    void anImmediateOneCutsOverOnlyWhereSomebodySaysSo() {
        bench.start(MigrationInput.recovering(
                Bench.spec(Bench.ofType(Strategy.IMMEDIATE), FailureHandling.PAUSE, "hold"),
                new Replicating(),
                false,
                false,
                "its workflow was terminated",
                0));
        bench.untilPhase("needs_operator");
        bench.update(Kind.RESUME);
        bench.untilReady();
        await().during(Duration.ofMillis(1_500)).until(() -> bench.world.attempts.isEmpty());
        bench.update(Kind.CUTOVER);
        bench.untilPhase("baking");
    }

    @Test
    void noReadsAreShiftedBeforeSomebodySaysSo() {
        bench.start(MigrationInput.recovering(
                Bench.spec(
                        Bench.canary(0.05, new Strategy.Stage(0.05, 1), new Strategy.Stage(0.5, 0)),
                        FailureHandling.PAUSE,
                        "hold"),
                new Replicating(),
                false,
                false,
                "its workflow was terminated",
                0));
        bench.untilPhase("needs_operator");
        bench.update(Kind.RESUME);
        bench.untilReady();
        await().during(Duration.ofMillis(1_500))
                .until(() -> bench.view().phase().equals(new Canary(0)));
        assertThat(bench.world.shares()).allMatch(share -> share == 0);
        bench.update(Kind.ADVANCE);
        await().until(() -> bench.world.shares().contains(0.05));
    }
}
