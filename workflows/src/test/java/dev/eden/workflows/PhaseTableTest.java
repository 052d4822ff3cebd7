package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.workflows.MigrationPhase.Baking;
import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.MigrationPhase.Completed;
import dev.eden.workflows.activity.DirectoryActivities.Glance;
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
    void saysTheLagThatWasSeenAndWhereEdenShowsTheRest() {
        state.enter(new Canary(0), 2);
        assertThat(PhaseTable.markdown(state))
                .as("a history of before has neither")
                .doesNotContain("- lag:", "Status in Eden");
        state.glanced(new Glance(41L, "https://eden.example/api/v1/migrations/m/status"), 1_795_972_232_200L);
        assertThat(PhaseTable.markdown(state))
                .contains("\n- lag: 41 ms at 2026-11-29T17:10:32Z\n")
                .contains("\n[Status in Eden](<https://eden.example/api/v1/migrations/m/status>)\n");
        state.glanced(new Glance(null, null), 1_795_972_232_200L);
        assertThat(PhaseTable.markdown(state)).doesNotContain("- lag:", "Status in Eden");
    }

    @Test
    void saysWhatALineOfSomebodysWordsIs() {
        state.enter(new Canary(0), 2);
        state.reason("the window is on Sunday");
        assertThat(PhaseTable.markdown(state)).contains("\n- last reason: the window is on Sunday\n");
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
                .contains("How it went: `eden migration report ")
                .doesNotContain("Lag, rate", "held", "- cutover:", "reads on the target");
    }
}
