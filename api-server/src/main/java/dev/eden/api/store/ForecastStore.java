package dev.eden.api.store;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import dev.eden.workflows.activity.PreparationActivities.CopyForecast;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/** What was expected of a copy when its migration was started, and what it took. */
public final class ForecastStore {
    private final Jdbi jdbi;

    public ForecastStore(Jdbi jdbi) {
        this.jdbi = jdbi;
    }

    /** What the load has copied so far, whatever has been flipped since. */
    public record Copied(long items, long bytes) {}

    /** The first start's stays. */
    public void made(String migration, CopyForecast forecast) {
        jdbi.useHandle(handle -> handle.createUpdate(
                        "INSERT INTO forecast (migration, forecast) VALUES (:id, CAST(:forecast AS jsonb)) ON CONFLICT DO NOTHING")
                .bind("id", migration)
                .bind("forecast", Json.write(forecast))
                .execute());
    }

    public Optional<JsonNode> of(String migration) {
        return jdbi.withHandle(handle -> handle.createQuery("SELECT forecast::text FROM forecast WHERE migration = :id")
                        .bind("id", migration)
                        .mapTo(String.class)
                        .findOne())
                .map(Json::tree);
    }

    /** From the first entry into replicating to the first into validating: the load and catching up. Empty until then. */
    public Optional<Duration> copyTook(String migration) {
        return jdbi.withHandle(handle -> handle.createQuery("""
                        SELECT min(at) FILTER (WHERE phase = 'replicating') AS began, min(at) FILTER (WHERE phase = 'validating') AS ended
                        FROM audit_log WHERE migration = :migration AND revision IS NOT NULL AND position >= %s""".formatted(AuditLog.BEGUN))
                .bind("migration", migration)
                .map((row, _) -> {
                    OffsetDateTime began = row.getObject("began", OffsetDateTime.class);
                    OffsetDateTime ended = row.getObject("ended", OffsetDateTime.class);
                    return began == null || ended == null
                            ? Optional.<Duration>empty()
                            : Optional.of(Duration.between(began, ended));
                })
                .one());
    }

    /** Empty until the load has begun. */
    public Optional<Copied> copied(String migration) {
        return jdbi.withHandle(handle -> handle.createQuery(
                        "SELECT loaded_items, loaded_bytes FROM replication WHERE migration = :id AND loaded_items IS NOT NULL")
                .bind("id", migration)
                .map((row, _) -> new Copied(row.getLong("loaded_items"), row.getLong("loaded_bytes")))
                .findOne());
    }
}
