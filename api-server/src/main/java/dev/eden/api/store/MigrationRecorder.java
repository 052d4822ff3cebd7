package dev.eden.api.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import dev.eden.api.trace.RequestId;
import dev.eden.workflows.Command;
import dev.eden.workflows.Strategy;
import dev.eden.workflows.activity.DirectoryActivities;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** Keeps the directory in step with the workflows: phase, view, a changed strategy and one audit event per record; ending phases give the endpoints back. */
public final class MigrationRecorder implements DirectoryActivities {
    private static final Set<String> ENDED = Set.of("completed", "rolled_back");
    private static final String PARKED = "needs_operator";
    private static final Set<String> COMMANDS =
            Arrays.stream(Command.Kind.values()).map(Command.Kind::label).collect(Collectors.toUnmodifiableSet());

    private final Jdbi jdbi;
    private final AuditLog audit;
    private final @Nullable String publicUrl;
    private final Supplier<String> run;

    /**
     * @param publicUrl base URI of the API as people reach it; null: nobody has said
     * @param run of the workflow that tells the record at hand
     */
    public MigrationRecorder(Jdbi jdbi, AuditLog audit, @Nullable String publicUrl, Supplier<String> run) {
        this.run = run;
        this.jdbi = jdbi;
        this.audit = audit;
        this.publicUrl = publicUrl == null ? null : publicUrl.replaceAll("/+$", "");
    }

    @Override
    public Glance record(PhaseRecord record) {
        String phase = label(record.phase());
        String teller = run.get();
        jdbi.useTransaction(handle -> {
            Optional<String> found = handle.createQuery("SELECT phase FROM migration WHERE id = :id FOR UPDATE")
                    .bind("id", record.migration())
                    .mapTo(String.class)
                    .findOne();
            if (found.isEmpty() && ENDED.contains(phase)) {
                return; // recorded before, and forgotten since: nobody has heard that it was
            }
            String before = found.orElseThrow(() -> MigrationStore.unknown(record.migration()));
            long revision = revision(handle, record, teller);
            if (!audit.append(handle, entry(handle, record, revision, before, phase))) {
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
                    .bind("revision", revision)
                    .bind("ended", ENDED.contains(phase))
                    .bind("id", record.migration())
                    .execute();
            Strategy strategy = record.strategy();
            if (newer == 1 && strategy != null) {
                handle.createUpdate(
                                "UPDATE migration SET spec = jsonb_set(spec, '{strategy}', CAST(:strategy AS jsonb)) WHERE id = :id")
                        .bind("strategy", Json.write(strategy))
                        .bind("id", record.migration())
                        .execute();
            }
            if (newer == 1 && ENDED.contains(phase)) {
                handle.createUpdate("DELETE FROM migration_endpoint WHERE migration = :id")
                        .bind("id", record.migration())
                        .execute();
            }
        });
        return glance(record.migration());
    }

    /** The same for a record that comes again; behind all others for one of a run that counts anew. */
    private static long revision(Handle handle, PhaseRecord record, String run) {
        handle.createUpdate("""
                        INSERT INTO migration_run (migration, run, shift)
                        SELECT id, :run, greatest(0, revision + 1 - :revision) FROM migration WHERE id = :id
                        ON CONFLICT DO NOTHING""")
                .bind("id", record.migration())
                .bind("run", run)
                .bind("revision", record.revision())
                .execute();
        return record.revision()
                + handle.createQuery("SELECT shift FROM migration_run WHERE migration = :id AND run = :run")
                        .bind("id", record.migration())
                        .bind("run", run)
                        .mapTo(Long.class)
                        .one();
    }

    private Glance glance(String migration) {
        Optional<Long> lag = jdbi.withHandle(handle -> handle.createQuery(
                        "SELECT nullif((progress ->> 'lagMs')::bigint, -1) FROM replication WHERE migration = :id")
                .bind("id", migration)
                .mapTo(Long.class)
                .findOne());
        return new Glance(
                lag.orElse(null), publicUrl == null ? null : publicUrl + "/api/v1/migrations/" + migration + "/status");
    }

    /** Of a command it is the only entry, whatever way the command came: who, why, for which request, and where the migration stands with it. */
    private AuditLog.Entry entry(Handle handle, PhaseRecord record, long revision, String phaseBefore, String phase) {
        ObjectNode before = Json.mapper().createObjectNode().put("phase", phaseBefore);
        if (phaseBefore.equals(PARKED)) {
            parkedIn(handle, record.migration()).ifPresent(parked -> before.put("parked_in", parked));
        }
        ObjectNode after = Json.mapper().createObjectNode();
        after.setAll((ObjectNode) Views.parse(record.viewJson())
                .<JsonNode>map(view -> Json.mapper().valueToTree(view))
                .orElseGet(() -> Json.tree(record.viewJson())));
        boolean command = COMMANDS.contains(record.event());
        if (command) {
            RequestId.current().ifPresent(request -> after.put("request_id", request));
        }
        Strategy strategy = record.strategy();
        if (strategy != null) {
            before.set("strategy", audit.strategy(handle, record.migration()).orElse(null));
            after.set("strategy", AuditLog.node(strategy));
        }
        return new AuditLog.Entry(
                record.actor(),
                command ? AuditLog.COMMAND + record.event() : record.event(),
                "migration/" + record.migration(),
                record.migration(),
                phase,
                revision,
                record.reason(),
                before,
                after);
    }

    /** The phase that it was in before it waited for an operator: with a recovery the workflow that knew is gone. */
    private static Optional<String> parkedIn(Handle handle, String migration) {
        return handle.createQuery("""
                        SELECT before ->> 'phase' FROM audit_log
                        WHERE migration = :migration AND phase = :parked AND before ->> 'phase' <> :parked
                        ORDER BY position DESC LIMIT 1""")
                .bind("migration", migration)
                .bind("parked", PARKED)
                .mapTo(String.class)
                .findOne();
    }

    private static String label(String phase) {
        return phase.startsWith("{") ? Json.tree(phase).path("phase").asText() : phase;
    }
}
