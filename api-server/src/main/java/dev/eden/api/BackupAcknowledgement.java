package dev.eden.api;

import dev.eden.api.store.MigrationStore;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import dev.eden.workflows.activity.PreparationActivities.Preflight;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Somebody has to have said that a backup of the source exists and has been restored once: Eden keeps what was acknowledged, but it
 * copies a mistake of an application as faithfully as everything else. Said by the migration's label {@value #LABEL}; where nobody has, plan
 * warns, and with {@code server.require_backup} a migration does not start.
 */
final class BackupAcknowledgement {
    static final String LABEL = "backup_verified";
    static final String FINDING = "backup.not_acknowledged";

    private final Function<String, Map<String, String>> labels;
    private final boolean required;

    BackupAcknowledgement(Function<String, Map<String, String>> labels, boolean required) {
        this.labels = labels;
        this.required = required;
    }

    static BackupAcknowledgement of(MigrationStore migrations, boolean required) {
        return new BackupAcknowledgement(id -> migrations.get(id).labels(), required);
    }

    /** What {@code preflight} finds, and whether the backup is acknowledged. */
    Preflight check(MigrationSpec spec, Function<MigrationSpec, Preflight> preflight) {
        Preflight found = preflight.apply(spec);
        if (!labels.apply(spec.id()).getOrDefault(LABEL, "").isBlank()) {
            return found;
        }
        List<Finding> findings = new ArrayList<>(found.findings());
        findings.add(new Finding(
                FINDING,
                required ? "failure" : "warning",
                "Nobody has said that a backup of " + spec.source()
                        + " was restored and that it can be restored to a point in time.",
                "Verify both, then say who did, when and where: eden migration set " + spec.id() + " label." + LABEL
                        + "='…'."));
        return new Preflight(findings);
    }
}
