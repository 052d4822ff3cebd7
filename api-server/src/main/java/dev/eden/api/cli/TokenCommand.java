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

/** {@code eden token …}: who may do what, over REST. */
@Command(
        mixinStandardHelpOptions = true,
        name = "token",
        description = "Tokens of the API: viewer reads, operator runs migrations, admin manages endpoints and tokens.",
        footer = {
            "",
            "Examples:",
            "  eden token create ci --role operator --lifetime 30d",
            "  eden token revoke 3f0c6a3e-0000-4000-8000-000000000000"
        })
final class TokenCommand extends Group {
    @Command(
            mixinStandardHelpOptions = true,
            name = "list",
            description = "All tokens, without their secrets.",
            footer = {"", "Example:", "  eden token list"})
    int list(@Mixin ApiOptions api) {
        JsonNode answer = api.client().list("/tokens", "tokens");
        Map<String, String> columns = new LinkedHashMap<>();
        columns.put("ID", "id");
        columns.put("ROLE", "role");
        columns.put("LABEL", "label");
        columns.put("CREATED", "created_at");
        columns.put("EXPIRES", "expires_at");
        columns.put("REVOKED", "revoked_at");
        return api.show(
                answer,
                page -> page.table(ApiOptions.table(answer.path("tokens"), columns), "There are no tokens."),
                "eden token create LABEL --role viewer");
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "create",
            description = "Makes a token; its secret is shown this once.",
            footer = {"", "Example:", "  eden token create ci --role operator --lifetime 30d"})
    int create(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "LABEL", description = "whose it is, or what for") String label,
            @Option(
                            names = "--role",
                            paramLabel = "viewer|operator|admin",
                            required = true,
                            description = "what it may do")
                    String role,
            @Option(names = "--lifetime", paramLabel = "30d|12h|…", description = "default: for ever") @Nullable
                    String lifetime) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("role", role);
        body.put("label", label);
        if (lifetime != null) {
            body.put("lifetime", lifetime);
        }
        JsonNode made = api.client().post("/tokens", Json.write(body));
        return api.show(
                made,
                page -> {
                    page.members(made.path("token"));
                    page.line("");
                    page.line("secret (shown this once): " + made.path("secret").asText());
                },
                "eden context add NAME --url URL --token-file FILE   (with the secret in FILE)");
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "revoke",
            description = "Ends a token; whoever uses it is refused from now on.",
            footer = {"", "Example:", "  eden token revoke 3f0c6a3e-0000-4000-8000-000000000000"})
    int revoke(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        JsonNode answer = api.client().call("DELETE", ApiClient.path("tokens", id), null);
        return api.show(answer, page -> page.line("token " + id + " is revoked"), "eden token list");
    }
}
