package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.workflows.MigrationPhase.Baking;
import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.MigrationPhase.Completed;
import org.junit.jupiter.api.Test;

class PhaseTableTest {
    private final MigrationState state = new MigrationState(Bench.spec(), 1, false);

    @Test
    void saysThatACanaryIsHeldAndWhatMayBeDone() {
        state.enter(new Canary(0), 2);
        state.hold();
        assertThat(PhaseTable.markdown(state))
                .contains("| canary | **now** |", "**held** until somebody decides", "- commands: ", "rollback")
                .contains("- writes: source", "- reads on the target: 0 %");
    }

    @Test
    void aCompletedMigrationIsNeitherHeldNorOfferedCommands() {
        state.enter(new Canary(0), 2);
        state.hold();
        state.flipped(true);
        state.enter(new Baking(), 3);
        state.enter(new Completed(), 4);
        assertThat(PhaseTable.markdown(state))
                .contains("| completed | **now** |", "- writes: target", "- commands: none, the migration has ended")
                .doesNotContain("held", "- cutover:", "reads on the target");
    }
}
