package dev.eden.api.cli;

import dev.eden.api.EdenServer;
import dev.eden.api.EdenStore;
import dev.eden.api.ServerOptions;
import dev.eden.api.config.Configuration;
import dev.eden.api.config.Setting;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.embedded.EmbeddedTemporal;
import dev.eden.proxy.Secret;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code eden dev}: everything on one machine, nothing to install. */
@Command(
        mixinStandardHelpOptions = true,
        name = "dev",
        description =
                "Starts PostgreSQL, two Redis servers, Temporal and a server with a proxy, all on 127.0.0.1, until Ctrl-C.",
        footer = {"", "Examples:", "  eden dev", "  eden dev --listen 127.0.0.1:6390 --listen-postgres 127.0.0.1:5432"})
final class DevCommand implements Callable<Integer> {
    private final Terminal terminal;

    private static final String LISTEN = "127.0.0.1:6379";

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            description = "of the proxy (EDEN_LISTEN; default: " + LISTEN + ")")
    private @Nullable String listen;

    @Option(
            names = "--listen-postgres",
            paramLabel = "HOST:PORT",
            description = "of a proxy for a PostgreSQL, too (EDEN_LISTEN_POSTGRES)")
    private @Nullable String listenPostgres;

    @Option(names = "--api-port", description = "EDEN_API_PORT; default: 8000; 0: a free one")
    private @Nullable Integer apiPort;

    @Option(
            names = "--admin-port",
            description = "of /metrics and /health (EDEN_ADMIN_PORT; default: 8001); 0: a free one")
    private @Nullable Integer adminPort;

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "for Eden's state (EDEN_DATA_DIR; default: ~/.local/state/eden/dev)")
    private @Nullable Path dataDirectory;

    @Option(
            names = "--tls-ca-file",
            paramLabel = "FILE",
            description = "authorities (PEM) that Eden trusts beside those of the JDK (EDEN_TLS_CA_FILE)")
    private @Nullable String authorities;

    DevCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        Configuration configuration = configuration();
        SettingOptions.trust(configuration);
        Logging.configure(configuration);
        Logging.unknownVariables(configuration);
        Path data = data(configuration);
        List<ServerOptions.Front> fronts = fronts(configuration);
        Deque<AutoCloseable> parts = new ArrayDeque<>();
        AutoCloseable all = () -> {
            while (!parts.isEmpty()) {
                parts.pop().close();
            }
        };
        // The first time servers are unpacked, and nothing else says a word for long.
        System.out.println("Starting two Redis, a PostgreSQL, Temporal and Eden; state in " + data);
        try {
            EmbeddedRedis source = DevRedis.start(data.resolve("source"));
            parts.push(() -> DevRedis.stop(source));
            EmbeddedRedis target = DevRedis.start(data.resolve("target"));
            parts.push(() -> DevRedis.stop(target));
            EmbeddedPostgres postgres = DevStore.start(data);
            parts.push(postgres);
            EmbeddedTemporal temporal =
                    EmbeddedTemporal.start(EmbeddedTemporal.Options.defaults().withDbFile(data.resolve("temporal.db")));
            parts.push(temporal);
            EdenServer server = EdenServer.start(ServerCommand.common(
                    new ServerOptions(
                            fronts,
                            "dev",
                            true,
                            "127.0.0.1",
                            configuration.number(Setting.API_PORT),
                            "127.0.0.1",
                            configuration.number(Setting.ADMIN_PORT),
                            new EdenStore.Settings(
                                    postgres.jdbcUrl(),
                                    postgres.user(),
                                    new Secret(postgres.password()),
                                    SettingOptions.secret(configuration, Setting.ENCRYPTION_KEY),
                                    data,
                                    16,
                                    Duration.ofSeconds(5)),
                            temporal.address(),
                            "default",
                            temporal.uiUrl().orElse(null),
                            ServerCommand.adminToken(configuration)),
                    configuration));
            parts.push(server);
            String redis = SettingOptions.proxies(configuration).tls() == null ? "redis-cli" : "redis-cli --tls";
            print(server, redis, source, target, postgres, temporal, data);
        } catch (RuntimeException e) {
            close(all);
            throw e;
        }
        Running.start(() -> all);
        Running.untilSignalled();
        return 0;
    }

    /** As a server's, without a file: the environment counts where nothing is said here, and a blank variable says nothing. */
    Configuration configuration() {
        Map<Setting, String> flags = new EnumMap<>(Setting.class);
        put(flags, Setting.SERVER_LISTEN, listen);
        put(flags, Setting.SERVER_LISTEN_POSTGRES, listenPostgres);
        put(flags, Setting.API_PORT, apiPort);
        put(flags, Setting.ADMIN_PORT, adminPort);
        put(flags, Setting.DATA_DIR, dataDirectory);
        put(flags, Setting.TLS_CA, authorities);
        return Configuration.load(Setting.Verb.SERVER, flags, terminal.environment(), null);
    }

    private static void put(Map<Setting, String> flags, Setting setting, @Nullable Object given) {
        if (given != null) {
            flags.put(setting, given.toString());
        }
    }

    static Path data(Configuration configuration) {
        Path given = SettingOptions.path(configuration, Setting.DATA_DIR);
        return (given != null ? given : Path.of(System.getProperty("user.home"), ".local", "state", "eden", "dev"))
                .toAbsolutePath();
    }

    static List<ServerOptions.Front> fronts(Configuration configuration) {
        String redis = configuration.text(Setting.SERVER_LISTEN);
        String postgres = configuration.text(Setting.SERVER_LISTEN_POSTGRES);
        ServerOptions.Front first =
                ServerOptions.Front.redis(Addresses.listen("--listen", redis == null ? LISTEN : redis));
        return postgres == null
                ? List.of(first)
                : List.of(first, ServerOptions.Front.postgres(Addresses.listen("--listen-postgres", postgres)));
    }

    private static void print(
            EdenServer server,
            String redis,
            EmbeddedRedis source,
            EmbeddedRedis target,
            EmbeddedPostgres postgres,
            EmbeddedTemporal temporal,
            Path data) {
        System.out.println("Eden is up:");
        System.out.println("  API           http://127.0.0.1:" + server.apiPort() + "/api/v1");
        System.out.println("  metrics       http://127.0.0.1:" + server.adminPort() + "/metrics");
        server.proxyPorts()
                .forEach((interlay, port) -> System.out.println("  applications  "
                        + (interlay.equals("redis_interlay") ? redis + " -p " : "psql -h 127.0.0.1 -p ") + port));
        System.out.println("  a source      redis://127.0.0.1:" + source.port());
        System.out.println("  a target      redis://127.0.0.1:" + target.port());
        String store = "postgresql://" + postgres.user() + "@127.0.0.1:" + postgres.port() + "/eden";
        System.out.println("  Eden's store  " + store + "   (password: " + postgres.passwordFile() + ")");
        server.proxyPorts()
                .keySet()
                .forEach(interlay -> System.out.println("  another proxy EDEN_DATABASE_PASSWORD_FILE="
                        + postgres.passwordFile() + " eden proxy --name second --interlay " + interlay
                        + " --listen 127.0.0.1:0 --database-url " + store + " --data-dir " + data));
        temporal.uiUrl().ifPresent(ui -> System.out.println("  Temporal      " + ui));
        if (!temporal.durable()) {
            System.out.println(
                    "  Temporal here is the in-process test server: it forgets everything at the end and has no Web UI.");
        }
        server.firstToken()
                .ifPresentOrElse(
                        token -> System.out.println("  admin token   " + token.reveal() + "   (shown this once)"),
                        () -> System.out.println(ServerCommand.LOST_TOKEN));
        String client = "EDEN_URL=http://127.0.0.1:" + server.apiPort() + " EDEN_TOKEN=… eden ";
        System.out.println();
        System.out.println("next: " + client
                + (server.firstToken().isPresent() ? "endpoint create old " + source.uri() : "migration list"));
        System.out.flush();
    }

    private static void close(AutoCloseable all) {
        try {
            all.close();
        } catch (Exception e) {
            System.err.println("eden: closing failed: " + e);
        }
    }
}
