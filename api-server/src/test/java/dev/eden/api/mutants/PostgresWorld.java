package dev.eden.api.mutants;

import static org.awaitility.Awaitility.await;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.cutover.PostgresCutover;
import dev.eden.activities.postgres.preparation.PostgresPreparation;
import dev.eden.activities.postgres.replication.PostgresReplicator;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.api.route.StoreChanges;
import dev.eden.api.store.Database;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.load.LoadOptions;
import dev.eden.demo.postgres.PostgresDatabases;
import dev.eden.demo.postgres.PostgresWorkload;
import dev.eden.proxy.Backend;
import dev.eden.proxy.PostgresProxy;
import dev.eden.proxy.PostgresProxyConfig;
import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.Secret;
import dev.eden.proxy.TlsFiles;
import dev.eden.workflows.MigrationSpec;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** {@link World} of a PostgreSQL: a proxy with each pooling, the source behind a {@linkplain Link link} for them, the target where that is asked for. */
final class PostgresWorld extends World<PostgresWorld> {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int ROWS = 2_000;
    private static final int PROXIES = 2;

    /** What to do to two servers; each by a URI with a superuser. */
    @FunctionalInterface
    interface Servers {
        void prepare(String source, String target) throws Exception;
    }

    static final class Ports extends World.Ports<PostgresWorld> {
        /** Makes what both servers, in order, must have before the migration begins. */
        Servers prepare = (_, _) -> {};

        /** Every third client goes to the source itself, past Eden. */
        boolean strangers;

        /** The proxies go to the target over {@link #proxiesToTarget}. */
        boolean targetOverLink;

        /** Before which a {@link Repeater} stands then. */
        boolean repeats;

        int from = 15;
        int to = 15;

        @Nullable
        TlsFiles tls;

        Ports() {
            super(12, 400);
        }
    }

    final PostgresDatabases databases;
    final Link proxiesToSource;
    final Link proxiesToTarget;
    /** Null unless it is asked for. */
    final @Nullable Repeater repeater;

    private final Ports ports;
    private final EndpointDirectory endpoints;
    private final List<PostgresProxy> proxies = new ArrayList<>();
    private final PostgresWorkload workload;

    PostgresWorld(Database database, StoreChanges changes, Ports ports) throws Exception {
        super(database, changes, "postgres", new MigrationSpec.Data("logical", "logical", "fail"), ports);
        this.ports = ports;
        databases = new PostgresDatabases(ports.from, ports.to);
        databases.starters().forEach(starter -> part(starter.get()));
        databases.prepare();
        workload = new PostgresWorkload(databases, ROWS, new LoadOptions(ports.clients, ports.rate, 7));
        workload.fill();
        ports.prepare.prepare(databases.sourceUri(), databases.targetUri());
        proxiesToSource = part(new Link("127.0.0.1", port("source")));
        proxiesToTarget = part(new Link("127.0.0.1", port("target")));
        repeater = ports.repeats ? part(new Repeater(proxiesToTarget.port())) : null;
        endpoints = endpoints(port("source"), port("target"));
        new PostgresPreparation(endpoints, records, routes::read).prepare(spec, () -> {});
        routes.attach(MIGRATION, "source", "target", List.of("front"));
        int overLink = repeater == null ? proxiesToTarget.port() : repeater.port();
        EndpointDirectory forProxies =
                endpoints(proxiesToSource.port(), ports.targetOverLink ? overLink : port("target"));
        for (int i = 1; i <= PROXIES; i++) {
            proxies.add(part(PostgresProxy.start(
                    PostgresProxyConfig.of(
                                    new ProxyIdentity("p" + i, "1", "127.0.0.1:" + i, "test"),
                                    "front",
                                    new InetSocketAddress("127.0.0.1", 0))
                            .withEventLoops(1)
                            .withPool(i == 1 ? Pooling.TRANSACTION : Pooling.SESSION, 40)
                            .withTls(ports.tls),
                    proxyRoutes(forProxies),
                    new SimpleMeterRegistry())));
        }
        PostgresReplicator replicator = new PostgresReplicator(
                new Pair(MIGRATION, "source", "target", endpoints, records), replicatorLedger(), Clock.systemUTC());
        replicate(() -> replicator.run(_ -> {}), replicator);
        coordinate(new PostgresCutover(endpoints, records));
        awaitReady(true);
        // Up to 15 a server starts one applier in five seconds, and the probe's may have come first.
        awaitApplier("target");
    }

    private URI uri(String endpoint) {
        return URI.create(
                switch (endpoint) {
                    case "source" -> databases.sourceUri();
                    case "target" -> databases.targetUri();
                    default -> throw new NoSuchElementException(endpoint);
                });
    }

    int port(String endpoint) {
        return uri(endpoint).getPort();
    }

    /** Transaction pooling, then session pooling. */
    List<Integer> proxyPorts() {
        return proxies.stream().map(PostgresProxy::port).toList();
    }

    private EndpointDirectory endpoints(int sourcePort, int targetPort) {
        return id -> {
            String[] login = uri(id).getUserInfo().split(":", 2);
            return new Endpoint(
                    id,
                    "postgres",
                    "127.0.0.1",
                    id.equals("source") ? sourcePort : targetPort,
                    false,
                    new Backend.Login(login[0], new Secret(login[1])),
                    "eden");
        };
    }

    void startLoad() {
        List<InetSocketAddress> strangers =
                ports.strangers ? List.of(new InetSocketAddress("127.0.0.1", port("source"))) : List.of();
        work(workload.start(addresses(), strangers));
    }

    private List<InetSocketAddress> addresses() {
        return proxyPorts().stream()
                .map(port -> new InetSocketAddress("127.0.0.1", port))
                .toList();
    }

    @Override
    boolean stranger(int client) {
        return ports.strangers && client >= 0 && client % (PROXIES + 1) == PROXIES;
    }

    EdenObjects names() {
        return EdenObjects.of(MIGRATION);
    }

    /** With Eden's control user, straight to the server. */
    PostgresSession control(String endpoint) {
        return EdenRoles.connect(MIGRATION, endpoints.endpoint(endpoint), records, "test", LIMIT);
    }

    /** The applier waits at its next row of the application's; ended, it is none the wiser. Until this is closed. */
    AutoCloseable stallApplier(String endpoint) {
        PostgresSession session = control(endpoint);
        session.execute("BEGIN");
        for (String table : session.texts(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'app' ORDER BY 1")) {
            session.execute("LOCK TABLE " + table + " IN EXCLUSIVE MODE");
        }
        return session::close;
    }

    /** The target's applier is stopped as a process is (SIGSTOP), whatever it has read and not written yet; until this is closed. */
    AutoCloseable stopApplier() throws Exception {
        long pid = awaitApplier("target");
        signal("STOP", pid);
        return part(() -> signal("CONT", pid));
    }

    /** Waits for a worker that applies what comes to this server, and returns its process. */
    long awaitApplier(String endpoint) throws SQLException {
        try (PostgresSession session = control(endpoint)) {
            return await().until(
                            () -> session.number(
                                    "SELECT pid FROM pg_stat_subscription WHERE subname = ? AND relid IS NULL",
                                    names().main()),
                            pid -> pid > 0);
        }
    }

    /** One that is gone does not hear it. */
    private static void signal(String name, long pid) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, Long.toString(pid))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    @Override
    Verdict verdict(String owner) throws SQLException {
        return workload.judge(owner.equals("target"), false, addresses(), Map.of())
                .checked();
    }
}
