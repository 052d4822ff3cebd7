package dev.eden.activities.postgres;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The tables of a database that move: ordinary and partitioned ones, neither Eden's nor an extension's nor unlogged. */
public final class UserTables {
    /** Conditions on {@code pg_class c JOIN pg_namespace n}. */
    public static final String OWN_RELATION = """
            n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(temp|toast)_'
            AND n.nspname !~ '^eden_'
            AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')""";

    /** Those of them that hold rows themselves. */
    public static final String LEAF = "c.relkind = 'r' AND c.relpersistence = 'p' AND " + OWN_RELATION;

    /** Of {@code pg_class c}, how many rows the planner takes it to have; of what was never analysed, as if each took 100 bytes. */
    public static final String ESTIMATED_ROWS =
            "CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint ELSE pg_relation_size(c.oid) / 100 END";

    /**
     * Condition on {@code pg_class c}: rows cannot be found again by the table's replica identity, so that a publication would refuse updates and
     * deletes of it. A key that may be deferred is none (PostgreSQL documentation, "REPLICA IDENTITY").
     */
    public static final String KEYLESS = """
            NOT (c.relreplident = 'f'
            OR c.relreplident = 'd' AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate)
            OR c.relreplident = 'i' AND EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident AND i.indimmediate))""";

    private static final int COLUMN_LISTS_SINCE = 15;

    private UserTables() {}

    /** As {@code FOR TABLE} wants them: partitions come with their parent, children by inheritance by themselves. */
    public static List<String> published(PostgresSession session) {
        return session.texts(
                "SELECT CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || format('%I.%I', n.nspname, c.relname)"
                        + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                        + " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p' AND "
                        + OWN_RELATION + " ORDER BY 1");
    }

    /**
     * As {@link #published} of {@code session}, but only with columns that {@code other} has too: a column list where there are more (15 and
     * later know them; for an older server preflight refuses).
     */
    public static List<String> publishedFor(PostgresSession session, PostgresSession other) {
        Map<String, String> there = columns(other);
        Map<String, String> here = columns(session);
        return published(session).stream()
                .filter(table -> there.containsKey(table))
                .map(table -> {
                    String common = Objects.requireNonNull(there.get(table));
                    return common.equals(here.get(table)) || session.major() < COLUMN_LISTS_SINCE
                            ? table
                            : table + " (" + common + ")";
                })
                .toList();
    }

    /** Quoted each: servers of different versions quote different words by themselves. */
    private static Map<String, String> columns(PostgresSession session) {
        Map<String, String> all = new HashMap<>();
        session.query(
                "SELECT CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || format('%I.%I', n.nspname, c.relname),"
                        + " (SELECT string_agg('\"' || replace(a.attname, '\"', '\"\"') || '\"', ', ' ORDER BY a.attname COLLATE \"C\") FROM pg_attribute a"
                        + " WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')"
                        + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND "
                        + OWN_RELATION,
                row -> all.put(row.getString(1), row.getString(2) == null ? "" : row.getString(2)));
        return all;
    }

    /** Those that hold rows themselves, quoted with their schema. */
    public static List<String> leaves(PostgresSession session) {
        return session.texts("SELECT format('%I.%I', n.nspname, c.relname)"
                + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " + LEAF + " ORDER BY 1");
    }
}
