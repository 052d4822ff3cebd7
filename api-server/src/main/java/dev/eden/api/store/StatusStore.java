package dev.eden.api.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.activities.store.RouteLedger.JoinedProxy;
import dev.eden.activities.store.StageLedger.Counted;
import dev.eden.activities.store.Tuning;
import dev.eden.api.json.Json;
import dev.eden.api.store.MigrationStore.Migration;
import dev.eden.api.store.RouteReports.AttemptReport;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/**
 * All that the store has of where a migration stands, read in one statement: on a busy machine each further one waits its turn again. Thread-safe.
 */
public final class StatusStore {
    /** As replication writes it: Java's names. A server of a newer version may tell more. */
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    /** Milliseconds, by the store's clock alone. */
    public static final String PROGRESS_AGE =
            "(extract(epoch FROM clock_timestamp()) * 1000)::bigint - (p.progress->>'atMillis')::bigint AS progress_age";

    private static final String SELECT = "SELECT " + MigrationRows.COLUMNS + """
            , p.progress::text AS progress_text, %s, t.copy_rate, t.parallelism, t.batch, t.max_source_latency_ms, r.epoch, r.active, r.state,
                w.baked_at AS stage_baked_at, jsonb_set(w.counted, '{heard}', '[]')::text AS stage_counted,
                (SELECT min(one.active) FROM route one JOIN migration_interlay i ON i.interlay = one.interlay
                 WHERE i.migration = m.id HAVING count(one.migration) = 0 AND min(one.active) = max(one.active)) AS resting,
                (SELECT jsonb_agg(jsonb_build_array(a.id, a.direction, a.outcome, a.report::text,
                            (extract(epoch FROM a.started_at) * 1000)::bigint) ORDER BY a.id)::text
                 FROM attempt a WHERE a.migration = m.id AND a.report IS NOT NULL) AS attempts_text,
                (SELECT jsonb_agg(jsonb_build_array(x.name, x.interlay, x.seen_at > clock_timestamp() - interval '3 seconds', x.wire))::text
                 FROM proxy x JOIN route o ON o.interlay = x.interlay WHERE o.migration = m.id) AS proxies_text
            FROM migration m
                LEFT JOIN replication p ON p.migration = m.id
                LEFT JOIN tuning t ON t.migration = m.id
                LEFT JOIN stage_watch w ON w.migration = m.id
                LEFT JOIN LATERAL (SELECT epoch, active, state FROM route WHERE route.migration = m.id ORDER BY interlay LIMIT 1) r ON true
            WHERE m.id = :id""".formatted(PROGRESS_AGE);

    private final Jdbi jdbi;

    public StatusStore(Jdbi jdbi) {
        this.jdbi = jdbi;
    }

    /**
     * @param progress of replication, once there is any
     * @param route of all its interlays, null before the first step and after the last
     * @param resting the owner of writes behind its interlays while these are in no migration
     * @param attempts oldest first
     * @param proxies of its interlays that have joined and have not signed off
     * @param stage the last one of its canary that was watched in order to pass
     */
    public record StoredStatus(
            Migration migration,
            Optional<Progress> progress,
            Tuning tuning,
            @Nullable Route route,
            @Nullable String resting,
            List<AttemptReport> attempts,
            List<JoinedProxy> proxies,
            @Nullable Stage stage) {}

    /**
     * @param bakedAtMillis tells one stage from another
     * @param counted without the proxies' totals
     */
    public record Stage(long bakedAtMillis, Counted counted) {}

    /** @param state in lower case */
    public record Route(long epoch, String active, String state) {}

    /** Throws the problem of an unknown migration. */
    public StoredStatus of(String id) {
        return jdbi.withHandle(handle -> handle.createQuery(SELECT)
                .bind("id", id)
                .map((row, _) -> stored(row))
                .findOne()
                .orElseThrow(() -> MigrationStore.unknown(id)));
    }

    private static StoredStatus stored(ResultSet row) throws SQLException {
        String state = row.getString("state");
        String attempts = row.getString("attempts_text");
        String proxies = row.getString("proxies_text");
        String counted = row.getString("stage_counted");
        return new StoredStatus(
                MigrationRows.migration(row),
                row.getString("progress_text") == null ? Optional.empty() : Optional.of(progress(row)),
                TuningStore.tuning(row),
                state == null
                        ? null
                        : new Route(row.getLong("epoch"), row.getString("active"), state.toLowerCase(Locale.ROOT)),
                row.getString("resting"),
                attempts == null ? List.of() : attempts(Json.tree(attempts)),
                proxies == null ? List.of() : proxies(Json.tree(proxies)),
                counted == null ? null : new Stage(row.getLong("stage_baked_at"), StageStore.read(counted)));
    }

    private static List<JoinedProxy> proxies(JsonNode array) {
        List<JoinedProxy> proxies = new ArrayList<>();
        for (JsonNode one : array) {
            proxies.add(new JoinedProxy(
                    one.get(0).asText(),
                    one.get(1).asText(),
                    one.get(2).asBoolean(),
                    one.get(3).asInt()));
        }
        return proxies;
    }

    private static List<AttemptReport> attempts(JsonNode array) {
        List<AttemptReport> attempts = new ArrayList<>();
        for (JsonNode one : array) {
            attempts.add(new AttemptReport(
                    one.get(0).asLong(),
                    one.get(1).asText(),
                    one.get(2).asText(),
                    one.get(3).asText(),
                    one.get(4).asLong()));
        }
        return attempts;
    }

    /** Reads what replication has written of its progress; {@link #PROGRESS_AGE} says when, whatever clock this machine has. */
    public static Progress progress(ResultSet row) throws SQLException {
        try {
            return JSON.readValue(row.getString("progress_text"), Progress.class)
                    .at(System.currentTimeMillis() - row.getLong("progress_age"));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("stored progress cannot be read", e);
        }
    }
}
