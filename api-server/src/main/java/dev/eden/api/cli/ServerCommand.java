package dev.eden.api.cli;

import dev.eden.api.EdenServer;
import dev.eden.api.ServerOptions;
import dev.eden.api.problem.StartupException;
import dev.eden.proxy.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code eden server}: the control plane, with a proxy inside where {@code --listen} is given. */
@Command(
        mixinStandardHelpOptions = true,
        name = "server",
        description = "Runs the control plane: REST, workers and, with --listen or --listen-postgres, a proxy.")
final class ServerCommand implements Callable<Integer> {
    @Mixin
    private final StoreOptions store = new StoreOptions();

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:EDEN_LISTEN}",
            description =
                    "makes interlay redis_interlay and serves it here; it takes the first redis endpoint (EDEN_LISTEN)")
    private @Nullable String listen;

    @Option(
            names = "--listen-postgres",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:EDEN_LISTEN_POSTGRES}",
            description =
                    "makes interlay postgres_interlay and serves it here; it takes the first postgresql endpoint (EDEN_LISTEN_POSTGRES)")
    private @Nullable String listenPostgres;

    @Option(
            names = "--no-proxy",
            defaultValue = "${env:EDEN_NO_PROXY:-false}",
            description = "with --listen: only makes the interlays; proxies run elsewhere (EDEN_NO_PROXY)")
    private boolean noProxy;

    @Option(
            names = "--name",
            defaultValue = "${env:EDEN_PROXY_NAME:-server}",
            description =
                    "of the proxies inside; stays the same over restarts (EDEN_PROXY_NAME; default: ${DEFAULT-VALUE})")
    private String name = "server";

    @Option(
            names = "--api-host",
            defaultValue = "${env:EDEN_API_HOST:-0.0.0.0}",
            description = "EDEN_API_HOST; default: ${DEFAULT-VALUE}")
    private String apiHost = "0.0.0.0";

    @Mixin
    private final PortOptions ports = new PortOptions();

    @Option(
            names = "--admin-host",
            defaultValue = "${env:EDEN_ADMIN_HOST:-0.0.0.0}",
            description = "of /metrics and /health (EDEN_ADMIN_HOST; default: ${DEFAULT-VALUE})")
    private String adminHost = "0.0.0.0";

    @Option(
            names = "--temporal-address",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:TEMPORAL_ADDRESS:-127.0.0.1:7233}",
            description = "TEMPORAL_ADDRESS; default: ${DEFAULT-VALUE}")
    private String temporalAddress = "127.0.0.1:7233";

    @Option(
            names = "--temporal-namespace",
            defaultValue = "${env:TEMPORAL_NAMESPACE:-default}",
            description = "TEMPORAL_NAMESPACE; default: ${DEFAULT-VALUE}")
    private String temporalNamespace = "default";

    @Option(
            names = "--temporal-ui",
            paramLabel = "URL",
            defaultValue = "${env:EDEN_TEMPORAL_UI}",
            description = "Temporal's Web UI, for links (EDEN_TEMPORAL_UI)")
    private @Nullable String temporalUi;

    @Option(
            names = "--admin-token-file",
            paramLabel = "FILE",
            defaultValue = "${env:EDEN_ADMIN_TOKEN_FILE}",
            description =
                    "holds the admin token; EDEN_ADMIN_TOKEN is the token itself; else the first start makes one and prints it")
    private @Nullable Path adminTokenFile;

    @Option(
            names = "--ports-file",
            paramLabel = "FILE",
            defaultValue = "${env:EDEN_PORTS_FILE}",
            description = "gets {\"api\":…,\"admin\":…,\"proxy\":…} once all is up (EDEN_PORTS_FILE)")
    private @Nullable Path portsFile;

    @Override
    public Integer call() {
        Logging.configure();
        EdenServer server = EdenServer.start(new ServerOptions(
                fronts(),
                name,
                !noProxy,
                apiHost,
                ports.api,
                adminHost,
                ports.admin,
                store.settings(16),
                temporalAddress,
                temporalNamespace,
                temporalUi,
                adminToken()));
        Map<String, Integer> bound = new LinkedHashMap<>();
        bound.put("api", server.apiPort());
        bound.put("admin", server.adminPort());
        // The first one's, then each by the name of its interlay.
        server.proxyPorts().values().stream().findFirst().ifPresent(port -> bound.put("proxy", port));
        bound.putAll(server.proxyPorts());
        System.out.println("Eden serves: API http://" + apiHost + ":" + server.apiPort() + "/api/v1, metrics http://"
                + adminHost + ":" + server.adminPort() + "/metrics");
        server.proxyPorts()
                .forEach((interlay, port) -> System.out.println("Proxy of " + interlay + " listens on port " + port));
        server.firstToken().ifPresent(token -> System.out.println("Admin token (shown this once): " + token.reveal()));
        System.out.flush();
        Running.writePorts(portsFile, bound);
        Running.untilSignalled(server);
        return 0;
    }

    private List<ServerOptions.Front> fronts() {
        List<ServerOptions.Front> fronts = new ArrayList<>();
        String redis = listen;
        if (redis != null && !redis.isBlank()) {
            fronts.add(ServerOptions.Front.redis(Addresses.listen("--listen", redis)));
        }
        String postgres = listenPostgres;
        if (postgres != null && !postgres.isBlank()) {
            fronts.add(ServerOptions.Front.postgres(Addresses.listen("--listen-postgres", postgres)));
        }
        return fronts;
    }

    private @Nullable Secret adminToken() {
        Secret given = StoreOptions.secret("EDEN_ADMIN_TOKEN");
        Path file = adminTokenFile;
        if (given == null && file != null) {
            try {
                given = new Secret(Files.readString(file).strip());
            } catch (IOException e) {
                throw new StartupException(
                        "the admin token file " + file + " can't be read", "correct --admin-token-file");
            }
        }
        if (given != null && given.reveal().length() < 16) {
            throw new StartupException(
                    "the admin token is too short", "use at least 16 characters: openssl rand -hex 32");
        }
        return given;
    }
}
