package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleFunction;
import java.util.stream.Collectors;

/** A migration's status for people: whole, as the lines of a live view, or as one line of a log. */
final class StatusText {
    /** On the way to its good end, in their order. */
    static final List<String> PHASES = List.of(
            "created", "initializing", "replicating", "validating", "canary", "cutting_over", "baking", "completed");

    /** All that is allowed where its workflow is lost. */
    static final JsonNode LOST = Json.mapper().createArrayNode().add("recover");

    private static final int BAR = 20;
    private static final int REASONS = 5;

    private StatusText() {}

    static boolean ended(JsonNode status) {
        return !status.path("ended_at").isNull() && !status.path("ended_at").isMissingNode();
    }

    /** The lines of {@code watch} and the beginning of {@code status}. */
    static List<String> lines(JsonNode status, boolean coloured) {
        List<String> lines = new ArrayList<>();
        String source = text(status, "source_endpoint");
        String target = text(status, "target_endpoint");
        lines.add(Style.BOLD.of(text(status, "id"), coloured)
                + (source.equals("-") ? "" : ": " + text(status, "engine") + " " + source + " \u2192 " + target));
        add(lines, "phase", phases(status, coloured), coloured);
        String copy = copy(status);
        if (!copy.isEmpty()) {
            add(lines, "copy", copy, coloured);
        }
        String problem = status.path("progress").path("problem").asText("");
        if (!problem.isEmpty() && !problem.equals("null")) {
            add(lines, "problem", Style.RED.of(ApiOptions.line(problem), coloured), coloured);
        }
        add(lines, "servers", "source " + text(status, "source") + ", target " + text(status, "target"), coloured);
        add(lines, "lag", lag(status), coloured);
        add(
                lines,
                "canary",
                canary(status.path("canary"), status.at("/strategy/stages").size()),
                coloured);
        String ineligible = ineligible(status.at("/canary/ineligible"));
        if (!ineligible.isEmpty() && inCanary(status)) {
            add(lines, "on source", ineligible, coloured);
        }
        String stage = StageText.of(status, coloured);
        if (!stage.isEmpty()) {
            add(lines, "stage", stage, coloured);
        }
        add(lines, "gates", gates(status), coloured);
        add(lines, "cutover", readiness(status, coloured), coloured);
        for (String blocker : blockers(status)) {
            add(lines, "", "- " + Style.YELLOW.of(blocker, coloured), coloured);
        }
        String reason = text(status, "last_reason");
        if (!reason.equals("-") && !reason.isEmpty()) {
            add(lines, "reason", reason, coloured);
        }
        return lines;
    }

    /** One line for a log; the same where nothing of note has changed. */
    static String line(JsonNode status) {
        JsonNode progress = status.path("progress");
        StringBuilder line = new StringBuilder(text(status, "phase"));
        if (status.path("failed").asBoolean()) {
            line.append(" failed: ").append(text(status, "last_reason"));
        } else if (status.path("paused").asBoolean()) {
            line.append(" paused");
        }
        String copy = figures(status);
        if (!copy.isEmpty()) {
            line.append("  copy ").append(copy);
        }
        line.append("  lag ").append(millis(status.path("replication_lag_ms")));
        line.append("  canary ")
                .append(percent(status.path("canary").path("read_percentage").asDouble()));
        String waits = StageText.waits(status.path("canary"));
        if (!waits.isEmpty()) {
            line.append("  ").append(waits);
        }
        if (status.path("ready_for_cutover").asBoolean()) {
            line.append("  ready for cutover");
        } else if (!blockers(status).isEmpty()) {
            line.append("  blocked: ").append(String.join("; ", blockers(status)));
        }
        return line.toString();
    }

    private static boolean inCanary(JsonNode status) {
        return text(status, "phase").equals("canary");
    }

    /** What somebody has to see to. Outside the canary nobody can cut over, and the list says no more than that; but for one whose workflow is lost. */
    private static List<String> blockers(JsonNode status) {
        List<String> blockers = new ArrayList<>();
        if (inCanary(status) || status.path("allowed").equals(LOST)) {
            status.path("blockers").forEach(blocker -> blockers.add(ApiOptions.cell(blocker)));
        }
        return blockers;
    }

    /** Why reads that were looked at stayed there, the most frequent reasons first. */
    private static String ineligible(JsonNode counts) {
        return counts.properties().stream()
                .filter(reason -> reason.getValue().asLong() > 0)
                .sorted(Comparator.comparingLong((Map.Entry<String, JsonNode> reason) ->
                                -reason.getValue().asLong())
                        .thenComparing(Map.Entry::getKey))
                .limit(REASONS)
                .map(reason -> String.format(
                        Locale.ROOT,
                        "%s %,d",
                        ApiOptions.line(reason.getKey()),
                        reason.getValue().asLong()))
                .collect(Collectors.joining(", "));
    }

    private static void add(List<String> lines, String label, String text, boolean coloured) {
        lines.add(Page.labelled(label, text, coloured));
    }

    private static String phases(JsonNode status, boolean coloured) {
        String phase = text(status, "phase");
        String paused = status.path("failed").asBoolean()
                ? Style.RED.of("  failed, paused", coloured)
                : status.path("paused").asBoolean() ? Style.YELLOW.of("  paused", coloured) : "";
        if (!PHASES.contains(phase)) {
            String resumes = text(status, "resumes_to");
            Style style = phase.equals("needs_operator") ? Style.RED : Style.YELLOW;
            return style.of("[" + phase + "]", coloured)
                    + (resumes.equals("-") ? "" : "  resume leads to " + resumes)
                    + paused;
        }
        List<String> words = new ArrayList<>();
        for (String known : PHASES) {
            words.add(known.equals(phase) ? Style.GREEN.of("[" + known + "]", coloured) : known);
        }
        return String.join(" ", words) + paused;
    }

    private static String copy(JsonNode status) {
        String figures = figures(status);
        if (figures.isEmpty()) {
            return "";
        }
        double share = share(status.path("progress"));
        int filled = (int) Math.round(share * BAR);
        return "[" + "#".repeat(filled) + "-".repeat(BAR - filled) + "] " + figures;
    }

    private static double share(JsonNode progress) {
        double total = progress.path("keys_total").asDouble();
        double done = progress.path("keys_done").asDouble();
        return total <= 0 ? 0 : Math.min(1, done / total);
    }

    /** Empty after a flip: the other direction copies nothing, what was copied is in the report. */
    private static String figures(JsonNode status) {
        JsonNode progress = status.path("progress");
        if (!progress.isObject() || status.path("flips").asInt() > 0) {
            return "";
        }
        long total = progress.path("keys_total").asLong();
        long rate = Math.round(progress.path("rate").asDouble());
        if (total == 0 && progress.path("keys_done").asLong() == 0 && rate == 0) {
            // Nobody has counted yet, or there is nothing to copy: the target was filled by other means, or the source
            // is empty.
            return text(progress, "state").equals("loading") ? "not known yet" : "";
        }
        StringBuilder text = new StringBuilder();
        if (total > 0) {
            text.append(String.format(
                    Locale.ROOT,
                    "%d %%  %,d of %,d",
                    (int) Math.floor(share(progress) * 100),
                    progress.path("keys_done").asLong(),
                    progress.path("keys_total").asLong()));
        } else {
            text.append(String.format(
                    Locale.ROOT, "%,d copied", progress.path("keys_done").asLong()));
        }
        if (rate > 0) {
            text.append(String.format(Locale.ROOT, ", %,d/s", rate));
        }
        if (progress.path("bytes").asLong() > 0) {
            text.append(", ").append(bytes(progress.path("bytes").asLong()));
        }
        double eta = progress.path("eta_seconds").asDouble(-1);
        if (eta > 0) {
            text.append(", ")
                    .append(duration(Duration.ofSeconds(Math.round(eta))))
                    .append(" left");
        }
        return text.toString();
    }

    private static String lag(JsonNode status) {
        StringBuilder text = new StringBuilder(millis(status.path("replication_lag_ms")));
        if (!status.path("epoch").isNull() && !status.path("epoch").isMissingNode()) {
            text.append("   epoch ").append(status.path("epoch").asLong());
        }
        text.append("   writes: ").append(text(status, "active"));
        if (status.path("progress").path("reverse_proven").asBoolean()) {
            text.append("   way back proven");
        }
        return text.toString();
    }

    private static String canary(JsonNode canary, int stages) {
        StringBuilder text =
                new StringBuilder(percent(canary.path("read_percentage").asDouble())).append(" of eligible reads");
        if (canary.path("stage").isInt()) {
            text.append(", stage ").append(canary.path("stage").asInt());
            if (stages > 0) {
                text.append(" of ").append(stages);
            }
        }
        if (canary.path("served").isNumber()) {
            text.append("; chosen ")
                    .append(percent(canary.path("chosen").asDouble()))
                    .append(", served ")
                    .append(percent(canary.path("served").asDouble()));
        }
        return text.toString();
    }

    /** The limits that hold for the present stage to pass, and for the cutover the lag's. */
    private static String gates(JsonNode status) {
        JsonNode all = status.path("gates");
        JsonNode gates = status.at("/canary/gates").isObject() ? status.at("/canary/gates") : all;
        List<String> texts = new ArrayList<>();
        texts.add("errors " + gate(gates.path("max_error_rate"), StatusText::percent));
        texts.add("latency " + gate(gates.path("max_latency_ratio"), ratio -> ratio + " times the source's"));
        texts.add("mismatches " + gate(gates.path("max_mismatch_rate"), StatusText::percent));
        texts.add("lag at most " + millis(all.path("max_lag_ms")));
        return String.join(", ", texts);
    }

    private static String gate(JsonNode limit, DoubleFunction<String> text) {
        return limit.isNumber() ? "at most " + text.apply(limit.asDouble()) : "off";
    }

    private static String readiness(JsonNode status, boolean coloured) {
        if (status.path("ready_for_cutover").asBoolean()) {
            return Style.GREEN.of("ready", coloured);
        }
        int flips = status.path("flips").asInt();
        String where = switch (text(status, "phase")) {
            case "canary" -> status.path("blockers").isEmpty() ? "not now" : "not ready";
            case "created", "initializing", "replicating", "validating" -> "not yet";
            case "cutting_over" -> "under way";
            case "baking", "completed" -> "done";
            default -> "not now";
        };
        return where + (flips == 0 ? "" : ", flipped " + flips + (flips == 1 ? " time" : " times"));
    }

    static String percent(double share) {
        double percent = Math.round(share * 10_000) / 100.0;
        return (percent == Math.rint(percent) ? String.valueOf((long) percent) : String.valueOf(percent)) + " %";
    }

    private static String millis(JsonNode lag) {
        if (!lag.isNumber()) {
            return "unknown";
        }
        return lag.asLong() < 10_000 ? lag.asLong() + " ms" : duration(Duration.ofMillis(lag.asLong()));
    }

    static String bytes(long bytes) {
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
    }

    static String duration(Duration duration) {
        long seconds = duration.toSeconds();
        if (seconds < 60) {
            return seconds + " s";
        }
        if (seconds < 3600) {
            return seconds / 60 + " min " + seconds % 60 + " s";
        }
        return seconds / 3600 + " h " + seconds % 3600 / 60 + " min";
    }

    static String text(JsonNode node, String field) {
        return ApiOptions.cell(node.path(field));
    }
}
