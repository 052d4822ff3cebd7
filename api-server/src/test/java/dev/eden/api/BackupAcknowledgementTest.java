package dev.eden.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import dev.eden.workflows.activity.PreparationActivities.Preflight;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BackupAcknowledgementTest {
    private static final Finding OTHER = new Finding("redis.version", "info", "7.0", "");

    @Test
    void planWarnsUntilSomebodyHasVerifiedABackup() {
        assertThat(check(Map.of(), false).findings())
                .extracting(Finding::id, Finding::severity)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("redis.version", "info"),
                        org.assertj.core.groups.Tuple.tuple(BackupAcknowledgement.FINDING, "warning"));
        assertThat(check(Map.of(), false).refused()).isFalse();
        assertThat(check(Map.of(), false).findings().getLast().remedy())
                .contains("eden migration set m label." + BackupAcknowledgement.LABEL + "=");
    }

    @Test
    void whereItIsRequiredNothingStartsWithoutIt() {
        assertThat(check(Map.of(BackupAcknowledgement.LABEL, " "), true).refused())
                .isTrue();
        Preflight said = check(Map.of(BackupAcknowledgement.LABEL, "kim, restored to staging"), true);
        assertThat(said.findings()).containsExactly(OTHER);
    }

    private static Preflight check(Map<String, String> labels, boolean required) {
        return new BackupAcknowledgement(_ -> labels, required)
                .check(
                        new MigrationSpec(
                                "m",
                                "",
                                "redis",
                                "source",
                                "target",
                                List.of("front"),
                                new Strategy(
                                        "canary",
                                        0,
                                        "session",
                                        5,
                                        null,
                                        new Strategy.WriteMode("dual_write", null, "source", null)),
                                new MigrationSpec.Data("scan", "auto", "replace"),
                                MigrationSpec.Gates.defaults(),
                                MigrationSpec.FailureHandling.PAUSE,
                                MigrationSpec.CutoverBudget.defaults(),
                                null),
                        _ -> new Preflight(List.of(OTHER)));
    }
}
