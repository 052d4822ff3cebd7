package dev.eden.api.store;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.store.MigrationStore.Migration;
import java.time.Duration;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/** Forgets migrations that have ended, with their reports and attempts. The audit log is append-only and keeps what they were. */
public final class ForgottenMigrations {
    /** Tables that name a migration without a reference to it. */
    private static final List<String> BESIDE = List.of(
            "DELETE FROM acknowledgement WHERE attempt IN (SELECT id FROM attempt WHERE migration = :id)",
            "DELETE FROM attempt WHERE migration = :id",
            "DELETE FROM attempt_closed WHERE migration = :id",
            "DELETE FROM replication WHERE migration = :id",
            "DELETE FROM validation_report WHERE migration = :id",
            "DELETE FROM server_record WHERE migration = :id AND " + EncryptedServerRecords.BUT_THE_END);

    private final Jdbi jdbi;
    private final AuditLog audit;

    public ForgottenMigrations(Jdbi jdbi, AuditLog audit) {
        this.jdbi = jdbi;
        this.audit = audit;
    }

    /** Because somebody asks for it. */
    public void forget(String id, String actor) {
        jdbi.useTransaction(handle -> {
            Migration migration = MigrationStore.get(handle, id, true);
            if (!migration.ended()) {
                throw new Problem(ErrorCode.MIGRATION_STARTED, "migration " + id + " is in phase " + migration.phase());
            }
            if (routed(handle, id)) {
                throw new Problem(
                        ErrorCode.COMMAND_REFUSED,
                        "migration " + id + " has ended, and interlays still follow its route: ask again later");
            }
            forget(handle, id, migration.phase(), actor, "");
            RequestClaim.done(handle);
        });
    }

    /**
     * The oldest of those that ended longer than {@code keep} ago; false where there is none. In a transaction of its own, so that a long backlog
     * holds no lock for long; any number of servers may do it at a time: each migration is taken by one.
     */
    public boolean forgetOne(Duration keep) {
        record Ended(String id, String phase) {}
        return jdbi.inTransaction(handle -> {
            var ended = handle.createQuery("""
                            SELECT id, phase FROM migration
                            WHERE ended_at < now() - make_interval(secs => :keep)
                            AND NOT EXISTS (SELECT 1 FROM route r WHERE r.migration = migration.id)
                            ORDER BY ended_at LIMIT 1 FOR UPDATE SKIP LOCKED""")
                    .bind("keep", (double) keep.toSeconds())
                    .map((row, _) -> new Ended(row.getString("id"), row.getString("phase")))
                    .findOne();
            ended.ifPresent(
                    one -> forget(handle, one.id(), one.phase(), "system", "finished more than " + keep + " ago"));
            return ended.isPresent();
        });
    }

    private static boolean routed(Handle handle, String id) {
        return handle.createQuery("SELECT EXISTS (SELECT FROM route WHERE migration = :id)")
                .bind("id", id)
                .mapTo(Boolean.class)
                .one();
    }

    private void forget(Handle handle, String id, String phase, String actor, String reason) {
        for (String statement : BESIDE) {
            handle.createUpdate(statement).bind("id", id).execute();
        }
        handle.createUpdate("DELETE FROM migration WHERE id = :id")
                .bind("id", id)
                .execute();
        audit.append(handle, AuditLog.Entry.migration(actor, "migration.forgotten", id, phase, reason, null, null));
    }
}
