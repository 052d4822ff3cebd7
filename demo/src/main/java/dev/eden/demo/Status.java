package dev.eden.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code GET /migrations/ID/status} says, as far as the demo looks at it. Fields it lacks are zero or empty.
 *
 * @param lagMillis negative: not known
 * @param shareInForce of the eligible reads that go to the standby
 * @param shareServed what the proxies saw of it in the last seconds
 */
public record Status(
        String phase,
        boolean paused,
        double lagMillis,
        Progress progress,
        double shareInForce,
        double shareServed,
        boolean ready,
        List<String> blockers,
        long epoch,
        String active,
        String reason,
        JsonNode attempts) {

    /** The full load; {@code etaSeconds} is negative where unknown. */
    public record Progress(long keysDone, long keysTotal, double keysPerSecond, double etaSeconds) {
        boolean known() {
            return keysTotal > 0;
        }

        double fraction() {
            return known() ? Math.min(1, (double) keysDone / keysTotal) : 0;
        }
    }

    public static Status of(JsonNode json) {
        JsonNode progress = json.path("progress");
        JsonNode canary = json.path("canary");
        List<String> blockers = new ArrayList<>();
        json.path("blockers")
                .forEach(blocker -> blockers.add(blocker.isTextual() ? blocker.asText() : blocker.toString()));
        return new Status(
                json.path("phase").asText(""),
                json.path("paused").asBoolean(),
                json.path("replication_lag_ms").asDouble(-1),
                new Progress(
                        progress.path("keys_done").asLong(),
                        progress.path("keys_total").asLong(),
                        progress.path("rate").asDouble(),
                        progress.path("eta_seconds").asDouble(-1)),
                canary.path("read_percentage").asDouble(),
                canary.path("served").asDouble(),
                json.path("ready_for_cutover").asBoolean(),
                blockers,
                json.path("epoch").asLong(),
                json.path("active").asText(""),
                json.path("last_reason").asText(""),
                json.path("attempts"));
    }

    /** True where the workflow will do nothing more by itself that the demo waits for. */
    public boolean stuck() {
        return switch (phase) {
            case "needs_operator", "rolled_back" -> true;
            default -> false;
        };
    }
}
