package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.OpenChanges;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may write a server by replication, and the slot that waits there for the other direction. Every change is ordered by one
 * advisory lock and by the epoch in Eden's state table on that server: what a stalled process does too late finds a higher epoch and
 * changes nothing.
 *
 * <p>Taking the applier away has two belts: the subscription is disabled, and its owner cannot log in, so that not even a launcher that read the
 * subscription a moment earlier gets a worker to run.
 */
public final class Appliers {
    private static final Logger LOGGER = LoggerFactory.getLogger(Appliers.class);
    private static final long LOOK_NANOS = 300_000;
    /** What is only tried ahead of the hold may not use up the time of an armed attempt. */
    private static final String TRIED = "SET LOCAL lock_timeout = '300ms'";
    /** From this version on a server can be told to note its running transactions. */
    private static final int SNAPSHOT_SINCE = 16;

    private Appliers() {}

    /**
     * Lets the subscription on this server apply, from nowhere before {@code start}. Idempotent.
     *
     * @param start where the other server's log begins to count, after a flip: its position at the turn; 0: where the slot stands. The
     *     slot's own position would not do: an advance reaches the disk with the next checkpoint only, and a crash before that would bring back
     *     what came from here
     * @return false when a higher epoch was here already: the caller is late
     */
    public static boolean enable(PostgresSession session, EdenObjects names, long epoch, long start) {
        return session.transaction(() -> {
            lock(session, names);
            if (epochOf(session, names) > epoch) {
                return false;
            }
            session.update("UPDATE " + names.state() + " SET epoch = ? WHERE epoch <> ?", epoch, epoch);
            if (enabled(session, names)) {
                return true;
            }
            if (start > 0) {
                // Refused while a worker uses it; then it is tried again.
                session.query("""
                        SELECT pg_replication_origin_advance('pg_' || oid, '0/0'::pg_lsn + ?::numeric) FROM pg_subscription
                        WHERE subname = ? AND coalesce(pg_replication_origin_progress('pg_' || oid, false), '0/0') < '0/0'::pg_lsn + ?::numeric""", row -> row.getString(1), start, names.main(), start);
            }
            session.execute("ALTER ROLE " + Sql.name(names.apply()) + " LOGIN");
            session.execute("ALTER SUBSCRIPTION " + Sql.name(names.main()) + " ENABLE");
            return true;
        });
    }

    /** True when the subscription may apply. */
    public static boolean enabled(PostgresSession session, EdenObjects names) {
        return session.is("""
                SELECT s.subenabled AND r.rolcanlogin FROM pg_subscription s JOIN pg_roles r ON r.oid = s.subowner
                WHERE s.subname = ?""", names.main());
    }

    /** The epoch that {@link #enable} or {@link #revoke} left. */
    public static long epochOf(PostgresSession session, EdenObjects names) {
        return session.number("SELECT epoch FROM " + names.state());
    }

    /** Takes the applier away for good under this epoch, and returns when none of its workers is left. */
    public static void revoke(PostgresSession session, EdenObjects names, Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        session.transaction(() -> {
            lock(session, names);
            session.executeAll(revocation(names));
        });
        Set<Integer> workers = new HashSet<>();
        while (true) {
            Long[] known = workers.stream().map(Integer::longValue).toArray(Long[]::new);
            // One that becomes visible between the looks into the two views began after the transaction above: it ends
            // by itself.
            List<Integer> left = session.query("""
                    SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type LIKE 'logical replication%'
                        AND (pid = ANY (?::bigint[]) OR pid IN (SELECT pid FROM pg_stat_subscription WHERE subname = ?))""", row -> row.getInt(1), known, names.main());
            if (left.isEmpty()) {
                return;
            }
            workers.addAll(left);
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException("an apply worker did not end");
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    private static List<String> revocation(EdenObjects names) {
        return List.of(
                // On the disk with the flush that the turn ends with: a crash before that ends the attempt.
                "SET LOCAL synchronous_commit = off",
                "UPDATE " + names.state() + " SET epoch = epoch + 1",
                "ALTER ROLE " + Sql.name(names.apply()) + " NOLOGIN",
                "ALTER SUBSCRIPTION " + Sql.name(names.main()) + " DISABLE");
    }

    /** The statements of {@link #revoke}, rolled back. */
    public static void rehearse(PostgresSession session, EdenObjects names) {
        session.rehearsal(() -> {
            session.execute(TRIED);
            lock(session, names);
            session.executeAll(revocation(names));
        });
    }

    /** Undoes {@link #revoke} of an attempt that was given up: the epoch is again what it was. */
    public static void reinstate(PostgresSession session, EdenObjects names, long epoch, boolean wasEnabled) {
        session.transaction(() -> {
            lock(session, names);
            session.update("UPDATE " + names.state() + " SET epoch = ?", epoch);
            if (wasEnabled) {
                session.executeAll(List.of(
                        "ALTER ROLE " + Sql.name(names.apply()) + " LOGIN",
                        "ALTER SUBSCRIPTION " + Sql.name(names.main()) + " ENABLE"));
            }
        });
    }

    /**
     * Lets the slot of the other direction begin to read near this server's position of now, which it otherwise does only as often as the server
     * notes its running transactions (every 15 s): what it would read again first, clients' changes wait for after a flip. Best effort; between
     * arming and the hold, when nobody else moves the slot, and not for long: an armed attempt is taken back after some seconds.
     */
    public static void freshen(PostgresSession session, EdenObjects names) {
        try {
            session.transaction(() -> {
                if (session.major() >= SNAPSHOT_SINCE) {
                    session.query("SELECT pg_log_standby_snapshot()", row -> true);
                } else {
                    // Making one notes them too. It waits for whoever has changed something, in other databases as
                    // well.
                    session.execute("SET LOCAL statement_timeout = '300ms'");
                    session.query(
                            "SELECT pg_create_logical_replication_slot(?, 'pgoutput', true)",
                            row -> true,
                            names.passing());
                    session.query("SELECT pg_drop_replication_slot(?)", row -> true, names.passing());
                }
                session.execute("SET LOCAL statement_timeout = '1s'");
                session.query(
                        "SELECT pg_replication_slot_advance(?, pg_current_wal_flush_lsn())", row -> true, names.main());
            });
        } catch (PostgresConnectionException e) {
            throw e;
        } catch (PostgresException e) {
            LOGGER.atInfo()
                    .addKeyValue("problem", e.getMessage())
                    .addKeyValue("open", OpenChanges.on(session))
                    .log("the slot of the way back reads from where it stood");
        }
    }

    /** Inside a transaction: true, and it stays so until the end of it, while this server is written by replication only under that epoch. */
    static boolean standby(PostgresSession session, EdenObjects names, long epoch) {
        lock(session, names);
        return epochOf(session, names) == epoch && enabled(session, names);
    }

    /**
     * Does what the route of that epoch allows, and no turn comes between.
     *
     * @return false when a later route has been on this server: nothing was done
     */
    public static boolean unlessLater(PostgresSession session, EdenObjects names, long epoch, Runnable change) {
        return session.transaction(() -> {
            lock(session, names);
            if (epochOf(session, names) > epoch) {
                return false;
            }
            change.run();
            return true;
        });
    }

    /** Until the end of the transaction. */
    static void lock(PostgresSession session, EdenObjects names) {
        session.query("SELECT pg_advisory_xact_lock(?)", row -> true, names.lockKey());
    }
}
