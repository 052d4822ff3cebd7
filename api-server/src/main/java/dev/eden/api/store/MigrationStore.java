package dev.eden.api.store;

import dev.eden.api.json.Json;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.workflows.AuditEvents;
import dev.eden.workflows.MigrationPhase;
import dev.eden.workflows.Strategy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.Query;
import org.jspecify.annotations.Nullable;

/** The directory of migrations: what was asked for, and the last phase its workflow has recorded. */
public final class MigrationStore {
    /** A notification may be lost. */
    private static final Duration LOOK_BESIDES = Duration.ofMillis(250);

    private final Jdbi jdbi;
    private final AuditLog audit;
    private final Records records;

    public MigrationStore(Jdbi jdbi, AuditLog audit, Records records) {
        this.jdbi = jdbi;
        this.audit = audit;
        this.records = records;
    }

    /** Hears of what workflows record, wherever they run. */
    public interface Records {
        /** Calls {@code then}, on a thread that must not be kept, when this migration may have been recorded; ends with the answer. */
        Runnable listen(String migration, Runnable then);
    }

    /** The audit event that a migration begins with. */
    static final String CREATED = "migration.created";

    /** @param viewJson the workflow's last recorded view, null before the first */
    public record Migration(
            String id,
            String description,
            @Nullable String engine,
            @Nullable String source,
            @Nullable String target,
            List<String> interlays,
            MigrationDefinition definition,
            String phase,
            @Nullable String viewJson,
            long revision,
            Map<String, String> labels,
            String createdBy,
            String createdAt,
            @Nullable String startedAt,
            @Nullable String endedAt,
            String updatedAt) {

        public boolean started() {
            return startedAt != null;
        }

        public boolean ended() {
            return endedAt != null;
        }

        /** A workflow of it would be told the same as one of the other. */
        boolean movesAs(Migration other) {
            return definition.equals(other.definition)
                    && interlays.equals(other.interlays)
                    && Objects.equals(engine, other.engine)
                    && Objects.equals(source, other.source)
                    && Objects.equals(target, other.target);
        }
    }

    public Migration create(
            String id, String description, MigrationDefinition definition, Map<String, String> labels, String actor) {
        return jdbi.inTransaction(handle -> {
            int inserted = handle.createUpdate("""
                            INSERT INTO migration (id, description, spec, labels, created_by)
                            VALUES (:id, :description, CAST(:spec AS jsonb), CAST(:labels AS jsonb), :actor)
                            ON CONFLICT (id) DO NOTHING""")
                    .bind("id", id)
                    .bind("description", description)
                    .bind("spec", Json.write(definition))
                    .bind("labels", Json.write(labels))
                    .bind("actor", actor)
                    .execute();
            if (inserted == 0) {
                if (RequestClaim.wasDone(handle)) {
                    return get(handle, id, false);
                }
                throw new Problem(ErrorCode.MIGRATION_EXISTS, "migration " + id + " exists already");
            }
            NotificationStore.begin(handle, id, definition.told());
            audit.append(handle, AuditLog.Entry.migration(actor, CREATED, id, "created", "", null, definition));
            RequestClaim.done(handle);
            return get(handle, id, false);
        });
    }

    /**
     * Adds an interlay whose endpoint becomes the migration's source, and claims both endpoints for this migration. Adding the same
     * again changes nothing.
     */
    public Migration addInterlay(String id, String interlay, String target, String actor) {
        return jdbi.inTransaction(handle -> {
            Migration migration = unstarted(handle, id);
            InterlayStore.Interlay front =
                    InterlayStore.find(handle, interlay, true).orElseThrow(() -> InterlayStore.unknown(interlay));
            String source = front.endpoint();
            if (source == null) {
                throw new Problem(ErrorCode.INTERLAY_UNBOUND, "interlay " + interlay + " has no endpoint yet");
            }
            String targetEngine = handle.createQuery("SELECT engine FROM endpoint WHERE id = :id FOR SHARE")
                    .bind("id", target)
                    .mapTo(String.class)
                    .findOne()
                    .orElseThrow(() -> EndpointStore.unknown(target));
            if (!targetEngine.equals(front.engine())) {
                throw new Problem(
                        ErrorCode.ENGINE_MISMATCH,
                        "interlay " + interlay + " speaks " + front.engine() + ", endpoint " + target + " is "
                                + targetEngine);
            }
            refuseUnfit(migration.definition(), front.engine());
            if (source.equals(target)) {
                throw new Problem(
                        ErrorCode.MIGRATION_SIDES_DIFFER,
                        "endpoint " + target + " is what interlay " + interlay
                                + " stands in front of: source and target are the same");
            }
            if (migration.source() != null
                    && !(source.equals(migration.source()) && target.equals(migration.target()))) {
                throw new Problem(
                        ErrorCode.MIGRATION_SIDES_DIFFER,
                        "migration " + id + " moves " + migration.source() + " to " + migration.target() + "; interlay "
                                + interlay + " would move " + source + " to " + target);
            }
            // In the order of their ids: two requests that want the same two endpoints must not wait for each other.
            if (source.compareTo(target) < 0) {
                claim(handle, id, source, "source");
                claim(handle, id, target, "target");
            } else {
                claim(handle, id, target, "target");
                claim(handle, id, source, "source");
            }
            handle.createUpdate(
                            "UPDATE migration SET engine = :engine, source = :source, target = :target, updated_at = now() WHERE id = :id")
                    .bind("engine", front.engine())
                    .bind("source", source)
                    .bind("target", target)
                    .bind("id", id)
                    .execute();
            int added = handle.createUpdate(
                            "INSERT INTO migration_interlay (migration, interlay) VALUES (:id, :interlay) ON CONFLICT DO NOTHING")
                    .bind("id", id)
                    .bind("interlay", interlay)
                    .execute();
            if (added == 1) {
                audit.append(
                        handle,
                        AuditLog.Entry.migration(
                                actor,
                                "migration.interlay_added",
                                id,
                                migration.phase(),
                                "",
                                null,
                                Map.of("interlay", interlay, "source", source, "target", target)));
            }
            return get(handle, id, false);
        });
    }

    private static void claim(Handle handle, String migration, String endpoint, String role) {
        handle.createUpdate("""
                        INSERT INTO migration_endpoint (endpoint, migration, role) VALUES (:endpoint, :migration, :role)
                        ON CONFLICT DO NOTHING""")
                .bind("endpoint", endpoint)
                .bind("migration", migration)
                .bind("role", role)
                .execute();
        String owner = handle.createQuery("SELECT migration FROM migration_endpoint WHERE endpoint = :endpoint")
                .bind("endpoint", endpoint)
                .mapTo(String.class)
                .one();
        if (!owner.equals(migration)) {
            throw new Problem(
                    ErrorCode.ENDPOINT_IN_MIGRATION,
                    "endpoint " + endpoint + " is in migration " + owner
                            + "; an endpoint is in one migration at a time");
        }
    }

    /** A strategy that asks for what the engine of {@code migration} has nothing for is refused by name. */
    public static void refuseUnfit(Migration migration, Strategy strategy) {
        String engine = migration.engine();
        if (engine != null) {
            refuseUnfit(migration.definition().withStrategy(strategy), engine);
        }
    }

    private static void refuseUnfit(MigrationDefinition definition, String engine) {
        String unfit = definition.unfit(engine);
        if (unfit != null) {
            throw new Problem(ErrorCode.ENGINE_MISMATCH, unfit);
        }
    }

    /** Changes the strategy of a migration that has not been started; {@code change} is asked while nobody else can. */
    public Migration patchBeforeStart(String id, UnaryOperator<Strategy> change, String actor, String reason) {
        return jdbi.inTransaction(handle -> {
            Migration migration = unstarted(handle, id);
            Strategy strategy = change.apply(migration.definition().strategy());
            refuseUnfit(migration, strategy);
            storeStrategy(handle, migration, strategy);
            audit.append(
                    handle,
                    AuditLog.Entry.migration(
                            actor,
                            "migration.strategy_patched",
                            id,
                            migration.phase(),
                            reason,
                            migration.definition().strategy(),
                            strategy));
            return get(handle, id, false);
        });
    }

    /** A command that was carried out beside the workflow, in whatever phase the migration is by now; those that the workflow takes are recorded by {@link MigrationRecorder}. */
    public void commandDone(String id, String command, String actor, String reason) {
        jdbi.useTransaction(handle -> audit.append(
                handle,
                AuditLog.Entry.migration(
                        actor,
                        AuditLog.COMMAND + command,
                        id,
                        get(handle, id, true).phase(),
                        reason,
                        null,
                        null)));
    }

    /**
     * A cutover that was asked for and not begun, and what stood in its way. A request that is sent again under its key is the same one, and who asks
     * again and again meanwhile is told of once.
     *
     * @param command the id of the request's command
     */
    public void cutoverRefused(String id, String command, String actor, String reason, List<String> blockers) {
        jdbi.useTransaction(handle -> {
            String phase = get(handle, id, true).phase();
            if (phase.equals(new MigrationPhase.CuttingOver(1).label())) {
                return; // an attempt runs, which nobody has refused
            }
            boolean told = handle.createQuery("""
                            SELECT EXISTS (SELECT FROM audit_log WHERE migration = :id AND event = :event AND after ->> 'command' = :command)
                                OR coalesce((SELECT event = :event AND actor = :actor AND reason = :reason AND after -> 'blockers' = CAST(:blockers AS jsonb)
                                    FROM audit_log WHERE migration = :id ORDER BY position DESC LIMIT 1), false)""")
                    .bind("id", id)
                    .bind("event", AuditEvents.ATTEMPT_REFUSED)
                    .bind("command", command)
                    .bind("actor", actor)
                    .bind("reason", reason)
                    .bind("blockers", Json.write(blockers))
                    .mapTo(Boolean.class)
                    .one();
            if (!told) {
                audit.append(
                        handle,
                        AuditLog.Entry.migration(
                                actor,
                                AuditEvents.ATTEMPT_REFUSED,
                                id,
                                phase,
                                reason,
                                null,
                                Map.of("blockers", blockers, "command", command)));
            }
        });
    }

    /** Waits, no longer than {@code patience}, until the workflow has recorded something that {@code migration} does not have. */
    public void awaitRecord(Migration migration, Duration patience) {
        long end = System.nanoTime() + patience.toNanos();
        Semaphore recorded = new Semaphore(0);
        Runnable deaf = records.listen(migration.id(), recorded::release);
        try {
            long left = patience.toNanos();
            while (left > 0 && get(migration.id()).revision() <= migration.revision()) {
                recorded.tryAcquire(Math.min(left, LOOK_BESIDES.toNanos()), TimeUnit.NANOSECONDS);
                recorded.drainPermits();
                left = end - System.nanoTime();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            deaf.run();
        }
    }

    private static void storeStrategy(Handle handle, Migration migration, Strategy strategy) {
        // Nothing else of it: a newer version may have written what this one does not know.
        handle.createUpdate(
                        "UPDATE migration SET spec = jsonb_set(spec, '{strategy}', CAST(:strategy AS jsonb)), updated_at = now() WHERE id = :id")
                .bind("strategy", Json.write(strategy))
                .bind("id", migration.id())
                .execute();
    }

    /** Forgets a migration that was never started, and gives its endpoints back. */
    public void delete(String id, String actor) {
        jdbi.useTransaction(handle -> {
            Migration migration = unstarted(handle, id);
            handle.createUpdate("DELETE FROM migration WHERE id = :id")
                    .bind("id", id)
                    .execute();
            audit.append(
                    handle,
                    AuditLog.Entry.migration(
                            actor, "migration.deleted", id, migration.phase(), "", migration.definition(), null));
            RequestClaim.done(handle);
        });
    }

    public Migration get(String id) {
        return jdbi.withHandle(handle -> get(handle, id, false));
    }

    /** One line of the list of migrations: what can be said without opening what was asked for and what the workflow said. */
    public record Summary(
            String id,
            String description,
            @Nullable String engine,
            @Nullable String source,
            @Nullable String target,
            List<String> interlays,
            String phase,
            Map<String, String> labels,
            String createdAt,
            @Nullable String startedAt,
            @Nullable String endedAt,
            String updatedAt) {}

    /** Ordered by id; {@code afterId} is the last one of the page before. */
    public List<Summary> list(
            @Nullable String phase, @Nullable String labelKey, @Nullable String labelValue, String afterId, int limit) {
        // Only the conditions that are asked for: a plan for all cases at once can use no index.
        String sql = MigrationRows.SUMMARY + " WHERE m.id > :after" + (phase == null ? "" : " AND m.phase = :phase")
                + (labelKey == null
                        ? ""
                        : " AND m.labels @> jsonb_build_object(CAST(:key AS text), CAST(:value AS text))")
                + " ORDER BY m.id LIMIT :limit";
        return jdbi.withHandle(handle -> {
            Query query = handle.createQuery(sql).bind("after", afterId).bind("limit", limit);
            if (phase != null) {
                query.bind("phase", phase);
            }
            if (labelKey != null) {
                query.bind("key", labelKey).bind("value", labelValue);
            }
            return query.map((row, _) -> MigrationRows.summary(row)).list();
        });
    }

    /** Ids of those that have been started and have not ended. */
    public Set<String> running() {
        return jdbi.withHandle(handle -> Set.copyOf(
                handle.createQuery("SELECT id FROM migration WHERE started_at IS NOT NULL AND ended_at IS NULL")
                        .mapTo(String.class)
                        .list()));
    }

    /** Records that a migration has lost its workflow; false where that was recorded before and nobody has recovered it since. */
    public boolean orphaned(String id, String reason) {
        return jdbi.inTransaction(handle -> {
            Migration migration = get(handle, id, true);
            boolean recorded = handle.createQuery("""
                            SELECT event FROM audit_log WHERE migration = :id AND event IN ('migration.orphaned', 'command.recover')
                            ORDER BY id DESC LIMIT 1""")
                    .bind("id", id)
                    .mapTo(String.class)
                    .findOne()
                    .filter("migration.orphaned"::equals)
                    .isPresent();
            return !recorded
                    && audit.append(
                            handle,
                            AuditLog.Entry.migration(
                                    "system", "migration.orphaned", id, migration.phase(), reason, null, null));
        });
    }

    private static Migration unstarted(Handle handle, String id) {
        Migration migration = get(handle, id, true);
        refuseStarted(migration);
        if (claimed(handle, id)) {
            throw new Problem(
                    ErrorCode.MIGRATION_STARTED,
                    "migration " + id + " is being started; where that was given up, ask again in half a minute");
        }
        return migration;
    }

    /** It is being started, or nobody knows whether it was. */
    static boolean claimed(Handle handle, String id) {
        return handle.createQuery("SELECT start_claimed_at IS NOT NULL FROM migration WHERE id = :id")
                .bind("id", id)
                .mapTo(Boolean.class)
                .one();
    }

    private static void refuseStarted(Migration migration) {
        if (migration.ended()) {
            throw new Problem(
                    ErrorCode.MIGRATION_ENDED, "migration " + migration.id() + " has ended: " + migration.phase());
        }
        if (migration.started()) {
            throw new Problem(
                    ErrorCode.MIGRATION_STARTED, "migration " + migration.id() + " is in phase " + migration.phase());
        }
    }

    static Problem unknown(String id) {
        return new Problem(ErrorCode.MIGRATION_NOT_FOUND, "migration " + id + " does not exist");
    }

    static Migration get(Handle handle, String id, boolean lock) {
        if (lock) {
            handle.execute("SELECT 1 FROM migration WHERE id = ? FOR UPDATE", id);
        }
        Optional<Migration> found = handle.createQuery(MigrationRows.SELECT + " WHERE m.id = :id")
                .bind("id", id)
                .map((row, _) -> MigrationRows.migration(row))
                .findOne();
        return found.orElseThrow(() -> unknown(id));
    }
}
