package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Constraints that were never validated: rows from before them may violate them, and no new row may. On the side that is written by Eden every row is new,
 * so that they are made after the load, and are out of the way where a row is copied again.
 */
public final class Unvalidated {
    /** Violations of a check, and of a NOT NULL. */
    private static final Set<String> VIOLATIONS = Set.of("23514", "23502");
    /** Since then NOT NULL is a constraint that need not be validated. */
    private static final int NOT_NULL_SINCE = 18;

    private static final String LOCK_NOT_AVAILABLE = "55P03";

    /** A table and all that it inherits from. */
    private static final String LINE = """
            WITH RECURSIVE line AS (SELECT to_regclass(?)::oid AS oid UNION SELECT i.inhparent FROM line JOIN pg_inherits i ON i.inhrelid = line.oid)
            SELECT oid FROM line""";

    /** The types of a table's columns and what these consist of. */
    private static final String PARTS = """
            WITH RECURSIVE parts AS (
                SELECT atttypid AS oid FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped
                UNION SELECT p.oid FROM parts JOIN pg_type y ON y.oid = parts.oid CROSS JOIN LATERAL (
                    SELECT y.typbasetype UNION ALL SELECT y.typelem
                    UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE y.oid IN (r.rngtypid, r.rngmultitypid)
                    UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = y.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                ) AS p (oid) WHERE p.oid <> 0)
            SELECT oid FROM parts""";

    private Unvalidated() {}

    /** @param drop statement that removes it */
    private record Constraint(String identity, String drop, String add) {}

    /** As a server of that version is to have them. */
    static List<SchemaObject> of(PostgresSession session, int major) {
        return read(session, major).stream()
                .map(one -> new SchemaObject(one.identity(), List.of(one.add())))
                .toList();
    }

    /** Removes from the target what the source has without validation: a load is due. They come again after it. */
    public static void drop(PostgresSession source, PostgresSession target) {
        drop(source, target, identities -> {});
    }

    /** {@code before} is told first which of them it is, by {@link SchemaObject#identity}. */
    static void drop(PostgresSession source, PostgresSession target, Consumer<Set<String>> before) {
        List<Constraint> wanted = read(source, target.major());
        if (wanted.isEmpty()) {
            return;
        }
        before.accept(wanted.stream().map(Constraint::identity).collect(Collectors.toSet()));
        Set<String> there = target.texts("""
                SELECT format('constraint %s.%I', k.conrelid::regclass, k.conname) FROM pg_constraint k WHERE k.conrelid <> 0
                UNION ALL SELECT format('domain constraint %s.%I', k.contypid::regtype, k.conname) FROM pg_constraint k WHERE k.contypid <> 0""").stream().map(PlainText::names).collect(Collectors.toSet());
        target.executeAll(wanted.stream()
                .filter(one -> there.contains(one.identity()))
                .map(Constraint::drop)
                .toList());
    }

    /**
     * Runs work that writes rows of that table as they are on the other side, in one transaction; once more without these constraints where it fails by one.
     * The caller may hold applications' rows: a lock that is not to be had soon, because somebody reads the table, is {@link #busy}.
     *
     * @param table quoted, with its schema
     */
    public static void write(PostgresSession session, String table, Runnable work) {
        try {
            session.transaction(work);
        } catch (PostgresException e) {
            if (!VIOLATIONS.contains(e.sqlState())) {
                throw e;
            }
            session.transaction(() -> {
                session.execute("SET LOCAL lock_timeout = '200ms'");
                // What they drop may be the same of two tables.
                session.query("SELECT pg_advisory_xact_lock(hashtextextended('eden unvalidated', 0))", row -> true);
                List<Constraint> all = read(session, session.major(), table);
                if (all.isEmpty()) {
                    throw e;
                }
                all.forEach(one -> session.execute(one.drop()));
                work.run();
                all.forEach(one -> session.execute(one.add()));
            });
        }
    }

    /** Nothing was written, and may be later. */
    public static boolean busy(PostgresException e) {
        return e.sqlState().equals(LOCK_NOT_AVAILABLE);
    }

    private static List<Constraint> read(PostgresSession session, int major) {
        return read(session, major, null);
    }

    /** {@code table}: only those that its rows have to meet, which may be of what it inherits from; of its columns' domains, in whatever they are parts of. */
    private static List<Constraint> read(PostgresSession session, int major, @Nullable String table) {
        List<Constraint> tables = session.query(
                """
                SELECT format('constraint %s.%I', c.oid::regclass, k.conname), format('ALTER TABLE %s DROP CONSTRAINT %I', c.oid::regclass, k.conname),
                    format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.oid::regclass, k.conname, CASE WHEN k.contype = 'n' AND ? < ? THEN
                        (SELECT format('CHECK (%I IS NOT NULL) NOT VALID', a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = k.conkey[1])
                        ELSE pg_get_constraintdef(k.oid) END)
                FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE k.contype IN ('c', 'n') AND NOT k.convalidated AND k.conislocal AND k.coninhcount = 0 AND OWN_RELATION AND (?::text IS NULL OR c.oid IN (LINE)) ORDER BY k.oid""".replace("OWN_RELATION", UserTables.OWN_RELATION).replace("LINE", LINE),
                Unvalidated::constraint,
                major,
                NOT_NULL_SINCE,
                table,
                table);
        List<Constraint> domains = session.query("""
                SELECT format('domain constraint %s.%I', t.oid::regtype, k.conname), format('ALTER DOMAIN %s DROP CONSTRAINT %I', t.oid::regtype, k.conname),
                    format('ALTER DOMAIN %s ADD CONSTRAINT %I %s', t.oid::regtype, k.conname, pg_get_constraintdef(k.oid))
                FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid WHERE k.contype = 'c' AND NOT k.convalidated AND NOT EXISTS (SELECT FROM pg_depend e
                    WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e') AND (?::text IS NULL OR t.oid IN (PARTS)) ORDER BY k.oid""".replace("PARTS", PARTS), Unvalidated::constraint, table, table);
        return Stream.concat(tables.stream(), domains.stream()).toList();
    }

    private static Constraint constraint(ResultSet row) throws SQLException {
        return new Constraint(PlainText.names(row.getString(1)), row.getString(2), row.getString(3));
    }
}
