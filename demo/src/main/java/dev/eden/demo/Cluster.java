package dev.eden.demo;

import dev.eden.demo.engine.Databases;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedTemporal;
import dev.eden.embedded.FreePort;
import dev.eden.embedded.JavaProcess;
import dev.eden.embedded.ServerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that the demo runs on, as processes of this JVM: Eden's PostgreSQL, Temporal, the two databases, the control
 * plane and its proxies. Nothing is a child of Eden's server, so that each may die alone.
 */
public final class Cluster implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(Cluster.class);

    private static final String MAIN = "dev.eden.api.Eden";
    /** For processes of a minute or two that share few cores: an optimising compiler would take more than it gives in that time. */
    private static final List<String> SMALL_JVM =
            List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xms192m", "-Xmn96m", "-XX:-UsePerfData");

    private static final String SERVER = "server";
    private static final String TO_TEMPORAL = "temporal";
    private static final Duration START = Duration.ofSeconds(180);

    private final Path directory;
    private final Databases databases;
    private final boolean faults;
    private final int proxies;
    private final @Nullable Path proxyBuild;
    /** By the process they come from; {@value #TO_TEMPORAL}: from the control plane to Temporal. */
    private final Map<String, Link> links = new HashMap<>();
    /** Only where there are to be faults: nothing else stands in the way of data. */
    private @Nullable DataPath dataPath;

    private final String adminToken = secret();
    private final Map<String, String> environment = new HashMap<>();
    private final Deque<AutoCloseable> running = new ArrayDeque<>();
    private final List<InetSocketAddress> proxyAddresses = new ArrayList<>();
    private final List<Integer> metricsPorts = new ArrayList<>();
    private @Nullable EmbeddedPostgres postgres;
    private @Nullable EmbeddedTemporal temporal;
    private @Nullable RestClient rest;
    private @Nullable EdenProcess controlPlane;
    private final List<EdenProcess> proxyProcesses = new ArrayList<>();
    private final List<Supplier<ServerProcess>> upgrades = new ArrayList<>();
    private boolean keepLogs;
    private boolean closed;

    /**
     * @param proxies how many
     * @param faults whether Eden's processes get a directory for failpoints each, and links to its store and to the databases that can be cut
     */
    public Cluster(Databases databases, int proxies, boolean faults) {
        this(databases, proxies, faults, null);
    }

    /** @param proxyBuild folder of another build, whose proxies begin; see {@link #upgradeProxy} */
    Cluster(Databases databases, int proxies, boolean faults, @Nullable Path proxyBuild) {
        this.databases = databases;
        this.proxies = proxies;
        this.faults = faults;
        this.proxyBuild = proxyBuild;
        try {
            directory = Files.createTempDirectory("eden-demo-");
        } catch (IOException e) {
            throw new UncheckedIOException("no temporary directory", e);
        }
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        environment.put("EDEN_ENCRYPTION_KEY", Base64.getEncoder().encodeToString(key));
        environment.put("EDEN_ADMIN_TOKEN", adminToken);
    }

    private static String secret() {
        byte[] bytes = new byte[24];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /** Starts the servers that are not Eden's own code, side by side. */
    public void startServers() {
        CompletableFuture<EmbeddedPostgres> startingPostgres = starting(EmbeddedPostgres::start);
        CompletableFuture<EmbeddedTemporal> startingTemporal = starting(EmbeddedTemporal::start);
        List<CompletableFuture<?>> all = new ArrayList<>(List.of(startingPostgres, startingTemporal));
        databases.starters().forEach(starter -> all.add(starting(starter)));
        try {
            CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).join();
        } catch (CompletionException e) {
            throw new DemoException("a server did not start: " + e.getCause(), e);
        }
        postgres = startingPostgres.join();
        temporal = startingTemporal.join();
        databases.prepare();
        EmbeddedPostgres store = postgres;
        environment.put(
                "EDEN_DATABASE_URL",
                store.jdbcUrl() + (store.jdbcUrl().contains("?") ? "&" : "?") + "user=" + store.user() + "&password="
                        + store.password());
        environment.put("TEMPORAL_ADDRESS", temporal.address());
        if (faults) {
            InetSocketAddress storeAddress = new InetSocketAddress("127.0.0.1", store.port());
            List<String> processes = new ArrayList<>(List.of(SERVER));
            for (int i = 1; i <= proxies; i++) {
                processes.add("proxy-" + i);
            }
            processes.forEach(process -> link(process, storeAddress));
            DataPath ways = new DataPath(
                    directory, processes, URI.create(databases.sourceUri()), URI.create(databases.targetUri()));
            closeLater(ways);
            dataPath = ways;
            String[] frontend = temporal.address().split(":");
            link(TO_TEMPORAL, new InetSocketAddress(frontend[0], Integer.parseInt(frontend[1])));
        }
        temporal.uiUrl().ifPresent(url -> environment.put("EDEN_TEMPORAL_UI", url));
    }

    private void link(String from, InetSocketAddress to) {
        Link link = new Link(to);
        links.put(from, link);
        closeLater(link);
    }

    private Map<String, String> environment(String name) {
        Link toStore = links.get(name);
        if (toStore == null) {
            return environment;
        }
        Map<String, String> own = new HashMap<>(environment);
        own.put("EDEN_DATABASE_URL", storeUrl().replace(":" + postgres().port() + "/", ":" + toStore.port() + "/"));
        Link toTemporal = links.get(TO_TEMPORAL);
        if (toTemporal != null && name.equals(SERVER)) {
            own.put("TEMPORAL_ADDRESS", "127.0.0.1:" + toTemporal.port());
        }
        return own;
    }

    private <T extends AutoCloseable> CompletableFuture<T> starting(Supplier<? extends T> start) {
        Executor executor = task -> Thread.ofVirtual().start(task);
        return CompletableFuture.supplyAsync(
                () -> {
                    T server = start.get();
                    closeLater(server);
                    return server;
                },
                executor);
    }

    /** Whatever comes up while everything is being closed is closed at once. */
    private void closeLater(AutoCloseable server) {
        synchronized (running) {
            if (!closed) {
                running.push(server);
                return;
            }
        }
        close(server);
    }

    /** Starts the control plane and returns when it answers. */
    public RestClient startControlPlane() {
        int apiPort = FreePort.find();
        int adminPort = FreePort.find();
        metricsPorts.add(adminPort);
        List<String> jvm = new ArrayList<>(SMALL_JVM);
        jvm.add("-Xmx512m");
        EdenProcess server = eden(
                SERVER,
                jvm,
                List.of(
                        "server",
                        "--no-proxy",
                        "--api-port=" + apiPort,
                        "--admin-port=" + adminPort,
                        "--data-dir=" + directory.resolve("server")));
        RestClient client = new RestClient("http://127.0.0.1:" + apiPort, adminToken);
        closeLater(client);
        rest = client;
        server.start(() -> answers(client));
        server.awaitReady(START);
        controlPlane = server;
        return client;
    }

    private static boolean answers(RestClient client) {
        try {
            client.get("/endpoints");
            return true;
        } catch (IOException | RestClient.RefusedException notYet) {
            return false;
        }
    }

    /** Starts the proxies in front of the interlay, which must exist. */
    public void startProxies() {
        for (int i = 1; i <= proxies; i++) {
            int port = FreePort.find();
            int metricsPort = FreePort.find();
            metricsPorts.add(metricsPort);
            List<String> jvm = new ArrayList<>(SMALL_JVM);
            jvm.add("-Xmx256m");
            String name = "proxy-" + i;
            List<String> arguments = List.of(
                    "proxy",
                    "--name=" + name,
                    "--interlay=" + databases.interlay(),
                    "--listen=127.0.0.1:" + port,
                    "--metrics-port=" + metricsPort,
                    "--data-dir=" + directory.resolve("server"));
            EdenProcess proxy = eden(name, jvm, arguments, proxyBuild);
            Path log = directory.resolve(name + ".log");
            upgrades.add(() -> JavaProcess.start(MAIN, jvm, arguments, environment(name), log));
            InetSocketAddress address = new InetSocketAddress("127.0.0.1", port);
            proxyAddresses.add(address);
            proxyProcesses.add(proxy);
            proxy.start(() -> databases.answers(address));
        }
        proxyProcesses.forEach(proxy -> proxy.awaitReady(START));
    }

    /** Replaces a proxy of the former build by this one's; {@code number} from 0. Blocks until that serves. */
    void upgradeProxy(int number) {
        proxyProcesses.get(number).replace(upgrades.get(number), START);
    }

    private EdenProcess eden(String name, List<String> jvm, List<String> arguments) {
        return eden(name, jvm, arguments, null);
    }

    private EdenProcess eden(String name, List<String> jvm, List<String> arguments, @Nullable Path build) {
        Path points = directory.resolve("failpoints").resolve(name);
        List<String> flags = new ArrayList<>(jvm);
        if (faults) {
            try {
                Files.createDirectories(points);
            } catch (IOException e) {
                throw new UncheckedIOException("no directory for failpoints", e);
            }
            flags.add("-Deden.failpoints=" + points);
            flags.add(started(dataPath).jvmFlag(name));
        }
        EdenProcess process = new EdenProcess(
                name,
                points,
                () -> build == null
                        ? JavaProcess.start(MAIN, flags, arguments, environment(name), directory.resolve(name + ".log"))
                        : JavaProcess.start(
                                build.resolve("lib").resolve("*").toString(),
                                MAIN,
                                flags,
                                arguments,
                                environment(name),
                                directory.resolve(name + ".log")));
        closeLater(process);
        return process;
    }

    /** The control plane's process. */
    public EdenProcess controlPlane() {
        return started(controlPlane);
    }

    /** The proxies' processes, in the order of {@link #proxies}. */
    public List<EdenProcess> proxyProcesses() {
        return List.copyOf(proxyProcesses);
    }

    /** The ways from a process (its name) to what of Eden's it needs; only where there are to be faults. */
    public List<Link> links(String name) {
        List<Link> found = new ArrayList<>();
        for (String from : name.equals(SERVER) ? List.of(SERVER, TO_TEMPORAL) : List.of(name)) {
            found.add(started(links.get(from)));
        }
        return found;
    }

    /** The way from a process (its name) to a database; only where there are to be faults. */
    public Link dataLink(String name, boolean toTarget) {
        return started(dataPath).link(name, toTarget);
    }

    /** The way from one database to the other; only where there are to be faults. */
    public Link dataLink(boolean toTarget) {
        return dataLink(DataPath.DATABASES, toTarget);
    }

    /** Where Eden is told that a database is, with credentials. */
    String databaseUri(boolean ofTarget) {
        DataPath ways = dataPath;
        if (ways != null) {
            return ways.uri(ofTarget);
        }
        return ofTarget ? databases.targetUri() : databases.sourceUri();
    }

    public int proxyCount() {
        return proxies;
    }

    public EmbeddedPostgres postgres() {
        return started(postgres);
    }

    public EmbeddedTemporal temporal() {
        return started(temporal);
    }

    /** JDBC address of Eden's store, with credentials. */
    public String storeUrl() {
        return started(environment.get("EDEN_DATABASE_URL"));
    }

    public List<InetSocketAddress> proxies() {
        return List.copyOf(proxyAddresses);
    }

    /** Source and target. */
    public Databases databases() {
        return databases;
    }

    private static <T> T started(@Nullable T server) {
        if (server == null) {
            throw new IllegalStateException("not started");
        }
        return server;
    }

    /** What a person may want to look at, one line each. */
    List<String> addresses() {
        List<String> lines = new ArrayList<>();
        RestClient api = rest;
        if (api != null) {
            lines.add("REST            " + api.base() + "/api/v1  (Authorization: Bearer " + adminToken + ")");
        }
        EmbeddedTemporal orchestration = temporal;
        if (orchestration != null) {
            lines.add("Temporal        " + orchestration.address());
            lines.add("Temporal Web UI "
                    + orchestration.uiUrl().orElse("none: the in-process test server has none and is not durable"));
        }
        for (int port : metricsPorts) {
            lines.add("metrics         http://127.0.0.1:" + port + "/metrics");
        }
        lines.addAll(databases.addresses(proxyAddresses));
        EmbeddedPostgres store = postgres;
        if (store != null) {
            lines.add("Eden's store    " + store.jdbcUrl());
        }
        lines.add("logs            " + directory);
        return lines;
    }

    /** Where the logs of this process and of those it started are. */
    public Path directory() {
        return directory;
    }

    /** Whether Temporal keeps its workflows when it ends. */
    public boolean durableTemporal() {
        return started(temporal).durable();
    }

    /** Leaves the directory with the processes' logs; to be called before {@link #close}. */
    public Path keepLogs() {
        keepLogs = true;
        return directory;
    }

    @Override
    public void close() {
        List<AutoCloseable> toClose;
        synchronized (running) {
            if (closed) {
                return;
            }
            closed = true;
            toClose = List.copyOf(running);
        }
        List<Thread> closing = new ArrayList<>();
        for (AutoCloseable server : toClose) {
            closing.add(Thread.ofVirtual().start(() -> close(server)));
        }
        join(closing);
        if (!keepLogs) {
            delete(directory);
        }
    }

    /** True once everything is being ended: whatever fails from then on fails because of that. */
    public boolean isClosed() {
        synchronized (running) {
            return closed;
        }
    }

    private static void join(List<Thread> threads) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (true) {
                try {
                    thread.join();
                    break;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void close(AutoCloseable server) {
        try {
            server.close();
        } catch (Exception e) {
            // The others are stopped all the same; what is left dies with this process.
            LOGGER.atWarn().setCause(e).log("could not stop a process");
        }
    }

    private static void delete(Path directory) {
        try {
            Files.walkFileTree(directory, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
                        throws IOException {
                    Files.deleteIfExists(folder);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException("could not remove " + directory, e);
        }
    }
}
