package dev.eden.api.store;

import dev.eden.api.json.Json;
import dev.eden.api.store.MigrationStore.Migration;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jdbi.v3.core.Jdbi;

/** What people call their migrations by. No workflow knows of them, so they may change in any phase. */
public final class MigrationLabels {
    private final Jdbi jdbi;
    private final AuditLog audit;

    public MigrationLabels(Jdbi jdbi, AuditLog audit) {
        this.jdbi = jdbi;
        this.audit = audit;
    }

    /** {@code change} is asked while nobody else can; the audit log keeps what was there. */
    public void change(String id, UnaryOperator<Map<String, String>> change, String actor, String reason) {
        jdbi.useTransaction(handle -> {
            Migration migration = MigrationStore.get(handle, id, true);
            Map<String, String> labels = change.apply(migration.labels());
            if (labels.equals(migration.labels())) {
                return;
            }
            handle.createUpdate(
                            "UPDATE migration SET labels = CAST(:labels AS jsonb), updated_at = now() WHERE id = :id")
                    .bind("labels", Json.write(labels))
                    .bind("id", id)
                    .execute();
            // One level down: a label's name is anybody's, and what the audit log has of a strategy is found by name.
            audit.append(
                    handle,
                    AuditLog.Entry.migration(
                            actor,
                            "migration.labelled",
                            id,
                            migration.phase(),
                            reason,
                            Map.of("labels", migration.labels()),
                            Map.of("labels", labels)));
        });
    }
}
