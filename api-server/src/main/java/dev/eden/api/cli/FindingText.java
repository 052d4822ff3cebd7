package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** Preflight's findings for people, the worst first: {@code severity   id}, below it what was found and what to do. */
final class FindingText {
    private static final List<String> SEVERITIES = List.of("failure", "warning", "notice", "info");

    private FindingText() {}

    static List<String> lines(JsonNode findings, boolean coloured) {
        List<String> severities = new ArrayList<>(SEVERITIES);
        findings.forEach(finding -> {
            if (!severities.contains(finding.path("severity").asText())) {
                severities.add(finding.path("severity").asText());
            }
        });
        List<String> lines = new ArrayList<>();
        for (String severity : severities) {
            for (JsonNode finding : findings) {
                if (finding.path("severity").asText().equals(severity)) {
                    add(lines, finding, severity, coloured);
                }
            }
        }
        return lines;
    }

    private static void add(List<String> lines, JsonNode finding, String severity, boolean coloured) {
        Style style = severity.equals("failure") ? Style.RED : severity.equals("warning") ? Style.YELLOW : Style.DIM;
        lines.add(style.of(severity, coloured)
                + " ".repeat(Math.max(1, Page.LABEL - severity.length()))
                + Style.BOLD.of(finding.path("id").asText(), coloured));
        String margin = " ".repeat(Page.LABEL);
        lines.addAll(
                Wrapped.lines(margin + ApiOptions.line(finding.path("message").asText()), Page.LABEL));
        String remedy = ApiOptions.line(finding.path("remedy").asText());
        if (!remedy.isEmpty()) {
            lines.addAll(Wrapped.lines(margin + "remedy: " + remedy, Page.LABEL + 2));
        }
    }
}
