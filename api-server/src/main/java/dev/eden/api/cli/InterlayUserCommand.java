package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code eden interlay user …}: whose passwords an interlay has, over REST. */
@Command(
        mixinStandardHelpOptions = true,
        name = "user",
        description =
                "Users of a PostgreSQL whose passwords an interlay has, where its proxies cannot become them without.",
        footer = {
            "",
            "Examples:",
            "  eden interlay user set orders shop --password-file shop.password",
            "  eden interlay user list orders",
            "  eden interlay user remove orders shop",
            "",
            "A password is never an argument: everybody on the machine sees arguments.",
            "Who needs one: docs/postgres-authentication.md."
        })
final class InterlayUserCommand extends Group {
    private static final String INTERLAY = "id of the interlay";

    @Command(
            mixinStandardHelpOptions = true,
            name = "set",
            description = {
                "Gives an interlay a user's password, the first or another one; its proxies take it within seconds.",
                "It is asked for, or read from standard input where that is no terminal."
            },
            footer = {
                "",
                "Examples:",
                "  eden interlay user set orders shop",
                "  eden interlay user set orders shop --password-file shop.password"
            })
    int set(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "INTERLAY", description = INTERLAY) String interlay,
            @Parameters(paramLabel = "NAME", description = "of the role on the servers") String name,
            @Option(names = "--password-file", paramLabel = "FILE", description = "holds the password") @Nullable
                    Path file) {
        String path = path(interlay, name);
        String password = file == null ? api.terminal().secretLine("Password of " + ApiOptions.line(name)) : read(file);
        if (password.isEmpty()) {
            throw new CliFailure(
                    ExitCode.USAGE,
                    "there is no password",
                    "name a file that holds it with --password-file, or give it on standard input");
        }
        JsonNode set = api.client().call("PUT", path, Json.write(Map.of("password", password)));
        return api.show(set, page -> page.members(set), "eden interlay user list " + interlay);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "list",
            description = "The users whose passwords an interlay has, and since when; passwords are never shown.",
            footer = {"", "Example:", "  eden interlay user list orders"})
    int list(@Mixin ApiOptions api, @Parameters(paramLabel = "INTERLAY", description = INTERLAY) String interlay) {
        JsonNode answer = api.client().list(ApiClient.path("interlays", interlay, "users"), "users");
        Map<String, String> columns = new LinkedHashMap<>();
        columns.put("NAME", "name");
        columns.put("SET", "set_at");
        JsonNode users = answer.path("users");
        return api.show(
                answer,
                page -> page.table(ApiOptions.table(users, columns), "It has no user's password."),
                users.isEmpty() ? "eden interlay user set " + interlay + " NAME" : "eden interlay traffic " + interlay);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "remove",
            description =
                    "Forgets a user's password: proxies no longer let anybody in by it; sessions that are open stay.",
            footer = {"", "Example:", "  eden interlay user remove orders shop"})
    int remove(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "INTERLAY", description = INTERLAY) String interlay,
            @Parameters(paramLabel = "NAME") String name) {
        JsonNode answer = api.client().call("DELETE", path(interlay, name), null);
        return api.show(
                answer,
                page -> page.line("the password of " + ApiOptions.line(name) + " is forgotten"),
                "eden interlay user list " + interlay);
    }

    /** A segment that is a path itself would be another resource's. */
    private static String path(String interlay, String name) {
        if (name.isEmpty() || name.indexOf('/') >= 0 || name.equals(".") || name.equals("..")) {
            throw new CliFailure(
                    ExitCode.USAGE,
                    "a user's name is not empty, has no '/', and is neither '.' nor '..'",
                    "such a role can't be given to an interlay: rename it, or let both servers store the same verifier");
        }
        return ApiClient.path("interlays", interlay, "users", name);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).replaceAll("[\\r\\n]+$", "");
        } catch (IOException e) {
            throw new CliFailure(
                    ExitCode.USAGE,
                    "the password file " + file + " can't be read",
                    "name a file that you can read, in UTF-8");
        }
    }
}
