package dev.eden.api.metrics;

import java.util.List;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** What the meters read of the store: a fixed number of statements however many migrations there are. */
final class MigrationFigures {
    private final Jdbi jdbi;

    MigrationFigures(Jdbi jdbi) {
        this.jdbi = jdbi;
    }

    /**
     * A migration that has been started and has not ended.
     *
     * @param paused by whom or whatever
     * @param failed paused because a step has failed
     * @param cleaning its interlays are out of it already, and it waits for its two servers to be left clean
     * @param streaming the standby is kept current: replication has said so within ten seconds
     * @param lagMillis null: not known, or nobody has told it for ten seconds
     * @param progress percent of the full load; 100 once replication streams; null: not known
     * @param rate keys or rows a second of the full load; null: not known
     * @param position of the stream; null: nobody has told it for ten seconds
     * @param retainedBytes log that a PostgreSQL keeps for the other; null: not known
     * @param differences that its last comparison left
     * @param consistency percent of what it compared that is equal now
     * @param comparedPerSecond keys or rows
     */
    record Running(
            String migration,
            String phase,
            boolean paused,
            boolean failed,
            boolean cleaning,
            boolean streaming,
            @Nullable Long lagMillis,
            @Nullable Long keysDone,
            @Nullable Long keysTotal,
            @Nullable Double progress,
            @Nullable Double rate,
            @Nullable Position position,
            @Nullable Long retainedBytes,
            @Nullable Long differences,
            @Nullable Double consistency,
            @Nullable Double comparedPerSecond) {}

    /**
     * How far the standby has applied the active side's log.
     *
     * @param epoch positions of two are not of one log
     */
    record Position(long epoch, long applied, long millis) {}

    record Attempts(String migration, String direction, String outcome, long count) {}

    /** Of the last committed flip in a direction, and of the longest; none where that is not known. */
    record Pause(String migration, String direction, double millis, double longest) {}

    record Phase(String phase, long migrations) {}

    record Proxies(String interlay, long alive, long silent) {}

    List<Running> running() {
        return jdbi.withHandle(h -> h.createQuery("""
                        SELECT m.id, m.phase, coalesce((m.view->>'paused')::boolean, false) AS paused,
                               coalesce((m.view->>'failed')::boolean, false) AS failed, (r.progress->>'keysDone')::bigint AS done,
                               m.phase IN ('baking', 'rolling_back') AND NOT EXISTS (SELECT FROM route WHERE route.migration = m.id) AS cleaning,
                               coalesce(r.told AND r.progress->>'state' = 'streaming', false) AS streaming,
                               CASE WHEN r.told THEN nullif((r.progress->>'lagMs')::bigint, -1) END AS lag,
                               CASE WHEN r.told THEN (r.progress->>'keysPerSecond')::double precision END AS rate,
                               nullif((r.progress->>'keysTotal')::bigint, 0) AS total,
                               CASE WHEN r.progress->>'state' = 'streaming' THEN 100
                                    WHEN (r.progress->>'keysTotal')::bigint > 0
                                    THEN 100 * least(1, (r.progress->>'keysDone')::double precision / (r.progress->>'keysTotal')::bigint) END AS percent,
                               CASE WHEN r.told THEN nullif((r.progress->>'appliedOffset')::bigint, 0) END AS applied,
                               (r.progress->>'atMillis')::bigint AS at, (SELECT max(epoch) FROM route WHERE route.migration = m.id) AS epoch,
                               CASE WHEN r.told THEN (r.progress->>'retainedBytes')::bigint END AS retained, v.remaining AS differences,
                               CASE WHEN v.compared IS NOT NULL
                                    THEN 100 * (1 - least(1, v.remaining::double precision / greatest(v.compared, 1))) END AS consistency,
                               v.compared / nullif(v.seconds, 0) AS pace
                        FROM migration m LEFT JOIN (SELECT migration, progress,
                                (progress->>'atMillis')::bigint > extract(epoch FROM clock_timestamp()) * 1000 - 10000 AS told
                                FROM replication) AS r ON r.migration = m.id
                        LEFT JOIN LATERAL (SELECT (report->>'remaining')::bigint AS remaining, (report->>'keysCompared')::bigint AS compared,
                                extract(epoch FROM (report->>'endedAt')::timestamptz - (report->>'startedAt')::timestamptz)::double precision AS seconds
                                FROM validation_report WHERE migration = m.id ORDER BY created_at DESC LIMIT 1) AS v ON true
                        WHERE m.started_at IS NOT NULL AND m.ended_at IS NULL""")
                .map((row, _) -> new Running(
                        row.getString("id"),
                        row.getString("phase"),
                        row.getBoolean("paused"),
                        row.getBoolean("failed"),
                        row.getBoolean("cleaning"),
                        row.getBoolean("streaming"),
                        row.getObject("lag", Long.class),
                        row.getObject("done", Long.class),
                        row.getObject("total", Long.class),
                        row.getObject("percent", Double.class),
                        row.getObject("rate", Double.class),
                        row.getObject("applied", Long.class) == null
                                ? null
                                : new Position(row.getLong("epoch"), row.getLong("applied"), row.getLong("at")),
                        row.getObject("retained", Long.class),
                        row.getObject("differences", Long.class),
                        row.getObject("consistency", Double.class),
                        row.getObject("pace", Double.class)))
                .list());
    }

    List<Attempts> attempts() {
        return jdbi.withHandle(h -> h.createQuery("""
                        SELECT a.migration, a.direction, a.outcome, count(*) AS n
                        FROM attempt a JOIN migration m ON m.id = a.migration
                        WHERE m.ended_at IS NULL AND a.outcome IS NOT NULL GROUP BY 1, 2, 3""")
                .map((row, _) -> new Attempts(
                        row.getString("migration"),
                        row.getString("direction"),
                        row.getString("outcome"),
                        row.getLong("n")))
                .list());
    }

    List<Pause> pauses() {
        return jdbi.withHandle(h -> h.createQuery("""
                        SELECT * FROM (
                            SELECT DISTINCT ON (migration, direction) migration, direction, millis,
                                   max(millis) OVER (PARTITION BY migration, direction) AS longest
                            FROM (SELECT a.id, a.migration, a.direction, (a.report->>'pauseMicros')::double precision / 1000 AS millis
                                  FROM attempt a JOIN migration m ON m.id = a.migration
                                  WHERE m.ended_at IS NULL AND a.outcome = 'committed' AND a.report IS NOT NULL) AS flip
                            ORDER BY migration, direction, id DESC) AS last
                        WHERE millis IS NOT NULL""")
                .map((row, _) -> new Pause(
                        row.getString("migration"),
                        row.getString("direction"),
                        row.getDouble("millis"),
                        row.getDouble("longest")))
                .list());
    }

    List<Phase> phases() {
        return jdbi.withHandle(h -> h.createQuery("SELECT phase, count(*) AS n FROM migration GROUP BY phase")
                .map((row, _) -> new Phase(row.getString("phase"), row.getLong("n")))
                .list());
    }

    /** Silent: joined, not signed off, not heard for 3 s. An interlay without an endpoint that nobody has joined has nobody to serve. */
    List<Proxies> proxies() {
        return jdbi.withHandle(h -> h.createQuery("""
                        SELECT i.id, count(*) FILTER (WHERE p.seen_at > clock_timestamp() - interval '3 seconds') AS alive,
                               count(*) FILTER (WHERE p.seen_at <= clock_timestamp() - interval '3 seconds') AS silent
                        FROM interlay i LEFT JOIN proxy p ON p.interlay = i.id
                        WHERE i.endpoint IS NOT NULL OR p.interlay IS NOT NULL GROUP BY i.id""")
                .map((row, _) -> new Proxies(row.getString("id"), row.getLong("alive"), row.getLong("silent")))
                .list());
    }
}
