package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.EdenProxy;
import dev.eden.api.config.Configuration;
import dev.eden.api.config.Setting;
import dev.eden.api.problem.StartupException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code eden proxy}: one proxy alone; it joins its interlay by name. */
@Command(
        mixinStandardHelpOptions = true,
        name = "proxy",
        description = "Runs one proxy alone and joins its interlay.",
        footer = {
            "",
            "Examples:",
            "  EDEN_DATABASE_PASSWORD=… eden proxy --name p2 --listen 0.0.0.0:6379 --database-url postgresql://eden@db/eden",
            "  eden proxy --config /etc/eden/eden.yaml"
        })
final class ProxyCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    ProxyCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        Configuration configuration = SettingOptions.read(spec, Setting.Verb.PROXY, terminal);
        Logging.configure(configuration);
        Logging.unknownVariables(configuration);
        String name = name(configuration);
        String interlay = configuration.required(Setting.PROXY_INTERLAY);
        String metricsHost = configuration.required(Setting.METRICS_HOST);
        Path portsFile = SettingOptions.path(configuration, Setting.PROXY_PORTS_FILE);
        Running.requireFolder(portsFile);
        EdenProxy.Options options = options(configuration);
        EdenProxy proxy = Running.start(() -> EdenProxy.start(options));
        Map<String, Integer> ports = new LinkedHashMap<>();
        ports.put("proxy", proxy.port());
        ports.put("metrics", proxy.metricsPort());
        System.out.println("Proxy " + name + " of " + interlay + " listens on port " + proxy.port()
                + ", metrics http://" + metricsHost + ":" + proxy.metricsPort() + "/metrics");
        System.out.flush();
        Running.writePorts(portsFile, ports);
        Running.untilSignalled();
        return 0;
    }

    static EdenProxy.Options options(Configuration configuration) {
        return new EdenProxy.Options(
                name(configuration),
                configuration.required(Setting.PROXY_INTERLAY),
                Addresses.listen("--listen", configuration.required(Setting.PROXY_LISTEN)),
                configuration.number(Setting.PROXY_POOL),
                configuration.required(Setting.METRICS_HOST),
                configuration.number(Setting.METRICS_PORT),
                Duration.ofSeconds(configuration.number(Setting.DRAIN_SECONDS)),
                SettingOptions.store(configuration, 6),
                SettingOptions.proxies(configuration));
    }

    static String name(Configuration configuration) {
        String name = configuration.text(Setting.PROXY_NAME);
        if (name == null) {
            throw new StartupException(
                    "the proxy has no name", "give --name or EDEN_PROXY_NAME: unique, and the same over restarts");
        }
        return name;
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "list",
            description = "The proxies of every interlay, over REST; silent ones stand in the way of a cutover.",
            footer = {"", "Example:", "  eden proxy list"})
    int list(@Mixin ApiOptions api) {
        JsonNode answer = api.client().list("/proxies", "proxies");
        Table table = Table.of("ID", "LISTEN", "VERSION", "ALIVE", "SERVES", "CLIENTS", "SEEN");
        String silent = null;
        for (JsonNode proxy : answer.path("proxies")) {
            boolean alive = proxy.path("alive").asBoolean();
            if (!alive && silent == null) {
                silent = proxy.path("id").asText();
            }
            table.row(
                    StatusText.text(proxy, "id"),
                    StatusText.text(proxy, "listen"),
                    StatusText.text(proxy, "version"),
                    alive ? "yes" : "no",
                    serves(proxy),
                    StatusText.text(proxy, "connections"),
                    ago(proxy.path("seen_at").asText()));
        }
        return api.show(
                answer,
                page -> page.table(table, "No proxy has joined. One: eden proxy --name p1 --interlay INTERLAY"),
                silent == null ? "eden migration list" : "eden proxy remove " + silent + " --reason WHY");
    }

    /** A proxy that holds requests is the one to look at; what is not heard, or is too old to say, is not known. */
    private static String serves(JsonNode proxy) {
        return !proxy.hasNonNull("serving") ? "?" : proxy.path("serving").asBoolean() ? "yes" : "holds";
    }

    private static String ago(String then) {
        Duration silence = Duration.between(Instant.parse(then), Instant.now());
        return StatusText.duration(silence.isNegative() ? Duration.ZERO : silence) + " ago";
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "remove",
            description = {
                "Forgets a silent proxy that will not come back, so that cutovers do not wait for it. Asks first.",
                "Refused while it is heard, or while the database that owns writes shows its connections."
            },
            footer = {"", "Example:", "  eden proxy remove redis_interlay:pod-17 --reason 'its node was lost'"})
    int remove(
            @Mixin ApiOptions api,
            @Mixin Confirmation confirmation,
            @Parameters(paramLabel = "INTERLAY:NAME", description = "as 'eden proxy list' has it") String id,
            @Option(names = "--reason", required = true, description = "for the audit log") String reason,
            @Option(
                            names = "--force",
                            description =
                                    "also where the database can't be asked for its connections: you know that it is dead")
                    boolean force) {
        confirmation.ask(
                api,
                "Remove forgets proxy " + id + (force ? ", whatever the database shows of it" : "")
                        + ": no cutover waits for it any more, so it must be dead",
                id);
        JsonNode answer = api.client()
                .call(
                        "DELETE",
                        ApiClient.path("proxies", id) + "?reason="
                                + URLEncoder.encode(reason, StandardCharsets.UTF_8)
                                + (force ? "&force=true" : ""),
                        null);
        return api.show(answer, page -> page.line("proxy " + id + " is removed"), "eden proxy list");
    }
}
