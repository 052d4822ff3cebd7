package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import dev.eden.activities.store.Endpoint;
import dev.eden.workflows.activity.PreparationActivities.CopyForecast;
import java.time.Duration;

/** How long a database may take to be copied, from the planner's and the file system's figures; changes nothing. */
public final class PostgresCopyForecast {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    /** COPY with one primary key to build; more indexes take longer. */
    private static final double BYTES_PER_SECOND = 30 << 20;

    private static final String TABLES =
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " + UserTables.LEAF;

    private PostgresCopyForecast() {}

    public static CopyForecast of(Endpoint source) {
        try (PostgresSession session = PostgresSession.connect(source, "eden:forecast", LIMIT)) {
            long rows = session.number("SELECT coalesce(sum(" + UserTables.ESTIMATED_ROWS + "), 0)::bigint" + TABLES);
            long bytes = session.number("SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint" + TABLES);
            return new CopyForecast(
                    rows, bytes, bytes / BYTES_PER_SECOND, "30 MiB/s of the tables' size; rows are an estimate");
        }
    }
}
