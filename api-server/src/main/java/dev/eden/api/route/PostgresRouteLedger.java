package dev.eden.api.route;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.store.EncryptedServerRecords;
import dev.eden.api.store.Sealed;
import dev.eden.api.store.SecretCipher;
import dev.eden.proxy.CanaryPolicy;
import dev.eden.proxy.RouteState;
import dev.eden.proxy.TrafficReport;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.result.ResultIterable;
import org.jdbi.v3.core.statement.Query;
import org.jdbi.v3.core.statement.Update;
import org.jspecify.annotations.Nullable;

/** {@link RouteLedger} on PostgreSQL; every change is one transaction over all rows of a migration. Thread-safe. */
public final class PostgresRouteLedger implements RouteLedger {
    /** A proxy of a newer version may report more. */
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private final Jdbi jdbi;
    private final StoreChanges changes;
    private final SecretCipher cipher;

    public PostgresRouteLedger(Jdbi jdbi, StoreChanges changes, SecretCipher cipher) {
        this.jdbi = jdbi;
        this.changes = changes;
        this.cipher = cipher;
    }

    @Override
    public Optional<Routes> read(String migration) {
        List<RouteRows> rows = jdbi.withHandle(
                h -> rows(h.createQuery(RouteRows.SELECT + " WHERE migration = :migration ORDER BY interlay")
                                .bind("migration", migration))
                        .list());
        return rows.isEmpty() ? Optional.empty() : Optional.of(RouteRows.routes(rows));
    }

    @Override
    public List<JoinedProxy> joined(String migration) {
        return jdbi.withHandle(h -> joined(h, migration));
    }

    private static List<JoinedProxy> joined(Handle h, String migration) {
        return h.createQuery("""
                        SELECT p.name, p.interlay, p.seen_at > clock_timestamp() - interval '3 seconds' AS alive, p.wire
                        FROM proxy p JOIN route r ON r.interlay = p.interlay WHERE r.migration = :migration""")
                .bind("migration", migration)
                .map((rs, _) -> new JoinedProxy(
                        rs.getString("name"), rs.getString("interlay"), rs.getBoolean("alive"), rs.getInt("wire")))
                .list();
    }

    @Override
    public void attach(String migration, String source, String target, List<String> interlays) {
        jdbi.useTransaction(h -> {
            EncryptedServerRecords.requireOngoing(h, migration);
            h.createUpdate("INSERT INTO replication (migration) VALUES (:migration) ON CONFLICT DO NOTHING")
                    .bind("migration", migration)
                    .execute();
            int changed = h.createUpdate("""
                            UPDATE route SET standby = :target, migration = :migration, turn_replid = NULL, turn_offset = NULL
                            WHERE interlay IN (<interlays>) AND state = 'STABLE' AND active = :source AND standby IS NULL""")
                    .bind("migration", migration)
                    .bind("source", source)
                    .bind("target", target)
                    .bindList("interlays", interlays)
                    .execute();
            long attached = h.createQuery(
                            "SELECT count(*) FROM route WHERE migration = :migration AND interlay IN (<interlays>)")
                    .bind("migration", migration)
                    .bindList("interlays", interlays)
                    .mapTo(Long.class)
                    .one();
            if (attached != interlays.size()) {
                throw new IllegalStateException("cannot attach " + migration + ": " + changed + " of "
                        + interlays.size() + " interlays stand before " + source + " with no migration");
            }
            // Interlays that join a migration late take the epoch of the others: they move together.
            h.createUpdate("""
                            UPDATE route SET epoch = (SELECT max(epoch) FROM route WHERE migration = :migration)
                            WHERE migration = :migration AND epoch < (SELECT max(epoch) FROM route WHERE migration = :migration)""").bind("migration", migration).execute();
        });
    }

    @Override
    public void detach(String migration) {
        jdbi.useTransaction(h -> {
            h.createUpdate("""
                            UPDATE interlay SET endpoint = route.active FROM route
                            WHERE route.interlay = interlay.id AND route.migration = :migration""").bind("migration", migration).execute();
            h.createUpdate("""
                            UPDATE route SET standby = NULL, migration = NULL, turn_replid = NULL, turn_offset = NULL, read_share = 0,
                                   ack_both = false, attempt = 0, deadline_ms = 0
                            WHERE migration = :migration AND state = 'STABLE'""").bind("migration", migration).execute();
            long left = h.createQuery("SELECT count(*) FROM route WHERE migration = :migration")
                    .bind("migration", migration)
                    .mapTo(Long.class)
                    .one();
            if (left > 0) {
                throw new IllegalStateException("an attempt of " + migration + " is not settled");
            }
        });
    }

    @Override
    public Optional<String> resting(List<String> interlays) {
        if (interlays.isEmpty()) {
            return Optional.empty();
        }
        return jdbi.withHandle(h -> h.createQuery("""
                        SELECT min(active) FROM route WHERE interlay IN (<interlays>)
                        HAVING count(*) = :all AND min(active) = max(active) AND count(migration) = 0 AND count(standby) = 0""")
                .bindList("interlays", interlays)
                .bind("all", interlays.size())
                .mapTo(String.class)
                .findOne());
    }

    @Override
    public void canary(String migration, CanaryPolicy policy, boolean ackBoth) {
        jdbi.useHandle(h -> h.createUpdate("""
                        UPDATE route SET read_share = :share, consistency = :consistency, max_wait_ms = :wait, ack_both = :both
                        WHERE migration = :migration AND (read_share, consistency, max_wait_ms, ack_both)
                              IS DISTINCT FROM (:share, :consistency, :wait, :both)""")
                .bind("migration", migration)
                .bind("share", policy.readShare())
                .bind("consistency", policy.consistency().name())
                .bind("wait", policy.maxWait().toMillis())
                .bind("both", ackBoth)
                .execute());
    }

    @Override
    public Optional<Armed> arm(
            String migration, long epoch, String coordinator, String direction, int number, @Nullable String run) {
        return jdbi.inTransaction(h -> {
            long attempt = h.createQuery("""
                            INSERT INTO attempt (migration, epoch, direction, coordinator, number)
                            VALUES (:migration, :epoch, :direction, :coordinator, :number) RETURNING id""")
                    .bind("migration", migration)
                    .bind("epoch", epoch)
                    .bind("direction", direction)
                    .bind("coordinator", coordinator)
                    .bind("number", number)
                    .mapTo(Long.class)
                    .one();
            int changed = h.createUpdate("""
                            UPDATE route SET state = 'ARMED', attempt = :attempt, coordinator = :coordinator
                            WHERE migration = :migration AND epoch = :epoch AND state = 'STABLE' AND standby IS NOT NULL""")
                    .bind("migration", migration)
                    .bind("epoch", epoch)
                    .bind("attempt", attempt)
                    .bind("coordinator", coordinator)
                    .execute();
            // The rows are locked since: whoever closes it comes before this or finds it armed.
            if (changed == 0 || changed != rowCount(h, migration) || isClosed(h, migration, number, run)) {
                h.rollback();
                return Optional.empty();
            }
            // A proxy that joins takes a share lock on its row: it is either in this list or will see ARMED.
            return Optional.of(new Armed(attempt, joined(h, migration)));
        });
    }

    private static boolean isClosed(Handle h, String migration, int number, @Nullable String run) {
        return run != null
                && h.createQuery("""
                        SELECT EXISTS (SELECT FROM attempt_closed
                                       WHERE migration = :migration AND run = :run AND number = :number)""")
                        .bind("migration", migration)
                        .bind("run", run)
                        .bind("number", number)
                        .mapTo(Boolean.class)
                        .one();
    }

    @Override
    public boolean closeAttempt(String migration, long epoch, int number, String run) {
        return jdbi.inTransaction(h -> {
            List<Boolean> rested = h.createQuery("""
                            SELECT state = 'STABLE' AND epoch = :epoch FROM route WHERE migration = :migration
                            ORDER BY interlay FOR UPDATE""")
                    .bind("migration", migration)
                    .bind("epoch", epoch)
                    .mapTo(Boolean.class)
                    .list();
            if (rested.contains(false)) {
                return false;
            }
            h.createUpdate("""
                            INSERT INTO attempt_closed (migration, run, number) VALUES (:migration, :run, :number)
                            ON CONFLICT DO NOTHING""")
                    .bind("migration", migration)
                    .bind("run", run)
                    .bind("number", number)
                    .execute();
            return true;
        });
    }

    @Override
    public void rehearse(String migration) {
        jdbi.useTransaction(h -> {
            h.createUpdate("UPDATE route SET deadline_ms = deadline_ms WHERE migration = :migration")
                    .bind("migration", migration)
                    .execute();
            h.rollback();
        });
    }

    @Override
    public boolean prepare(String migration, long epoch, long attempt, Duration deadline) {
        return move(migration, epoch, attempt, "state = 'PREPARED', deadline_ms = " + deadline.toMillis(), "'ARMED'");
    }

    @Override
    public boolean commit(String migration, long epoch, long attempt, Position turn) {
        return jdbi.withHandle(h -> swap(h, """
                                state = 'COMMITTED', epoch = epoch + 1, active = standby, standby = active,
                                active_tag = (active_tag + 1) % 16, turn_replid = :replid, turn_offset = :offset, read_share = 0""", "'PREPARED'")
                        .bind("migration", migration)
                        .bind("epoch", epoch)
                        .bind("attempt", attempt)
                        .bind("replid", turn.replid())
                        .bind("offset", turn.offset())
                        .execute()
                > 0);
    }

    @Override
    public boolean stable(String migration, long epoch, long attempt) {
        // Losing this to a crash is harmless: COMMITTED is rolled forward again.
        return jdbi.withHandle(h -> h.createUpdate("""
                                WITH hasty AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
                                UPDATE route SET state = 'STABLE', deadline_ms = 0 FROM hasty
                                WHERE migration = :migration AND epoch = :epoch AND attempt = :attempt AND state = 'COMMITTED'""")
                        .bind("migration", migration)
                        .bind("epoch", epoch)
                        .bind("attempt", attempt)
                        .execute()
                > 0);
    }

    @Override
    public boolean beginAbort(String migration, long epoch, long attempt, String reason) {
        boolean won = move(migration, epoch, attempt, "state = 'ABORTING'", "'ARMED', 'PREPARED'");
        if (won) {
            jdbi.useHandle(h -> h.createUpdate("UPDATE attempt SET reason = :reason WHERE id = :id AND reason IS NULL")
                    .bind("reason", reason)
                    .bind("id", attempt)
                    .execute());
        }
        return won;
    }

    @Override
    public boolean endAbort(String migration, long epoch, long attempt) {
        return move(migration, epoch, attempt, "state = 'STABLE', deadline_ms = 0", "'ABORTING'");
    }

    private boolean move(String migration, long epoch, long attempt, String set, String from) {
        return jdbi.withHandle(h -> swap(h, set, from)
                        .bind("migration", migration)
                        .bind("epoch", epoch)
                        .bind("attempt", attempt)
                        .execute()
                > 0);
    }

    /**
     * One statement that changes all rows of a migration or none. The first conditions are checked again on a row that somebody else changed
     * while this waited for it (PostgreSQL documentation, section 13.2.1), the last keeps rows that disagree from moving apart.
     */
    private static Update swap(Handle h, String set, String from) {
        return h.createUpdate("UPDATE route SET " + set
                + " WHERE migration = :migration AND epoch = :epoch AND attempt = :attempt AND state IN (" + from + ")"
                + " AND NOT EXISTS (SELECT FROM route other WHERE other.migration = :migration AND NOT"
                + " (other.epoch = :epoch AND other.attempt = :attempt AND other.state IN (" + from + ")))");
    }

    private static int rowCount(Handle h, String migration) {
        return h.createQuery("SELECT count(*) FROM route WHERE migration = :migration")
                .bind("migration", migration)
                .mapTo(Integer.class)
                .one();
    }

    @Override
    public void saveUndo(long attempt, String undoJson) {
        jdbi.useHandle(h -> h.createUpdate("UPDATE attempt SET undo = :undo WHERE id = :id")
                .bind("undo", cipher.seal(Sealed.attempt(attempt), undoJson))
                .bind("id", attempt)
                .execute());
    }

    @Override
    public Optional<String> undo(long attempt) {
        return jdbi.withHandle(h -> h.createQuery("SELECT undo FROM attempt WHERE id = :id AND undo IS NOT NULL")
                        .bind("id", attempt)
                        .mapTo(byte[].class)
                        .findOne())
                .map(encrypted -> cipher.open(Sealed.attempt(attempt), encrypted));
    }

    @Override
    public List<Acknowledgement> acknowledgements(long attempt) {
        return jdbi.withHandle(h -> h.createQuery("""
                        SELECT proxy, interlay, step, detail, (extract(epoch FROM at) * 1000000)::bigint AS micros
                        FROM acknowledgement WHERE attempt = :attempt ORDER BY at""")
                .bind("attempt", attempt)
                .map((rs, _) -> new Acknowledgement(
                        rs.getString("proxy"),
                        rs.getString("interlay"),
                        rs.getString("step"),
                        rs.getString("detail"),
                        rs.getLong("micros")))
                .list());
    }

    @Override
    public long changeMark() {
        return changes.mark();
    }

    @Override
    public void awaitChange(long mark, Duration atMost) {
        changes.await(mark, atMost);
    }

    @Override
    public void saveReport(long attempt, String outcome, String reportJson) {
        saveReport(attempt, outcome, reportJson, "(report IS NULL OR outcome = :outcome)");
    }

    @Override
    public void saveReportOfLost(long attempt, String outcome, String reportJson) {
        saveReport(attempt, outcome, reportJson, "report IS NULL");
    }

    private void saveReport(long attempt, String outcome, String reportJson, String where) {
        jdbi.useHandle(h -> h.createUpdate(
                        "UPDATE attempt SET outcome = :outcome, report = :report::jsonb, undo = NULL WHERE id = :id AND "
                                + where)
                .bind("outcome", outcome)
                .bind("report", reportJson)
                .bind("id", attempt)
                .execute());
    }

    @Override
    public List<Untold> untold(Duration rested) {
        // Of the attempts of one epoch only the last can have ended it.
        return jdbi.withHandle(h -> h.createQuery("""
                        SELECT a.id, a.number, a.migration, a.direction, a.epoch, a.reason, r.attempt = a.id AS current,
                               r.epoch > a.epoch AND NOT EXISTS (SELECT FROM attempt later WHERE later.migration = a.migration
                                     AND later.epoch = a.epoch AND later.id > a.id) AS committed,
                               coalesce((extract(epoch FROM CASE WHEN r.attempt = a.id THEN r.held_at END) * 1000000)::bigint, 0) AS held
                        FROM attempt a CROSS JOIN LATERAL (SELECT epoch, attempt, state, held_at, changed_at FROM route
                                WHERE route.migration = a.migration ORDER BY interlay LIMIT 1) r
                        WHERE a.report IS NULL
                              AND (r.attempt > a.id OR r.attempt = a.id AND r.state = 'STABLE'
                                   AND r.changed_at <= clock_timestamp() - make_interval(secs => :rested))
                        ORDER BY a.id""")
                .bind("rested", rested.toMillis() / 1_000.0)
                .map((rs, _) -> new Untold(
                        rs.getLong("id"),
                        rs.getInt("number"),
                        rs.getString("migration"),
                        rs.getString("direction"),
                        rs.getLong("epoch"),
                        rs.getBoolean("committed"),
                        rs.getString("reason"),
                        rs.getBoolean("current"),
                        rs.getLong("held")))
                .list());
    }

    @Override
    public List<Unsettled> unsettled() {
        List<RouteRows> rows = jdbi.withHandle(h -> rows(h.createQuery(
                        RouteRows.SELECT + " WHERE state <> 'STABLE' AND migration IS NOT NULL ORDER BY changed_at"))
                .list());
        return RouteRows.byMigration(rows).values().stream()
                .map(group -> new Unsettled(
                        RouteRows.routes(group),
                        group.getFirst().ageMillis(),
                        group.getFirst().deadlineMillis()))
                .toList();
    }

    @Override
    public List<Routes> attached() {
        List<RouteRows> rows = jdbi.withHandle(h -> rows(h.createQuery(
                        RouteRows.SELECT + " WHERE state = 'STABLE' AND standby IS NOT NULL ORDER BY interlay"))
                .list());
        return RouteRows.byMigration(rows).values().stream()
                .map(RouteRows::routes)
                .toList();
    }

    @Override
    public List<Reported> traffic(String migration) {
        return jdbi.withHandle(h -> h.createQuery("""
                        SELECT p.interlay, p.name, p.incarnation, p.traffic::text AS traffic FROM proxy p JOIN route r ON r.interlay = p.interlay
                        WHERE r.migration = :migration AND p.traffic IS NOT NULL
                              AND p.seen_at > clock_timestamp() - interval '3 seconds'""")
                .bind("migration", migration)
                .map((rs, _) -> new Reported(
                        rs.getString("interlay"),
                        rs.getString("name"),
                        rs.getString("incarnation"),
                        report(rs.getString("traffic"))))
                .list());
    }

    static TrafficReport report(String json) {
        try {
            return JSON.readValue(json, TrafficReport.class);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored traffic report cannot be read", e);
        }
    }

    private static ResultIterable<RouteRows> rows(Query query) {
        return query.map((rs, _) -> new RouteRows(
                rs.getString("interlay"),
                rs.getString("migration"),
                rs.getLong("epoch"),
                RouteState.valueOf(rs.getString("state")),
                rs.getLong("attempt"),
                rs.getLong("deadline_ms"),
                rs.getString("active"),
                rs.getString("standby"),
                rs.getString("turn_replid"),
                rs.getLong("turn_offset"),
                rs.getLong("age_ms")));
    }
}
