package dev.eden.api.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.RedisCutover;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.Database;
import dev.eden.api.store.EncryptedServerRecords;
import dev.eden.api.store.InterlayUserStore;
import dev.eden.api.store.SecretCipher;
import dev.eden.api.store.TuningStore;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.Backend;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.Route;
import dev.eden.proxy.RouteState;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.Secret;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisAccessControlException;

/** A real store and two real servers for tests of the protocol; proxies and applier are stand-ins that only keep the protocol's rules. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS) // one store for a class, none between classes that run at once
abstract class ProtocolStage {
    static final String MIGRATION = "m1";
    static final Duration TIMEOUT = Duration.ofSeconds(5);

    EmbeddedPostgres postgres;
    Database database;
    StoreChanges changes;

    @TempDir
    Path folder;

    byte[] key;
    EmbeddedRedis source;
    EmbeddedRedis target;
    PostgresRouteLedger routes;
    PostgresReplicationLedger replication;
    EncryptedServerRecords records;
    InterlayUserStore users;
    EndpointDirectory endpoints;
    RedisCutover engine;
    MigrationSpec spec;
    final List<AutoCloseable> running = new ArrayList<>();

    @BeforeAll
    void startStore() {
        postgres = EmbeddedPostgres.start();
        database = Database.open(
                Database.Settings.of(postgres.jdbcUrl(), postgres.user(), new Secret(postgres.password())));
        Properties properties = new Properties();
        properties.setProperty("user", postgres.user());
        properties.setProperty("password", postgres.password());
        changes = new StoreChanges(postgres.jdbcUrl(), properties);
    }

    @AfterAll
    void stopStore() {
        changes.close();
        database.close();
        postgres.close();
    }

    @BeforeEach
    void prepare() {
        source = EmbeddedRedis.start();
        target = EmbeddedRedis.start();
        key = new byte[32];
        new SecureRandom().nextBytes(key);
        SecretCipher cipher = new SecretCipher(List.of(key));
        Map<String, Endpoint> known = Map.of(
                "source", new Endpoint("source", "redis", source.host(), source.port(), false, null),
                "target", new Endpoint("target", "redis", target.host(), target.port(), false, null));
        endpoints = id -> Objects.requireNonNull(known.get(id), id);
        database.jdbi().useHandle(h -> {
            h.execute(
                    "TRUNCATE route, attempt, attempt_closed, proxy, acknowledgement, replication, interlay, endpoint, server_record CASCADE");
            h.execute(
                    "INSERT INTO endpoint (id, engine, host, port, tls) VALUES ('source', 'redis', 'h', 1, false), ('target', 'redis', 'h', 2, false)");
            h.execute("INSERT INTO interlay (id, engine, endpoint) VALUES ('front', 'redis', 'source')");
            h.execute("INSERT INTO route (interlay, active) VALUES ('front', 'source')");
        });
        records = new EncryptedServerRecords(database.jdbi(), cipher);
        users = new InterlayUserStore(database.jdbi(), cipher, new AuditLog(database.jdbi()));
        routes = new PostgresRouteLedger(database.jdbi(), changes, cipher);
        replication = new PostgresReplicationLedger(
                database.jdbi(), new TuningStore(database.jdbi(), new AuditLog(database.jdbi())));
        engine = new RedisCutover(endpoints, records);
        spec = new MigrationSpec(
                MIGRATION,
                "",
                "redis",
                "source",
                "target",
                List.of("front"),
                new Strategy(
                        "canary", 0, "session", 5, null, new Strategy.WriteMode("dual_write", null, "source", null)),
                new MigrationSpec.Data("scan", "auto", "replace"),
                MigrationSpec.Gates.defaults(),
                MigrationSpec.FailureHandling.PAUSE,
                new MigrationSpec.CutoverBudget(2_000, 1),
                null);
        new RedisPreparation(endpoints, records, routes::read).prepare(spec);
        routes.attach(MIGRATION, "source", "target", List.of("front"));
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable part : running.reversed()) {
            part.close();
        }
        running.clear();
        source.close();
        target.close();
    }

    RouteState state() {
        return routes.read(MIGRATION).orElseThrow().state();
    }

    /** The row names the owner, the owner serves a stranger, and the other side refuses one. */
    void assertOwner(String owner, long epoch) {
        RouteLedger.Routes row = routes.read(MIGRATION).orElseThrow();
        assertThat(row.state()).isEqualTo(RouteState.STABLE);
        assertThat(row.active()).isEqualTo(owner);
        assertThat(row.epoch()).isEqualTo(epoch);
        EmbeddedRedis serving = owner.equals("source") ? source : target;
        EmbeddedRedis fenced = owner.equals("source") ? target : source;
        try (Jedis client = new Jedis(serving.host(), serving.port())) {
            assertThat(client.set("eden:{stranger", "x")).isEqualTo("OK");
        }
        try (Jedis client = new Jedis(fenced.host(), fenced.port())) {
            assertThatThrownBy(() -> client.get("eden:{stranger")).isInstanceOf(JedisAccessControlException.class);
        }
    }

    void awaitReady(boolean forward) {
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(coordinator(routes, engine).readiness(spec, forward))
                        .isEmpty());
    }

    CutoverCoordinator coordinator(RouteLedger ledger, CutoverEngine servers) {
        return new CutoverCoordinator(ledger, replication, servers, new AttemptSettler(ledger, servers), "test");
    }

    RespConnection control(String endpoint) {
        return RespConnection.connect(
                endpoints.endpoint(endpoint),
                records.login(MIGRATION, endpoint, "login:control", "eden-control-" + MIGRATION),
                "test",
                TIMEOUT);
    }

    static ReplicationLedger.Progress progress() {
        return new ReplicationLedger.Progress(
                "streaming", 0, 0, 0, 0, 0, 0, 0, 0, true, 0, null, System.currentTimeMillis());
    }

    static final class Death extends Error {}

    /** A coordinator's sessions that die instead of doing one thing. */
    CutoverEngine dyingAt(String step) {
        return CutoverEngine.class.cast(Proxy.newProxyInstance(
                CutoverEngine.class.getClassLoader(), new Class<?>[] {CutoverEngine.class}, (_, method, arguments) -> {
                    Object result = method.invoke(engine, arguments);
                    return !(result instanceof CutoverEngine.Session session)
                            ? result
                            : Proxy.newProxyInstance(
                                    CutoverEngine.Session.class.getClassLoader(),
                                    new Class<?>[] {CutoverEngine.Session.class},
                                    (_, call, with) -> {
                                        if (call.getName().equals(step)) {
                                            throw new Death();
                                        }
                                        try {
                                            return call.invoke(session, with);
                                        } catch (InvocationTargetException e) {
                                            throw e.getCause();
                                        }
                                    });
                }));
    }

    /** Joins, follows the row and acknowledges what a proxy would. */
    final class StandInProxy implements AutoCloseable {
        private final PostgresRouteStore store =
                new PostgresRouteStore(database.jdbi(), changes, endpoints, records, users);
        private final ProxyIdentity identity;
        private final AtomicBoolean stop = new AtomicBoolean();
        private final Thread thread;
        private volatile RouteStore.@Nullable Step deaf;
        volatile boolean listeners;
        final CountDownLatch carried = new CountDownLatch(1);

        StandInProxy(String name) {
            identity = new ProxyIdentity(name, "1", "127.0.0.1:0", "test");
            store.join(identity, "front");
            thread = Thread.ofVirtual().start(this::follow);
        }

        void deafTo(RouteStore.Step step) {
            deaf = step;
        }

        private void follow() {
            while (!stop.get()) {
                long mark = changes.mark();
                Route route = store.read(identity, "front");
                switch (route.state()) {
                    case ARMED -> acknowledge(route, RouteStore.Step.ARMED);
                    case PREPARED -> acknowledge(route, RouteStore.Step.DRAINED);
                    case STABLE -> {
                        if (route.attempt() > 0) {
                            acknowledge(route, RouteStore.Step.OPENED);
                        }
                    }
                    case COMMITTED -> {
                        if (carried.getCount() == 0) {
                            acknowledge(route, RouteStore.Step.CARRIED);
                        }
                    }
                    case ABORTING -> {}
                }
                changes.await(mark, Duration.ofMillis(50));
            }
        }

        private void acknowledge(Route route, RouteStore.Step step) {
            if (step != deaf) {
                store.acknowledge(
                        identity,
                        "front",
                        route.attempt(),
                        step,
                        listeners && step == RouteStore.Step.DRAINED ? "{\"listeners\":1}" : "{}");
            }
        }

        @Override
        public void close() throws Exception {
            stop.set(true);
            thread.join();
            store.leave(identity, "front");
        }
    }

    /** Writes the applied position under an identity of its own, as the applier does, until that identity is taken away. */
    final class StandInApplier implements AutoCloseable {
        private final AtomicBoolean stop = new AtomicBoolean();
        private final Thread thread;

        StandInApplier(String from, String to) {
            String user = "eden-apply-" + MIGRATION + "-" + System.nanoTime();
            try (RespConnection admin = control(to)) {
                admin.call("ACL", "SETUSER", user, "on", ">pw", "~*", "+@all");
            }
            RespConnection reading = control(from);
            RespConnection writing = RespConnection.connect(
                    endpoints.endpoint(to), new Backend.Login(user, new Secret("pw")), "applier", TIMEOUT);
            // Something to make the server keep a log at all.
            try (RespConnection link = control(from)) {
                link.call("REPLCONF", "capa", "psync2");
                link.send("PSYNC", "?", "-1");
                link.flush();
                link.read();
            }
            thread = Thread.ofVirtual().start(() -> {
                try (reading;
                        writing) {
                    while (!stop.get()) {
                        Map<String, String> info = new HashMap<>();
                        for (String line :
                                reading.call("INFO", "replication").text().split("\r\n")) {
                            String[] field = line.split(":", 2);
                            info.put(field[0], field[field.length - 1]);
                        }
                        writing.call(
                                "HSET",
                                ReplicationLedger.appliedKey(MIGRATION),
                                "replid",
                                info.getOrDefault("master_replid", ""),
                                "offset",
                                info.getOrDefault("master_repl_offset", ""));
                        replication.progress(MIGRATION, progress());
                    }
                } catch (RuntimeException taken) {
                    // Its identity is gone, or the test is over.
                }
            });
        }

        @Override
        public void close() throws Exception {
            stop.set(true);
            thread.join();
        }
    }
}
