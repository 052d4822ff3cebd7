package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.List;

/**
 * Tables with columns of the target's own are published with lists of columns on the way back, and PostgreSQL takes none for a partitioned table whose
 * partitions are published by themselves (CREATE PUBLICATION, "publish_via_partition_root").
 */
record WayBackFindings(PostgresSession source, PostgresSession target, Findings findings) {
    private static final int COLUMN_LISTS_SINCE = 15;

    void check() {
        if (target.major() < COLUMN_LISTS_SINCE) {
            return; // any such table is a failure there
        }
        List<String> listed = new ArrayList<>(UserTables.publishedFor(target, source));
        listed.removeAll(UserTables.published(target));
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
