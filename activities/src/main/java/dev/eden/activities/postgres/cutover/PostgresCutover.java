package dev.eden.activities.postgres.cutover;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.EdenSchema;
import dev.eden.activities.postgres.OpenChanges;
import dev.eden.activities.postgres.OtherSessions;
import dev.eden.activities.postgres.OutsideTheLog;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.fence.AccessRules;
import dev.eden.activities.postgres.fence.DatabaseFence;
import dev.eden.activities.postgres.fence.LoginGuard;
import dev.eden.activities.postgres.replication.Appliers;
import dev.eden.activities.postgres.replication.ChangeCarrier;
import dev.eden.activities.postgres.replication.LostLog;
import dev.eden.activities.postgres.replication.Retention;
import dev.eden.activities.postgres.validation.Sides;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.RouteLedger.Position;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Admission;
import dev.eden.proxy.Backend;
import dev.eden.workflows.MigrationSpec;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cutover protocol's server side for PostgreSQL 14 and later: CONNECT and LOGIN are taken and all sessions end ({@link DatabaseFence}), a
 * marker row committed after that is the position, because logical replication applies in the order of commits, and taking the
 * subscription's owner its LOGIN away ends the applier ({@link Appliers}). Positions are LSNs of the side that becomes active.
 */
public final class PostgresCutover implements CutoverEngine {
    private static final Logger LOGGER = LoggerFactory.getLogger(PostgresCutover.class);
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final Duration WORKERS_END = Duration.ofSeconds(2);
    private static final Duration OTHERS_END = Duration.ofSeconds(2);
    private static final Duration SESSIONS_END = Duration.ofSeconds(10);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String PART = "coordinator";
    private static final int CUTOVER_ROW = 2;
    /** The undo of an attempt that was aborted while the standby could not be reached. */
    private static final String UNRESTORED = "unrestored:undo";

    private static final long LOOK_NANOS = 300_000;
    /** Whoever has been open for longer than this, and than clients may be held, would hardly end within the budget. */
    private static final long OLDEST_MILLIS = 1_000;

    private static final String OPEN = """
            SELECT pid, coalesce(usename, ''), coalesce(application_name, ''), extract(epoch FROM clock_timestamp() - xact_start) %s
            FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
                AND coalesce(usename, '') !~ ? AND clock_timestamp() - xact_start > make_interval(secs => ? / 1000.0) %s""";

    private final EndpointDirectory endpoints;
    private final ServerRecords records;
    private final Retention retention;

    public PostgresCutover(EndpointDirectory endpoints, ServerRecords records) {
        this(endpoints, records, Retention.DEFAULT);
    }

    public PostgresCutover(EndpointDirectory endpoints, ServerRecords records, Retention retention) {
        this.endpoints = endpoints;
        this.records = records;
        this.retention = retention;
    }

    @Override
    public String name() {
        return "postgres";
    }

    @Override
    public Session open(String migration, String from, String to, Others others) {
        // Which of the two is the source does not matter to names of roles; a marker belongs to the side that writes
        // it.
        PostgresSession onFrom = connect(migration, from, others);
        try {
            return new PostgresCutoverSession(migration, from, to, onFrom, connect(migration, to, others));
        } catch (RuntimeException e) {
            onFrom.close();
            throw e;
        }
    }

    @Override
    public ActiveSide openActive(String migration, String from, String to, Others others) {
        PostgresSession session = connect(migration, from, others);
        return new ActiveSide() {
            @Override
            public void restore(String undo) {
                records.put(migration, to, UNRESTORED, undo);
                restoreActive(session, Undo.decode(migration, undo));
            }

            @Override
            public void unfence() {
                DatabaseFence.lift(session, rules(migration, from));
            }

            @Override
            public void close() {
                session.close();
            }
        };
    }

    private AccessRules rules(String migration, String endpoint) {
        return AccessRules.of(records, migration, endpoint);
    }

    private static void restoreActive(PostgresSession from, Undo undo) {
        end(from, undo.fromPid(), undo.fromStarted());
        DatabaseFence.lift(from, undo.access());
    }

    private static void restoreStandby(PostgresSession to, EdenObjects names, Undo undo) {
        end(to, undo.toPid(), undo.toStarted());
        Appliers.reinstate(to, names, undo.applierEpoch(), undo.applierEnabled());
    }

    private static void end(PostgresSession session, int pid, String started) {
        OtherSessions.end(session, OTHERS_END, "pid = ? AND extract(epoch FROM backend_start)::text = ?", pid, started);
    }

    private PostgresSession connect(String migration, String endpoint, Others others) {
        PostgresSession session = EdenRoles.connect(migration, endpoints.endpoint(endpoint), records, PART, LIMIT);
        if (others == Others.END) {
            endOthers(session, EdenObjects.of(migration));
        }
        return session;
    }

    /** Ends control sessions of earlier attempts: a stalled process may not act on a server after its attempt has ended. */
    private static void endOthers(PostgresSession session, EdenObjects names) {
        OtherSessions.end(
                session, OTHERS_END, "usename = ? AND application_name = ?", names.control(), names.session(PART));
    }

    /** What an abort needs; JSON inside the encrypted undo. {@code …Started} tells a process id from its next use. */
    record Undo(
            int fromPid,
            String fromStarted,
            int toPid,
            String toStarted,
            AccessRules access,
            long applierEpoch,
            boolean applierEnabled) {
        static Undo decode(String migration, String json) {
            try {
                return JSON.readValue(json, Undo.class);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("the undo record of " + migration + " cannot be read", e);
            }
        }
    }

    private final class PostgresCutoverSession implements Session {
        private final String migration;
        private final EdenObjects names;
        private final String fromId;
        private final String toId;
        private final PostgresSession from;
        private final PostgresSession to;
        private @Nullable AccessRules access;
        private @Nullable RowSample sample;
        private @Nullable Sequences sequences;
        private EdenObjects.@Nullable Role publisher;
        private Set<Integer> resting = Set.of();
        private int clients;
        private boolean shut;
        /** What unfencing TO takes. */
        private List<String> opening = List.of();

        private long mark;

        PostgresCutoverSession(String migration, String fromId, String toId, PostgresSession from, PostgresSession to) {
            this.migration = migration;
            this.names = EdenObjects.of(migration);
            this.fromId = fromId;
            this.toId = toId;
            this.from = from;
            this.to = to;
        }

        /** The table that FROM's commits are marked in, whichever of the two FROM is. */
        private String marker() {
            return names.marker(publisher());
        }

        private EdenObjects.Role publisher() {
            EdenObjects.Role known = publisher;
            if (known == null) {
                known = from.is(
                                "SELECT true FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid WHERE p.pubname = ? AND c.relname = ?",
                                names.main(),
                                names.markerTable(EdenObjects.Role.SOURCE))
                        ? EdenObjects.Role.SOURCE
                        : EdenObjects.Role.TARGET;
                publisher = known;
            }
            return known;
        }

        @Override
        public List<String> blockers(MigrationSpec spec) {
            MigrationSpec.CutoverBudget budget = spec.budget();
            List<String> blockers = new ArrayList<>();
            for (PostgresSession side : List.of(from, to)) {
                String id = side == from ? fromId : toId;
                if (side.is("SELECT pg_is_in_recovery()")) {
                    blockers.add(id + " is a standby server");
                }
                side.query(
                        "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()",
                        row -> blockers.add("a prepared transaction is open on " + id + ": " + row.getString(1)));
            }
            if (!budget.cancels()) {
                blockers.addAll(stragglers(Math.max(OLDEST_MILLIS, budget.deadlineMs())));
            }
            long unready = to.number("""
                    SELECT count(*) FROM pg_subscription s JOIN pg_subscription_rel r ON r.srsubid = s.oid
                    WHERE s.subname = ? AND r.srsubstate <> 'r'""", names.main());
            if (unready > 0) {
                blockers.add(unready + " tables are not loaded yet");
            }
            if (!Appliers.enabled(to, names)) {
                blockers.add("replication to " + toId + " is not enabled");
            }
            if (!to.is(
                    "SELECT wal_status IS DISTINCT FROM 'lost' FROM pg_replication_slots WHERE slot_name = ?",
                    names.main())) {
                blockers.add("the way back has no slot on " + toId);
            }
            if (LostLog.noted(records, migration, fromId, Appliers.epochOf(to, names))) {
                blockers.add("the log of " + fromId + " was lost after the flip: finalise, or abort and begin anew");
            }
            if (!from.is("SELECT true FROM pg_subscription WHERE subname = ?", names.main())) {
                blockers.add("the way back has no subscription on " + fromId);
            }
            ChangeCarrier.open(to, names)
                    .forEach(table ->
                            blockers.add("a change of the schema of " + table + " has not ended on " + fromId));
            blockers.addAll(outsideTheLog());
            blockers.addAll(noRoom());
            if (records.get(migration, toId, AccessRules.FINAL).isEmpty()) {
                blockers.add("who may connect to " + toId + " is not known yet");
            }
            if (records.get(migration, toId, UNRESTORED).isPresent()) {
                blockers.add(toId + " is still to be restored after an aborted attempt");
            }
            return blockers;
        }

        /** Preflight has asked the same of the source. A table that TO does not have is FROM's own, and stays there whoever owns writes. */
        private List<String> outsideTheLog() {
            List<String> left = new ArrayList<>();
            for (String table : OutsideTheLog.unlogged(from)) {
                if (to.is("SELECT to_regclass(?) IS NOT NULL", table)) {
                    left.add("the unlogged table " + table + " has rows on " + fromId
                            + ", which no log carries: TRUNCATE it");
                }
            }
            long objects = OutsideTheLog.largeObjects(from);
            if (objects > 0) {
                left.add(fromId + " has " + objects
                        + " large objects, which no log carries: keep them elsewhere and lo_unlink them");
            }
            return left;
        }

        /** Forwards only: whoever goes back has reasons that weigh more, and writes it as before. */
        private List<String> noRoom() {
            OptionalLong free = publisher() == EdenObjects.Role.SOURCE ? retention.tooLittle(to) : OptionalLong.empty();
            return free.isEmpty()
                    ? List.of()
                    : List.of(
                            "the disk of the log of " + toId + " has " + (free.getAsLong() >> 20) + " MiB free, and "
                                    + (retention.needed(to) >> 20)
                                    + " are needed: the log for the way back is kept there. Make room, or set max_slot_wal_keep_size so that it and max_wal_size together are less than is free");
        }

        @Override
        public List<String> followLogins() {
            return Logins.follow(pair(), from, to, publisher().other());
        }

        private Pair pair() {
            boolean forward = publisher() == EdenObjects.Role.SOURCE;
            return new Pair(migration, forward ? fromId : toId, forward ? toId : fromId, endpoints, records);
        }

        @Override
        public List<String> stragglers() {
            return stragglers(0);
        }

        private List<String> stragglers(long forMillis) {
            return from.query(
                    OPEN.formatted("", "ORDER BY xact_start LIMIT 5"),
                    row -> "a transaction has been open on " + fromId + " for " + seconds(row) + " s (" + session(row)
                            + ")",
                    EdenObjects.ROLE_PATTERN,
                    forMillis);
        }

        @Override
        public List<String> endStragglers() {
            return from.query(
                    OPEN.formatted(", pg_terminate_backend(pid)", ""),
                    row -> session(row) + ", open for " + seconds(row) + " s",
                    EdenObjects.ROLE_PATTERN,
                    0);
        }

        private static long seconds(ResultSet row) throws SQLException {
            return (long) row.getDouble(4);
        }

        private static String session(ResultSet row) throws SQLException {
            return "process " + row.getInt(1) + ", user " + row.getString(2) + ", application " + row.getString(3);
        }

        @Override
        public void rehearse() {
            lsn(from);
            lsn(to);
            EdenSchema.read(from, marker(), CUTOVER_ROW);
            arrived(marker());
            DatabaseFence.rehearse(from);
            DatabaseFence.inside(from, resting);
            sequences().rehearse(from, to);
            verify();
        }

        @Override
        public void approach() {
            // Whoever looked while the row was still STABLE may be about to act on that.
            endOthers(from, names);
            endOthers(to, names);
            // Rows that a comparison holds would keep clients from draining.
            Sides.endAll(from, names);
            Sides.endAll(to, names);
            Appliers.freshen(to, names);
            opening = DatabaseFence.opening(
                    to, Logins.rules(pair(), from, publisher().other()));
            tryOut(() -> tryDoors(fromId, from, () -> DatabaseFence.rehearseShut(from)));
            tryOut(() -> tryDoors(toId, to, () -> DatabaseFence.rehearseOpen(to, opening)));
            tryOut(() -> Appliers.rehearse(to, names));
        }

        /** Whoever lasts here would keep clients waiting, once they are held. */
        private static void tryDoors(String id, PostgresSession side, Runnable statements) {
            try {
                statements.run();
            } catch (PostgresException e) {
                List<String> open = DatabaseFence.lockedByOthers(e) ? OpenChanges.on(side) : List.of();
                if (open.isEmpty()) {
                    throw e;
                }
                throw new IllegalStateException("who may connect to " + id
                        + " cannot be changed while somebody else does, on whichever database of that server: "
                        + String.join("; ", open));
            }
        }

        private void tryOut(Runnable statements) {
            try {
                statements.run();
            } catch (PostgresConnectionException e) {
                throw e;
            } catch (PostgresException e) {
                // Somebody changes the same rows of a catalogue: then the first time is the one that counts.
                LOGGER.atDebug()
                        .addKeyValue("migration", migration)
                        .addKeyValue("problem", e.getMessage())
                        .log("the pause's statements could not be tried out");
            }
        }

        @Override
        public void replicateBack(long epoch, Position turn) {
            Appliers.enable(from, names, epoch, turn.offset());
        }

        @Override
        public String undo() {
            AccessRules present = AccessRules.take(from);
            if (present.nobody()) {
                throw new IllegalStateException("the active side " + fromId + " is fenced already");
            }
            records.put(migration, fromId, AccessRules.FINAL, present.encode());
            access = present;
            clients = (int)
                    from.number(
                            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'");
            sample();
            sequences();
            try {
                return JSON.writeValueAsString(new Undo(
                        from.pid(),
                        started(from),
                        to.pid(),
                        started(to),
                        present,
                        Appliers.epochOf(to, names),
                        Appliers.enabled(to, names)));
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }

        private static String started(PostgresSession session) {
            return session.text(
                            "SELECT extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = pg_backend_pid()")
                    .orElse("");
        }

        private Sequences sequences() {
            Sequences known = sequences;
            if (known == null) {
                known = Sequences.prepare(from, to);
                sequences = known;
            }
            return known;
        }

        private RowSample sample() {
            RowSample known = sample;
            if (known == null) {
                known = RowSample.prepare(from, to, names);
                sample = known;
            }
            return known;
        }

        @Override
        public boolean admitProxies(long epoch) {
            if (!LoginGuard.possible(to)) {
                return false;
            }
            Backend.Login proxies = records.login(migration, toId, EdenRoles.PROXY_LOGIN, names.proxy());
            LoginGuard.raise(to, names, Admission.pass(proxies.password(), epoch));
            DatabaseFence.open(to, Logins.rules(pair(), from, publisher().other()));
            return true;
        }

        @Override
        public void shutOut(Set<Integer> sessions) {
            DatabaseFence.raise(to, AccessRules.take(to), sessions, SESSIONS_END);
            LoginGuard.lower(to, names);
        }

        @Override
        public void resting(Set<Integer> sessions) {
            resting = Set.copyOf(sessions);
        }

        /** Takes most of the standby's way to its disk out of the turn, too. */
        @Override
        public void beginFence() {
            DatabaseFence.shut(from, taken());
            shut = true;
            flush();
        }

        @Override
        public void fence(Duration guard) {
            if (!shut) {
                DatabaseFence.shut(from, taken());
            }
            List<String> prepared = DatabaseFence.clear(from, resting, guard);
            if (!prepared.isEmpty()) {
                throw new IllegalStateException(
                        "a transaction was prepared on " + fromId + ": " + String.join(", ", prepared));
            }
        }

        private AccessRules taken() {
            AccessRules rules = access;
            if (rules == null) {
                throw new IllegalStateException("undo() comes first");
            }
            return rules;
        }

        /** What TO's applier has committed without waiting for the disk is there when this returns. */
        private void flush() {
            EdenSchema.write(to, names.probeTable(publisher().other()), CUTOVER_ROW, System.nanoTime());
        }

        @Override
        public Position position() {
            String marker = marker();
            // One more than whatever an earlier attempt left, so that it is never seen too early.
            mark = EdenSchema.read(from, marker, CUTOVER_ROW) + 1;
            EdenSchema.write(from, marker, CUTOVER_ROW, mark);
            return lsn(from);
        }

        private static Position lsn(PostgresSession session) {
            return session.first("""
                            SELECT (SELECT system_identifier::text FROM pg_control_system()) || '/'
                                || (SELECT timeline_id::text FROM pg_control_checkpoint()), pg_current_wal_flush_lsn() - '0/0'""", row -> new Position(row.getString(1), row.getLong(2)))
                    .orElseThrow();
        }

        @Override
        public boolean awaitApplied(Position position, Duration atMost) {
            long end = System.nanoTime() + atMost.toNanos();
            String marker = marker();
            Arrived arrived = arrived(marker);
            while (arrived.mark() < mark) {
                if (System.nanoTime() - end >= 0) {
                    return false;
                }
                LockSupport.parkNanos(LOOK_NANOS);
                arrived = arrived(marker);
            }
            if (!arrived.carried().isEmpty()) {
                // Whoever made it has ended; what TO took ahead of it would not be published back after a flip.
                throw new IllegalStateException(
                        "a change of the schema of " + String.join(", ", arrived.carried()) + " is not settled yet");
            }
            return true;
        }

        /** FROM's marker on TO, with the tables whose changes {@link ChangeCarrier} has not settled. */
        private record Arrived(long mark, List<String> carried) {}

        private Arrived arrived(String marker) {
            return to.first(
                            "SELECT number, ARRAY(SELECT name FROM " + names.carried() + ") FROM " + marker
                                    + " WHERE id = ?",
                            row -> new Arrived(row.getLong(1), List.of((String[])
                                    row.getArray(2).getArray())),
                            CUTOVER_ROW)
                    .orElse(new Arrived(0, List.of()));
        }

        @Override
        public List<String> verify() {
            List<String> differing = sample().differing(from, to);
            return differing.isEmpty()
                    ? List.of()
                    : List.of(differing.size() + " of " + sample().tables() + " sampled tables differ: "
                            + String.join(", ", differing));
        }

        /** Everything committed on TO before the position that this returns came by replication, and goes nowhere: see {@link Appliers#enable}. */
        @Override
        public Position turn() {
            Appliers.revoke(to, names, WORKERS_END);
            // One that has awaited the applier may be about to write what it read while FROM was the owner.
            Sides.endAll(to, names);
            sequences().copy(from, to, clients, publisher() == EdenObjects.Role.SOURCE);
            flush();
            // The fence on the other side must have outlived all of this: a restarted server would have ended this
            // session. And nobody was on the way in past it: a superuser's right to log in is looked at early.
            long inside = DatabaseFence.inside(from, resting);
            if (inside > 0) {
                throw new IllegalStateException(inside + " sessions have come in to " + fromId + " behind the fence");
            }
            return lsn(to);
        }

        @Override
        public boolean finishRestore() {
            String undo = records.get(migration, toId, UNRESTORED).orElse(null);
            if (undo == null) {
                return false;
            }
            restoreStandby(to, names, Undo.decode(migration, undo));
            records.remove(migration, toId, UNRESTORED);
            return true;
        }

        @Override
        public void unfence(Side side) {
            if (side == Side.TO && !opening.isEmpty()) {
                DatabaseFence.open(to, opening);
                return;
            }
            DatabaseFence.lift(side == Side.FROM ? from : to, rules(migration, side == Side.FROM ? fromId : toId));
        }

        @Override
        public boolean fenced(Side side) {
            return DatabaseFence.raised(side == Side.FROM ? from : to);
        }

        @Override
        public void fenceStandby() {
            shutOut(Set.of());
        }

        /** Nothing of the fence is in the way of replication: it works under Eden's own roles. */
        @Override
        public void relax() {}

        /** PostgreSQL's fence is in its catalogue. */
        @Override
        public void persist() {}

        @Override
        public void close() {
            from.close();
            to.close();
        }
    }
}
