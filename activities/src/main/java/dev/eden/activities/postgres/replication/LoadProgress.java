package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;

/**
 * How far the full load is, from the subscriber's catalogue and the publisher's estimates.
 *
 * @param rowsTotal by the publisher's statistics: an estimate
 */
record LoadProgress(long tablesReady, long tables, long rowsDone, long rowsTotal, long bytes) {
    static final LoadProgress NONE = new LoadProgress(0, 0, 0, 0, 0);

    boolean ready() {
        return tables > 0 && tablesReady == tables;
    }

    static LoadProgress read(PostgresSession publisher, PostgresSession subscriber, EdenObjects names) {
        var finished = subscriber.query(
                """
                SELECT format('%I.%I', n.nspname, c.relname), r.srsubstate::text, coalesce(p.tuples_processed, 0), coalesce(p.bytes_processed, 0)
                FROM pg_subscription s JOIN pg_subscription_rel r ON r.srsubid = s.oid
                JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_stat_progress_copy p ON p.relid = c.oid WHERE s.subname = ?""",
                row -> new Table(row.getString(1), row.getString(2), row.getLong(3), row.getLong(4)), names.main());
        String[] tables = finished.stream().map(Table::name).toArray(String[]::new);
        var sizes = new java.util.HashMap<String, long[]>();
        publisher.query("""
                SELECT t, greatest(c.reltuples::bigint, pg_relation_size(c.oid) / 100), pg_table_size(c.oid) FROM unnest(?::text[]) AS t
                JOIN pg_class c ON c.oid = to_regclass(t)""", row -> sizes.put(row.getString(1), new long[] {row.getLong(2), row.getLong(3)}), (Object)
                tables);
        long ready = 0;
        long rows = 0;
        long total = 0;
        long bytes = 0;
        for (Table table : finished) {
            long[] size = sizes.getOrDefault(table.name(), new long[2]);
            boolean copied = !table.state().equals("i") && !table.state().equals("d");
            ready += table.state().equals("r") ? 1 : 0;
            rows += copied ? size[0] : table.rows();
            bytes += copied ? size[1] : table.bytes();
            total += Math.max(size[0], table.rows());
        }
        return new LoadProgress(ready, finished.size(), rows, total, bytes);
    }

    private record Table(String name, String state, long rows, long bytes) {}
}
