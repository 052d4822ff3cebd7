package dev.eden.api.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.activities.store.ValidationLedger;
import dev.eden.api.json.Json;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.ForecastStore;
import dev.eden.api.store.ForecastStore.Copied;
import dev.eden.api.store.MigrationStore.Migration;
import dev.eden.api.store.Views;
import dev.eden.workflows.MigrationView;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What happened in a migration, from what was recorded, and the forecast against the outcome. Asks no server. */
public final class MigrationReport {
    private static final int PAGE = 1_000;

    private final MigrationStatus status;
    private final AuditLog audit;
    private final ValidationLedger validations;
    private final ForecastStore forecasts;

    public MigrationReport(
            MigrationStatus status, AuditLog audit, ValidationLedger validations, ForecastStore forecasts) {
        this.status = status;
        this.audit = audit;
        this.validations = validations;
        this.forecasts = forecasts;
    }

    ObjectNode of(Migration migration) {
        ObjectNode report = Json.mapper().createObjectNode();
        report.put("migration", migration.id());
        report.put("description", migration.description());
        report.put("phase", migration.phase());
        report.put("engine", migration.engine());
        report.put("source_endpoint", migration.source());
        report.put("target_endpoint", migration.target());
        report.set("interlays", Json.mapper().valueToTree(migration.interlays()));
        report.put("created_by", migration.createdBy());
        report.put("started_at", migration.startedAt());
        report.put("ended_at", migration.endedAt());
        report.set("phases", phases(migration));
        Optional<ValidationLedger.Report> validation = validations.latest(migration.id());
        report.set("validation", Json.mapper().valueToTree(validation.orElse(null)));
        ArrayNode attempts = status.attempts(migration);
        report.set("attempts", attempts);
        ObjectNode forecast = status.forecast(migration);
        forecast.set("copy", forecasts.of(migration.id()).orElse(null));
        report.set("forecast", forecast);
        report.set("outcome", outcome(migration, attempts, validation.orElse(null)));
        return report;
    }

    /** Each entry into a phase; {@code millis} is how long it lasted, null for the last. */
    private ArrayNode phases(Migration migration) {
        ArrayNode phases = Json.mapper().createArrayNode();
        ObjectNode current = null;
        long after = 0;
        while (true) {
            var events = audit.events(migration.id(), after, PAGE);
            for (AuditLog.Event event : events) {
                String phase = event.phase();
                if (phase == null
                        || (current != null && current.path("phase").asText().equals(phase))) {
                    continue;
                }
                if (current != null) {
                    Instant entered = Instant.parse(current.path("at").asText());
                    current.put(
                            "millis",
                            Duration.between(entered, Instant.parse(event.at())).toMillis());
                }
                current = phases.addObject();
                current.put("phase", phase);
                current.put("at", event.at());
                current.putNull("millis");
                current.put("actor", event.actor());
                current.put("event", event.event());
                current.put("reason", event.reason());
            }
            if (events.size() < PAGE) {
                return phases;
            }
            after = events.getLast().id();
        }
    }

    private ObjectNode outcome(Migration migration, ArrayNode attempts, ValidationLedger.@Nullable Report validation) {
        ObjectNode outcome = Json.mapper().createObjectNode();
        outcome.put(
                "flips",
                Views.parse(migration.viewJson()).map(MigrationView::flips).orElse(0));
        pauses(attempts, migration.definition().cutover().deadlineMs(), outcome);
        outcome.put(
                "copy_took_seconds",
                forecasts
                        .copyTook(migration.id())
                        .map(took -> took.toMillis() / 1_000.0)
                        .orElse(null));
        outcome.put("differences_remaining", validation == null ? null : (Long) validation.remaining());
        Optional<Copied> copied = forecasts.copied(migration.id());
        outcome.put("keys_copied", copied.map(Copied::items).orElse(null));
        outcome.put("bytes_copied", copied.map(Copied::bytes).orElse(null));
        return outcome;
    }

    /** Each flip's, there and back, beside the rehearsal before it. */
    static ArrayNode pauses(ArrayNode attempts) {
        ArrayNode pauses = Json.mapper().createArrayNode();
        Double rehearsed = null;
        for (JsonNode attempt : attempts) {
            Double pause = MigrationStatus.pauseMillis(attempt);
            switch (attempt.path("outcome").asText()) {
                case "rehearsed" -> rehearsed = pause;
                case "committed" ->
                    pauses.addObject()
                            .put("direction", attempt.path("direction").asText())
                            .put("pause_ms", pause)
                            .put("rehearsed_pause_ms", rehearsed);
                default -> {}
            }
        }
        return pauses;
    }

    /** Of each flip: one that went well hides none that did not. */
    static void pauses(ArrayNode attempts, long deadlineMs, ObjectNode outcome) {
        int flights = 0;
        for (JsonNode attempt : attempts) {
            flights += attempt.path("outcome").asText().equals("rehearsed") ? 0 : 1;
        }
        Double longest = null;
        boolean unknown = false;
        Boolean withinRehearsed = null;
        ArrayNode pauses = pauses(attempts);
        for (JsonNode flip : pauses) {
            if (!flip.path("pause_ms").isNumber()) {
                unknown = true;
                continue;
            }
            double pause = flip.path("pause_ms").asDouble();
            longest = longest == null ? pause : Math.max(longest, pause);
            if (flip.path("rehearsed_pause_ms").isNumber()) {
                withinRehearsed = (withinRehearsed == null || withinRehearsed)
                        && pause <= flip.path("rehearsed_pause_ms").asDouble();
            }
        }
        outcome.put("attempts", flights);
        outcome.put("pause_ms", longest);
        outcome.set("pauses", pauses);
        outcome.put("within_forecast", verdict(longest == null ? null : (Boolean) (longest <= deadlineMs), unknown));
        outcome.put("within_rehearsed", verdict(withinRehearsed, unknown));
    }

    /** What is known exceeds, or all of it is known and does not. */
    private static @Nullable Boolean verdict(@Nullable Boolean within, boolean unknown) {
        return within != null && within && unknown ? null : within;
    }
}
