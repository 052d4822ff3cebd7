package dev.eden.api.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.FenceSweeper;
import dev.eden.activities.cutover.LostAttempts;
import dev.eden.activities.cutover.RedisCutover;
import dev.eden.activities.migration.ProxyConnections;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import dev.eden.api.rest.ProxyRemoval;
import dev.eden.api.store.AuditLog;
import dev.eden.api.store.Database;
import dev.eden.api.store.EncryptedServerRecords;
import dev.eden.api.store.ProxyStore;
import dev.eden.api.store.RouteReports;
import dev.eden.api.store.SecretCipher;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.Backend;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.Route;
import dev.eden.proxy.RouteState;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.Secret;
import dev.eden.proxy.TrafficReport;
import dev.eden.proxy.WireRefusedException;
import dev.eden.proxy.WireVersion;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisAccessControlException;

/** The protocol on a real store and two real servers; proxies and applier are stand-ins that only keep the protocol's rules. */
@Order(1) // the longest: others run beside it
class CutoverProtocolIT {
    private static final String MIGRATION = "m1";
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    /** What the coordinator rehearses with. */
    private static final long NO_ATTEMPT = -1;

    private static EmbeddedPostgres postgres;
    private static Database database;
    private static StoreChanges changes;

    @TempDir
    private Path folder;

    private byte[] key;
    private EmbeddedRedis source;
    private EmbeddedRedis target;
    private PostgresRouteLedger routes;
    private PostgresReplicationLedger replication;
    private EncryptedServerRecords records;
    private EndpointDirectory endpoints;
    private RedisCutover engine;
    private MigrationSpec spec;
    private final List<AutoCloseable> running = new ArrayList<>();

    @BeforeAll
    static void startStore() {
        postgres = EmbeddedPostgres.start();
        database = Database.open(
                Database.Settings.of(postgres.jdbcUrl(), postgres.user(), new Secret(postgres.password())));
        Properties properties = new Properties();
        properties.setProperty("user", postgres.user());
        properties.setProperty("password", postgres.password());
        changes = new StoreChanges(postgres.jdbcUrl(), properties);
    }

    @AfterAll
    static void stopStore() {
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
                    "TRUNCATE route, attempt, proxy, acknowledgement, replication, interlay, endpoint, server_record CASCADE");
            h.execute(
                    "INSERT INTO endpoint (id, engine, host, port, tls) VALUES ('source', 'redis', 'h', 1, false), ('target', 'redis', 'h', 2, false)");
            h.execute("INSERT INTO interlay (id, engine, endpoint) VALUES ('front', 'redis', 'source')");
            h.execute("INSERT INTO route (interlay, active) VALUES ('front', 'source')");
        });
        records = new EncryptedServerRecords(database.jdbi(), cipher);
        routes = new PostgresRouteLedger(database.jdbi(), changes, cipher);
        replication = new PostgresReplicationLedger(
                database.jdbi(), new dev.eden.api.store.TuningStore(database.jdbi(), new AuditLog(database.jdbi())));
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
                new MigrationSpec.CutoverBudget(2_000, 1));
        new RedisPreparation(endpoints, records, routes::read).prepare(spec);
        routes.attach(MIGRATION, "source", "target", List.of("front"));
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable part : running.reversed()) {
            part.close();
        }
        source.close();
        target.close();
    }

    @Test
    void anAttemptMovesWritesAndTheNextTakesThemBack() {
        running.add(new StandInProxy("p1"));
        running.add(new StandInProxy("p2"));
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);

        AttemptReport forward = coordinator(routes, engine).attempt(spec, true, 1);

        assertThat(forward.outcome()).as("%s", forward).isEqualTo("committed");
        assertThat(forward.epoch()).isEqualTo(1);
        assertOwner("target", 2);
        assertThat(replication.current(MIGRATION).from()).isEqualTo("target");
        assertThat(replication.current(MIGRATION).startReplid()).isNotNull();

        running.add(new StandInApplier("target", "source"));
        awaitReady(false);
        AttemptReport back = coordinator(routes, engine).attempt(spec, false, 2);

        assertThat(back.outcome()).as("%s", back).isEqualTo("committed");
        assertOwner("source", 3);
    }

    /** All of it but the flip: the source keeps writes, a stranger may write there again, and the real attempt works afterwards. */
    @Test
    void aRehearsalSaysWhatThePauseWouldBeAndMovesNothing() {
        running.add(new StandInProxy("p1"));
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);

        AttemptReport report = coordinator(routes, engine).rehearse(spec);

        assertThat(report.outcome()).as("%s", report).isEqualTo("rehearsed");
        assertThat(report.direction()).isEqualTo("rehearsal");
        assertThat(report.pauseMicros()).isPositive().isLessThan(spec.budget().deadlineMs() * 1_000);
        assertThat(report.steps().stream().map(AttemptReport.Step::name))
                .contains("drain", "fence", "position", "verify", "restore")
                .doesNotContain("turn", "commit");
        assertThat(report.proxies())
                .singleElement()
                .satisfies(
                        proxy -> assertThat(proxy.acknowledgedAtMicros()).containsKeys("ARMED", "DRAINED", "OPENED"));
        assertOwner("source", 1);
        awaitReady(true);
        assertThat(coordinator(routes, engine).attempt(spec, true, 1).outcome()).isEqualTo("committed");
        assertOwner("target", 2);
    }

    @Test
    void aSilentProxyAbortsAndTheSourceServesAgain() {
        running.add(new StandInProxy("p1"));
        StandInProxy silent = new StandInProxy("silent");
        running.add(silent);
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);
        silent.deafTo(RouteStore.Step.DRAINED);

        AttemptReport report = coordinator(routes, engine).attempt(spec, true, 1);

        assertThat(report.outcome()).isEqualTo("aborted");
        assertThat(report.blockers()).anyMatch(b -> b.contains("silent/front"));
        assertOwner("source", 1);
    }

    @Test
    void aStalledApplierAborts() throws Exception {
        running.add(new StandInProxy("p1"));
        StandInApplier applier = new StandInApplier("source", "target");
        awaitReady(true);
        applier.close();
        replication.progress(MIGRATION, progress());
        try (Jedis client = new Jedis(source.host(), source.port())) {
            client.set("eden:{stranger", "a write the applier never applies");
        }

        AttemptReport report = coordinator(routes, engine).attempt(spec, true, 1);

        assertThat(report.outcome()).isEqualTo("aborted");
        assertOwner("source", 1);
    }

    /** The target dies when it is to be fenced off from the applier: the source's clients must not wait for it to come back. */
    @Test
    void anAttemptIsTakenBackWhileTheStandbyIsAway() throws Exception {
        running.add(new StandInProxy("p1"));
        StandInApplier applier = new StandInApplier("source", "target");
        awaitReady(true);
        AtomicBoolean struck = new AtomicBoolean();
        CutoverEngine losingTheTarget = new CutoverEngine() {
            @Override
            public String name() {
                return engine.name();
            }

            @Override
            public Session open(String migration, String from, String to, Others others) {
                Session session = engine.open(migration, from, to, others);
                return (Session) Proxy.newProxyInstance(
                        Session.class.getClassLoader(), new Class<?>[] {Session.class}, (_, method, arguments) -> {
                            if (method.getName().equals("position") && struck.compareAndSet(false, true)) {
                                target.suspend();
                            }
                            try {
                                return method.invoke(session, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
            }

            @Override
            public ActiveSide openActive(String migration, String from, String to, Others others) {
                return engine.openActive(migration, from, to, others);
            }
        };

        var attempt = CompletableFuture.supplyAsync(
                () -> coordinator(routes, losingTheTarget).attempt(spec, true, 1));

        await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
            assertThat(struck).isTrue();
            RouteLedger.Routes row = routes.read(MIGRATION).orElseThrow();
            assertThat(row.state()).isEqualTo(RouteState.STABLE);
        });
        assertThat(routes.read(MIGRATION).orElseThrow().epoch()).isEqualTo(1);
        try (Jedis client = new Jedis(source.host(), source.port())) {
            assertThat(client.set("eden:{stranger", "x")).isEqualTo("OK");
        }
        target.resume();
        assertThat(attempt.get().outcome()).isEqualTo("aborted");
        applier.close();
        FenceSweeper sweeper = new FenceSweeper(routes, engine);
        try (StandInApplier _ = new StandInApplier("source", "target")) {
            await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
                sweeper.sweep();
                assertThat(coordinator(routes, engine).readiness(spec, true)).isEmpty();
            });
            assertOwner("source", 1);
            assertThat(coordinator(routes, engine).attempt(spec, true, 2).outcome())
                    .isEqualTo("committed");
        }
    }

    /** It has joined while the servers were newer, say, and serves; no client waits for an attempt that could not be led. */
    @Test
    void aProxyOfAVersionThatTheServerDoesNotSpeakIsNamedBeforeAnybodyWaits() throws Exception {
        running.add(new StandInProxy("p1"));
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);
        takes(1, 9);
        join("newer", "0.9.0+wire.9");
        takes(WireVersion.OLDEST, WireVersion.NEWEST);

        AttemptReport refused = coordinator(routes, engine).attempt(spec, true, 1);

        assertThat(refused.outcome()).isEqualTo("refused");
        assertThat(refused.blockers())
                .singleElement()
                .asString()
                .contains("front:newer", "wire version 9", "this server 1 to 2", "upgrade the server");
        database.jdbi().useHandle(h -> h.execute("DELETE FROM proxy WHERE name = 'newer'"));
        assertThat(coordinator(routes, engine).attempt(spec, true, 2).outcome()).isEqualTo("committed");
    }

    /** Proxies and servers may be upgraded in either order for as long as they have a version in common; else the proxy does not start. */
    @Test
    void aProxySpeaksTheNewestVersionThatTheServersDoTooOrDoesNotJoin() {
        ProxyIdentity identity = new ProxyIdentity("p1", "1", "h:1", "0.2.0");
        TrafficReport.Side none = new TrafficReport.Side(0, 0, 0, 0, 0);
        TrafficReport report = new TrafficReport(0, 0, 0, none, none, 0, 0, 0, 0, 0, Map.of());
        ProxyStore proxies = new ProxyStore(database.jdbi(), new AuditLog(database.jdbi()));
        try {
            takes(1, 1);
            RouteStore early = routeStore(WireVersion.NEWEST);
            early.join(identity, "front");
            early.report(identity, "front", report, true);
            assertThat(proxies.list("", 10)).singleElement().satisfies(proxy -> {
                assertThat(proxy.wire()).isEqualTo(1);
                assertThat(proxy.serving()).isNull();
            });

            takes(1, 7);
            RouteStore now = routeStore(WireVersion.NEWEST);
            now.join(identity, "front");
            now.report(identity, "front", report, false);
            assertThat(proxies.list("", 10)).singleElement().satisfies(proxy -> {
                assertThat(proxy.wire()).isEqualTo(2);
                assertThat(proxy.version()).isEqualTo("0.2.0");
                assertThat(proxy.serving()).isFalse();
            });
            // One from before joins under the same name: what the other said does not count for it.
            join("p1", "0.1.0");
            assertThat(proxies.list("", 10)).singleElement().satisfies(proxy -> {
                assertThat(proxy.wire()).isEqualTo(1);
                assertThat(proxy.serving()).isNull();
            });

            takes(3, 7);
            assertThatThrownBy(() -> routeStore(WireVersion.NEWEST).join(identity, "front"))
                    .isInstanceOfSatisfying(
                            WireRefusedException.class,
                            refused -> assertThat(refused.proxyIsOlder()).isTrue())
                    .hasMessageContaining("1 to 2, the servers 3 to 7");
            assertThatThrownBy(() -> join("old", "0.1.0"))
                    .as("one that does not know of versions")
                    .hasMessageContaining("proxy old speaks wire version 1, the servers 3 to 7");
        } finally {
            takes(WireVersion.OLDEST, WireVersion.NEWEST);
        }
    }

    private RouteStore routeStore(int newest) {
        return new PostgresRouteStore(database.jdbi(), changes, endpoints, records, newest);
    }

    private static void takes(int oldest, int newest) {
        database.jdbi().useHandle(h -> h.execute("UPDATE wire SET oldest = ?, newest = ?", oldest, newest));
    }

    /** As proxies of any version have always done it. */
    private static void join(String name, String version) {
        database.jdbi().useHandle(h -> h.execute("""
                        INSERT INTO proxy (name, interlay, incarnation, listen, version) VALUES (?, 'front', '1', 'h:1', ?)
                        ON CONFLICT (interlay, name) DO UPDATE SET version = EXCLUDED.version""", name, version));
    }

    /**
     * A real proxy in a process of its own is stopped: cutovers wait for it until it is removed, which is refused for as long as the source shows its
     * connections. When it goes on, its old route leads to a server that would take the write: it must not get it.
     */
    @Test
    void aProxyThatWasRemovedAndComesBackServesTheRouteOfNow() throws Exception {
        running.add(new StandInProxy("p1"));
        running.add(new StandInApplier("source", "target"));
        database.jdbi().useHandle(h -> {
            h.execute("UPDATE endpoint SET host = '127.0.0.1', port = ? WHERE id = 'source'", source.port());
            h.execute("UPDATE endpoint SET host = '127.0.0.1', port = ? WHERE id = 'target'", target.port());
        });
        try (SidecarProcess sidecar = new SidecarProcess(postgres, key, folder);
                Socket client = new Socket("127.0.0.1", sidecar.port())) {
            client.setSoTimeout(30_000);
            assertThat(set(client, "before").get(30, TimeUnit.SECONDS)).isEqualTo("+OK");
            awaitReady(true);
            sidecar.suspend();
            long suspended = System.nanoTime();
            AttemptReport blocked = coordinator(routes, engine).attempt(spec, true, 1);
            assertThat(blocked.outcome()).isEqualTo("aborted");
            assertThat(blocked.blockers()).anyMatch(b -> b.contains("(ARMED) from side-car/front"));

            ProxyRemoval removal = new ProxyRemoval(
                    new ProxyStore(database.jdbi(), new AuditLog(database.jdbi())),
                    new ProxyConnections(endpoints, records)::count);
            refused(removal, ErrorCode.PROXY_ALIVE, false);
            database.jdbi()
                    .useHandle(h -> h.execute(
                            "UPDATE proxy SET seen_at = now() - interval '1 minute' WHERE name = 'side-car'"));
            refused(removal, ErrorCode.PROXY_CONNECTED, true);
            try (RespConnection control = control("source")) {
                // As a server does when its peer's machine is gone for long enough.
                for (String line : control.call("CLIENT", "LIST").text().split("\n")) {
                    if (line.contains("name=eden:side-car ")) {
                        control.call("CLIENT", "KILL", "ID", line.substring(3, line.indexOf(' ')));
                    }
                }
            }
            removal.remove("front:side-car", "its node was lost", false, "kim");

            awaitReady(true);
            AttemptReport flipped = coordinator(routes, engine).attempt(spec, true, 2);
            assertThat(flipped.outcome()).as("%s", flipped).isEqualTo("committed");
            try (CutoverEngine.Session open = engine.open(MIGRATION, "target", "source", CutoverEngine.Others.LEAVE)) {
                open.unfence(CutoverEngine.Side.TO);
                open.relax();
            }
            CompletableFuture<String> answer = set(client, "after"); // there before the process goes on
            // Nobody is silent for the 10 s that a removal asks for without having slept for more than 5 s.
            await().until(() ->
                    System.nanoTime() - suspended > Duration.ofSeconds(6).toNanos());
            sidecar.resume();
            assertThat(answer.get(30, TimeUnit.SECONDS)).as(sidecar::log).isEqualTo("+OK");
            try (Jedis old = new Jedis(source.host(), source.port());
                    Jedis now = new Jedis(target.host(), target.port())) {
                assertThat(old.get("eden:client")).as("the old route").isEqualTo("before");
                assertThat(now.get("eden:client")).isEqualTo("after");
            }
            List<String> joined = database.jdbi()
                    .withHandle(h -> h.createQuery("SELECT name FROM proxy ORDER BY name")
                            .mapTo(String.class)
                            .list());
            assertThat(joined).as("it has joined again").containsExactly("p1", "side-car");
        }
    }

    /** Sends {@code SET eden:client VALUE}, and answers what will come back. */
    private static CompletableFuture<String> set(Socket client, String value) throws IOException {
        String request = "*3\r\n$3\r\nSET\r\n$11\r\neden:client\r\n$" + value.length() + "\r\n" + value + "\r\n";
        client.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return CompletableFuture.supplyAsync(() -> {
            try {
                return new String(client.getInputStream().readNBytes(5), StandardCharsets.US_ASCII).strip();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private RespConnection control(String endpoint) {
        return RespConnection.connect(
                endpoints.endpoint(endpoint),
                records.login(MIGRATION, endpoint, "login:control", "eden-control-" + MIGRATION),
                "test",
                TIMEOUT);
    }

    private static void refused(ProxyRemoval removal, ErrorCode code, boolean force) {
        assertThatThrownBy(() -> removal.remove("front:side-car", "too early", force, "kim"))
                .isInstanceOfSatisfying(
                        Problem.class, problem -> assertThat(problem.code()).isEqualTo(code));
    }

    /** Dies at the first, second, third … call on store or servers, until an attempt gets through alive. */
    @Test
    void whereverTheCoordinatorDiesAnotherSettlesIt() throws Exception {
        running.add(new StandInProxy("p1"));
        int deaths = 0;
        boolean forward = true;
        while (true) {
            String from = forward ? "source" : "target";
            String to = forward ? "target" : "source";
            long epoch = routes.read(MIGRATION).orElseThrow().epoch();
            try (StandInApplier _ = new StandInApplier(from, to)) {
                awaitReady(forward);
                AtomicInteger left = new AtomicInteger(deaths);
                try {
                    AttemptReport alive = coordinator(dying(RouteLedger.class, routes, left), dyingEngine(left))
                            .attempt(spec, forward, deaths);
                    assertThat(alive.outcome()).isEqualTo("committed");
                    assertThat(deaths).isGreaterThan(15);
                    return;
                } catch (Death _) {
                    deaths++;
                }
                AttemptSettler settler = new AttemptSettler(routes, engine);
                await().atMost(Duration.ofSeconds(20)).until(() -> settler.sweep() < 0);
                new LostAttempts(routes).tell(MIGRATION);
                RouteLedger.Routes row = routes.read(MIGRATION).orElseThrow();
                assertThat(row.state()).isEqualTo(RouteState.STABLE);
                assertThat(row.epoch()).as("death %d", deaths).isBetween(epoch, epoch + 1);
                assertThat(told().stream().mapToLong(RouteReports.AttemptReport::attempt))
                        .as("every attempt has an entry, death %d", deaths)
                        .containsExactlyElementsOf(attempts());
                assertThat(told())
                        .filteredOn(one -> one.outcome().equals("committed"))
                        .as("as many as have moved writes, death %d", deaths)
                        .hasSize((int) row.epoch() - 1);
                assertOwner(row.active(), row.epoch());
                forward = row.active().equals("source");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"approach, aborted", "fence, aborted", "turn, aborted", "unfence, committed"})
    void anAttemptWithoutItsCoordinatorIsToldOfOnce(String place, String outcome) {
        running.add(new StandInProxy("p1"));
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);
        assertThatThrownBy(() -> coordinator(routes, dyingAt(place)).attempt(spec, true, 7))
                .isInstanceOf(Death.class);
        LostAttempts lost = new LostAttempts(routes);
        lost.tell(MIGRATION);
        assertThat(told()).as("nobody knows yet").isEmpty();
        new AttemptSettler(routes, engine).settleUntilStable(MIGRATION);
        lost.sweep();
        assertThat(told()).as("its coordinator might be alive").isEmpty();

        AttemptReport report = lost.tell(MIGRATION).orElseThrow();

        assertThat(report.outcome()).isEqualTo(outcome);
        assertThat(report.settled()).isTrue();
        assertThat(report.number()).isEqualTo(7);
        if (place.equals("approach")) {
            assertThat(report.pauseMicros()).as("nobody was held").isZero();
        } else {
            assertThat(report.pauseMicros())
                    .isEqualTo(report.openedAtMicros() - report.holdAtMicros())
                    .isPositive();
        }
        assertThat(lost.tell(MIGRATION)).isEmpty();
        String document = told().getFirst().reportJson();

        routes.saveReport(report.attempt(), "rehearsed", "{}");
        assertThat(told()).as("what others have acted on stays").singleElement().satisfies(one -> {
            assertThat(one.outcome()).isEqualTo(outcome);
            assertThat(one.reportJson()).isEqualTo(document);
        });
        routes.saveReport(report.attempt(), outcome, "{}");
        assertThat(told())
                .as("a coordinator that was slow knows more")
                .singleElement()
                .satisfies(one -> assertThat(one.reportJson()).isEqualTo("{}"));
    }

    /** A proxy that has not opened: its clients may wait still. */
    @Test
    void aPauseThatNobodyHasSeenTheEndOfIsNotKnown() {
        StandInProxy proxy = new StandInProxy("p1");
        proxy.deafTo(RouteStore.Step.OPENED);
        running.add(proxy);
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);
        assertThatThrownBy(() -> coordinator(routes, dyingAt("unfence")).attempt(spec, true, 1))
                .isInstanceOf(Death.class);
        new AttemptSettler(routes, engine).settleUntilStable(MIGRATION);

        AttemptReport report = new LostAttempts(routes).tell(MIGRATION).orElseThrow();

        assertThat(report.outcome()).isEqualTo("committed");
        assertThat(report.pauseMicros()).isNull();
        assertThat(report.holdAtMicros()).isPositive();
        assertThat(report.openedAtMicros()).isZero();
    }

    /** The entries that status and report show. */
    private List<RouteReports.AttemptReport> told() {
        return new PostgresRouteRows(database.jdbi()).attempts(MIGRATION);
    }

    private List<Long> attempts() {
        return database.jdbi()
                .withHandle(h -> h.createQuery("SELECT id FROM attempt ORDER BY id")
                        .mapTo(Long.class)
                        .list());
    }

    /** What is said on the new side before a proxy's listeners listen there is lost to them: whoever opens the route waits for them, and for nobody else. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void nobodyOpensBeforeListenersListen(boolean coordinatorDies) throws Exception {
        StandInProxy carrying = new StandInProxy("p1");
        running.add(carrying);
        carrying.listeners = true;
        running.add(new StandInProxy("p2"));
        try (StandInApplier _ = new StandInApplier("source", "target");
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            awaitReady(true);
            Future<?> flip = threads.submit(() -> {
                if (coordinatorDies) {
                    try {
                        coordinator(routes, dyingAt("unfence")).attempt(spec, true, 1);
                    } catch (Death _) {
                        new AttemptSettler(routes, engine).settleUntilStable(MIGRATION);
                    }
                } else {
                    assertThat(coordinator(routes, engine)
                                    .attempt(spec, true, 1)
                                    .steps())
                            .extracting(AttemptReport.Step::name)
                            .contains("carry");
                }
            });
            await().atMost(Duration.ofSeconds(20))
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> state() == RouteState.COMMITTED);
            await().during(Duration.ofMillis(100))
                    .atMost(Duration.ofMillis(400))
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> state() == RouteState.COMMITTED);
            assertThat(flip.isDone()).isFalse();
            carrying.carried.countDown();
            flip.get();
            assertThat(state()).isEqualTo(RouteState.STABLE);
        }
    }

    private RouteState state() {
        return routes.read(MIGRATION).orElseThrow().state();
    }

    /** The row names the owner, the owner serves a stranger, and the other side refuses one. */
    private void assertOwner(String owner, long epoch) {
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

    private void awaitReady(boolean forward) {
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(coordinator(routes, engine).readiness(spec, forward))
                        .isEmpty());
    }

    private CutoverCoordinator coordinator(RouteLedger ledger, CutoverEngine servers) {
        return new CutoverCoordinator(ledger, replication, servers, new AttemptSettler(ledger, servers), "test");
    }

    private static ReplicationLedger.Progress progress() {
        return new ReplicationLedger.Progress(
                "streaming", 0, 0, 0, 0, 0, 0, 0, 0, true, 0, null, System.currentTimeMillis());
    }

    private static final class Death extends Error {}

    /** A coordinator's sessions that die instead of doing one thing. */
    private CutoverEngine dyingAt(String step) {
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

    private CutoverEngine dyingEngine(AtomicInteger left) {
        return new CutoverEngine() {
            @Override
            public String name() {
                return "redis";
            }

            @Override
            public Session open(String migration, String from, String to, Others others) {
                return dying(Session.class, engine.open(migration, from, to, others), left);
            }

            @Override
            public ActiveSide openActive(String migration, String from, String to, Others others) {
                return dying(ActiveSide.class, engine.openActive(migration, from, to, others), left);
            }
        };
    }

    private static <T> T dying(Class<T> type, T real, AtomicInteger left) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (_, method, arguments) -> {
                    // Looking, waiting and rehearsing are no steps; the session's end is part of dying.
                    boolean step =
                            !List.of("close", "changeMark", "awaitChange", "acknowledgements", "rehearse", "read")
                                            .contains(method.getName())
                                    && (arguments == null
                                            || !Arrays.asList(arguments).contains(NO_ATTEMPT));
                    if (step && left.getAndDecrement() == 0) {
                        throw new Death();
                    }
                    try {
                        return method.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    /** Joins, follows the row and acknowledges what a proxy would. */
    private final class StandInProxy implements AutoCloseable {
        private final PostgresRouteStore store = new PostgresRouteStore(database.jdbi(), changes, endpoints, records);
        private final ProxyIdentity identity;
        private final AtomicBoolean stop = new AtomicBoolean();
        private final Thread thread;
        private volatile RouteStore.@Nullable Step deaf;
        private volatile boolean listeners;
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
    private final class StandInApplier implements AutoCloseable {
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
                        Map<String, String> info = new java.util.HashMap<>();
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
