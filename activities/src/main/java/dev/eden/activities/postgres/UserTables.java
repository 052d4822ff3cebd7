package dev.eden.activities.postgres;

import java.util.List;

/** The tables of a database that move: ordinary and partitioned ones, neither Eden's nor an extension's nor unlogged. */
public final class UserTables {
    /** Conditions on {@code pg_class c JOIN pg_namespace n}. */
    public static final String OWN_RELATION = """
            n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(temp|toast)_'
            AND n.nspname !~ '^eden_'
            AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')""";

    private UserTables() {}

    /** As {@code FOR TABLE} wants them: partitions come with their parent, children by inheritance by themselves. */
    public static List<String> published(PostgresSession session) {
        return session.texts(
                "SELECT CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END || format('%I.%I', n.nspname, c.relname)"
                        + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                        + " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p' AND "
                        + OWN_RELATION + " ORDER BY 1");
    }

    /** Those that hold rows themselves, quoted with their schema. */
    public static List<String> leaves(PostgresSession session) {
        return session.texts("SELECT format('%I.%I', n.nspname, c.relname)"
                + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                + " WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND " + OWN_RELATION + " ORDER BY 1");
    }
}
