package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A validation report for people: its figures, each check, the differences that were kept. */
final class ValidationText {
    private static final Map<String, String> CHECKS = columns(
            "CHECK",
            "name",
            "COMPARED",
            "compared",
            "OF",
            "unit",
            "DIFFERENT",
            "differences",
            "REPAIRED",
            "repaired",
            "OUTCOME",
            "outcome");
    private static final Map<String, String> DIFFERENCES =
            columns("DATABASE", "database", "KEY", "key", "KIND", "kind", "REPAIRED", "repaired", "DETAIL", "detail");

    private ValidationText() {}

    static void print(JsonNode report, Page page) {
        page.members(((ObjectNode) report.deepCopy()).remove(List.of("checks", "sample")));
        if (report.has("checks")) {
            page.line("");
            page.table(ApiOptions.table(report.path("checks"), CHECKS), "Nothing was compared.");
        }
        page.line("");
        page.table(ApiOptions.table(report.path("sample"), DIFFERENCES), "No differences were found.");
    }

    private static Map<String, String> columns(String... titlesAndFields) {
        Map<String, String> columns = new LinkedHashMap<>();
        for (int i = 0; i < titlesAndFields.length; i += 2) {
            columns.put(titlesAndFields[i], titlesAndFields[i + 1]);
        }
        return columns;
    }
}
