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

/** {@code eden interlay …}: named fronts of endpoints, over REST. */
@Command(
        mixinStandardHelpOptions = true,
        name = "interlay",
        subcommands = {ForceOpenCommand.class, InterlayUserCommand.class},
        description = "Named fronts of endpoints; proxies serve them.",
        footer = {
            "",
            "Examples:",
            "  eden interlay create cache ec2_redis --listen 0.0.0.0:6379",
            "  eden interlay traffic cache"
        })
final class InterlayCommand extends Group {
    private static final String POOLING =
            "of a PostgreSQL: how long a client keeps a connection to the server: transaction (default), session";

    @Command(
            mixinStandardHelpOptions = true,
            name = "list",
            description = "All interlays and the endpoints behind them.")
    int list(@Mixin ApiOptions api) {
        JsonNode answer = api.client().list("/interlays", "interlays");
        Map<String, String> columns = new LinkedHashMap<>();
        columns.put("ID", "id");
        columns.put("ENGINE", "engine");
        columns.put("ENDPOINT", "endpoint");
        columns.put("LISTEN", "listen");
        columns.put("TLS", "tls");
        columns.put("POOLING", "pooling");
        JsonNode interlays = answer.path("interlays");
        return api.show(
                answer,
                page -> page.table(ApiOptions.table(interlays, columns), "There are no interlays yet."),
                interlays.isEmpty()
                        ? "eden interlay create ID ENDPOINT"
                        : "eden interlay traffic "
                                + interlays.path(0).path("id").asText());
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "create",
            description = "Makes a front of an endpoint; 'eden proxy --interlay ID' serves it.")
    int create(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Parameters(paramLabel = "ENDPOINT") String endpoint,
            @Option(names = "--listen", paramLabel = "HOST:PORT", description = "where applications find it") @Nullable
                    String listen,
            @Option(names = "--pool", paramLabel = "N", description = "shared connections to the database") @Nullable
                    Integer pool,
            @Option(names = "--pooling", paramLabel = "POOLING", description = POOLING) @Nullable String pooling,
            @Option(
                            names = "--tls",
                            description =
                                    "only proxies with a certificate (proxy.tls_cert_file) serve it: clients of a Redis then connect with TLS alone, those of a PostgreSQL can")
                    boolean tls) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("id", id);
        body.put("endpoint", endpoint);
        if (listen != null) {
            body.put("listen", listen);
        }
        if (pool != null) {
            body.put("pool", pool);
        }
        if (pooling != null) {
            body.put("pooling", pooling);
        }
        if (tls) {
            body.put("tls", true);
        }
        JsonNode made = api.client().post("/interlays", Json.write(body));
        return api.show(made, page -> page.members(made), "eden proxy --name p1 --interlay " + id);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "update",
            description = "Changes how an interlay pools; proxies take it when they start.")
    int update(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--pooling", paramLabel = "POOLING", required = true, description = POOLING)
                    String pooling) {
        JsonNode changed =
                api.client().call("PATCH", ApiClient.path("interlays", id), Json.write(Map.of("pooling", pooling)));
        return api.show(changed, page -> page.members(changed), "eden interlay get " + id);
    }

    @Command(mixinStandardHelpOptions = true, name = "get", description = "One interlay.")
    int get(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        JsonNode interlay = api.client().get(ApiClient.path("interlays", id));
        return api.show(interlay, page -> page.members(interlay), "eden interlay traffic " + id);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "delete",
            description = "Forgets an interlay that no migration and no proxy uses.")
    int delete(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        JsonNode answer = api.client().call("DELETE", ApiClient.path("interlays", id), null);
        return api.show(answer, page -> page.line("interlay " + id + " is forgotten"), "eden interlay list");
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "traffic",
            description = "Its proxies' counters since their start, and latency.")
    int traffic(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        JsonNode traffic = api.client().get(ApiClient.path("interlays", id, "traffic"));
        return api.show(
                traffic,
                page -> {
                    page.title(id + " in front of " + StatusText.text(traffic, "endpoint") + ": "
                            + traffic.path("connections").asLong() + " connections");
                    page.table(proxies(traffic), "No proxy has joined. One: eden proxy --name p1 --interlay " + id);
                },
                "eden migration list");
    }

    private static String millis(JsonNode value) {
        return String.format(java.util.Locale.ROOT, "%.1f ms", value.asDouble());
    }

    static Table proxies(JsonNode traffic) {
        Table table = Table.of(
                "PROXY",
                "LISTEN",
                "ALIVE",
                "CONNECTIONS",
                "OPERATIONS",
                "ERRORS",
                "P50",
                "P99",
                "BY THE STANDBY",
                "SEEN");
        for (JsonNode proxy : traffic.path("proxies")) {
            long seconds = Math.max(
                    0, (System.currentTimeMillis() - proxy.path("at_millis").asLong()) / 1000);
            JsonNode active = proxy.path("report").path("active");
            table.row(
                    StatusText.text(proxy, "proxy"),
                    StatusText.text(proxy, "listen"),
                    proxy.path("alive").asBoolean() ? "yes" : "no",
                    String.valueOf(proxy.path("report").path("connections").asLong()),
                    String.valueOf(active.path("operations").asLong()),
                    String.valueOf(active.path("errors").asLong()),
                    millis(active.path("p50_millis")),
                    millis(active.path("p99_millis")),
                    proxy.path("report").path("served_by_standby").asLong() + " reads",
                    seconds + " s ago");
        }
        return table;
    }
}
