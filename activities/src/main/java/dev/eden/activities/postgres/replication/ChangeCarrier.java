package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.OwnersRights;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries changes of the schema that only add from the side that owns writes to the standby, there first: the session that makes one waits for the
 * answer before its statement begins (the event trigger's function {@code ask}). So whatever is replicated afterwards fits; and a change that the
 * standby cannot take is refused where it was asked for, with nothing changed. What comes to nothing on the owner's side (rolled back, refused there)
 * is taken back on the standby; until a change has ended there, nothing is cut over. Belongs to one thread.
 */
public final class ChangeCarrier {
    private static final Logger LOGGER = LoggerFactory.getLogger(ChangeCarrier.class);
    private static final int TRIES = 10;
    private static final String LOCK_NOT_AVAILABLE = "55P03";

    private final Pair pair;
    private final EdenObjects names;
    private final long epoch;
    private final LoadClaim claim;
    private final Role from;
    private final PostgresSession owner;
    private final PostgresSession standby;
    private boolean answered = true;

    /** @param owner,standby sessions of its own, without a time limit; {@code from} is the owner's role */
    ChangeCarrier(Pair pair, long epoch, LoadClaim claim, Role from, PostgresSession owner, PostgresSession standby) {
        this.pair = pair;
        this.names = pair.names();
        this.epoch = epoch;
        this.claim = claim;
        this.from = from;
        this.owner = owner;
        this.standby = standby;
        standby.execute("SET lock_timeout = '1s'");
        standby.execute("SET deadlock_timeout = '100ms'"); // then autovacuum lets go of a table that is waited for
    }

    /** True where the migration was prepared to carry changes. */
    static boolean wanted(PostgresSession session, EdenObjects names) {
        return session.is("SELECT to_regprocedure(?) IS NOT NULL", Sql.name(names.schema()) + ".ask(oid, text)");
    }

    /** Tables of changes that the standby has and whose statement has not ended yet. */
    public static List<String> open(PostgresSession standby, EdenObjects names) {
        return standby.texts("SELECT name FROM " + names.carried());
    }

    private record Asked(int pid, String began, long relation, String query) {}

    /** Who holds the lock of a change, and of which table. */
    private record Asking(int pid, long relation) {}

    /** What has ended since the last look, then what was asked. {@code refusal} not empty: nothing is carried now, and this is said. */
    void look(String refusal) {
        settle(carried());
        for (Asked asked : asked()) {
            String answer = refusal.isEmpty() ? carry(asked) : refusal;
            // What it lets go on may rewrite the table, which a snapshot that a later one copies under then shows
            // empty.
            claim.requireNoneLater(owner);
            owner.update(
                    "INSERT INTO " + names.answers() + " VALUES (?, ?::timestamptz, ?) ON CONFLICT DO NOTHING",
                    asked.pid(),
                    asked.began(),
                    answer.isEmpty() ? null : answer);
            answered = true;
        }
        if (answered) {
            forget();
        }
    }

    private void forget() {
        owner.execute("DELETE FROM " + names.answers() + " AS a WHERE NOT EXISTS (SELECT FROM pg_stat_activity s"
                + " WHERE s.pid = a.pid AND s.query_start = a.began AND s.state = 'active')");
        answered = owner.number("SELECT count(*) FROM " + names.answers()) > 0;
    }

    /** Whoever could not make the change is not heard: the lock by itself is anybody's. */
    private List<Asked> asked() {
        return owner.query(
                "SELECT a.pid, a.query_start::text, l.objid::bigint, a.query FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
                        + " JOIN pg_class c ON c.oid = l.objid AND pg_has_role(a.usesysid, c.relowner, 'MEMBER')"
                        + " WHERE l.locktype = 'advisory' AND l.classid = ?::oid AND l.objsubid = 2 AND l.granted AND a.state = 'active'"
                        + " AND l.database = a.datid AND a.datname = current_database()"
                        + " AND NOT EXISTS (SELECT FROM " + names.answers()
                        + " r WHERE r.pid = a.pid AND r.began = a.query_start)",
                row -> new Asked(row.getInt(1), row.getString(2), row.getLong(3), row.getString(4)),
                names.changesKey());
    }

    /** Empty when it is on the standby. */
    private String carry(Asked asked) {
        try {
            AdditiveChange change = AdditiveChange.of(asked.query());
            String schema = owner.text(
                            "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ?::oid",
                            asked.relation())
                    .orElseThrow(() -> new AdditiveChange.NotAdditive("the table is gone"));
            String name = owner.text(
                            "SELECT format('%I.%I', ?::text, relname) FROM pg_class WHERE oid = ?::oid",
                            schema, asked.relation())
                    .orElseThrow(() -> new AdditiveChange.NotAdditive("the table is gone"));
            String path = Sql.name(schema) + ", public";
            switch (change) {
                case AdditiveChange.Columns columns -> columns(asked, name, path, columns);
                case AdditiveChange.Index index -> index(asked, name, path, index);
            }
            LOGGER.atInfo().addKeyValue("table", name).log("a change of the schema is on the standby");
            return "";
        } catch (AdditiveChange.NotAdditive e) {
            return String.valueOf(e.getMessage());
        } catch (PostgresConnectionException e) {
            throw e;
        } catch (PostgresException e) {
            return "the standby refused it: " + e.getMessage();
        }
    }

    /** The path is the statement's alone: types are written down, and undone, by names that hold under any. */
    private void columns(Asked asked, String name, String path, AdditiveChange.Columns change)
            throws AdditiveChange.NotAdditive {
        if (change.defaults() && standby.is("SELECT relreplident = 'f' FROM pg_class WHERE oid = ?::regclass", name)) {
            throw new AdditiveChange.NotAdditive(
                    "the table's rows are found by all their columns, so none can be added with a default");
        }
        List<String> all = new ArrayList<>(change.retyped());
        List<String> before = types(name, all);
        StringBuilder refusal = new StringBuilder();
        boolean late = again(
                () -> standby.transaction(() -> {
                    refusal.setLength(0);
                    if (!Appliers.standby(standby, names, epoch)) {
                        return true;
                    }
                    claim.requireNoneLater(standby);
                    asOwner(name, path, asked.query());
                    List<String> undo = new ArrayList<>();
                    List<String> touched = new ArrayList<>(change.added());
                    change.added().forEach(column -> undo.add(CarriedChange.drop(column)));
                    touched.addAll(all);
                    List<String> after = types(name, touched);
                    if (after.contains("") || domains(name, change.added())) {
                        refusal.append("only columns of types without a default of their own can be added");
                        throw new Refused();
                    }
                    if (change.defaults() && readByParts(name, change.added())) {
                        refusal.append(
                                "what a default of a composite, range or domain type of your own means depends on"
                                        + " the session's settings, and both sides have others: add the column without one");
                        throw new Refused();
                    }
                    for (int i = 0; i < all.size(); i++) {
                        String old = before.get(i);
                        if (!AdditiveChange.wider(old, after.get(change.added().size() + i))) {
                            refusal.append(old)
                                    .append(" → ")
                                    .append(after.get(change.added().size() + i))
                                    .append(" is not wider");
                            throw new Refused();
                        }
                        undo.add(CarriedChange.retype(all.get(i), old));
                    }
                    standby.update(
                            "INSERT INTO " + names.carried() + " VALUES (?, ?::timestamptz, ?::oid, ?, ?, ?, ?)",
                            asked.pid(),
                            asked.began(),
                            asked.relation(),
                            name,
                            touched.toArray(String[]::new),
                            after.toArray(String[]::new),
                            "ALTER TABLE " + name + " " + String.join(", ", undo));
                    return false;
                }),
                refusal);
        if (!refusal.isEmpty()) {
            throw new AdditiveChange.NotAdditive(refusal.toString());
        }
        if (late) {
            throw new AdditiveChange.NotAdditive("writes have just moved to the other server; try again");
        }
    }

    /** An index more does no harm where its statement comes to nothing on the other side: it stays. */
    private void index(Asked asked, String name, String path, AdditiveChange.Index index) {
        claim.requireNoneLater(standby);
        Set<String> before = new HashSet<>(broken(name));
        try {
            again(
                    () -> {
                        standby.execute("SET search_path = " + path);
                        try {
                            standby.execute(asked.query()); // functions in it run with the owner's rights by themselves
                        } finally {
                            standby.execute("RESET search_path");
                        }
                        return false;
                    },
                    new StringBuilder());
        } catch (PostgresException e) {
            if (index.concurrently()) {
                broken(name).stream()
                        .filter(made -> !before.contains(made))
                        .forEach(made -> standby.execute("DROP INDEX " + made));
            }
            throw e;
        }
    }

    private void asOwner(String table, String path, String statement) {
        String who = standby.text("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = ?::regclass", table)
                .orElseThrow();
        OwnersRights.execute(standby, Sql.name(names.schema(), "as_owner"), who, path, statement);
    }

    private List<String> broken(String table) {
        return standby.texts(
                "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = ?::regclass AND NOT indisvalid",
                table);
    }

    private static final class Refused extends RuntimeException {}

    private interface Work {
        boolean run();
    }

    /** The table is needed for a moment; nobody queues up behind this for long. */
    private static boolean again(Work work, StringBuilder refusal) {
        for (int attempt = 1; ; attempt++) {
            try {
                return work.run();
            } catch (Refused e) {
                return false;
            } catch (PostgresException e) {
                if (!e.sqlState().equals(LOCK_NOT_AVAILABLE) || attempt == TRIES) {
                    throw e;
                }
                refusal.setLength(0);
            }
        }
    }

    /** In this order; empty for a column that is not there. */
    private List<String> types(String table, List<String> columns) {
        return types(standby, table, columns);
    }

    private static List<String> types(PostgresSession session, String table, List<String> columns) {
        return session.texts("""
                SELECT coalesce(format_type(a.atttypid, a.atttypmod), '') FROM unnest(?::text[]) WITH ORDINALITY AS c (name, place)
                LEFT JOIN pg_attribute a ON a.attrelid = to_regclass(?) AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped
                ORDER BY c.place""", columns.toArray(String[]::new), table);
    }

    private boolean domains(String table, List<String> columns) {
        return standby.is(
                "SELECT true FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = ?::regclass AND a.attname = ANY (?) AND t.typtype = 'd'",
                table,
                columns.toArray(String[]::new));
    }

    /**
     * True where a default that was just added is read by a type that is put together of others, or made by somebody: by their parts' settings, and by what
     * that type calls. An expression depends on the types of its constants and casts.
     */
    private boolean readByParts(String table, List<String> columns) {
        return standby.is("""
                SELECT EXISTS (SELECT FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                    CROSS JOIN LATERAL (SELECT a.atttypid UNION ALL SELECT e.refobjid FROM pg_depend e WHERE e.classid = 'pg_attrdef'::regclass
                        AND e.objid = d.oid AND e.refclassid = 'pg_type'::regclass) AS used (type)
                    JOIN pg_type u ON u.oid = used.type JOIN pg_type t ON t.oid = u.oid OR t.oid = u.typelem
                    WHERE d.adrelid = ?::regclass AND a.attname = ANY (?) AND t.typtype IN ('c', 'r', 'm', 'd') AND t.typnamespace <> 'pg_catalog'::regnamespace)""", table, columns.toArray(String[]::new));
    }

    /** The last first: so they are undone. */
    private List<CarriedChange> carried() {
        return standby.query(
                "SELECT pid, began::text, relation::bigint, name, columns, types, undo FROM " + names.carried()
                        + " ORDER BY began DESC",
                row -> new CarriedChange(
                        row.getInt(1),
                        row.getString(2),
                        row.getLong(3),
                        row.getString(4),
                        List.of((String[]) row.getArray(5).getArray()),
                        List.of((String[]) row.getArray(6).getArray()),
                        row.getString(7)));
    }

    /** A transaction of several changes has ended with all of them or with none: looked at one by one, its first would be undone before its last. */
    private void settle(List<CarriedChange> changes) {
        Set<Long> open = open(changes);
        for (CarriedChange change : changes) {
            if (!open.contains(change.relation())) {
                settle(change);
            }
        }
    }

    /**
     * Tables that one of these changes is being made of. What came to nothing before stays on the standby as long: the later one may rest on it, as a type
     * that is wide enough already.
     */
    private Set<Long> open(List<CarriedChange> changes) {
        if (changes.isEmpty()) {
            return Set.of();
        }
        Set<Asking> asking = new HashSet<>(owner.query(
                "SELECT pid, objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = ?::oid AND objsubid = 2",
                row -> new Asking(row.getInt(1), row.getLong(2)),
                names.changesKey()));
        return changes.stream()
                .filter(change -> asking.contains(new Asking(change.pid(), change.relation())))
                .map(CarriedChange::relation)
                .collect(Collectors.toSet());
    }

    /**
     * Judged and done under the lock that carrying takes. Whoever looked earlier and comes late finds the change gone, settled by another: what the standby
     * has by then may be of one that has been carried since, or clients' own after a flip.
     */
    private void settle(CarriedChange change) {
        try {
            Appliers.unlessLater(standby, names, epoch, () -> {
                claim.requireNoneLater(standby);
                if (!open(carried()).contains(change.relation()) && remove(change)) {
                    complete(change);
                }
            });
        } catch (PostgresException e) {
            if (!e.sqlState().equals(LOCK_NOT_AVAILABLE)) {
                throw e;
            }
            // With the next look: who holds the table may be waiting for an answer.
        }
    }

    private boolean remove(CarriedChange change) {
        return standby.update(
                        "DELETE FROM " + names.carried() + " WHERE pid = ? AND began = ?::timestamptz",
                        change.pid(),
                        change.began())
                == 1;
    }

    private void complete(CarriedChange change) {
        switch (change.outcome(types(owner, change.name(), change.columns()))) {
            case CarriedChange.Kept _ -> republish();
            case CarriedChange.TakenBack(List<String> undo) -> {
                if (!undo.isEmpty()) {
                    asOwner(
                            change.name(),
                            "pg_catalog",
                            "ALTER TABLE " + change.name() + " " + String.join(", ", undo));
                }
                LOGGER.atInfo()
                        .addKeyValue("table", change.name())
                        .log("a change of the schema came to nothing and is taken back on the standby");
            }
            case CarriedChange.Unlike(String column, String wanted, String found) ->
                throw new ReplicationStopped("column " + column + " of " + change.name() + " is " + found + " on "
                        + pair.endpoint(from).id() + " and " + wanted + " on "
                        + pair.endpoint(from.other()).id() + ": nothing is taken back, and nothing cuts over");
        }
    }

    /** Where the target has columns of its own, what it publishes is listed. */
    private void republish() {
        Link back = new Link(pair, Role.TARGET);
        if (from == Role.SOURCE) {
            back.republish(standby, UserTables.publishedFor(standby, owner));
            return;
        }
        owner.transaction(() -> {
            owner.execute("SET LOCAL lock_timeout = '1s'");
            owner.execute("SET LOCAL deadlock_timeout = '100ms'");
            // This server may outlive the standby's session: who lists later has looked later, too.
            Appliers.lock(owner, names);
            back.republish(owner, UserTables.publishedFor(owner, standby));
        });
    }
}
