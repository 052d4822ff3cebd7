package dev.eden.api.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Changes a migration: {@code NAME=VALUE} becomes a PATCH of what is named; the rest stays as it is. */
@Command(
        mixinStandardHelpOptions = true,
        name = "set",
        description = "Changes a migration's strategy and labels, also while it runs; what is not named stays.",
        footer = {
            "",
            "Settings: read_percentage (25%% or 0.25), consistency (session, global), max_wait (5ms), ack (source, both),",
            "type (canary, blue_green, immediate), label.NAME (any text; label.NAME= takes it away).",
            "A whole strategy, with stages: --file FILE.",
            "",
            "Examples:",
            "  eden migration set ec2_to_azure read_percentage=25%%",
            "  eden migration set ec2_to_azure consistency=global max_wait=20ms --reason 'reports need it'",
            "  eden migration set ec2_to_azure label.backup_verified='kim, restored to staging on Monday'"
        })
final class SetCommand implements Callable<Integer> {
    private static final List<String> NAMES = List.of("read_percentage", "consistency", "max_wait", "ack", "type");
    private static final String LABEL = "label.";

    @Mixin
    @SuppressWarnings("NullAway.Init")
    private ApiOptions api;

    @Mixin
    private final Confirmation confirmation = new Confirmation();

    @Parameters(index = "0", paramLabel = "ID")
    private String id = "";

    @Parameters(index = "1..*", paramLabel = "NAME=VALUE", arity = "0..*")
    private Map<String, String> settings = Map.of();

    @Option(
            names = "--file",
            paramLabel = "FILE",
            description = "the body of the PATCH, {\"strategy\": {…}}; - is standard input")
    private @Nullable String file;

    @Option(names = "--reason", description = "for the audit log")
    private @Nullable String reason;

    @Override
    public Integer call() {
        boolean empty = settings == null || settings.isEmpty();
        if (empty == (file == null)) {
            throw new CliFailure(
                    ExitCode.USAGE, "nothing is said to change, or twice", "give NAME=VALUE pairs, or --file FILE");
        }
        ObjectNode body = file == null ? patch() : read(file);
        if (reason != null) {
            body.put("reason", reason);
        }
        if (body.at("/strategy/write_mode/mode").asText().equals("cutover")
                || body.at("/strategy/type").asText().equals("immediate")) {
            confirmation.ask(
                    api, "This strategy moves all writes of " + id + " to its target as soon as it is ready", id);
        }
        JsonNode status = api.client().call("PATCH", ApiClient.path("migrations", id), Json.write(body));
        return OperatorCommands.status(api, status);
    }

    private static ObjectNode read(String file) {
        try {
            if (Json.mapper().readTree(MigrationCommand.read(file)) instanceof ObjectNode object) {
                return object;
            }
        } catch (JsonProcessingException e) {
            throw new CliFailure(
                    ExitCode.USAGE,
                    file + " is not JSON: line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr(),
                    "correct it there");
        }
        throw new CliFailure(ExitCode.USAGE, file + " is not a JSON object", "write {\"strategy\": {…}}");
    }

    private ObjectNode patch() {
        ObjectNode patch = Json.mapper().createObjectNode();
        settings.forEach((name, value) -> {
            if (name.startsWith(LABEL)) {
                patch.withObject("/labels").put(name.substring(LABEL.length()), value.isEmpty() ? null : value);
                return;
            }
            ObjectNode strategy = patch.withObject("/strategy");
            switch (name) {
                case "read_percentage" -> strategy.put(name, share(value));
                case "consistency", "max_wait", "type" -> strategy.put(name, value);
                case "ack" ->
                    strategy.putObject("write_mode").put("mode", "dual_write").put("ack", value);
                default ->
                    throw new CliFailure(
                            ExitCode.USAGE,
                            "there is no setting " + name,
                            Suggestions.nearest(name, NAMES)
                                    .map(near -> "did you mean " + near + "?")
                                    .orElse("one of " + String.join(", ", NAMES) + ", " + LABEL + "NAME"));
            }
        });
        return patch;
    }

    private static double share(String value) {
        try {
            return value.endsWith("%")
                    ? Double.parseDouble(value.substring(0, value.length() - 1).strip()) / 100
                    : Double.parseDouble(value);
        } catch (NumberFormatException e) {
            throw new CliFailure(
                    ExitCode.USAGE, "read_percentage=" + value + " is no share", "for example 25% or 0.25");
        }
    }
}
