package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import dev.eden.activities.store.ReplicationLedger.TableProgress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How far the full load is. Eden's own tables count among the tables alone.
 *
 * @param rowsDone as they were counted when they were copied; an estimate of tables that the servers have copied by themselves while nobody looked
 * @param rowsTotal by the publisher's statistics, of what is not complete: an estimate
 */
record LoadProgress(
        long tablesReady, long tableCount, long rowsDone, long rowsTotal, long bytes, List<TableProgress> tables) {
    static final LoadProgress NONE = new LoadProgress(0, 0, 0, 0, 0, List.of());

    /** Schemas that are Eden's begin with it, and no others that move. */
    private static final String OWN = "eden_";

    /** What status shows; of the tables that are not ready, then of the largest. */
    private static final int SHOWN = 50;

    /** Where the target has the rows by other means, none is copied. */
    LoadProgress withoutRows() {
        return new LoadProgress(tablesReady, tableCount, 0, 0, 0, List.of());
    }

    /** What was known of it before a server or Eden went away. */
    static LoadProgress known(long rowsDone, long rowsTotal, long bytes) {
        return new LoadProgress(0, 0, rowsDone, rowsTotal, bytes, List.of());
    }

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

    /**
     * When Eden's own load is over: from what it has noted, the subscriber's catalogue and, for tables that the servers copy by themselves, the publisher's
     * estimates.
     *
     * @param seen rows of such tables by the last look at them, for the next one
     */
    static LoadProgress read(
            PostgresSession publisher, PostgresSession subscriber, EdenObjects names, Map<String, Long> seen) {
        record Found(String name, String state, long rows, long bytes, double seconds, long loaded, long loadedBytes) {}
        List<Found> found = subscriber.query(
                """
                SELECT format('%I.%I', n.nspname, c.relname), r.srsubstate::text, coalesce(p.tuples_processed, 0), coalesce(p.bytes_processed, 0),
                    coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0), coalesce(l.rows, -1), coalesce((to_jsonb(l) ->> 'bytes')::bigint, 0)
                FROM pg_subscription s JOIN pg_subscription_rel r ON r.srsubid = s.oid
                JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_stat_progress_copy p ON p.relid = c.oid AND p.datid = s.subdbid
                LEFT JOIN pg_stat_activity a ON a.pid = p.pid LEFT JOIN LOADED l ON l.name = format('%I.%I', n.nspname, c.relname)
                WHERE s.subname = ?""".replace("LOADED", names.loaded()),
                row -> new Found(
                        row.getString(1),
                        row.getString(2),
                        row.getLong(3),
                        row.getLong(4),
                        row.getDouble(5),
                        row.getLong(6),
                        row.getLong(7)),
                names.main());
        Map<String, TableSize> sizes =
                TableSize.read(publisher, found.stream().map(Found::name).toList());
        List<TableProgress> all = new ArrayList<>();
        for (Found table : found) {
            TableSize size = sizes.getOrDefault(table.name(), TableSize.NONE);
            long rows = table.loaded() >= 0 ? table.loaded() : seen.getOrDefault(table.name(), size.rows());
            long bytes = table.loadedBytes() > 0 ? table.loadedBytes() : size.bytes();
            all.add(
                    switch (table.state()) {
                        case "r" -> new TableProgress(table.name(), "ready", rows, rows, bytes);
                        case "i" -> new TableProgress(table.name(), "waiting", 0, size.rows(), 0);
                        case "d" -> {
                            seen.put(table.name(), table.rows());
                            yield copying(table.name(), table.rows(), size.rows(), table.bytes(), table.seconds());
                        }
                        default -> new TableProgress(table.name(), "catching up", rows, rows, bytes);
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
                    SELECT t, ESTIMATED, pg_table_size(c.oid), pg_relation_size(c.oid) / current_setting('block_size')::bigint
                    FROM unnest(?::text[]) AS t JOIN pg_class c ON c.oid = to_regclass(t)""".replace("ESTIMATED", UserTables.ESTIMATED_ROWS),
                    row -> sizes.put(row.getString(1), new TableSize(row.getLong(2), row.getLong(3), row.getLong(4))),
                    (Object) tables.toArray(String[]::new));
            return sizes;
        }
    }
}
