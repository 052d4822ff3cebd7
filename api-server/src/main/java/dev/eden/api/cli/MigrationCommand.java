package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import dev.eden.api.problem.StartupException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code eden migration …}: migrations, over REST. */
@Command(
        name = "migration",
        description = "Creates, starts, watches and commands migrations.",
        mixinStandardHelpOptions = true)
final class MigrationCommand {
    private static final Set<String> COMMANDS =
            Set.of("migrate", "advance", "pause", "resume", "abort", "cutover", "rollback", "finalize");

    @Command(name = "list", mixinStandardHelpOptions = true)
    int list(@Mixin ApiClient api) {
        return api.call("GET", "/migrations", null);
    }

    @Command(name = "create", description = "From a JSON file; - is standard input.", mixinStandardHelpOptions = true)
    int create(@Mixin ApiClient api, @Parameters(paramLabel = "FILE") String file) {
        return api.call("POST", "/migrations", read(file));
    }

    @Command(name = "add-interlay", mixinStandardHelpOptions = true)
    int addInterlay(
            @Mixin ApiClient api,
            @Parameters(paramLabel = "ID") String id,
            @Parameters(paramLabel = "INTERLAY") String interlay,
            @Parameters(paramLabel = "TARGET") String target) {
        return api.call("POST", "/migrations/" + id + "/interlay/" + interlay, Json.write(Map.of("endpoint", target)));
    }

    @Command(name = "plan", description = "What migrate would do; changes nothing.", mixinStandardHelpOptions = true)
    int plan(@Mixin ApiClient api, @Parameters(paramLabel = "ID") String id) {
        return api.call("GET", "/migrations/" + id + "/plan", null);
    }

    @Command(name = "status", mixinStandardHelpOptions = true)
    int status(
            @Mixin ApiClient api,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--watch", description = "goes on showing events until the migration has ended")
                    boolean watch) {
        int code = api.call("GET", "/migrations/" + id + "/status", null);
        if (code == 0 && watch) {
            api.stream("/migrations/" + id + "/events", MigrationCommand::print);
        }
        return code;
    }

    @Command(name = "validation", description = "The last validation report.", mixinStandardHelpOptions = true)
    int validation(@Mixin ApiClient api, @Parameters(paramLabel = "ID") String id) {
        return api.call("GET", "/migrations/" + id + "/validation", null);
    }

    @Command(
            name = "patch",
            description = "Changes the strategy; FILE holds {\"strategy\":{…}}.",
            mixinStandardHelpOptions = true)
    int patch(
            @Mixin ApiClient api,
            @Parameters(paramLabel = "ID") String id,
            @Parameters(paramLabel = "FILE") String file) {
        return api.call("PATCH", "/migrations/" + id, read(file));
    }

    @Command(
            name = "do",
            description = "migrate, advance, pause, resume, abort, cutover, rollback or finalize.",
            mixinStandardHelpOptions = true)
    int command(
            @Mixin ApiClient api,
            @Parameters(paramLabel = "COMMAND") String command,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--reason") @Nullable String reason) {
        if (!COMMANDS.contains(command)) {
            throw new StartupException("there is no command " + command, "one of " + String.join(", ", COMMANDS));
        }
        return api.call(
                "POST",
                "/migrations/" + id + "/" + command,
                reason == null ? null : Json.write(Map.of("reason", reason)));
    }

    private static void print(JsonNode event) {
        System.out.printf(
                "%s  %-14s %-20s %s  %s%n",
                event.path("at").asText(),
                event.path("phase").asText(""),
                event.path("event").asText(),
                event.path("actor").asText(),
                event.path("reason").asText());
    }

    private static String read(String file) {
        try {
            return file.equals("-")
                    ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
                    : Files.readString(Path.of(file));
        } catch (IOException e) {
            throw new StartupException("the file " + file + " can't be read", "name a readable JSON file");
        }
    }
}
