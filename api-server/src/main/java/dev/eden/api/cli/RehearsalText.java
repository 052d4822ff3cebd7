package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** A rehearsal for people: what clients waited, then which step and which proxy took how much of it. */
final class RehearsalText {
    /** What is done before anybody waits; its time is no part of the pause. */
    private static final Set<String> BEFORE_THE_HOLD = Set.of("check", "rehearse", "arm", "save-undo");

    private RehearsalText() {}

    static void print(JsonNode rehearsal, Page page) {
        boolean within = rehearsal.path("within_deadline").asBoolean();
        String outcome = rehearsal.path("outcome").asText();
        page.title("Rehearsal of " + rehearsal.path("migration").asText() + ": " + outcome);
        page.field(
                "pause",
                (within && outcome.equals("rehearsed") ? Style.GREEN : Style.YELLOW)
                                .of(millis(rehearsal.path("pause_ms").asDouble()), page.coloured())
                        + ", the deadline is " + rehearsal.path("deadline_ms").asLong() + " ms");
        rehearsal.path("blockers").forEach(blocker -> page.field("aborted", blocker.asText()));
        JsonNode report = rehearsal.path("report");
        page.line("");
        Table steps = Table.of("STEP", "TOOK", "CLIENTS WAIT");
        for (JsonNode step : report.path("steps")) {
            String name = step.path("name").asText();
            steps.row(
                    name,
                    millis(step.path("micros").asLong() / 1_000.0),
                    BEFORE_THE_HOLD.contains(name) ? "no" : "yes");
        }
        page.table(steps, "No step was taken.");
        page.line("");
        long hold = report.path("hold_at_micros").asLong();
        Table proxies = Table.of("PROXY", "INTERLAY", "DRAINED AFTER", "OPENED AFTER", "HELD", "REISSUED");
        for (JsonNode proxy : report.path("proxies")) {
            JsonNode at = proxy.path("acknowledged_at_micros");
            JsonNode detail = Json.tree(proxy.path("detail").asText("{}"));
            proxies.row(
                    proxy.path("proxy").asText(),
                    proxy.path("interlay").asText(),
                    since(hold, at, "DRAINED"),
                    since(hold, at, "OPENED"),
                    ApiOptions.cell(detail.path("held")),
                    ApiOptions.cell(detail.path("reissued")));
        }
        page.table(proxies, "No proxy has answered.");
    }

    /** From the hold; acknowledgements carry the names of steps in either case. */
    private static String since(long hold, JsonNode at, String step) {
        for (String name : List.of(step, step.toLowerCase(Locale.ROOT))) {
            if (hold > 0 && at.path(name).isNumber()) {
                return millis(Math.max(0, at.path(name).asLong() - hold) / 1_000.0);
            }
        }
        return "-";
    }

    private static String millis(double millis) {
        return String.format(Locale.ROOT, "%.1f ms", millis);
    }
}
