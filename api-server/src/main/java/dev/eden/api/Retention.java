package dev.eden.api;

import dev.eden.api.store.AuditLog;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jdbi.v3.core.Jdbi;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Forgets migrations that ended long ago, with their reports and attempts. The audit log is append-only and keeps what they were.
 * Any number of servers may do it at a time: each migration is taken by one.
 */
final class Retention implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(Retention.class);
    private static final Duration LONGEST_WAIT = Duration.ofHours(1);

    /** Tables that name a migration without a reference to it. */
    private static final List<String> BESIDE = List.of(
            "DELETE FROM acknowledgement WHERE attempt IN (SELECT id FROM attempt WHERE migration = :id)",
            "DELETE FROM attempt WHERE migration = :id",
            "DELETE FROM attempt_closed WHERE migration = :id",
            "DELETE FROM replication WHERE migration = :id",
            "DELETE FROM validation_report WHERE migration = :id",
            "DELETE FROM server_record WHERE migration = :id");

    private final Jdbi jdbi;
    private final AuditLog audit;
    private final Duration keep;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("retention").daemon().factory());

    private Retention(Jdbi jdbi, AuditLog audit, Duration keep) {
        this.jdbi = jdbi;
        this.audit = audit;
        this.keep = keep;
    }

    /** {@code keep} zero: nothing is forgotten. */
    static Retention start(Jdbi jdbi, AuditLog audit, Duration keep) {
        Retention retention = new Retention(jdbi, audit, keep);
        if (!keep.isZero()) {
            long every = Math.max(1, Math.min(LONGEST_WAIT.toSeconds(), keep.toSeconds() / 10));
            retention.clock.scheduleWithFixedDelay(retention::look, 1, every, TimeUnit.SECONDS);
        }
        return retention;
    }

    @Override
    public void close() throws InterruptedException {
        clock.shutdownNow();
        clock.awaitTermination(5, TimeUnit.SECONDS);
    }

    private void look() {
        try {
            int forgotten = 0;
            while (!Thread.currentThread().isInterrupted() && forgetOne()) {
                forgotten++;
            }
            if (forgotten > 0) {
                LOGGER.atInfo().addKeyValue("migrations", forgotten).log("finished migrations forgotten");
            }
        } catch (RuntimeException e) {
            LOGGER.atWarn()
                    .addKeyValue("error", e.getClass().getSimpleName())
                    .log("finished migrations can't be forgotten now; tried again");
        }
    }

    /** In a transaction of its own each, so that a long backlog holds no lock for long. */
    private boolean forgetOne() {
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
            if (ended.isEmpty()) {
                return false;
            }
            String id = ended.get().id();
            for (String statement : BESIDE) {
                handle.createUpdate(statement).bind("id", id).execute();
            }
            handle.createUpdate("DELETE FROM migration WHERE id = :id")
                    .bind("id", id)
                    .execute();
            audit.append(AuditLog.Entry.migration(
                    "system",
                    "migration.forgotten",
                    id,
                    ended.get().phase(),
                    "finished more than " + keep + " ago",
                    null,
                    null));
            return true;
        });
    }
}
