package dev.eden.api.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.FenceSweeper;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.RouteLedger;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.Backend;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RouteState;
import dev.eden.proxy.RouteStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisDataException;

/** Attempts that end by themselves: committed, rehearsed, or aborted by what did not answer. */
class CutoverProtocolIT extends ProtocolStage {
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

    /** Between the preparation and the flip days may pass, and between the flip and the way back. */
    @Test
    void usersMadeOrChangedOnTheActiveSideLogInOnTheNewOne() {
        running.add(new StandInProxy("p1"));
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);
        try (RespConnection here = control("source")) {
            here.call("ACL", "SETUSER", "late", "on", ">first", "~*", "+@all");
        }
        assertThat(coordinator(routes, engine).attempt(spec, true, 1).outcome()).isEqualTo("committed");
        assertThat(loggedIn(target, "late", "first")).isTrue();

        try (RespConnection there = control("target")) {
            there.call("ACL", "SETUSER", "late", "resetpass", ">second");
        }
        running.add(new StandInApplier("target", "source"));
        awaitReady(false);
        assertThat(coordinator(routes, engine).attempt(spec, false, 2).outcome())
                .isEqualTo("committed");
        assertThat(loggedIn(source, "late", "second")).isTrue();
        assertThat(loggedIn(source, "late", "first")).isFalse();

        try (RespConnection here = control("source")) {
            here.call("ACL", "DELUSER", "late");
        }
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);
        assertThat(coordinator(routes, engine).attempt(spec, true, 3).outcome()).isEqualTo("committed");
        assertThat(loggedIn(target, "late", "second"))
                .as("it may have been forgotten by a restart")
                .isTrue();
    }

    private static boolean loggedIn(EmbeddedRedis server, String user, String password) {
        try (Jedis client = new Jedis(server.host(), server.port())) {
            return client.auth(user, password).equals("OK")
                    && client.set("eden:{stranger", "x").equals("OK");
        } catch (JedisDataException refused) {
            return false;
        }
    }

    /** Proxies let the standby answer only those from whom the owner of writes keeps nothing, by its rules of now. */
    @Test
    void whatClientsMayReadIsLookedAtAgainAndAgain() {
        PostgresRouteStore store = new PostgresRouteStore(database.jdbi(), changes, endpoints, records, users);
        ProxyIdentity proxy = new ProxyIdentity("p1", "1", "127.0.0.1:0", "test");
        store.join(proxy, "front");
        BooleanSupplier open = () -> {
            Backend active = store.read(proxy, "front").active();
            return active != null && active.openToAll();
        };
        assertThat(open.getAsBoolean()).as("nobody has looked").isFalse();
        FenceSweeper sweeper = new FenceSweeper(routes, engine);
        sweeper.sweep();
        await().until(open::getAsBoolean);
        try (RespConnection here = control("source")) {
            here.call("ACL", "SETUSER", "default", "resetkeys", "~public:*");
            sweeper.sweep();
            await().until(() -> !open.getAsBoolean());
            here.call("ACL", "SETUSER", "default", "~*");
            sweeper.sweep();
            await().until(open::getAsBoolean);
        }
        database.jdbi()
                .useHandle(
                        h -> h.execute(
                                "UPDATE server_record SET updated_at = updated_at - interval '1 min' WHERE name = 'reads:open'"));
        await().until(() -> !open.getAsBoolean());
    }

    /** Without a file for users a restart forgets the fence, and Eden's users with it. */
    @Test
    void aStandbyThatHasForgottenItsUsersIsFencedAgain() {
        running.add(new StandInProxy("p1"));
        assertOwner("source", 1);
        target.restart();
        try (Jedis client = new Jedis(target.host(), target.port())) {
            assertThat(client.get("eden:{stranger")).as("open").isNull();
        }

        new FenceSweeper(routes, engine).sweep();

        assertOwner("source", 1);
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);
        assertThat(coordinator(routes, engine).attempt(spec, true, 1).outcome()).isEqualTo("committed");
        assertOwner("target", 2);
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
}
