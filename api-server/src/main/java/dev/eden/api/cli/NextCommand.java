package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** The sensible command after an answer about a migration: what leads on, else what tells more. */
final class NextCommand {
    private NextCommand() {}

    static String of(JsonNode status) {
        String id = status.path("id").asText("ID");
        List<String> allowed = new ArrayList<>();
        status.path("allowed").forEach(command -> allowed.add(command.asText()));
        if (allowed.contains("recover")) {
            return command("recover", id);
        }
        boolean paused = status.path("paused").asBoolean();
        if (paused && allowed.contains("resume")) {
            return command("resume", id);
        }
        return switch (status.path("phase").asText()) {
            case "created" ->
                status.path("source_endpoint").isNull()
                                || status.path("source_endpoint").isMissingNode()
                        ? "eden migration add-interlay " + id + " INTERLAY TARGET_ENDPOINT"
                        : command(status.path("started_at").isTextual() ? "watch" : "plan", id);
            case "canary" ->
                status.path("ready_for_cutover").asBoolean()
                        ? command("cutover", id)
                        : allowed.contains("advance") ? command("advance", id) : command("watch", id);
            case "baking" ->
                allowed.contains("finalize")
                        ? command("finalize", id) + "   (or take it back: " + command("rollback", id) + ")"
                        : command("watch", id);
            case "completed", "rolled_back" -> command("report", id);
            case "needs_operator" -> allowed.contains("resume") ? command("resume", id) : command("events", id);
            default -> command("watch", id);
        };
    }

    static String command(String verb, String id) {
        return "eden migration " + verb + " " + id;
    }
}
