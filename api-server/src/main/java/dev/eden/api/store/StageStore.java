package dev.eden.api.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.eden.activities.store.StageLedger;
import dev.eden.api.json.Json;
import dev.eden.workflows.AuditEvents;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.Query;
import org.jspecify.annotations.Nullable;

/** {@link StageLedger} in the store. Thread-safe. */
public final class StageStore implements StageLedger {
    private final Jdbi jdbi;
    private final AuditLog audit;

    public StageStore(Jdbi jdbi, AuditLog audit) {
        this.jdbi = jdbi;
        this.audit = audit;
    }

    @Override
    public Optional<Counted> counted(String migration, long bakedAtMillis) {
        return jdbi.withHandle(handle -> handle.createQuery(
                                "SELECT counted::text FROM stage_watch WHERE migration = :migration AND baked_at = :baked")
                        .bind("migration", migration)
                        .bind("baked", bakedAtMillis)
                        .mapTo(String.class)
                        .findOne())
                .map(StageStore::read);
    }

    @Override
    public void save(String migration, long bakedAtMillis, Counted counted) {
        jdbi.useHandle(handle -> handle.createUpdate("""
                        INSERT INTO stage_watch (migration, baked_at, counted)
                        SELECT id, :baked, CAST(:counted AS jsonb) FROM migration WHERE id = :migration
                        ON CONFLICT (migration) DO UPDATE SET baked_at = excluded.baked_at, counted = excluded.counted""")
                .bind("migration", migration)
                .bind("baked", bakedAtMillis)
                .bind("counted", Json.write(counted))
                .execute());
    }

    @Override
    public void waits(String migration, long bakedAtMillis, String why) {
        String baked = Instant.ofEpochMilli(bakedAtMillis).toString();
        tell(
                migration,
                AuditEvents.STAGE_WAITS,
                why,
                Map.of("baked_at", baked),
                handle -> handle.createQuery("""
                                SELECT EXISTS (SELECT FROM audit_log WHERE migration = :id AND event = :event AND after ->> 'baked_at' = :baked)""").bind("baked", baked));
    }

    @Override
    public void differ(String migration, long mismatched, String why) {
        tell(
                migration,
                AuditEvents.READS_DIFFER,
                why,
                Map.of("mismatched", mismatched),
                handle -> handle.createQuery("""
                                SELECT EXISTS (SELECT FROM audit_log WHERE migration = :id AND event = :event
                                    AND at > clock_timestamp() - interval '1 hour' AND CAST(after ->> 'mismatched' AS bigint) * 10 > :mismatched)""").bind("mismatched", mismatched));
    }

    @Override
    public void delayed(String migration, String why) {
        tell(migration, AuditEvents.DELAYED, why, null, handle -> handle.createQuery("""
                        SELECT coalesce((SELECT event = :event FROM audit_log WHERE migration = :id ORDER BY position DESC LIMIT 1), false)"""));
    }

    /** @param told of {@code :id} and {@code :event}: it need not be told again */
    private void tell(
            String migration,
            String event,
            String why,
            @Nullable Map<String, Object> after,
            Function<Handle, Query> told) {
        jdbi.useTransaction(handle -> {
            // Locked: a watch that is taken for lost may tell it as well.
            Optional<String> phase = handle.createQuery("SELECT phase FROM migration WHERE id = :id FOR UPDATE")
                    .bind("id", migration)
                    .mapTo(String.class)
                    .findOne();
            boolean again = told.apply(handle)
                    .bind("id", migration)
                    .bind("event", event)
                    .mapTo(Boolean.class)
                    .one();
            if (phase.isPresent() && !again) {
                audit.append(
                        handle,
                        AuditLog.Entry.migration(AuditEvents.EDEN, event, migration, phase.get(), why, null, after));
            }
        });
    }

    static Counted read(String json) {
        try {
            return Json.mapper().readValue(json, Counted.class);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("what was counted of a stage cannot be read", e);
        }
    }
}
