package dev.eden.api.route;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.Tuning;
import dev.eden.api.store.SharedLook;
import dev.eden.api.store.StatusStore;
import dev.eden.api.store.TuningStore;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
import org.jdbi.v3.core.Jdbi;

/** {@link ReplicationLedger} on PostgreSQL: the direction is the committed route's, read in one statement. Thread-safe. */
public final class PostgresReplicationLedger implements ReplicationLedger {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private static final Duration LATELY = Duration.ofMillis(50);
    private static final Duration TUNED = Duration.ofMillis(500);

    /** After the first flip the log of each direction begins where the turn was. */
    private static final String DIRECTION = """
            SELECT r.migration, r.active, r.standby, r.epoch, r.state, r.turn_replid, r.turn_offset,
                   p.generation, p.loaded, p.start_replid, p.start_offset
            FROM route r JOIN replication p ON p.migration = r.migration
            WHERE r.standby IS NOT NULL""";

    /**
     * The time is the store's, not that of the machine that tells. What the load copied stays when the turn comes, and when a session that begins later in the first direction counts from 0:
     * until the load has ended it is what was last said, then the most.
     */
    private static final String PROGRESS = """
            WITH hasty AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
                loading AS MATERIALIZED (SELECT EXISTS (SELECT FROM route WHERE migration = :migration AND turn_replid IS NULL) AS first)
            UPDATE replication SET
                progress = jsonb_set(:progress::jsonb, '{atMillis}', to_jsonb((extract(epoch FROM clock_timestamp()) * 1000)::bigint)),
                loaded_items = CASE WHEN NOT first THEN loaded_items WHEN loaded THEN greatest(loaded_items, :items) ELSE :items END,
                loaded_bytes = CASE WHEN NOT first THEN loaded_bytes WHEN loaded THEN greatest(loaded_bytes, :bytes) ELSE :bytes END
            FROM hasty, loading WHERE migration = :migration""";

    private final Jdbi jdbi;
    private final SharedLook<Map<String, Direction>> directions;
    private final SharedLook<Map<String, Tuning>> tuned;

    public PostgresReplicationLedger(Jdbi jdbi, TuningStore tunings) {
        this.jdbi = jdbi;
        this.directions = new SharedLook<>(LATELY, this::directions);
        this.tuned = new SharedLook<>(TUNED, tunings::all);
    }

    @Override
    public Direction current(String migration) {
        return jdbi.withHandle(
                h -> h.createQuery(DIRECTION + " AND r.migration = :migration ORDER BY r.interlay LIMIT 1")
                        .bind("migration", migration)
                        .map((row, _) -> direction(row))
                        .findOne()
                        .orElseThrow(() -> unknown(migration)));
    }

    @Override
    public Direction lately(String migration) {
        Direction direction = directions.get().get(migration);
        // One that has just begun is not in a look of before.
        return direction == null ? current(migration) : direction;
    }

    private Map<String, Direction> directions() {
        Map<String, Direction> all = new HashMap<>();
        jdbi.useHandle(h -> h.createQuery(DIRECTION + " ORDER BY r.interlay")
                .map((row, _) -> Map.entry(row.getString("migration"), direction(row)))
                .forEach(one -> all.putIfAbsent(one.getKey(), one.getValue())));
        return all;
    }

    private static Direction direction(ResultSet row) throws SQLException {
        String turn = row.getString("turn_replid");
        return new Direction(
                row.getString("active"),
                row.getString("standby"),
                row.getLong("epoch"),
                row.getLong("generation"),
                turn != null ? turn : row.getString("start_replid"),
                turn != null ? row.getLong("turn_offset") : row.getLong("start_offset"),
                turn != null || row.getBoolean("loaded"),
                !row.getString("state").equals("STABLE"));
    }

    private static NoSuchElementException unknown(String migration) {
        return new NoSuchElementException("no routes for migration " + migration);
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
    public boolean lossUntold(String migration) {
        return jdbi.withHandle(h -> h.createQuery(
                        "SELECT count(*) > 0 FROM replication WHERE migration = :migration AND loss_untold AND NOT loaded")
                .bind("migration", migration)
                .mapTo(Boolean.class)
                .one());
    }

    @Override
    public void lossTold(String migration) {
        jdbi.useHandle(h -> h.createUpdate(
                        "UPDATE replication SET loss_untold = false WHERE migration = :migration AND loss_untold")
                .bind("migration", migration)
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
        jdbi.useHandle(h -> h.createUpdate(PROGRESS)
                .bind("migration", migration)
                .bind("progress", json)
                .bind("items", progress.keysDone())
                .bind("bytes", progress.bytes())
                .execute());
    }

    @Override
    public Optional<Progress> progress(String migration) {
        return jdbi.withHandle(
                h -> h.createQuery("SELECT p.progress::text AS progress_text, " + StatusStore.PROGRESS_AGE
                                + " FROM replication p WHERE p.migration = :migration AND p.progress IS NOT NULL")
                        .bind("migration", migration)
                        .map((row, _) -> StatusStore.progress(row))
                        .findOne());
    }

    @Override
    public Tuning tuning(String migration) {
        return tuned.get().getOrDefault(migration, Tuning.NONE);
    }
}
