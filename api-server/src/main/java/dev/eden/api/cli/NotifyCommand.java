package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code eden notify …}: who may be told of migrations. Where they are is in the servers' configuration alone. */
@Command(
        mixinStandardHelpOptions = true,
        name = "notify",
        description = "Receivers that may be told of migrations, and whether they hear.",
        footer = {"", "Examples:", "  eden notify test oncall", "  eden migration create migration.json --notify oncall"
        })
final class NotifyCommand extends Group {
    @Command(
            mixinStandardHelpOptions = true,
            name = "list",
            description = "Their names; notify.receivers in the servers' configuration makes them.",
            footer = {"", "Example:", "  eden notify list"})
    int list(@Mixin ApiOptions api) {
        JsonNode answer = api.client().list("/receivers", "receivers");
        JsonNode receivers = answer.path("receivers");
        return api.show(
                answer,
                page -> page.table(
                        ApiOptions.table(receivers, Map.of("RECEIVER", "id")),
                        "There are no receivers: docs/configuration.md says how to make them."),
                "eden notify test "
                        + (receivers.isEmpty()
                                ? "RECEIVER"
                                : receivers.path(0).path("id").asText()));
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "test",
            description = "Sends it something of no migration, once; exit code 8 where it is not taken.",
            footer = {"", "Example:", "  eden notify test oncall"})
    int test(@Mixin ApiOptions api, @Parameters(paramLabel = "RECEIVER") String receiver) {
        JsonNode trial = api.client().post(ApiClient.path("receivers", receiver, "test"), null);
        boolean delivered = trial.path("delivered").asBoolean();
        int shown = api.show(
                trial,
                page -> page.line("receiver " + receiver + (delivered ? " has taken it" : " has not taken it: ")
                        + ApiOptions.line(trial.path("problem").asText(""))),
                delivered ? "eden migration create FILE --notify " + receiver : "eden notify test " + receiver);
        return delivered ? shown : ExitCode.ENDED_BADLY.code();
    }
}
