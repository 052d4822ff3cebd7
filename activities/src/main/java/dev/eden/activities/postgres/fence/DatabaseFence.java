package dev.eden.activities.postgres.fence;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Keeps everybody but Eden out of one database: CONNECT is revoked from all, superusers lose LOGIN, and every session there is ends. With
 * the sessions their transactions end, so what was written before is in the log when {@link #raise} returns. {@code
 * default_transaction_read_only} would be no fence: every session may switch it off.
 */
public final class DatabaseFence {
    private static final long LOOK_NANOS = 300_000;
    private static final String TUPLE_CONCURRENTLY_UPDATED = "XX000";
    private static final String LOCK_NOT_AVAILABLE = "55P03";

    /** Clients may be waiting. Whoever locks a row of a catalogue that all databases share, from another database too, may take hours. */
    private static final String NO_LONG_WAIT = "SET LOCAL lock_timeout = '500ms'";

    private static final String OTHERS = """
            FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND backend_type IN ('client backend', 'walsender') AND coalesce(usename, '') !~ ? AND pid <> ALL (?::bigint[])""";

    private static final String DOORS = """
            EXISTS (SELECT FROM pg_database d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
                LEFT JOIN pg_roles r ON r.oid = a.grantee
                WHERE d.datname = current_database() AND a.privilege_type = 'CONNECT' AND coalesce(r.rolname, '') !~ ?)
            OR EXISTS (SELECT FROM pg_roles WHERE rolsuper AND rolcanlogin AND rolname !~ ?)""";

    /** A session holds this lock from before its right to connect is checked until it is visible as one (InitPostgres in the server's source). */
    private static final String STARTING = """
            SELECT pid FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_database'::regclass
                AND objid = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid()""";

    /** Of transactions that no session's end ends. */
    private static final String PREPARED =
            "ARRAY(SELECT gid FROM pg_prepared_xacts WHERE database = current_database())";

    private DatabaseFence() {}

    /** @param open somebody could come in */
    private record Inside(long sessions, boolean open, List<String> prepared) {}

    /**
     * Closes the doors, then ends whoever is inside, and returns when nobody is but those at rest. Idempotent.
     *
     * @param resting processes of sessions that have no transaction and will begin none
     * @throws IllegalStateException when sessions remain after {@code limit}
     */
    public static void raise(PostgresSession session, AccessRules present, Set<Integer> resting, Duration limit) {
        shut(session, present);
        clear(session, resting, limit);
    }

    /**
     * Ends whoever is inside, once the doors are {@linkplain #shut shut}; those that somebody inside has opened meanwhile are shut again. Idempotent.
     *
     * @return names of the transactions that are prepared here; when nobody is inside any more there will be no others
     * @throws IllegalStateException when sessions remain after {@code limit}
     */
    public static List<String> clear(PostgresSession session, Set<Integer> resting, Duration limit) {
        Long[] spared = processes(resting);
        long end = System.nanoTime() + limit.toNanos();
        Set<Integer> starting = new HashSet<>(session.query(STARTING, row -> row.getInt(1)));
        while (true) {
            // In this order: who has started up by now is visible in the second.
            if (!starting.isEmpty()) {
                starting.retainAll(new HashSet<>(session.query(STARTING, row -> row.getInt(1))));
            }
            Inside inside = session.first(
                            "SELECT (SELECT count(*) FROM (SELECT pg_terminate_backend(pid) " + OTHERS + ") AS ended), "
                                    + DOORS + ", " + PREPARED,
                            row -> new Inside(row.getLong(1), row.getBoolean(2), List.of((String[])
                                    row.getArray(3).getArray())),
                            EdenObjects.ROLE_PATTERN,
                            spared,
                            EdenObjects.ROLE_PATTERN,
                            EdenObjects.ROLE_PATTERN)
                    .orElseThrow();
            if (inside.open()) {
                shut(session, AccessRules.take(session));
                starting = new HashSet<>(session.query(STARTING, row -> row.getInt(1)));
            } else if (inside.sessions() == 0 && starting.isEmpty()) {
                return inside.prepared();
            }
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException(inside.sessions() + " sessions did not end, " + starting.size()
                        + " were still starting when the time was up");
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /** Lets those connect whom the rules name, superusers apart: while {@link LoginGuard} stands in the fence's place. Idempotent. */
    public static void open(PostgresSession session, AccessRules rules) {
        lift(session, new AccessRules(rules.connect(), List.of()));
    }

    /**
     * Lets those in again whom the rules name, as far as their roles exist. Idempotent. Nothing is written about those who can come in as it is: where a
     * fence never began, nobody's lock is waited for.
     */
    public static void lift(PostgresSession session, AccessRules rules) {
        Doors doors = Doors.of(session);
        open(session, opening(session, doors.shut(rules), doors.roles()));
    }

    /** What {@link #lift} does where all is shut, for {@link #open(PostgresSession, List)}. */
    public static List<String> opening(PostgresSession session, AccessRules rules) {
        return opening(session, rules, Doors.of(session).roles());
    }

    private static List<String> opening(PostgresSession session, AccessRules rules, Set<String> roles) {
        String database = database(session);
        List<String> statements = new ArrayList<>();
        for (AccessRules.Grant grant : rules.connect()) {
            if (grant.grantee().isEmpty() || roles.contains(grant.grantee())) {
                statements.add("GRANT CONNECT ON DATABASE " + database + " TO " + grantee(grant)
                        + (grant.grantable() && !grant.grantee().isEmpty() ? " WITH GRANT OPTION" : ""));
            }
        }
        for (String role : rules.superusers()) {
            if (roles.contains(role)) {
                statements.add("ALTER ROLE " + Sql.name(role) + " LOGIN");
            }
        }
        return statements;
    }

    /** As {@link #lift}, of what has been found out before. */
    public static void open(PostgresSession session, List<String> opening) {
        if (opening.isEmpty()) {
            return;
        }
        List<String> statements = new ArrayList<>();
        // A crash that forgets this forgets with it whatever somebody let in has done since; the sweeper opens again.
        statements.add("SET LOCAL synchronous_commit = off");
        statements.addAll(opening);
        together(session, statements);
    }

    /** The statements of {@link #shut}, rolled back. */
    public static void rehearseShut(PostgresSession session) {
        List<String> shutting = shutting(session, AccessRules.take(session));
        session.rehearsal(() -> session.executeAll(shutting));
    }

    /** The statements of {@link #open(PostgresSession, List)}, rolled back. */
    public static void rehearseOpen(PostgresSession session, List<String> opening) {
        List<String> statements = new ArrayList<>(List.of(NO_LONG_WAIT));
        statements.addAll(opening);
        session.rehearsal(() -> session.executeAll(statements));
    }

    /** True where somebody else changes a row of who may connect or log in, and has not ended. */
    public static boolean lockedByOthers(PostgresException e) {
        return e.sqlState().equals(LOCK_NOT_AVAILABLE);
    }

    /** Looks as {@link #raise} will; changes nothing. */
    public static void rehearse(PostgresSession session) {
        session.query(STARTING, row -> row.getInt(1));
        session.first(
                "SELECT (SELECT count(*) FROM (SELECT pid " + OTHERS + ") AS ended), " + DOORS + ", " + PREPARED,
                row -> row.getLong(1),
                EdenObjects.ROLE_PATTERN,
                new Long[0],
                EdenObjects.ROLE_PATTERN,
                EdenObjects.ROLE_PATTERN);
    }

    /** Sessions that are not Eden's; those at rest left out. */
    public static long inside(PostgresSession session, Set<Integer> resting) {
        return session.number("SELECT count(*) " + OTHERS, EdenObjects.ROLE_PATTERN, processes(resting));
    }

    private static Long[] processes(Set<Integer> resting) {
        return resting.stream().map(Integer::longValue).toArray(Long[]::new);
    }

    /** True when nobody but Eden can connect. */
    public static boolean raised(PostgresSession session) {
        return AccessRules.take(session).nobody();
    }

    /** The first half of {@link #raise}: nobody new comes in, whoever is inside works on. Idempotent. */
    public static void shut(PostgresSession session, AccessRules present) {
        together(session, shutting(session, present));
    }

    /** As {@link #shut}, in the caller's transaction. */
    public static void shutWithin(PostgresSession session, AccessRules present) {
        session.executeAll(shutting(session, present));
    }

    private static List<String> shutting(PostgresSession session, AccessRules present) {
        String database = database(session);
        List<String> statements = new ArrayList<>();
        for (AccessRules.Grant grant : present.connect()) {
            statements.add("REVOKE CONNECT ON DATABASE " + database + " FROM " + grantee(grant) + " CASCADE");
        }
        for (String role : present.superusers()) {
            statements.add("ALTER ROLE " + Sql.name(role) + " NOLOGIN");
        }
        if (!statements.isEmpty()) {
            statements.addFirst(NO_LONG_WAIT);
        }
        return statements;
    }

    /** In one transaction; again when somebody else changed the same row of a catalogue just then. */
    private static void together(PostgresSession session, List<String> statements) {
        try {
            session.transaction(() -> session.executeAll(statements));
        } catch (PostgresException e) {
            if (!e.sqlState().equals(TUPLE_CONCURRENTLY_UPDATED)) {
                throw e;
            }
            session.transaction(() -> session.executeAll(statements));
        }
    }

    private static String grantee(AccessRules.Grant grant) {
        return grant.grantee().isEmpty() ? "PUBLIC" : Sql.name(grant.grantee());
    }

    private static String database(PostgresSession session) {
        return Sql.name(session.text("SELECT current_database()").orElseThrow());
    }
}
