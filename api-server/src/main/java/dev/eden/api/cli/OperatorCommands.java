package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands that move a migration on or back. Each answers with the new status; a refusal says why and what is allowed (exit code 3). */
abstract class OperatorCommands extends Group {
    @Command(
            mixinStandardHelpOptions = true,
            name = "migrate",
            description = "Starts it: copies, compares, then waits in canary.",
            footer = {"", "Example:", "  eden migration migrate ec2_to_azure --reason 'change 4711'"})
    int migrate(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", description = REASON) @Nullable String reason) {
        return send(api, "migrate", id, reason);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "advance",
            description = "Goes on with the next stage or phase without waiting for its gates' time.",
            footer = {"", "Example:", "  eden migration advance ec2_to_azure"})
    int advance(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", description = REASON) @Nullable String reason) {
        return send(api, "advance", id, reason);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "pause",
            description = {
                "Keeps the next step, stage or attempt from beginning. What has begun goes on, a load to its end; so does replication.",
                "To slow a load down: tune --copy-rate; to end it: abort."
            },
            footer = {"", "Example:", "  eden migration pause ec2_to_azure --reason 'the source is busy until noon'"})
    int pause(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", description = REASON) @Nullable String reason) {
        return send(api, "pause", id, reason);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "resume",
            description = "Goes on after a pause, or tries again what needed an operator.",
            footer = {"", "Example:", "  eden migration resume ec2_to_azure"})
    int resume(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", description = REASON) @Nullable String reason) {
        return send(api, "resume", id, reason);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "abort",
            description =
                    "Gives it up; the source serves as before. What was copied stays on the target, unless --empty-target. Asks first; a script says --yes.",
            footer = {
                "",
                "Examples:",
                "  eden migration abort ec2_to_azure --reason 'the target is too small'",
                "  eden migration abort ec2_to_azure --empty-target --yes"
            })
    int abort(
            @Mixin ApiOptions api,
            @Mixin Confirmation confirmation,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--empty-target", description = EMPTY_TARGET) boolean emptyTarget,
            @Option(names = "--reason", description = REASON) @Nullable String reason) {
        confirmation.ask(
                api,
                "Abort gives " + id + " up: "
                        + (emptyTarget
                                ? "what has been copied is deleted from its target"
                                : "what has been copied stays on its target and counts for nothing afterwards (--empty-target deletes it)"),
                id);
        return send(api, "abort", id, reason, emptyTarget, null);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "cutover",
            description = "Moves all writes to the target in one short pause. Asks first; a script says --yes.",
            footer = {"", "Example:", "  eden migration cutover ec2_to_azure --yes --reason 'change 4711'"})
    int cutover(
            @Mixin ApiOptions api,
            @Mixin Confirmation confirmation,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", description = REASON) @Nullable String reason) {
        if (confirmation.wanted(api.terminal(), "Cutover moves all writes of " + id)) {
            JsonNode status = api.client().get(ApiClient.path("migrations", id, "status"));
            confirmation.ask(
                    api,
                    "Cutover moves all writes of " + id + " from "
                            + status.path("source_endpoint").asText() + " to "
                            + status.path("target_endpoint").asText() + "; it "
                            + (status.path("ready_for_cutover").asBoolean()
                                    ? "is ready"
                                    : "is not ready (" + ApiOptions.cell(status.path("blockers")) + ")"),
                    id);
        }
        return send(api, "cutover", id, reason);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "rollback",
            description = {
                "Takes it back. After a cutover the source owns writes again, nothing is lost, and the migration is in canary.",
                "Before the first cutover there is nothing to take back: it ends the migration, as abort does. Once writes are back it is refused.",
                "Asks first; a script says --yes, and --phase baking where it must not end a migration."
            },
            footer = {
                "",
                "Examples:",
                "  eden migration rollback ec2_to_azure --reason 'latency'",
                "  eden migration rollback ec2_to_azure --yes --phase baking"
            })
    int rollback(
            @Mixin ApiOptions api,
            @Mixin Confirmation confirmation,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--empty-target", description = EMPTY_TARGET) boolean emptyTarget,
            @Option(
                            names = "--phase",
                            paramLabel = "PHASE",
                            description =
                                    "the only one that it is meant for: refused in another (default: the present one)")
                    @Nullable
                    String phase,
            @Option(names = "--reason", description = REASON) @Nullable String reason) {
        if (phase != null) {
            PhaseNames.require("--phase", phase);
        }
        boolean asks =
                confirmation.wanted(api.terminal(), "Rollback takes " + id + " back, or ends it before its cutover");
        JsonNode status = asks || phase == null ? api.client().get(ApiClient.path("migrations", id, "status")) : null;
        if (asks && status != null && !isTakenBack(status)) {
            String question = isFlipped(status)
                    ? "Rollback gives reads and writes of " + id + " back to its source, and the migration goes on"
                    : "Rollback ends " + id + ", as abort does: its source owns the writes, nothing is to be taken back"
                            + (emptyTarget ? "; what has been copied is deleted from its target" : "");
            confirmation.ask(api, question, id);
        }
        String meant =
                phase != null || status == null ? phase : status.path("phase").asText();
        return send(api, "rollback", id, reason, emptyTarget, meant);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "finalize",
            description = {
                "Ends it well: the way back is taken down, nothing of Eden's stays on the servers.",
                "The point of no return: asks first; a script says --yes."
            },
            footer = {"", "Example:", "  eden migration finalize ec2_to_azure"})
    int finish(
            @Mixin ApiOptions api,
            @Mixin Confirmation confirmation,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", description = REASON) @Nullable String reason) {
        confirmation.ask(api, "Finalize takes the way back of " + id + " down: there is no rollback afterwards", id);
        return send(api, "finalize", id, reason);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "recover",
            description = {
                "Starts its workflow again where Temporal has lost it (terminated by hand, history gone).",
                "It begins parked, in the phase that the store speaks for; resume, rollback or finalize goes on."
            },
            footer = {"", "Example:", "  eden migration recover ec2_to_azure"})
    int recover(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason", description = REASON) @Nullable String reason) {
        return send(api, "recover", id, reason);
    }

    private static final String REASON = "for the audit log";
    private static final String EMPTY_TARGET = "where this ends the migration: deletes from the target what was copied";

    private static boolean isFlipped(JsonNode status) {
        return status.path("phase").asText().equals("baking")
                || status.path("active").isTextual() && status.path("active").equals(status.path("target_endpoint"));
    }

    /** It will be refused: there is nothing to ask. */
    private static boolean isTakenBack(JsonNode status) {
        return status.path("flips").asInt() > 0 && !isFlipped(status);
    }

    private static int send(ApiOptions api, String command, String id, @Nullable String reason) {
        return send(api, command, id, reason, false, null);
    }

    private static int send(
            ApiOptions api,
            String command,
            String id,
            @Nullable String reason,
            boolean emptyTarget,
            @Nullable String phase) {
        Map<String, Object> told = new LinkedHashMap<>();
        if (reason != null) {
            told.put("reason", reason);
        }
        if (emptyTarget) {
            told.put("empty_target", true);
        }
        if (phase != null) {
            told.put("phase", phase);
        }
        JsonNode status =
                api.client().post(ApiClient.path("migrations", id, command), told.isEmpty() ? null : Json.write(told));
        return status(api, status);
    }

    /** Shows a status. */
    static int status(ApiOptions api, JsonNode status) {
        return api.show(
                status,
                page -> {
                    StatusText.lines(status, page.coloured()).forEach(page::wrapped);
                    if (!status.path("labels").isEmpty()) {
                        page.field("labels", ApiOptions.cell(status.path("labels")));
                    }
                    page.field("allowed", ApiOptions.cell(status.path("allowed")));
                    String ui = status.path("links").path("temporal_ui").asText("");
                    page.field("workflow", ui);
                    JsonNode notify = status.path("notify");
                    if (notify.isObject()) {
                        page.field(
                                "notify",
                                ApiOptions.cell(notify.path("receivers")) + " of "
                                        + ApiOptions.cell(notify.path("on")));
                    }
                },
                NextCommand.of(status));
    }
}
