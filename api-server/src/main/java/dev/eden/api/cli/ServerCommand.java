package dev.eden.api.cli;

import dev.eden.api.EdenServer;
import dev.eden.api.ServerOptions;
import dev.eden.api.config.Configuration;
import dev.eden.api.config.Setting;
import dev.eden.api.problem.StartupException;
import dev.eden.api.rest.ApiTls;
import dev.eden.proxy.Secret;
import dev.eden.workflows.worker.WorkerVersion;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code eden server}: the control plane, with a proxy inside where {@code --listen} is given. Its flags: {@link SettingOptions}. */
@Command(
        mixinStandardHelpOptions = true,
        name = "server",
        description = "Runs the control plane: REST, workers and, with --listen or --listen-postgres, a proxy.",
        footer = {
            "",
            "Examples:",
            "  eden server --config /etc/eden/eden.yaml",
            "  EDEN_DATABASE_PASSWORD=… eden server --database-url postgresql://eden@db/eden --listen 0.0.0.0:6379"
        })
final class ServerCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    ServerCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        Configuration configuration = SettingOptions.read(spec, Setting.Verb.SERVER, terminal);
        Logging.configure(configuration);
        Logging.unknownVariables(configuration);
        Path portsFile = SettingOptions.path(configuration, Setting.SERVER_PORTS_FILE);
        Running.requireFolder(portsFile);
        String apiHost = configuration.required(Setting.API_HOST);
        String adminHost = configuration.required(Setting.ADMIN_HOST);
        ServerOptions options = common(
                new ServerOptions(
                        fronts(configuration),
                        configuration.required(Setting.SERVER_PROXY_NAME),
                        !configuration.isTrue(Setting.SERVER_NO_PROXY),
                        apiHost,
                        configuration.number(Setting.API_PORT),
                        adminHost,
                        configuration.number(Setting.ADMIN_PORT),
                        SettingOptions.store(configuration, 16),
                        configuration.required(Setting.TEMPORAL_ADDRESS),
                        configuration.required(Setting.TEMPORAL_NAMESPACE),
                        configuration.text(Setting.TEMPORAL_UI),
                        adminToken(configuration),
                        configuration.duration(Setting.RETENTION_FINISHED)),
                configuration);
        EdenServer server = Running.start(() -> EdenServer.start(options));
        Map<String, Integer> bound = new LinkedHashMap<>();
        bound.put("api", server.apiPort());
        bound.put("admin", server.adminPort());
        // The first one's, then each by the name of its interlay.
        server.proxyPorts().values().stream().findFirst().ifPresent(port -> bound.put("proxy", port));
        bound.putAll(server.proxyPorts());
        String scheme = configuration.text(Setting.API_CERT) == null ? "http" : "https";
        System.out.println("Eden serves: API " + scheme + "://" + apiHost + ":" + server.apiPort()
                + "/api/v1, metrics http://" + adminHost + ":" + server.adminPort() + "/metrics");
        server.proxyPorts()
                .forEach((interlay, port) -> System.out.println("Proxy of " + interlay + " listens on port " + port));
        server.firstToken()
                .ifPresentOrElse(
                        token -> System.out.println("Admin token (shown this once): " + token.reveal()),
                        () -> System.out.println(LOST_TOKEN));
        System.out.flush();
        Running.writePorts(portsFile, bound);
        Running.untilSignalled();
        return 0;
    }

    /** Whoever has lost what the first start printed sees here what to do. */
    static final String LOST_TOKEN =
            "Admin token: the one from the first start or EDEN_ADMIN_TOKEN; if it is lost, start once more with"
                    + " EDEN_ADMIN_TOKEN=… (16 characters or more)";

    private static List<ServerOptions.Front> fronts(Configuration configuration) {
        List<ServerOptions.Front> fronts = new ArrayList<>();
        String redis = configuration.text(Setting.SERVER_LISTEN);
        if (redis != null) {
            fronts.add(ServerOptions.Front.redis(Addresses.listen("--listen", redis)));
        }
        String postgres = configuration.text(Setting.SERVER_LISTEN_POSTGRES);
        if (postgres != null) {
            fronts.add(ServerOptions.Front.postgres(Addresses.listen("--listen-postgres", postgres)));
        }
        return fronts;
    }

    /** What {@code eden dev}'s server takes from its configuration, too. */
    static ServerOptions common(ServerOptions options, Configuration configuration) {
        return options.withOrchestration(orchestration(configuration))
                .withTls(tls(configuration))
                .withRequireBackup(configuration.isTrue(Setting.REQUIRE_BACKUP))
                .withTraces(configuration.text(Setting.TRACES_ENDPOINT))
                .withPublicUrl(configuration.text(Setting.PUBLIC_URL))
                .withTrustedProxies(configuration.networks(Setting.TRUSTED_PROXIES))
                .withProxies(SettingOptions.proxies(configuration))
                .withMaxValueBytes(configuration.number(Setting.MAX_VALUE_MIB) << 20)
                .withReceivers(configuration.receiverNames().stream()
                        .map(configuration::receiver)
                        .toList());
    }

    static @Nullable ApiTls tls(Configuration configuration) {
        Path certificate = SettingOptions.path(configuration, Setting.API_CERT);
        Path key = SettingOptions.path(configuration, Setting.API_KEY);
        if (certificate == null && key == null) {
            return null;
        }
        if (certificate == null || key == null) {
            throw new StartupException(
                    "TLS for the API needs a certificate and its key",
                    "set both server.api_cert_file (EDEN_API_CERT_FILE) and server.api_key_file (EDEN_API_KEY_FILE),"
                            + " or neither");
        }
        return new ApiTls(certificate, key);
    }

    static ServerOptions.Orchestration orchestration(Configuration configuration) {
        String deployment = configuration.text(Setting.TEMPORAL_DEPLOYMENT);
        if (deployment != null && deployment.indexOf('.') >= 0) {
            throw new StartupException(
                    "temporal.deployment has a dot in it", "name the deployment without, for example: eden");
        }
        return new ServerOptions.Orchestration(
                configuration.isTrue(Setting.TEMPORAL_ENCRYPT),
                deployment == null
                        ? null
                        : new WorkerVersion(deployment, configuration.required(Setting.TEMPORAL_BUILD_ID)),
                configuration.duration(Setting.TEMPORAL_ORPHAN_CHECK));
    }

    static @Nullable Secret adminToken(Configuration configuration) {
        Secret given = SettingOptions.secret(configuration, Setting.ADMIN_TOKEN);
        if (given != null && given.reveal().length() < 16) {
            throw new StartupException(
                    "the admin token is too short", "use at least 16 characters: openssl rand -hex 32");
        }
        return given;
    }
}
