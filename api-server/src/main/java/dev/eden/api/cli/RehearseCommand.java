package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs the cutover's barrier without the flip, and shows where the pause goes. */
@Command(
        mixinStandardHelpOptions = true,
        name = "rehearse",
        description = {
            "Does all of a cutover but the flip and says what clients waited, by step and proxy.",
            "They do wait, as long as they would in a cutover. Only in canary. Exit code 8 where it was aborted."
        },
        footer = {
            "",
            "Examples:",
            "  eden migration rehearse ec2_to_azure --reason 'before Friday'",
            "  eden migration rehearse ec2_to_azure --json"
        })
final class RehearseCommand implements Callable<Integer> {
    @Mixin
    @SuppressWarnings("NullAway.Init")
    private ApiOptions api;

    @Parameters(paramLabel = "ID")
    private String id = "";

    @Option(names = "--reason", description = "for the audit log")
    private @Nullable String reason;

    @Override
    public Integer call() {
        JsonNode rehearsal = api.client()
                .post(
                        ApiClient.path("migrations", id, "rehearse"),
                        reason == null ? null : Json.write(Map.of("reason", reason)));
        boolean rehearsed = rehearsal.path("outcome").asText().equals("rehearsed");
        int shown = api.show(
                rehearsal,
                page -> RehearsalText.print(rehearsal, page),
                rehearsed ? NextCommand.command("cutover", id) : NextCommand.command("status", id));
        return rehearsed ? shown : ExitCode.ENDED_BADLY.code();
    }
}
