package dev.eden.api.store;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import dev.eden.workflows.activity.DirectoryActivities;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** Keeps the directory in step with the workflows: phase, view and one audit event per record; ending phases give the endpoints back. */
public final class MigrationRecorder implements DirectoryActivities {
    private static final Set<String> ENDED = Set.of("completed", "rolled_back");

    private final Jdbi jdbi;
    private final AuditLog audit;
    private final @Nullable String publicUrl;

    /** {@code publicUrl}: base URI of the API as people reach it; null: nobody has said. */
    public MigrationRecorder(Jdbi jdbi, AuditLog audit, @Nullable String publicUrl) {
        this.jdbi = jdbi;
        this.audit = audit;
        this.publicUrl = publicUrl == null ? null : publicUrl.replaceAll("/+$", "");
    }

    @Override
    public Glance record(PhaseRecord record) {
        String phase = label(record.phase());
        jdbi.useTransaction(handle -> {
            String before = handle.createQuery("SELECT phase FROM migration WHERE id = :id FOR UPDATE")
                    .bind("id", record.migration())
                    .mapTo(String.class)
                    .findOne()
                    .orElseThrow(() -> MigrationStore.unknown(record.migration()));
            AuditLog.Entry entry = new AuditLog.Entry(
                    record.actor(),
                    record.event(),
                    "migration/" + record.migration(),
                    record.migration(),
                    phase,
                    record.revision(),
                    record.reason(),
                    Json.mapper().createObjectNode().put("phase", before),
                    Views.parse(record.viewJson())
                            .<JsonNode>map(view -> Json.mapper().valueToTree(view))
                            .orElseGet(() -> Json.tree(record.viewJson())));
            if (!audit.append(handle, entry)) {
                return;
            }
            int newer = handle.createUpdate("""
                UPDATE migration SET phase = :phase, view = CAST(:view AS jsonb), revision = :revision, updated_at = now(),
                    started_at = COALESCE(started_at, now()),
                    ended_at = CASE WHEN :ended THEN COALESCE(ended_at, now()) END
                WHERE id = :id AND revision < :revision\
                """)
                    .bind("phase", phase)
                    .bind("view", record.viewJson())
                    .bind("revision", record.revision())
                    .bind("ended", ENDED.contains(phase))
                    .bind("id", record.migration())
                    .execute();
            if (newer == 1 && ENDED.contains(phase)) {
                handle.createUpdate("DELETE FROM migration_endpoint WHERE migration = :id")
                        .bind("id", record.migration())
                        .execute();
            }
            if (newer == 1 && phase.equals("completed")) {
                handle.createUpdate("""
                    UPDATE interlay SET endpoint = m.target FROM migration m
                    WHERE m.id = :id AND interlay.id IN (SELECT i.interlay FROM migration_interlay i WHERE i.migration = m.id)\
                    """).bind("id", record.migration()).execute();
            }
        });
        return glance(record.migration());
    }

    private Glance glance(String migration) {
        Optional<Long> lag = jdbi.withHandle(handle -> handle.createQuery(
                        "SELECT (progress ->> 'lagMs')::bigint FROM replication WHERE migration = :id")
                .bind("id", migration)
                .mapTo(Long.class)
                .findOne());
        return new Glance(
                lag.orElse(null), publicUrl == null ? null : publicUrl + "/api/v1/migrations/" + migration + "/status");
    }

    private static String label(String phase) {
        return phase.startsWith("{") ? Json.tree(phase).path("phase").asText() : phase;
    }
}
