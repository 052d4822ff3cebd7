package dev.eden.api.route;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.Tuning;
import dev.eden.api.store.TuningStore;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
import org.jdbi.v3.core.Jdbi;

/** {@link ReplicationLedger} on PostgreSQL: the direction is the committed route's, read in one statement. Thread-safe. */
public final class PostgresReplicationLedger implements ReplicationLedger {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Jdbi jdbi;
    private final TuningStore tunings;

    public PostgresReplicationLedger(Jdbi jdbi, TuningStore tunings) {
        this.jdbi = jdbi;
        this.tunings = tunings;
    }

    @Override
    public Direction current(String migration) {
        return jdbi.withHandle(h -> h.createQuery("""
                        SELECT r.active, r.standby, r.epoch, r.state, r.turn_replid, r.turn_offset,
                               p.generation, p.loaded, p.start_replid, p.start_offset
                        FROM route r JOIN replication p ON p.migration = r.migration
                        WHERE r.migration = :migration AND r.standby IS NOT NULL ORDER BY r.interlay LIMIT 1""")
                .bind("migration", migration)
                .map((rs, _) -> {
                    // After the first flip the log of each direction begins where the turn was.
                    String turn = rs.getString("turn_replid");
                    return new Direction(
                            rs.getString("active"),
                            rs.getString("standby"),
                            rs.getLong("epoch"),
                            rs.getLong("generation"),
                            turn != null ? turn : rs.getString("start_replid"),
                            turn != null ? rs.getLong("turn_offset") : rs.getLong("start_offset"),
                            turn != null || rs.getBoolean("loaded"),
                            !rs.getString("state").equals("STABLE"));
                })
                .findOne()
                .orElseThrow(() -> new NoSuchElementException("no routes for migration " + migration)));
    }

    @Override
    public OptionalLong nextGeneration(String migration, long epoch) {
        return jdbi.inTransaction(h -> {
            boolean stable = h.createQuery("""
                            SELECT bool_and(state = 'STABLE' AND epoch = :epoch) FROM
                                (SELECT state, epoch FROM route WHERE migration = :migration FOR SHARE) AS held""")
                    .bind("migration", migration)
                    .bind("epoch", epoch)
                    .mapTo(Boolean.class)
                    .findOne()
                    .orElse(false);
            if (!stable) {
                return OptionalLong.empty();
            }
            return OptionalLong.of(h.createQuery(
                            "UPDATE replication SET generation = generation + 1 WHERE migration = :migration RETURNING generation")
                    .bind("migration", migration)
                    .mapTo(Long.class)
                    .one());
        });
    }

    @Override
    public void loaded(String migration, long epoch, long generation, String replid, long offset) {
        jdbi.useHandle(h -> h.createUpdate("""
                        UPDATE replication SET loaded = true, start_replid = :replid, start_offset = :offset
                        WHERE migration = :migration AND generation = :generation""")
                .bind("migration", migration)
                .bind("generation", generation)
                .bind("replid", replid)
                .bind("offset", offset)
                .execute());
    }

    @Override
    public void restartLoad(String migration, long epoch, long generation) {
        jdbi.useHandle(h -> h.createUpdate("""
                        UPDATE replication SET loaded = false, start_replid = NULL, start_offset = 0
                        WHERE migration = :migration AND generation = :generation""")
                .bind("migration", migration)
                .bind("generation", generation)
                .execute());
    }

    @Override
    public void progress(String migration, Progress progress) {
        String json;
        try {
            json = JSON.writeValueAsString(progress);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
        jdbi.useTransaction(h -> {
            h.execute("SET LOCAL synchronous_commit = off");
            h.createUpdate("UPDATE replication SET progress = :progress::jsonb WHERE migration = :migration")
                    .bind("migration", migration)
                    .bind("progress", json)
                    .execute();
        });
    }

    @Override
    public Optional<Progress> progress(String migration) {
        return jdbi.withHandle(h -> h.createQuery(
                                "SELECT progress::text FROM replication WHERE migration = :migration AND progress IS NOT NULL")
                        .bind("migration", migration)
                        .mapTo(String.class)
                        .findOne())
                .map(json -> {
                    try {
                        return JSON.readValue(json, Progress.class);
                    } catch (JsonProcessingException e) {
                        throw new IllegalStateException("stored progress cannot be read", e);
                    }
                });
    }

    @Override
    public Tuning tuning(String migration) {
        return tunings.of(migration);
    }
}
