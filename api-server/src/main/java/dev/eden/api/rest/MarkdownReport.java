package dev.eden.api.rest;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;

/** A migration's report for people, from the same document that programs get. */
final class MarkdownReport {
    private final StringBuilder text = new StringBuilder();

    private MarkdownReport() {}

    static String of(JsonNode report) {
        MarkdownReport markdown = new MarkdownReport();
        markdown.write(report);
        return markdown.text.toString();
    }

    private void write(JsonNode report) {
        text.append("# Migration ").append(cell(report.path("migration"))).append("\n\n");
        if (!report.path("description").asText().isEmpty()) {
            text.append(cell(report.path("description"))).append("\n\n");
        }
        row("", "");
        row("---", "---");
        row("phase", cell(report.path("phase")));
        row("from", cell(report.path("source_endpoint")));
        row("to", cell(report.path("target_endpoint")));
        row("started", cell(report.path("started_at")));
        row("ended", cell(report.path("ended_at")));
        JsonNode forecast = report.path("forecast");
        JsonNode outcome = report.path("outcome");
        text.append("\n## Forecast and outcome\n\n");
        row("", "forecast", "outcome");
        row("---", "---", "---");
        row("pause", "at most " + forecast.path("pause_at_most_ms").asLong() + " ms", pauses(outcome.path("pauses")));
        row("longest pause", "the deadline", verdict(outcome, "within_forecast"));
        row(
                "longest pause",
                "rehearsed: " + millis(forecast.path("rehearsed_pause_ms")),
                verdict(outcome, "within_rehearsed"));
        row("attempts", "at most " + forecast.path("attempts_at_most").asLong(), cell(outcome.path("attempts")));
        row("differences left", "0", cell(outcome.path("differences_remaining")));
        row("copy", seconds(forecast.at("/copy/seconds")), seconds(outcome.path("copy_took_seconds")));
        row(
                "copied",
                cell(forecast.at("/copy/items")) + " keys or rows",
                cell(outcome.path("keys_copied")) + " keys or rows");
        validation(report.path("validation"));
        text.append("\n## Phases\n\n");
        row("entered", "phase", "lasted", "by", "why");
        row("---", "---", "---", "---", "---");
        for (JsonNode phase : report.path("phases")) {
            row(
                    cell(phase.path("at")),
                    cell(phase.path("phase")),
                    millis(phase.path("millis")),
                    cell(phase.path("actor")),
                    cell(phase.path("reason")));
        }
        text.append("\n## Attempts and rehearsals\n\n");
        row("direction", "outcome", "pause", "steps", "what stood in the way");
        row("---", "---", "---", "---", "---");
        for (JsonNode attempt : report.path("attempts")) {
            StringBuilder steps = new StringBuilder();
            attempt.at("/report/steps")
                    .forEach(step -> steps.append(steps.isEmpty() ? "" : ", ")
                            .append(cell(step.path("name")))
                            .append(' ')
                            .append(millis(step.path("micros").asLong() / 1_000.0)));
            StringBuilder blockers = new StringBuilder();
            attempt.at("/report/blockers")
                    .forEach(blocker ->
                            blockers.append(blockers.isEmpty() ? "" : "; ").append(cell(blocker)));
            row(
                    cell(attempt.path("direction")),
                    cell(attempt.path("outcome"))
                            + (attempt.at("/report/settled").asBoolean() ? ", its coordinator was lost" : ""),
                    pause(attempt),
                    steps.toString(),
                    blockers.toString());
        }
    }

    /** The last one; from before checks were told, what it found in all. */
    private void validation(JsonNode validation) {
        if (!validation.isObject()) {
            return;
        }
        text.append("\n## Validation\n\n");
        row("check", "compared", "differences", "repaired", "outcome");
        row("---", "---", "---", "---", "---");
        if (!validation.has("checks")) {
            row(
                    "all",
                    cell(validation.path("keys_compared")) + " keys or rows",
                    cell(validation.path("differences_found")),
                    cell(validation.path("repaired")),
                    validation.path("remaining").asLong() == 0 ? "none remains" : "different");
        }
        for (JsonNode check : validation.path("checks")) {
            row(
                    cell(check.path("name")),
                    cell(check.path("compared")) + " " + cell(check.path("unit")),
                    cell(check.path("differences")),
                    cell(check.path("repaired")),
                    cell(check.path("outcome")));
        }
    }

    private static String pause(JsonNode attempt) {
        Double pause = MigrationStatus.pauseMillis(attempt);
        return pause == null ? "not known" : millis(pause);
    }

    private static String pauses(JsonNode pauses) {
        StringBuilder all = new StringBuilder();
        pauses.forEach(flip -> all.append(all.isEmpty() ? "" : ", ")
                .append(cell(flip.path("direction")))
                .append(' ')
                .append(flip.path("pause_ms").isNull() ? "not known" : millis(flip.path("pause_ms"))));
        return all.isEmpty() ? "–" : all.toString();
    }

    private static String verdict(JsonNode outcome, String field) {
        JsonNode within = outcome.path(field);
        return !within.isBoolean() ? "–" : within.asBoolean() ? "kept" : "exceeded";
    }

    private void row(String... cells) {
        text.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    private static String seconds(JsonNode number) {
        return number.isNumber() ? String.format(Locale.ROOT, "%.1f s", number.asDouble()) : "–";
    }

    private static String millis(JsonNode number) {
        return number.isNumber() ? millis(number.asDouble()) : "–";
    }

    private static String millis(double number) {
        return String.format(Locale.ROOT, number < 10 ? "%.1f ms" : "%.0f ms", number);
    }

    /** What people wrote can neither end a cell nor become markup. */
    private static String cell(JsonNode value) {
        if (value.isNull() || value.isMissingNode()) {
            return "–";
        }
        return value.asText().replaceAll("([\\\\`*_\\[\\]<>|#])", "\\\\$1").replaceAll("\\s+", " ");
    }
}
