package dev.eden.api.route;

import dev.eden.activities.store.RouteLedger.Position;
import dev.eden.activities.store.RouteLedger.Routes;
import dev.eden.proxy.RouteState;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One row of {@code route} as the ledger reads it, and how rows of one migration become {@link Routes}. */
record RouteRows(
        String interlay,
        String migration,
        long epoch,
        RouteState state,
        long attempt,
        long deadlineMillis,
        String active,
        @Nullable String standby,
        @Nullable String turnReplid,
        long turnOffset,
        long ageMillis) {

    static final String SELECT = """
            SELECT interlay, migration, epoch, state, attempt, deadline_ms, active, standby, turn_replid, turn_offset,
                   (extract(epoch FROM clock_timestamp() - changed_at) * 1000)::bigint AS age_ms
            FROM route
            """;

    static Map<String, List<RouteRows>> byMigration(List<RouteRows> rows) {
        Map<String, List<RouteRows>> grouped = new LinkedHashMap<>();
        for (RouteRows row : rows) {
            grouped.computeIfAbsent(row.migration(), _ -> new ArrayList<>()).add(row);
        }
        return grouped;
    }

    /** All rows of a migration carry the same epoch, state and attempt: one transaction changes them. */
    static Routes routes(List<RouteRows> rows) {
        RouteRows first = rows.getFirst();
        String replid = first.turnReplid();
        return new Routes(
                first.migration(),
                first.epoch(),
                first.state(),
                first.attempt(),
                first.active(),
                first.standby(),
                rows.stream().map(RouteRows::interlay).toList(),
                replid == null ? null : new Position(replid, first.turnOffset()));
    }
}
