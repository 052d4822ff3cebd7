package dev.eden.api.mutants;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.SweepLoop;
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
import dev.eden.api.store.InterlayUserStore;
import dev.eden.api.store.SecretCipher;
import dev.eden.api.store.TuningStore;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.load.Load;
import dev.eden.proxy.RouteState;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.WireVersion;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * One migration under load in one process: two real servers, a real store, the replicator, proxies, a sweeper, and the demo's clients. Every port
 * may be {@linkplain Ports intercepted}. {@code W} is the engine's own world: it starts the servers and what stands before them.
 */
abstract class World<W extends World<W>> implements AutoCloseable {
    static final String MIGRATION = "m1";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** What stands between the parts; the identity where nothing does. */
    abstract static class Ports<W> {
        BiFunction<W, RouteLedger, RouteLedger> coordinatorRoutes = (_, real) -> real;
        BiFunction<W, CutoverEngine, CutoverEngine> coordinatorEngine = (_, real) -> real;
        BiFunction<W, RouteLedger, RouteLedger> settlerRoutes = (_, real) -> real;
        BiFunction<W, CutoverEngine, CutoverEngine> settlerEngine = (_, real) -> real;
        BiFunction<W, RouteStore, RouteStore> proxyRoutes = (_, real) -> real;
        BiFunction<W, ReplicationLedger, ReplicationLedger> replicatorLedger = (_, real) -> real;
        long deadlineMillis = 5_000;
        int clients;
        int rate;

        /** The newest wire version that proxies speak which are started from now on. */
        volatile int wire = WireVersion.NEWEST;

        Ports(int clients, int rate) {
            this.clients = clients;
            this.rate = rate;
        }
    }

    final Database database;
    /** What its records are sealed with. */
    final byte[] key = new byte[32];

    final RouteLedger routes;
    final ReplicationLedger replication;
    final EncryptedServerRecords records;
    private final InterlayUserStore users;
    final MigrationSpec spec;
    private final StoreChanges changes;
    private final Ports<W> ports;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    @SuppressWarnings("NullAway.Init") // by coordinate(…)
    private CutoverEngine engine;

    @SuppressWarnings("NullAway.Init") // by coordinate(…)
    private CutoverCoordinator coordinator;

    private @Nullable Load load;
    private int attempts;

    World(Database database, StoreChanges changes, String engine, MigrationSpec.Data data, Ports<W> ports) {
        this.database = database;
        this.changes = changes;
        this.ports = ports;
        database.jdbi().useHandle(h -> {
            h.execute(
                    "TRUNCATE route, attempt, attempt_closed, proxy, acknowledgement, replication, interlay, endpoint, server_record"
                            + " CASCADE");
            h.execute(
                    "INSERT INTO endpoint (id, engine, host, port, tls) VALUES ('source', ?, 'h', 1, false),"
                            + " ('target', ?, 'h', 2, false)",
                    engine,
                    engine);
            h.execute("INSERT INTO interlay (id, engine, endpoint) VALUES ('front', ?, 'source')", engine);
            h.execute("INSERT INTO route (interlay, active) VALUES ('front', 'source')");
        });
        new SecureRandom().nextBytes(key);
        SecretCipher cipher = new SecretCipher(List.of(key));
        records = new EncryptedServerRecords(database.jdbi(), cipher);
        users = new InterlayUserStore(database.jdbi(), cipher, new AuditLog(database.jdbi()));
        routes = new PostgresRouteLedger(database.jdbi(), changes, cipher);
        replication = new PostgresReplicationLedger(
                database.jdbi(), new TuningStore(database.jdbi(), new AuditLog(database.jdbi())));
        spec = new MigrationSpec(
                MIGRATION,
                "",
                engine,
                "source",
                "target",
                List.of("front"),
                new Strategy(
                        "canary", 0, "session", 5, null, new Strategy.WriteMode("dual_write", null, "source", null)),
                data,
                new MigrationSpec.Gates(-1, -1, -1, 100, 60_000, "hold"),
                MigrationSpec.FailureHandling.PAUSE,
                new MigrationSpec.CutoverBudget(ports.deadlineMillis, 1),
                null);
    }

    @SuppressWarnings("unchecked") // W is the class that extends this
    private W self() {
        return (W) this;
    }

    // ---- what an engine's world is built with

    /** Closed with the world, the last one first. */
    <T extends AutoCloseable> T part(T part) {
        parts.push(part);
        return part;
    }

    RouteStore proxyRoutes(EndpointDirectory forProxies) {
        return ports.proxyRoutes.apply(
                self(), new PostgresRouteStore(database.jdbi(), changes, forProxies, records, users, ports.wire));
    }

    ReplicationLedger replicatorLedger() {
        return ports.replicatorLedger.apply(self(), replication);
    }

    void replicate(Runnable run, AutoCloseable replicator) {
        Thread thread = Thread.ofPlatform().daemon().start(run);
        part(() -> {
            replicator.close();
            thread.join();
        });
    }

    /** From now on attempts may be made, and others settle what is left of one. */
    void coordinate(CutoverEngine engine) {
        this.engine = engine;
        RouteLedger settled = ports.settlerRoutes.apply(self(), routes);
        AttemptSettler settler = new AttemptSettler(settled, ports.settlerEngine.apply(self(), engine));
        part(new SweepLoop(settled, settler, null));
        coordinator = new CutoverCoordinator(
                ports.coordinatorRoutes.apply(self(), routes),
                replication,
                ports.coordinatorEngine.apply(self(), engine),
                settler,
                "test");
    }

    void work(Load started) {
        load = part(started);
    }

    private Load load() {
        Load running = load;
        if (running == null) {
            throw new IllegalStateException("no load runs");
        }
        return running;
    }

    /** Of what the owner has, and of what is read through the proxies. */
    abstract Verdict verdict(String owner) throws Exception;

    /** True for a client that goes past Eden. */
    abstract boolean stranger(int client);

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
        long goal = load().stats().operations() + operations;
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(2))
                .until(() -> load().stats().operations() >= goal);
    }

    long troubles() {
        return load().stats().errors() + load().stats().disconnects();
    }

    RouteLedger.Routes row() {
        return routes.read(MIGRATION).orElseThrow();
    }

    void awaitState(RouteState state) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(2)).until(() -> row().state() == state);
    }

    /** Ends the load, reads everything back from the owner and through both proxies, and lets the demo's checker judge. */
    Judgement judge() throws Exception {
        load().close();
        awaitState(RouteState.STABLE);
        String owner = row().active();
        try (CutoverEngine.Session session = engine.open(
                MIGRATION, owner, owner.equals("source") ? "target" : "source", CutoverEngine.Others.LEAVE)) {
            // A mutant may have left a fence; what the server holds is to be judged all the same.
            session.unfence(CutoverEngine.Side.FROM);
            session.relax();
        }
        return new Judgement(
                verdict(owner),
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
