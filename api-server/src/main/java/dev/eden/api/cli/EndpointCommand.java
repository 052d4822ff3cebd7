package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.eden.api.json.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code eden endpoint …}: databases, over REST. */
@Command(
        mixinStandardHelpOptions = true,
        name = "endpoint",
        description = "Databases that Eden may connect to.",
        footer = {
            "",
            "Examples:",
            "  eden endpoint create ec2_redis redis://10.0.1.50:6379",
            "  EDEN_ENDPOINT_PASSWORD=… eden endpoint create azure rediss://azure.example:6380 --username app",
            "  EDEN_ENDPOINT_PASSWORD=… eden endpoint create pg 'postgresql://app@10.0.1.60/orders?sslmode=verify-full'",
            "  eden endpoint check azure",
            "",
            "A password is never an argument: everybody on the machine sees arguments."
        })
final class EndpointCommand extends Group {
    private static final String VERIFIED = "sslmode=verify-full";
    /** With a password. */
    private static final Pattern LOGIN = Pattern.compile("^[^/?#]*//[^/?#@]*:[^/?#@]+@");

    private static final String URI =
            "redis://HOST:PORT or postgresql://HOST:PORT/DATABASE; with TLS: rediss:// (Redis), the parameter "
                    + VERIFIED + " (PostgreSQL)";

    @Command(
            mixinStandardHelpOptions = true,
            name = "list",
            description = "All endpoints; passwords are never shown.",
            footer = {"", "Example:", "  eden endpoint list"})
    int list(@Mixin ApiOptions api) {
        JsonNode answer = api.client().list("/endpoints", "endpoints");
        Map<String, String> columns = new LinkedHashMap<>();
        columns.put("ID", "id");
        columns.put("ENGINE", "engine");
        columns.put("URI", "uri");
        columns.put("CREDENTIALS", "has_credentials");
        columns.put("LABELS", "labels");
        JsonNode endpoints = answer.path("endpoints");
        return api.show(
                answer,
                page -> page.table(ApiOptions.table(endpoints, columns), "There are no endpoints yet."),
                endpoints.isEmpty()
                        ? "eden endpoint create ID redis://HOST:6379"
                        : "eden endpoint check " + endpoints.path(0).path("id").asText());
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "create",
            description = "Names a database; its password comes as EDEN_ENDPOINT_PASSWORD.",
            footer = {
                "",
                "Examples:",
                "  eden endpoint create ec2_redis redis://10.0.1.50:6379 --label team=cache",
                "  EDEN_ENDPOINT_PASSWORD=secret eden endpoint create azure_redis rediss://azure.example:6380 --username app"
            })
    int create(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Parameters(paramLabel = "URI", description = URI) String uri,
            @Mixin Described described) {
        JsonNode made = api.client().post("/endpoints", described.body(api, id, uri, MissingNode.getInstance()));
        return api.show(made, page -> page.members(made), "eden endpoint check " + id);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "get",
            description = "One endpoint.",
            footer = {"", "Example:", "  eden endpoint get ec2_redis"})
    int get(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        JsonNode endpoint = api.client().get(ApiClient.path("endpoints", id));
        return api.show(endpoint, page -> page.members(endpoint), "eden endpoint check " + id);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "update",
            description =
                    "Changes an endpoint: options, labels and login stay where they are not named. An address in use can't change.",
            footer = {"", "Example:", "  eden endpoint update ec2_redis redis://10.0.1.50:6379 --label team=cache"})
    int update(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Parameters(paramLabel = "URI", description = URI) String uri,
            @Mixin Described described) {
        ApiClient client = api.client();
        String path = ApiClient.path("endpoints", id);
        JsonNode made = client.call("PUT", path, described.body(api, id, uri, client.get(path)));
        return api.show(made, page -> page.members(made), "eden endpoint check " + id);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "check",
            description = "Connects now: version, role, latency, abilities.",
            footer = {"", "Example:", "  eden endpoint check ec2_redis"})
    int check(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        JsonNode found = api.client().post(ApiClient.path("endpoints", id, "check"), null);
        return api.show(found, page -> page.members(found), "eden interlay list");
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "delete",
            description = "Forgets an endpoint that nothing uses.",
            footer = {"", "Example:", "  eden endpoint delete ec2_redis"})
    int delete(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        JsonNode answer = api.client().call("DELETE", ApiClient.path("endpoints", id), null);
        return api.show(answer, page -> page.line("endpoint " + id + " is forgotten"), "eden endpoint list");
    }

    /** All but the name and the address. */
    private static final class Described {
        @Option(
                names = "--username",
                paramLabel = "NAME",
                description =
                        "whose password EDEN_ENDPOINT_PASSWORD is (default: the URI's user, that of the login there is, else default or postgres)")
        private @Nullable String username;

        @Option(names = "--label", paramLabel = "NAME=VALUE", description = "may be repeated")
        private @Nullable Map<String, String> labels;

        @Option(
                names = "--client-login",
                paramLabel = "none|endpoint",
                description = "Redis: whom clients are that never log in")
        private @Nullable String clientLogin;

        @Option(
                names = "--link-tls",
                paramLabel = "system|require",
                description = "PostgreSQL with TLS: how the other server verifies it when it replicates from it")
        private @Nullable String linkTls;

        @Option(
                names = "--link-ca-file",
                paramLabel = "PATH",
                description =
                        "PostgreSQL with TLS, instead of --link-tls: authorities (PEM) in a file on the machine of the server that replicates from it")
        private @Nullable String linkCaFile;

        /** @param present the endpoint as it is; missing where there is none */
        String body(ApiOptions api, String id, String uri, JsonNode present) {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("id", id);
            body.put("uri", uri);
            String password = api.terminal().secret("EDEN_ENDPOINT_PASSWORD");
            String user = username;
            if (password != null && LOGIN.matcher(uri).find()) {
                throw new CliFailure(
                        ExitCode.USAGE,
                        "the URI has a password, and so has EDEN_ENDPOINT_PASSWORD",
                        "leave it out of the URI, whose user may stay, or be --username; or unset EDEN_ENDPOINT_PASSWORD");
            }
            if (password != null) {
                body.put(
                        "credentials",
                        user == null ? Map.of("password", password) : Map.of("username", user, "password", password));
            } else if (user != null) {
                throw new CliFailure(
                        ExitCode.USAGE, "--username without a password", "set EDEN_ENDPOINT_PASSWORD for this command");
            }
            if (labels != null) {
                body.put("labels", labels);
            } else if (present.has("labels")) {
                body.put("labels", present.path("labels"));
            }
            Map<String, Object> options = new LinkedHashMap<>();
            JsonNode before = present.path("options");
            put(options, "client_login", clientLogin, uri.startsWith("redis") ? before : MissingNode.getInstance());
            // Two words for one thing: what is said here takes the place of both.
            JsonNode link = linkTls == null && linkCaFile == null && uri.contains(VERIFIED)
                    ? before
                    : MissingNode.getInstance();
            put(options, "link_tls", linkTls, link);
            put(options, "link_ca_file", linkCaFile, link);
            if (!options.isEmpty()) {
                body.put("options", options);
            }
            return Json.write(body);
        }

        private static void put(Map<String, Object> options, String name, @Nullable String value, JsonNode before) {
            if (value != null) {
                options.put(name, value);
            } else if (before.hasNonNull(name)) {
                options.put(name, before.path(name).asText());
            }
        }
    }
}
