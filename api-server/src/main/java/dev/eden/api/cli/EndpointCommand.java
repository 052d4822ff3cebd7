package dev.eden.api.cli;

import dev.eden.api.json.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code eden endpoint …}: databases, over REST. */
@Command(
        name = "endpoint",
        description = "Lists, creates, checks and deletes endpoints.",
        mixinStandardHelpOptions = true)
final class EndpointCommand {
    @Command(name = "list", mixinStandardHelpOptions = true)
    int list(@Mixin ApiClient api) {
        return api.call("GET", "/endpoints", null);
    }

    @Command(
            name = "create",
            description = "A password goes into EDEN_ENDPOINT_PASSWORD, never into an argument.",
            mixinStandardHelpOptions = true)
    int create(
            @Mixin ApiClient api,
            @Parameters(paramLabel = "ID") String id,
            @Parameters(paramLabel = "URI") String uri,
            @Option(names = "--username") @Nullable String username) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("id", id);
        body.put("uri", uri);
        String password = System.getenv("EDEN_ENDPOINT_PASSWORD");
        if (password != null) {
            body.put(
                    "credentials",
                    username == null
                            ? Map.of("password", password)
                            : Map.of("username", username, "password", password));
        }
        return api.call("POST", "/endpoints", Json.write(body));
    }

    @Command(name = "get", mixinStandardHelpOptions = true)
    int get(@Mixin ApiClient api, @Parameters(paramLabel = "ID") String id) {
        return api.call("GET", "/endpoints/" + id, null);
    }

    @Command(name = "check", description = "Connects now.", mixinStandardHelpOptions = true)
    int check(@Mixin ApiClient api, @Parameters(paramLabel = "ID") String id) {
        return api.call("POST", "/endpoints/" + id + "/check", null);
    }

    @Command(name = "delete", mixinStandardHelpOptions = true)
    int delete(@Mixin ApiClient api, @Parameters(paramLabel = "ID") String id) {
        return api.call("DELETE", "/endpoints/" + id, null);
    }
}
