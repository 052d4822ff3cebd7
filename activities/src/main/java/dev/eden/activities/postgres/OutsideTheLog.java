package dev.eden.activities.postgres;

import java.util.List;

/** What a database can hold though its log does not carry it: rows of unlogged tables, and large objects. Neither takes a change of the schema, so both may come at any time. */
public final class OutsideTheLog {
    /** By the size of the file: {@code pg_relation_size()} waits for whoever has the table for itself, and clients may be waiting for who asks. */
    private static final String UNLOGGED = "SELECT format('%I.%I', n.nspname, c.relname)"
            + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            + " WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND " + UserTables.OWN_RELATION
            + " AND (pg_stat_file(pg_relation_filepath(c.oid), true)).size > 0 ORDER BY 1";

    private OutsideTheLog() {}

    /** Unlogged tables that have rows, or had some and have not been truncated since; quoted with their schema. */
    public static List<String> unlogged(PostgresSession session) {
        return session.texts(UNLOGGED);
    }

    public static long largeObjects(PostgresSession session) {
        return session.number("SELECT count(*) FROM pg_largeobject_metadata");
    }
}
