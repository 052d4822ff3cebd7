package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** A plan for people: the worst finding first, each with its remedy, then the steps. */
final class PlanText {
    private static final List<String> SEVERITIES = List.of("failure", "warning", "notice", "info");

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
        List<String> severities = new ArrayList<>(SEVERITIES);
        plan.path("findings").forEach(finding -> {
            if (!severities.contains(finding.path("severity").asText())) {
                severities.add(finding.path("severity").asText());
            }
        });
        for (String severity : severities) {
            for (JsonNode finding : plan.path("findings")) {
                if (finding.path("severity").asText().equals(severity)) {
                    print(finding, severity, page);
                }
            }
        }
        if (plan.path("findings").isEmpty()) {
            page.line("No findings.");
        }
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

    /** {@code severity   id}, below it what was found and what to do. */
    private static void print(JsonNode finding, String severity, Page page) {
        Style style = severity.equals("failure") ? Style.RED : severity.equals("warning") ? Style.YELLOW : Style.DIM;
        page.line(style.of(severity, page.coloured())
                + " ".repeat(Math.max(1, Page.LABEL - severity.length()))
                + Style.BOLD.of(finding.path("id").asText(), page.coloured()));
        String margin = " ".repeat(Page.LABEL);
        Wrapped.lines(margin + ApiOptions.line(finding.path("message").asText()), Page.LABEL)
                .forEach(page::line);
        String remedy = ApiOptions.line(finding.path("remedy").asText());
        if (!remedy.isEmpty()) {
            Wrapped.lines(margin + "remedy: " + remedy, Page.LABEL + 2).forEach(page::line);
        }
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
