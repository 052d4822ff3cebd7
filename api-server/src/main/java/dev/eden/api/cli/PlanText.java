package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** A plan for people: the worst finding first, each with its remedy, then the steps. */
final class PlanText {
    private static final List<String> SEVERITIES = List.of("failure", "warning", "notice", "info");

    private PlanText() {}

    static long failures(JsonNode plan) {
        return count(plan, "failure");
    }

    static void print(JsonNode plan, Page page) {
        page.title("Plan of " + plan.path("migration").asText());
        page.line("");
        Table table = Table.wrapped(64, "SEVERITY", "FINDING", "WHAT", "REMEDY");
        List<String> severities = new java.util.ArrayList<>(SEVERITIES);
        plan.path("findings").forEach(finding -> {
            if (!severities.contains(finding.path("severity").asText())) {
                severities.add(finding.path("severity").asText());
            }
        });
        for (String severity : severities) {
            for (JsonNode finding : plan.path("findings")) {
                if (finding.path("severity").asText().equals(severity)) {
                    table.row(
                            severity,
                            finding.path("id").asText(),
                            finding.path("message").asText(),
                            finding.path("remedy").asText());
                }
            }
        }
        page.table(table, "No findings.");
        page.line("");
        page.title("What migrate would do");
        int number = 1;
        for (JsonNode step : plan.path("steps")) {
            page.line("  " + number++ + ". " + step.asText());
        }
        page.line("");
        long failures = failures(plan);
        String findings = failures + (failures == 1 ? " failure, " : " failures, ") + count(plan, "warning")
                + " warnings; nothing has been changed";
        page.line((failures > 0 ? Style.RED : Style.GREEN).of(findings, page.coloured()));
    }

    static String next(JsonNode plan) {
        String id = plan.path("migration").asText();
        if (plan.path("startable").asBoolean()) {
            return NextCommand.command("migrate", id);
        }
        return failures(plan) > 0
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
