package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.EdenProxy;
import dev.eden.api.config.Configuration;
import dev.eden.api.config.Setting;
import dev.eden.api.json.Json;
import dev.eden.api.problem.StartupException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code eden proxy}: one proxy alone; it joins its interlay by name. */
@Command(mixinStandardHelpOptions = true, name = "proxy", description = "Runs one proxy alone and joins its interlay.")
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
        String name = configuration.text(Setting.PROXY_NAME);
        if (name == null) {
            throw new StartupException(
                    "the proxy has no name", "give --name or EDEN_PROXY_NAME: unique, and the same over restarts");
        }
        String interlay = configuration.required(Setting.PROXY_INTERLAY);
        String metricsHost = configuration.required(Setting.METRICS_HOST);
        EdenProxy proxy = EdenProxy.start(new EdenProxy.Options(
                name,
                interlay,
                Addresses.listen("--listen", configuration.required(Setting.PROXY_LISTEN)),
                configuration.number(Setting.PROXY_POOL),
                metricsHost,
                configuration.number(Setting.METRICS_PORT),
                Duration.ofSeconds(configuration.number(Setting.DRAIN_SECONDS)),
                SettingOptions.store(configuration, 6)));
        Map<String, Integer> ports = new LinkedHashMap<>();
        ports.put("proxy", proxy.port());
        ports.put("metrics", proxy.metricsPort());
        System.out.println("Proxy " + name + " of " + interlay + " listens on port " + proxy.port()
                + ", metrics http://" + metricsHost + ":" + proxy.metricsPort() + "/metrics");
        System.out.flush();
        Running.writePorts(SettingOptions.path(configuration, Setting.PROXY_PORTS_FILE), ports);
        Running.untilSignalled(proxy);
        return 0;
    }

    @Command(mixinStandardHelpOptions = true, name = "list", description = "The proxies of every interlay, over REST.")
    int list(@Mixin ApiOptions api) {
        ApiClient client = api.client();
        ObjectNode all = Json.mapper().createObjectNode();
        for (JsonNode interlay : client.get("/interlays").path("interlays")) {
            String id = interlay.path("id").asText();
            all.set(id, client.get(ApiClient.path("interlays", id, "traffic")));
        }
        return api.show(
                all,
                page -> all.properties().forEach(entry -> {
                    page.title(entry.getKey());
                    page.table(InterlayCommand.proxies(entry.getValue()), "No proxy has joined.");
                }),
                "eden migration list");
    }
}
