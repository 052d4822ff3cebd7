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
            case "canary" -> canary(status, id, allowed);
            case "baking" ->
                allowed.contains("finalize")
                        ? command("finalize", id) + "   (or take it back: " + command("rollback", id) + ")"
                        : command("watch", id);
            case "completed", "rolled_back" -> command("report", id);
            case "needs_operator" -> allowed.contains("resume") ? command("resume", id) : command("events", id);
            default -> command("watch", id);
        };
    }

    private static String canary(JsonNode status, String id, List<String> allowed) {
        if (status.path("flips").asInt() > 0 && share(status) == 0) {
            return command("events", id) + "   (why writes went back; then " + command("cutover", id) + ", or abort)";
        }
        if (readsTakenBack(status)) {
            String why = "   (why its reads went back: " + command("events", id) + ")";
            return allowed.contains("advance")
                    ? command("advance", id) + why
                    : command("events", id) + "   (why its reads went back; then set read_percentage, or abort)";
        }
        if (stagesAhead(status)) {
            String bake = stage(status).path("bake").asText();
            return command(bake.equals("0s") && allowed.contains("advance") ? "advance" : "watch", id);
        }
        if (status.path("ready_for_cutover").asBoolean()) {
            return command("cutover", id);
        }
        return command("watch", id);
    }

    /** Nothing stands in the way of a cutover, nor is there anything of the canary that should come before it. */
    static boolean ready(JsonNode status) {
        return status.path("ready_for_cutover").asBoolean() && !stagesAhead(status) && !readsTakenBack(status);
    }

    private static boolean stagesAhead(JsonNode status) {
        return !stage(status).isMissingNode()
                && status.at("/canary/stage").asInt()
                        < status.at("/strategy/stages").size();
    }

    /** Before any flip: a gate was breached, and the canary waits for somebody. */
    private static boolean readsTakenBack(JsonNode status) {
        JsonNode stage = stage(status);
        JsonNode wanted = stage.isMissingNode() ? status.at("/canary/desired") : stage.path("read_percentage");
        return status.path("flips").asInt() == 0
                && status.at("/strategy/type").asText().equals("canary")
                && share(status) == 0
                && wanted.asDouble() > 0;
    }

    private static double share(JsonNode status) {
        return status.at("/canary/read_percentage").asDouble();
    }

    /** The present one, counted from 1; missing where there are none. */
    private static JsonNode stage(JsonNode status) {
        return status.at("/strategy/stages").path(status.at("/canary/stage").asInt(0) - 1);
    }

    static String command(String verb, String id) {
        return "eden migration " + verb + " " + id;
    }
}
