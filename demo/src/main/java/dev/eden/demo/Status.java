package dev.eden.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** What {@code GET /migrations/ID/status} says, as far as the demo looks at it. Fields it lacks are zero or empty. */
record Status(
        String phase,
        boolean paused,
        double lagMillis,
        Progress progress,
        double shareChosen,
        double shareServed,
        boolean ready,
        List<String> blockers,
        long epoch,
        String active,
        String reason,
        JsonNode attempts) {

    /** The full load; {@code etaSeconds} is negative where unknown. */
    record Progress(long keysDone, long keysTotal, double keysPerSecond, double etaSeconds) {
        boolean known() {
            return keysTotal > 0;
        }

        double fraction() {
            return known() ? Math.min(1, (double) keysDone / keysTotal) : 0;
        }
    }

    static Status of(JsonNode json) {
        JsonNode progress = json.path("progress");
        JsonNode canary = json.path("canary");
        List<String> blockers = new ArrayList<>();
        json.path("blockers")
                .forEach(blocker -> blockers.add(blocker.isTextual() ? blocker.asText() : blocker.toString()));
        JsonNode attempts = json.has("attempts") ? json.get("attempts") : json.path("flips");
        return new Status(
                json.path("phase").asText(""),
                json.path("paused").asBoolean(),
                json.path("replication_lag_ms").asDouble(),
                new Progress(
                        progress.path("keys_done").asLong(),
                        progress.path("keys_total").asLong(),
                        progress.path("rate").asDouble(),
                        progress.path("eta_seconds").asDouble(-1)),
                first(canary, "chosen", "read_percentage", "chosen_share"),
                first(canary, "served", "served_share", "served_percentage"),
                json.path("ready_for_cutover").asBoolean(),
                blockers,
                json.path("epoch").asLong(),
                json.path("active").asText(""),
                first(json, "last_reason", "reason"),
                attempts);
    }

    private static double first(JsonNode node, String one, String other, String third) {
        for (String name : new String[] {one, other, third}) {
            if (node.path(name).isNumber()) {
                return node.get(name).asDouble();
            }
        }
        return 0;
    }

    private static String first(JsonNode node, String one, String other) {
        return node.path(one).isTextual()
                ? node.get(one).asText()
                : node.path(other).asText("");
    }

    /** True where the workflow will do nothing more by itself that the demo waits for. */
    boolean stuck() {
        return switch (phase) {
            case "needs_operator", "rolled_back" -> true;
            default -> false;
        };
    }
}
