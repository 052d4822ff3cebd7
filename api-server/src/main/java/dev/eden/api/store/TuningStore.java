package dev.eden.api.store;

import dev.eden.activities.store.Tuning;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/** What operators have set of running copies. */
public final class TuningStore {
    private static final String SELECT =
            "SELECT migration, copy_rate, parallelism, batch, max_source_latency_ms FROM tuning";

    private final Jdbi jdbi;
    private final AuditLog audit;

    public TuningStore(Jdbi jdbi, AuditLog audit) {
        this.jdbi = jdbi;
        this.audit = audit;
    }

    /** All defaults where nothing was set. */
    public Tuning of(String migration) {
        return jdbi.withHandle(handle -> read(handle, migration, ""));
    }

    /** Of every migration that something was set of. */
    public Map<String, Tuning> all() {
        Map<String, Tuning> all = new HashMap<>();
        jdbi.useHandle(handle -> handle.createQuery(SELECT)
                .map((row, _) -> Map.entry(row.getString("migration"), tuning(row)))
                .forEach(one -> all.put(one.getKey(), one.getValue())));
        return all;
    }

    /** {@code change} is asked while nobody else can; the replicator takes it up within a second. */
    public void set(MigrationStore.Migration migration, UnaryOperator<Tuning> change, String actor, String reason) {
        jdbi.useTransaction(handle -> {
            handle.createUpdate("INSERT INTO tuning (migration) VALUES (:migration) ON CONFLICT DO NOTHING")
                    .bind("migration", migration.id())
                    .execute();
            Tuning before = read(handle, migration.id(), " FOR UPDATE");
            Tuning tuning = change.apply(before);
            handle.createUpdate("""
                            UPDATE tuning SET copy_rate = :rate, parallelism = :parallelism, batch = :batch,
                                max_source_latency_ms = :latency, changed_at = now() WHERE migration = :migration""")
                    .bind("migration", migration.id())
                    .bind("rate", tuning.copyRate())
                    .bind("parallelism", tuning.parallelism())
                    .bind("batch", tuning.batch())
                    .bind("latency", tuning.maxSourceLatencyMs())
                    .execute();
            audit.append(
                    handle,
                    AuditLog.Entry.migration(
                            actor, "migration.tuned", migration.id(), migration.phase(), reason, before, tuning));
        });
    }

    private static Tuning read(Handle handle, String migration, String lock) {
        return handle.createQuery(SELECT + " WHERE migration = :migration" + lock)
                .bind("migration", migration)
                .map((row, _) -> tuning(row))
                .findOne()
                .orElse(Tuning.NONE);
    }

    static Tuning tuning(ResultSet row) throws SQLException {
        return new Tuning(
                row.getObject("copy_rate", Long.class),
                row.getObject("parallelism", Integer.class),
                row.getObject("batch", Integer.class),
                row.getObject("max_source_latency_ms", Integer.class));
    }
}
