package dev.eden.api.mutants;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.RedisCutover;
import dev.eden.activities.cutover.SweepLoop;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.redis.replication.RedisReplicator;
import dev.eden.activities.redis.replication.ReplicationConfig;
import dev.eden.activities.redis.replication.ReplicatorRegistry;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.route.PostgresReplicationLedger;
import dev.eden.api.route.PostgresRouteLedger;
import dev.eden.api.route.PostgresRouteStore;
import dev.eden.api.route.StoreChanges;
import dev.eden.api.store.Database;
import dev.eden.api.store.EncryptedServerRecords;
import dev.eden.api.store.SecretCipher;
import dev.eden.demo.check.Checker;
import dev.eden.demo.check.FinalState;
import dev.eden.demo.history.History;
import dev.eden.demo.load.FinalReader;
import dev.eden.demo.load.Keyspace;
import dev.eden.demo.load.LoadGenerator;
import dev.eden.demo.load.LoadOptions;
import dev.eden.demo.load.Preload;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RedisProxy;
import dev.eden.proxy.RedisProxyConfig;
import dev.eden.proxy.RouteState;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.WireVersion;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;

/**
 * One migration under load in one process: two real servers behind {@linkplain Link links}, a real store, the replicator, two proxies, a
 * sweeper, and the demo's clients. Every port may be {@linkplain Ports intercepted}.
 */
final class World implements AutoCloseable {
    static final String MIGRATION = "m1";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final long EXPIRY_TOLERANCE_MICROS = 500_000;
    private static final int KEYS = 2_000;

    /** What stands between the parts; the identity where nothing does. */
    static final class Ports {
        BiFunction<World, RouteLedger, RouteLedger> coordinatorRoutes = (_, real) -> real;
        BiFunction<World, CutoverEngine, CutoverEngine> coordinatorEngine = (_, real) -> real;
        BiFunction<World, CutoverEngine, CutoverEngine> settlerEngine = (_, real) -> real;
        BiFunction<World, RouteStore, RouteStore> proxyRoutes = (_, real) -> real;
        BiFunction<World, ReplicationLedger, ReplicationLedger> replicatorLedger = (_, real) -> real;
        /** Clients that go to the source itself, past Eden, for every four that do not. */
        int strangers;

        long deadlineMillis = 5_000;
        /** Two of a server's size, or as many side-cars as this. */
        int sidecars;

        /** The newest wire version that proxies speak which are started from now on. */
        volatile int wire = WireVersion.NEWEST;

        int clients = 16;
        int rate = 500;
    }

    final EmbeddedRedis source;
    final EmbeddedRedis target;
    final Link applierToTarget;
    final Link proxiesToSource;
    final Link proxiesToTarget;
    final RouteLedger routes;
    final ReplicationLedger replication;
    final EncryptedServerRecords records;
    final Database database;
    private final Ports ports;
    private final MigrationSpec spec;
    private final CutoverCoordinator coordinator;
    private final List<RedisProxy> proxies = new ArrayList<>();
    private final Keyspace keyspace = new Keyspace(KEYS);
    private final History history = new History();
    private final LoadGenerator load;
    private final Supplier<RouteStore> stores;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private int attempts;

    World(Database database, StoreChanges changes, Ports ports) {
        this.database = database;
        this.ports = ports;
        database.jdbi().useHandle(h -> {
            h.execute(
                    "TRUNCATE route, attempt, proxy, acknowledgement, replication, interlay, endpoint, server_record CASCADE");
            h.execute(
                    "INSERT INTO endpoint (id, engine, host, port, tls) VALUES ('source', 'redis', 'h', 1, false), ('target', 'redis', 'h', 2, false)");
            h.execute("INSERT INTO interlay (id, engine, endpoint) VALUES ('front', 'redis', 'source')");
            h.execute("INSERT INTO route (interlay, active) VALUES ('front', 'source')");
        });
        source = part(EmbeddedRedis.start());
        target = part(EmbeddedRedis.start());
        applierToTarget = part(new Link(target.host(), target.port()));
        proxiesToSource = part(new Link(source.host(), source.port()));
        proxiesToTarget = part(new Link(target.host(), target.port()));
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        SecretCipher cipher = new SecretCipher(List.of(key));
        records = new EncryptedServerRecords(database.jdbi(), cipher);
        routes = new PostgresRouteLedger(database.jdbi(), changes, cipher);
        replication = new PostgresReplicationLedger(
                database.jdbi(),
                new dev.eden.api.store.TuningStore(database.jdbi(), new dev.eden.api.store.AuditLog(database.jdbi())));
        EndpointDirectory direct = endpoints(source.port(), target.port());
        CutoverEngine engine = new RedisCutover(direct, records);
        spec = spec(ports.deadlineMillis);
        try (Jedis jedis = new Jedis(source.host(), source.port())) {
            new Preload(keyspace, 7).fill(jedis, history, 2_000);
        }
        new RedisPreparation(direct, records, routes::read).prepare(spec);
        routes.attach(MIGRATION, "source", "target", List.of("front"));
        EndpointDirectory forProxies = endpoints(proxiesToSource.port(), proxiesToTarget.port());
        stores = () -> ports.proxyRoutes.apply(
                this, new PostgresRouteStore(database.jdbi(), changes, forProxies, records, ports.wire));
        for (int i = 1; i <= Math.max(2, ports.sidecars); i++) {
            proxies.add(part(proxy("p" + i, 0)));
        }
        replicate(endpoints(source.port(), applierToTarget.port()));
        AttemptSettler settler = new AttemptSettler(routes, ports.settlerEngine.apply(this, engine));
        part(new SweepLoop(routes, settler, null));
        coordinator = new CutoverCoordinator(
                ports.coordinatorRoutes.apply(this, routes),
                replication,
                ports.coordinatorEngine.apply(this, engine),
                settler,
                "test");
        load = part(LoadGenerator.start(
                addresses(ports.strangers), keyspace, new LoadOptions(ports.clients, ports.rate, 7), history));
        awaitReady(true);
    }

    /** Starts one more proxy of the front; port 0: a free one. */
    RedisProxy proxy(String name, int port) {
        RedisProxyConfig config = RedisProxyConfig.of(
                new ProxyIdentity(name, "1", "127.0.0.1:" + port, "test"),
                "front",
                new InetSocketAddress("127.0.0.1", port));
        if (ports.sidecars > 0) {
            config = new RedisProxyConfig(
                    config.identity(), config.interlay(), config.listen(), 1, 1, config.maxPinned(), config.limits());
        }
        return RedisProxy.start(config, stores.get(), new SimpleMeterRegistry());
    }

    /** The proxies that were there from the start. */
    List<RedisProxy> proxies() {
        return List.copyOf(proxies);
    }

    private <T extends AutoCloseable> T part(T part) {
        parts.push(part);
        return part;
    }

    private static MigrationSpec spec(long deadlineMillis) {
        return new MigrationSpec(
                MIGRATION,
                "",
                "redis",
                "source",
                "target",
                List.of("front"),
                new Strategy(
                        "canary", 0, "session", 5, null, new Strategy.WriteMode("dual_write", null, "source", null)),
                new MigrationSpec.Data("scan", "auto", "replace"),
                new MigrationSpec.Gates(-1, -1, -1, 100, 60_000, "hold"),
                MigrationSpec.FailureHandling.PAUSE,
                new MigrationSpec.CutoverBudget(deadlineMillis, 1));
    }

    private static EndpointDirectory endpoints(int sourcePort, int targetPort) {
        return id -> switch (id) {
            case "source" -> new Endpoint(id, "redis", "127.0.0.1", sourcePort, false, null);
            case "target" -> new Endpoint(id, "redis", "127.0.0.1", targetPort, false, null);
            default -> throw new NoSuchElementException(id);
        };
    }

    private void replicate(EndpointDirectory endpoints) {
        RedisReplicator replicator = new RedisReplicator(
                ReplicationConfig.of(MIGRATION, "source", "target", ReplicationConfig.Existing.REPLACE),
                endpoints,
                records,
                ports.replicatorLedger.apply(this, replication),
                new ReplicatorRegistry(),
                Clock.systemUTC());
        Thread thread = Thread.ofPlatform().daemon().start(() -> replicator.run(_ -> {}));
        part(() -> {
            replicator.close();
            thread.join();
        });
    }

    private List<HostAndPort> addresses(int strangers) {
        List<HostAndPort> addresses = new ArrayList<>();
        for (int i = 0; i < Math.max(4, ports.sidecars); i++) {
            addresses.add(
                    new HostAndPort("127.0.0.1", proxies.get(i % proxies.size()).port()));
        }
        for (int i = 0; i < strangers; i++) {
            addresses.add(new HostAndPort(source.host(), source.port()));
        }
        return addresses;
    }

    /** True for a client that goes past Eden. */
    boolean stranger(int client) {
        return ports.sidecars == 0 && client % (4 + ports.strangers) >= 4;
    }

    // ---- what scenarios do

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
        long goal = load.stats().operations() + operations;
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(2))
                .until(() -> load.stats().operations() >= goal);
    }

    long troubles() {
        return load.stats().errors() + load.stats().disconnects();
    }

    /** Of the applier that may write the target now. */
    long generation() {
        return replication.current(MIGRATION).generation();
    }

    RouteLedger.Routes row() {
        return routes.read(MIGRATION).orElseThrow();
    }

    void awaitState(RouteState state) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(2)).until(() -> row().state() == state);
    }

    /** With Eden's control user, straight to the server. */
    RespConnection control(String endpoint) {
        int port = endpoint.equals("source") ? source.port() : target.port();
        return RespConnection.connect(
                new Endpoint(endpoint, "redis", "127.0.0.1", port, false, null),
                records.login(MIGRATION, endpoint, EdenUsers.CONTROL_LOGIN, EdenUsers.control(MIGRATION)),
                "test",
                TIMEOUT);
    }

    /** Ends the load, reads everything back from the owner and through both proxies, and lets the demo's checker judge. */
    Judgement judge() {
        load.close();
        awaitState(RouteState.STABLE);
        String owner = row().active();
        try (CutoverEngine.Session session = new RedisCutover(endpoints(source.port(), target.port()), records)
                .open(MIGRATION, owner, owner.equals("source") ? "target" : "source", CutoverEngine.Others.LEAVE)) {
            // A mutant may have left a fence; what the server holds is to be judged all the same.
            session.unfence(CutoverEngine.Side.FROM);
            session.relax();
        }
        FinalReader reader = new FinalReader(keyspace, history);
        List<FinalState> states = new ArrayList<>();
        EmbeddedRedis server = owner.equals("source") ? source : target;
        states.add(read(reader, owner, server.port()));
        for (RedisProxy proxy : proxies.subList(0, 2)) {
            states.add(read(reader, "a proxy", proxy.port()));
        }
        return new Judgement(
                new Checker(keyspace, EXPIRY_TOLERANCE_MICROS).check(history, states),
                load.stats().troubles().stream()
                        .filter(trouble -> !stranger(trouble.client()))
                        .toList());
    }

    private static FinalState read(FinalReader reader, String place, int port) {
        try (Jedis jedis = new Jedis("127.0.0.1", port, 60_000)) {
            return reader.read(place, jedis);
        }
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
