package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.json.Json;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
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
            description = "All interlays and the endpoints behind them.",
            footer = {"", "Example:", "  eden interlay list"})
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
            description = "Makes a front of an endpoint; 'eden proxy --interlay ID' serves it.",
            footer = {
                "",
                "Examples:",
                "  eden interlay create cache ec2_redis --listen 0.0.0.0:6379",
                "  eden interlay create orders old_orders --listen 0.0.0.0:5432 --pooling session"
            })
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
            description = "Changes how an interlay pools; proxies take it when they start.",
            footer = {"", "Example:", "  eden interlay update orders --pooling transaction"})
    int update(
            @Mixin ApiOptions api,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--pooling", paramLabel = "POOLING", required = true, description = POOLING)
                    String pooling) {
        JsonNode changed =
                api.client().call("PATCH", ApiClient.path("interlays", id), Json.write(Map.of("pooling", pooling)));
        return api.show(changed, page -> page.members(changed), "eden interlay get " + id);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "get",
            description = "One interlay.",
            footer = {"", "Example:", "  eden interlay get cache"})
    int get(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        JsonNode interlay = api.client().get(ApiClient.path("interlays", id));
        return api.show(interlay, page -> page.members(interlay), "eden interlay traffic " + id);
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "delete",
            description = "Forgets an interlay that no migration and no proxy uses.",
            footer = {"", "Example:", "  eden interlay delete cache"})
    int delete(@Mixin ApiOptions api, @Parameters(paramLabel = "ID") String id) {
        JsonNode answer = api.client().call("DELETE", ApiClient.path("interlays", id), null);
        return api.show(answer, page -> page.line("interlay " + id + " is forgotten"), "eden interlay list");
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "traffic",
            description = {
                "Its proxies' counters since their start (STANDBY: reads that it served), and latency of the last seconds.",
                "ALIVE: else how long it has been silent. Where each one listens: eden proxy list."
            },
            footer = {"", "Example:", "  eden interlay traffic cache"})
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

    /** A name of twenty characters still has room in a terminal; where each one listens: {@code eden proxy list}. */
    static Table proxies(JsonNode traffic) {
        Table table = Table.of("PROXY", "CLIENTS", "OPERATIONS", "ERRORS", "P50/P99 MS", "STANDBY", "ALIVE");
        for (JsonNode proxy : traffic.path("proxies")) {
            JsonNode report = proxy.path("report");
            JsonNode active = report.path("active");
            Duration silence = Duration.ofMillis(Math.max(
                    0, System.currentTimeMillis() - proxy.path("at_millis").asLong()));
            table.row(
                    StatusText.text(proxy, "proxy"),
                    String.valueOf(report.path("connections").asLong()),
                    String.valueOf(active.path("operations").asLong()),
                    String.valueOf(active.path("errors").asLong()),
                    String.format(
                            Locale.ROOT,
                            "%.1f/%.1f",
                            active.path("p50_millis").asDouble(),
                            active.path("p99_millis").asDouble()),
                    String.valueOf(report.path("served_by_standby").asLong()),
                    proxy.path("alive").asBoolean() ? "yes" : "no, " + StatusText.duration(silence));
        }
        return table;
    }
}
