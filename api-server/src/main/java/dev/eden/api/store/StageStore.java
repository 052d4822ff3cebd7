package dev.eden.api.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.eden.activities.store.StageLedger;
import dev.eden.api.json.Json;
import dev.eden.workflows.AuditEvents;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

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
        jdbi.useTransaction(handle -> {
            // Locked: a watch that is taken for lost may tell it as well.
            Optional<String> phase = handle.createQuery("SELECT phase FROM migration WHERE id = :id FOR UPDATE")
                    .bind("id", migration)
                    .mapTo(String.class)
                    .findOne();
            boolean told = handle.createQuery("""
                            SELECT EXISTS (SELECT FROM audit_log WHERE migration = :id AND event = :event AND after ->> 'baked_at' = :baked)""")
                    .bind("id", migration)
                    .bind("event", AuditEvents.STAGE_WAITS)
                    .bind("baked", baked)
                    .mapTo(Boolean.class)
                    .one();
            if (phase.isPresent() && !told) {
                audit.append(
                        handle,
                        AuditLog.Entry.migration(
                                AuditEvents.EDEN,
                                AuditEvents.STAGE_WAITS,
                                migration,
                                phase.get(),
                                why,
                                null,
                                Map.of("baked_at", baked)));
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
