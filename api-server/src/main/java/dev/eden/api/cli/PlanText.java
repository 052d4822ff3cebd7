package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Locale;

/** A plan for people: the worst finding first, each with its remedy, then what it may take, and the steps. */
final class PlanText {
    private static final String STARTED =
            "It has been started: what Eden itself has done to the two servers is found, too."
                    + " A fenced target refuses its login, and one of the source's replicas is Eden.";

    private PlanText() {}

    static long failures(JsonNode plan) {
        return count(plan, "failure");
    }

    static void print(JsonNode plan, Page page) {
        page.title("Plan of " + plan.path("migration").asText());
        page.line("");
        if (plan.path("started").asBoolean()) {
            Wrapped.lines(STARTED, 0).forEach(page::line);
            page.line("");
        }
        FindingText.lines(plan.path("findings"), page.coloured()).forEach(page::line);
        if (plan.path("findings").isEmpty()) {
            page.line("No findings.");
        }
        page.line("");
        page.title("What to expect");
        field("copy", copy(plan), page);
        field("pause", pause(plan), page);
        page.line("");
        page.title("What migrate would do");
        int number = 1;
        for (JsonNode step : plan.path("steps")) {
            Wrapped.lines("  " + number++ + ". " + step.asText(), 5).forEach(page::line);
        }
        page.line("");
        long failures = failures(plan);
        long warnings = count(plan, "warning");
        String findings = failures + (failures == 1 ? " failure, " : " failures, ") + warnings
                + (warnings == 1 ? " warning" : " warnings") + "; nothing has been changed";
        page.line((failures > 0 ? Style.RED : Style.GREEN).of(findings, page.coloured()));
    }

    private static void field(String label, String text, Page page) {
        Wrapped.lines(Page.labelled(label, text, page.coloured()), Page.LABEL).forEach(page::line);
    }

    /** How much there is, how long that may take and why so; once it is over, what it took. */
    private static String copy(JsonNode plan) {
        JsonNode forecast = plan.path("copy_forecast");
        StringBuilder text = new StringBuilder();
        if (forecast.isObject()) {
            text.append(String.format(
                    Locale.ROOT,
                    "%,d keys or rows, %s, in about %s (%s), without the source's own load",
                    forecast.path("items").asLong(),
                    StatusText.bytes(forecast.path("bytes").asLong()),
                    seconds(forecast.path("seconds").asDouble()),
                    ApiOptions.line(forecast.path("basis").asText())));
        } else {
            text.append("not known: ")
                    .append(
                            plan.path("started").asBoolean()
                                    ? "no forecast was made at the start"
                                    : "the source can't be asked");
        }
        if (plan.path("copy_took_seconds").isNumber()) {
            text.append("; it took ")
                    .append(seconds(plan.path("copy_took_seconds").asDouble()));
        }
        return text.toString();
    }

    /** What clients may wait at the worst, what they have waited in a rehearsal, and what in the flips that there were. */
    private static String pause(JsonNode plan) {
        JsonNode forecast = plan.path("forecast");
        long attempts = forecast.path("attempts_at_most").asLong();
        StringBuilder text = new StringBuilder("at most ")
                .append(forecast.path("pause_at_most_ms").asLong())
                .append(" ms, in each of ")
                .append(attempts)
                .append(attempts == 1 ? " attempt" : " attempts")
                .append(" at most; ");
        JsonNode rehearsed = forecast.path("rehearsed_pause_ms");
        text.append(
                rehearsed.isNumber() ? "the last rehearsal took " + millis(rehearsed) : "no rehearsal has measured it");
        String lead = "; earlier flips: ";
        for (JsonNode flip : plan.path("pauses")) {
            text.append(lead)
                    .append(flip.path("direction").asText())
                    .append(' ')
                    .append(millis(flip.path("pause_ms")));
            lead = ", ";
        }
        return text.toString();
    }

    private static String seconds(double seconds) {
        return seconds < 10
                ? String.format(Locale.ROOT, "%.1f s", seconds)
                : StatusText.duration(Duration.ofSeconds(Math.round(seconds)));
    }

    private static String millis(JsonNode millis) {
        return millis.isNumber() ? String.format(Locale.ROOT, "%.1f ms", millis.asDouble()) : "not known";
    }

    static String next(JsonNode plan) {
        String id = plan.path("migration").asText();
        if (plan.path("startable").asBoolean()) {
            return NextCommand.command("migrate", id);
        }
        return failures(plan) > 0 && !plan.path("started").asBoolean()
                ? NextCommand.command("plan", id) + "   (again, after the remedies)"
                : NextCommand.command("status", id);
    }

    private static long count(JsonNode plan, String severity) {
        long count = 0;
        for (JsonNode finding : plan.path("findings")) {
            count += finding.path("severity").asText().equals(severity) ? 1 : 0;
        }
        return count;
    }
}
