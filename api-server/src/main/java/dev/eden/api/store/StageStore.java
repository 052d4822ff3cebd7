package dev.eden.api.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.eden.activities.store.StageLedger;
import dev.eden.api.json.Json;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/** {@link StageLedger} in the store. Thread-safe. */
public final class StageStore implements StageLedger {
    private final Jdbi jdbi;

    public StageStore(Jdbi jdbi) {
        this.jdbi = jdbi;
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

    private static Counted read(String json) {
        try {
            return Json.mapper().readValue(json, Counted.class);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("what was counted of a stage cannot be read", e);
        }
    }
}
