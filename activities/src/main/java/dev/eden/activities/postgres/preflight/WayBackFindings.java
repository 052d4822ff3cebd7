package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Tables with columns of the target's own are published with lists of columns on the way back. PostgreSQL takes none for a partitioned table whose
 * partitions are published by themselves (CREATE PUBLICATION, "publish_via_partition_root"), and none that leaves something out of a row's identity: of all
 * columns, where a table has no key (CREATE PUBLICATION, "FOR TABLE").
 */
record WayBackFindings(PostgresSession source, PostgresSession target, Findings findings) {
    private static final int COLUMN_LISTS_SINCE = 15;
    private static final String WHOLE_ROWS =
            "SELECT format('ONLY %I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
                    + UserTables.LEAF + " AND (c.relreplident = 'f' OR " + UserTables.KEYLESS + ")";

    void check() {
        if (target.major() < COLUMN_LISTS_SINCE) {
            return; // any such table is a failure there
        }
        List<String> listed = new ArrayList<>(UserTables.publishedFor(target, source));
        listed.removeAll(UserTables.published(target));
        Set<String> wholeRows = new HashSet<>(source.texts(WHOLE_ROWS));
        wholeRows.addAll(target.texts(WHOLE_ROWS));
        List<String> unkeyed = listed.stream()
                .filter(table -> wholeRows.stream().anyMatch(whole -> table.startsWith(whole + " (")))
                .toList();
        if (!unkeyed.isEmpty()) {
            findings.failure(
                    "postgres.target.schema_way_back",
                    "The target has columns that the source has not in tables without a key, whose rows PostgreSQL finds by all their columns and would not find on the way back: only "
                            + Findings.some(unkeyed) + " would be wanted.",
                    "Drop the columns on the target, or give the tables a primary key, and the replica identity DEFAULT, on both sides.");
        }
        listed.removeIf(table -> table.startsWith("ONLY "));
        if (!listed.isEmpty()) {
            findings.failure(
                    "postgres.target.schema_way_back",
                    "The target has columns that the source has not in partitioned tables, and PostgreSQL cannot leave them out there when it replicates back: only "
                            + Findings.some(listed) + " would be wanted.",
                    "Drop the columns on the target, or give them to the source's tables, too.");
        }
    }
}
