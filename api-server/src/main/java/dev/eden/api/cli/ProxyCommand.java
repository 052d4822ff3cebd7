package dev.eden.api.cli;

import dev.eden.api.EdenProxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code eden proxy}: one proxy alone; it joins its interlay by name. */
@Command(mixinStandardHelpOptions = true, name = "proxy", description = "Runs one proxy alone and joins its interlay.")
final class ProxyCommand implements Callable<Integer> {
    @Mixin
    private final StoreOptions store = new StoreOptions();

    @Option(
            names = "--name",
            required = true,
            defaultValue = "${env:EDEN_PROXY_NAME}",
            description = "of this proxy: unique, and the same over restarts (EDEN_PROXY_NAME)")
    private String name = "";

    @Option(
            names = "--interlay",
            defaultValue = "${env:EDEN_INTERLAY:-redis_interlay}",
            description = "EDEN_INTERLAY; default: ${DEFAULT-VALUE}")
    private String interlay = "";

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:EDEN_LISTEN:-0.0.0.0:6379}",
            description = "EDEN_LISTEN; default: ${DEFAULT-VALUE}; port 0: a free one")
    private String listen = "";

    @Option(
            names = "--pool",
            paramLabel = "N",
            defaultValue = "${env:EDEN_POOL:-0}",
            description = "shared connections to the database (EDEN_POOL; default: the interlay's, else 8)")
    private int pool;

    @Option(
            names = "--metrics-host",
            defaultValue = "${env:EDEN_METRICS_HOST:-0.0.0.0}",
            description = "EDEN_METRICS_HOST; default: ${DEFAULT-VALUE}")
    private String metricsHost = "";

    @Option(
            names = "--metrics-port",
            defaultValue = "${env:EDEN_METRICS_PORT:-0}",
            description =
                    "of /metrics, /health, /health/ready and /health/live (EDEN_METRICS_PORT; default: a free one)")
    private int metricsPort;

    @Option(
            names = "--drain-seconds",
            paramLabel = "S",
            defaultValue = "${env:EDEN_DRAIN_SECONDS:-0}",
            description =
                    "at SIGTERM: not ready, but serves for up to S seconds until its clients have left (EDEN_DRAIN_SECONDS; default: ${DEFAULT-VALUE})")
    private int drainSeconds;

    @Option(
            names = "--ports-file",
            paramLabel = "FILE",
            defaultValue = "${env:EDEN_PORTS_FILE}",
            description = "gets {\"proxy\":…,\"metrics\":…} once all is up (EDEN_PORTS_FILE)")
    private @Nullable Path portsFile;

    @Override
    public Integer call() {
        Logging.configure();
        EdenProxy proxy = EdenProxy.start(new EdenProxy.Options(
                name,
                interlay,
                Addresses.listen("--listen", listen),
                pool,
                metricsHost,
                metricsPort,
                Duration.ofSeconds(Math.max(0, drainSeconds)),
                store.settings(6)));
        Map<String, Integer> ports = new LinkedHashMap<>();
        ports.put("proxy", proxy.port());
        ports.put("metrics", proxy.metricsPort());
        System.out.println("Proxy " + name + " of " + interlay + " listens on port " + proxy.port()
                + ", metrics http://" + metricsHost + ":" + proxy.metricsPort() + "/metrics");
        System.out.flush();
        Running.writePorts(portsFile, ports);
        Running.untilSignalled(proxy);
        return 0;
    }
}
