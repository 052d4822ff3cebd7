package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.store.ReplicationLedger.TableProgress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How far the full load is. Eden's own tables count among the tables alone.
 *
 * @param rowsTotal by the publisher's statistics: an estimate
 */
record LoadProgress(
        long tablesReady, long tableCount, long rowsDone, long rowsTotal, long bytes, List<TableProgress> tables) {
    static final LoadProgress NONE = new LoadProgress(0, 0, 0, 0, 0, List.of());

    /** Schemas that are Eden's begin with it, and no others that move. */
    private static final String OWN = "eden_";

    /** What status shows; of the tables that are not ready, then of the largest. */
    private static final int SHOWN = 50;

    boolean ready() {
        return tableCount > 0 && tablesReady == tableCount;
    }

    static LoadProgress of(List<TableProgress> all) {
        long ready = 0;
        long rows = 0;
        long total = 0;
        long bytes = 0;
        List<TableProgress> shown = new ArrayList<>();
        for (TableProgress table : all) {
            ready += table.state().equals("ready") ? 1 : 0;
            if (table.name().startsWith(OWN) || table.name().startsWith('"' + OWN)) {
                continue; // the marker: waited for as any other, and nobody's rows
            }
            shown.add(table);
            rows += table.rows();
            total += Math.max(table.rowsTotal(), table.rows());
            bytes += table.bytes();
        }
        shown.sort((one, other) -> {
            int state =
                    Boolean.compare(one.state().equals("ready"), other.state().equals("ready"));
            return state != 0 ? state : Long.compare(other.rowsTotal(), one.rowsTotal());
        });
        return new LoadProgress(
                ready, all.size(), rows, total, bytes, List.copyOf(shown.subList(0, Math.min(SHOWN, shown.size()))));
    }

    /** While the servers copy by themselves: from the subscriber's catalogue and the publisher's estimates. */
    static LoadProgress read(PostgresSession publisher, PostgresSession subscriber, EdenObjects names) {
        record Found(String name, String state, long rows, long bytes, double seconds) {}
        List<Found> found = subscriber.query(
                """
                SELECT format('%I.%I', n.nspname, c.relname), r.srsubstate::text, coalesce(p.tuples_processed, 0), coalesce(p.bytes_processed, 0),
                    coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)
                FROM pg_subscription s JOIN pg_subscription_rel r ON r.srsubid = s.oid
                JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_stat_progress_copy p ON p.relid = c.oid AND p.datid = s.subdbid
                LEFT JOIN pg_stat_activity a ON a.pid = p.pid WHERE s.subname = ?""",
                row -> new Found(row.getString(1), row.getString(2), row.getLong(3), row.getLong(4), row.getDouble(5)),
                names.main());
        Map<String, TableSize> sizes =
                TableSize.read(publisher, found.stream().map(Found::name).toList());
        List<TableProgress> all = new ArrayList<>();
        for (Found table : found) {
            TableSize size = sizes.getOrDefault(table.name(), TableSize.NONE);
            all.add(
                    switch (table.state()) {
                        case "r" -> new TableProgress(table.name(), "ready", size.rows(), size.rows(), size.bytes());
                        case "i" -> new TableProgress(table.name(), "waiting", 0, size.rows(), 0);
                        case "d" -> copying(table.name(), table.rows(), size.rows(), table.bytes(), table.seconds());
                        default ->
                            new TableProgress(table.name(), "catching up", size.rows(), size.rows(), size.bytes());
                    });
        }
        return of(all);
    }

    /** {@code rows} since it began, so many seconds ago. */
    static TableProgress copying(String name, long rows, long rowsTotal, long bytes, double seconds) {
        double rate = rows / Math.max(0.001, seconds);
        long eta = rows > 0 ? Math.round(Math.max(0, rowsTotal - rows) / rate) : -1;
        return new TableProgress(name, "copying", rows, rowsTotal, bytes, rate, eta);
    }

    /** By the publisher's statistics. */
    record TableSize(long rows, long bytes, long blocks) {
        static final TableSize NONE = new TableSize(0, 0, 0);

        static Map<String, TableSize> read(PostgresSession publisher, List<String> tables) {
            Map<String, TableSize> sizes = new HashMap<>();
            publisher.query(
                    """
                    SELECT t, CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint ELSE pg_relation_size(c.oid) / 100 END, pg_table_size(c.oid),
                        pg_relation_size(c.oid) / current_setting('block_size')::bigint
                    FROM unnest(?::text[]) AS t JOIN pg_class c ON c.oid = to_regclass(t)""",
                    row -> sizes.put(row.getString(1), new TableSize(row.getLong(2), row.getLong(3), row.getLong(4))),
                    (Object) tables.toArray(String[]::new));
            return sizes;
        }
    }
}
