package dev.eden.api.mutants;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.SweepLoop;
import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.cutover.PostgresCutover;
import dev.eden.activities.postgres.preparation.PostgresPreparation;
import dev.eden.activities.postgres.replication.PostgresReplicator;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.route.PostgresReplicationLedger;
import dev.eden.api.route.PostgresRouteLedger;
import dev.eden.api.route.PostgresRouteStore;
import dev.eden.api.route.StoreChanges;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.Database;
import dev.eden.api.store.EncryptedServerRecords;
import dev.eden.api.store.SecretCipher;
import dev.eden.api.store.TuningStore;
import dev.eden.demo.load.Load;
import dev.eden.demo.load.LoadOptions;
import dev.eden.demo.postgres.PostgresDatabases;
import dev.eden.demo.postgres.PostgresWorkload;
import dev.eden.proxy.Backend;
import dev.eden.proxy.PostgresProxy;
import dev.eden.proxy.PostgresProxyConfig;
import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RouteState;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.Secret;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * As {@link World}, of a PostgreSQL: two real servers, a real store, the replicator, a proxy with each pooling, a sweeper, and the demo's
 * clients. Every port may be {@linkplain Ports intercepted}.
 */
final class PostgresWorld implements AutoCloseable {
    static final String MIGRATION = "m1";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final int ROWS = 2_000;
    private static final int PROXIES = 2;

    /** What to do to two servers; each by a URI with a superuser. */
    @FunctionalInterface
    interface Servers {
        void prepare(String source, String target) throws Exception;
    }

    /** What stands between the parts; the identity where nothing does. */
    static final class Ports {
        BiFunction<PostgresWorld, RouteLedger, RouteLedger> coordinatorRoutes = (_, real) -> real;
        BiFunction<PostgresWorld, CutoverEngine, CutoverEngine> coordinatorEngine = (_, real) -> real;
        BiFunction<PostgresWorld, CutoverEngine, CutoverEngine> settlerEngine = (_, real) -> real;
        BiFunction<PostgresWorld, RouteStore, RouteStore> proxyRoutes = (_, real) -> real;
        BiFunction<PostgresWorld, ReplicationLedger, ReplicationLedger> replicatorLedger = (_, real) -> real;
        /** Makes what both servers, in order, must have before the migration begins. */
        Servers prepare = (_, _) -> {};

        /** Every third client goes to the source itself, past Eden. */
        boolean strangers;

        long deadlineMillis = 5_000;
        int clients = 12;
        int rate = 400;
        int from = 15;
        int to = 15;
        PostgresProxyConfig.@Nullable Tls tls;
    }

    final PostgresDatabases databases;
    final Link proxiesToSource;
    final RouteLedger routes;
    final ReplicationLedger replication;
    final EncryptedServerRecords records;
    final Database database;
    private final Ports ports;
    private final MigrationSpec spec;
    private final EndpointDirectory endpoints;
    private final CutoverCoordinator coordinator;
    private final List<PostgresProxy> proxies = new ArrayList<>();
    private final PostgresWorkload workload;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private @Nullable Load load;
    private int attempts;

    PostgresWorld(Database database, StoreChanges changes, Ports ports) throws Exception {
        this.database = database;
        this.ports = ports;
        database.jdbi().useHandle(h -> {
            h.execute(
                    "TRUNCATE route, attempt, proxy, acknowledgement, replication, interlay, endpoint, server_record CASCADE");
            h.execute(
                    "INSERT INTO endpoint (id, engine, host, port, tls) VALUES ('source', 'postgres', 'h', 1, false), ('target', 'postgres', 'h', 2, false)");
            h.execute("INSERT INTO interlay (id, engine, endpoint) VALUES ('front', 'postgres', 'source')");
            h.execute("INSERT INTO route (interlay, active) VALUES ('front', 'source')");
        });
        databases = new PostgresDatabases(ports.from, ports.to);
        databases.starters().forEach(starter -> part(starter.get()));
        databases.prepare();
        workload = new PostgresWorkload(databases, ROWS, new LoadOptions(ports.clients, ports.rate, 7));
        workload.fill();
        ports.prepare.prepare(databases.sourceUri(), databases.targetUri());
        proxiesToSource = part(new Link("127.0.0.1", port("source")));
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        SecretCipher cipher = new SecretCipher(List.of(key));
        records = new EncryptedServerRecords(database.jdbi(), cipher);
        routes = new PostgresRouteLedger(database.jdbi(), changes, cipher);
        replication = new PostgresReplicationLedger(
                database.jdbi(), new TuningStore(database.jdbi(), new AuditLog(database.jdbi())));
        endpoints = endpoints(port("source"));
        spec = spec(ports.deadlineMillis);
        new PostgresPreparation(endpoints, records, routes::read).prepare(spec);
        routes.attach(MIGRATION, "source", "target", List.of("front"));
        EndpointDirectory forProxies = endpoints(proxiesToSource.port());
        for (int i = 1; i <= PROXIES; i++) {
            RouteStore store = ports.proxyRoutes.apply(
                    this, new PostgresRouteStore(database.jdbi(), changes, forProxies, records));
            proxies.add(part(PostgresProxy.start(
                    PostgresProxyConfig.of(
                                    new ProxyIdentity("p" + i, "1", "127.0.0.1:" + i, "test"),
                                    "front",
                                    new InetSocketAddress("127.0.0.1", 0))
                            .withEventLoops(1)
                            .withPool(i == 1 ? Pooling.TRANSACTION : Pooling.SESSION, 40)
                            .withTls(ports.tls),
                    store,
                    new SimpleMeterRegistry())));
        }
        replicate();
        CutoverEngine engine = new PostgresCutover(endpoints, records);
        AttemptSettler settler = new AttemptSettler(routes, ports.settlerEngine.apply(this, engine));
        part(new SweepLoop(routes, settler, null));
        coordinator = new CutoverCoordinator(
                ports.coordinatorRoutes.apply(this, routes),
                replication,
                ports.coordinatorEngine.apply(this, engine),
                settler,
                "test");
        awaitReady(true);
    }

    private <T extends AutoCloseable> T part(T part) {
        parts.push(part);
        return part;
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

    private EndpointDirectory endpoints(int sourcePort) {
        return id -> {
            String[] login = uri(id).getUserInfo().split(":", 2);
            return new Endpoint(
                    id,
                    "postgres",
                    "127.0.0.1",
                    id.equals("source") ? sourcePort : port(id),
                    false,
                    new Backend.Login(login[0], new Secret(login[1])),
                    "eden");
        };
    }

    private static MigrationSpec spec(long deadlineMillis) {
        return new MigrationSpec(
                MIGRATION,
                "",
                "postgres",
                "source",
                "target",
                List.of("front"),
                new Strategy(
                        "canary", 0, "session", 5, null, new Strategy.WriteMode("dual_write", null, "source", null)),
                new MigrationSpec.Data("logical", "logical", "fail"),
                new MigrationSpec.Gates(-1, -1, -1, 100, 60_000, "hold"),
                MigrationSpec.FailureHandling.PAUSE,
                new MigrationSpec.CutoverBudget(deadlineMillis, 1));
    }

    private void replicate() {
        PostgresReplicator replicator = new PostgresReplicator(
                new Pair(MIGRATION, "source", "target", endpoints, records),
                ports.replicatorLedger.apply(this, replication),
                Clock.systemUTC());
        Thread thread = Thread.ofPlatform().daemon().start(() -> replicator.run(_ -> {}));
        part(() -> {
            replicator.close();
            thread.join();
        });
    }

    // ---- what scenarios do

    void startLoad() {
        List<InetSocketAddress> strangers =
                ports.strangers ? List.of(new InetSocketAddress("127.0.0.1", port("source"))) : List.of();
        load = part(workload.start(addresses(), strangers));
    }

    private List<InetSocketAddress> addresses() {
        return proxyPorts().stream()
                .map(port -> new InetSocketAddress("127.0.0.1", port))
                .toList();
    }

    private Load load() {
        Load running = load;
        if (running == null) {
            throw new IllegalStateException("no load runs");
        }
        return running;
    }

    AttemptReport attempt(boolean forward) {
        return coordinator.attempt(spec, forward, ++attempts);
    }

    void awaitReady(boolean forward) {
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(coordinator.readiness(spec, forward)).isEmpty());
    }

    /** Until the clients have had this many more answers. */
    void awaitLoad(int operations) {
        long goal = load().stats().operations() + operations;
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(2))
                .until(() -> load().stats().operations() >= goal);
    }

    long troubles() {
        return load().stats().errors() + load().stats().disconnects();
    }

    private boolean stranger(int client) {
        return ports.strangers && client >= 0 && client % (PROXIES + 1) == PROXIES;
    }

    RouteLedger.Routes row() {
        return routes.read(MIGRATION).orElseThrow();
    }

    void awaitState(RouteState state) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(2)).until(() -> row().state() == state);
    }

    EdenObjects names() {
        return EdenObjects.of(MIGRATION);
    }

    /** With Eden's control user, straight to the server. */
    PostgresSession control(String endpoint) {
        return EdenRoles.connect(MIGRATION, endpoints.endpoint(endpoint), records, "test", LIMIT);
    }

    /** The applier waits at its next row of the application's; ended, it is none the wiser. Until this is closed. */
    AutoCloseable stallApplier() {
        PostgresSession session = control("target");
        session.execute("BEGIN");
        for (String table : session.texts(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'app' ORDER BY 1")) {
            session.execute("LOCK TABLE " + table + " IN EXCLUSIVE MODE");
        }
        return session::close;
    }

    /** Ends the load, reads everything back from the owner and through both proxies, and lets the demo's checker judge. */
    Judgement judge() throws Exception {
        load().close();
        awaitState(RouteState.STABLE);
        String owner = row().active();
        try (CutoverEngine.Session session = new PostgresCutover(endpoints, records)
                .open(MIGRATION, owner, owner.equals("source") ? "target" : "source", CutoverEngine.Others.LEAVE)) {
            // A mutant may have left a fence; what the server holds is to be judged all the same.
            session.unfence(CutoverEngine.Side.FROM);
        }
        return new Judgement(
                workload.judge(owner.equals("target"), false, addresses(), Map.of())
                        .checked(),
                load().stats().troubles().stream()
                        .filter(trouble -> !stranger(trouble.client()))
                        .toList());
    }

    @Override
    public void close() {
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
