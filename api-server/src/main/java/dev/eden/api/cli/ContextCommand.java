package dev.eden.api.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.json.Json;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code eden context …}: the servers a person works with. */
@Command(
        mixinStandardHelpOptions = true,
        name = "context",
        description = "Servers and tokens that client verbs use, kept in ~/.config/eden/contexts.json (0600).",
        footer = {
            "",
            "Examples:",
            "  eden context add prod --url https://eden.example:8000 --token-file ~/.eden-prod-token",
            "  eden context add dev --url http://127.0.0.1:8000 --token-stdin < token",
            "  eden context use prod",
            "  eden migration list --context dev"
        })
final class ContextCommand extends Group {
    @Command(
            mixinStandardHelpOptions = true,
            name = "add",
            description = "Adds or changes a context; the first one is in use.",
            footer = {
                "",
                "Examples:",
                "  eden context add prod --url https://eden.example:8000 --token-file /run/secrets/eden-token",
                "  eden context add dev --url http://127.0.0.1:8000 --token-env DEV_TOKEN"
            })
    int add(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "NAME") String name,
            @Option(
                            names = "--token-env",
                            paramLabel = "VARIABLE",
                            description = "the environment variable with the token")
                    @Nullable
                    String tokenEnv,
            @Option(names = "--token-stdin", description = "keeps the token that standard input has")
                    boolean fromInput) {
        String url = api.givenUrl();
        if (url == null) {
            throw new CliFailure(ExitCode.USAGE, "the context has no server", "add --url http://HOST:8000");
        }
        if (!url.startsWith("http://") && !url.startsWith("https://")) {
            throw new CliFailure(
                    ExitCode.USAGE, "--url " + url + " is not a server", "it begins with http:// or https://");
        }
        Path file = api.givenTokenFile();
        if ((file != null ? 1 : 0) + (tokenEnv != null ? 1 : 0) + (fromInput ? 1 : 0) > 1) {
            throw new CliFailure(
                    ExitCode.USAGE,
                    "a token comes from one place",
                    "give one of --token-file, --token-env, --token-stdin");
        }
        String token = fromInput ? api.terminal().line() : null;
        if (token != null && token.isEmpty()) {
            throw new CliFailure(ExitCode.USAGE, "standard input has no token", "pipe it in: … --token-stdin < FILE");
        }
        Contexts contexts = Contexts.load(api.terminal());
        contexts.put(
                name, new Contexts.Context(url, token, absolute(file), tokenEnv, absolute(api.givenAuthorities())));
        return list(
                api,
                contexts,
                contexts.current().orElse("").equals(name) ? "eden migration list" : "eden context use " + name);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "use",
            description = "Client verbs talk to this one from now on.",
            footer = {"", "Example:", "  eden context use prod"})
    int use(@Mixin ApiOptions api, @Parameters(paramLabel = "NAME") String name) {
        Contexts contexts = Contexts.load(api.terminal());
        contexts.use(name);
        return list(api, contexts, "eden migration list");
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "list",
            description = "All contexts; tokens are never shown.",
            footer = {"", "Example:", "  eden context list"})
    int list(@Mixin ApiOptions api) {
        Contexts contexts = Contexts.load(api.terminal());
        return list(
                api,
                contexts,
                contexts.all().isEmpty()
                        ? "eden context add NAME --url http://HOST:8000 --token-file FILE"
                        : "eden migration list");
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "remove",
            description = "Forgets a context and the token stored in it.",
            footer = {"", "Example:", "  eden context remove dev"})
    int remove(@Mixin ApiOptions api, @Parameters(paramLabel = "NAME") String name) {
        Contexts contexts = Contexts.load(api.terminal());
        contexts.remove(name);
        return list(api, contexts, "eden context list");
    }

    private static @Nullable String absolute(@Nullable Path file) {
        return file == null ? null : file.toAbsolutePath().toString();
    }

    private static int list(ApiOptions api, Contexts contexts, String next) {
        ObjectNode json = Json.mapper().createObjectNode();
        json.put("current", contexts.current().orElse(null));
        ObjectNode all = json.putObject("contexts");
        Table table = Table.of("", "NAME", "URL", "TOKEN");
        contexts.all().forEach((name, context) -> {
            all.putObject(name).put("url", context.url()).put("token", context.tokenSource());
            boolean inUse = name.equals(contexts.current().orElse(null));
            table.row(inUse ? "*" : "", name, context.url(), context.tokenSource());
        });
        return api.show(json, page -> page.table(table, "There are no contexts yet."), next);
    }
}
