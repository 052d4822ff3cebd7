package dev.eden.api.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.LostAttempts;
import dev.eden.activities.migration.MigrationCutover;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.ToldStages;
import dev.eden.api.store.RouteReports;
import dev.eden.proxy.RouteState;
import dev.eden.proxy.RouteStore;
import dev.eden.workflows.activity.CutoverActivities.AttemptRequest;
import dev.eden.workflows.activity.CutoverActivities.AttemptResult;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Attempts whose coordinator dies: another settles them, and they are told of once. */
@Order(1) // the longest: others run beside it
class LostCoordinatorIT extends ProtocolStage {
    /** What the coordinator rehearses with. */
    private static final long NO_ATTEMPT = -1;

    private final ToldStages stages = new ToldStages();

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

    /** Its clients are held until the route is settled, which takes a login there. */
    @Test
    void anActiveSideThatForgotItsUsersInAnAttemptServesAgain() {
        running.add(new StandInProxy("p1"));
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);
        assertThatThrownBy(() -> coordinator(routes, dyingAt("position")).attempt(spec, true, 1))
                .isInstanceOf(Death.class);
        source.restart();

        new AttemptSettler(routes, engine).settleUntilStable(MIGRATION);

        assertOwner("source", 1);
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

    /** One that was given up as lost, settled as aborted and then committed all the same, or of a workflow that was set back. */
    @Test
    void anAttemptWhoseRoutesAreThereAlreadyIsAnsweredAsCommitted() throws Exception {
        running.add(new StandInProxy("p1"));
        MigrationCutover cutover = cutover(routes);
        AttemptRequest forward = new AttemptRequest(spec, true, 2, "", "run");
        AttemptRequest back = new AttemptRequest(spec, false, 3, "", "run");
        try (StandInApplier _ = new StandInApplier("source", "target")) {
            awaitReady(true);
            assertThat(coordinator(routes, engine).attempt(spec, true, 1).outcome())
                    .isEqualTo("committed");
        }
        long epoch = routes.read(MIGRATION).orElseThrow().epoch();

        assertThat(cutover.readiness(forward).ready()).isTrue();
        AttemptResult again = cutover.attempt(forward);

        assertThat(again.outcome()).isEqualTo("committed");
        assertThat(again.pauseMicros()).isNull();
        assertOwner("target", epoch);
        assertThat(cutover.rehearse(spec).outcome()).isEqualTo("refused");
        try (StandInApplier _ = new StandInApplier("target", "source")) {
            awaitReady(false);
            assertThat(cutover.attempt(back).outcome()).isEqualTo("committed");
        }
        assertOwner("source", epoch + 1);
        assertThat(cutover.attempt(back).outcome()).isEqualTo("committed");
        assertOwner("source", epoch + 1);
    }

    /** Nothing is known of it before it is armed: settled meanwhile, it must not arm any more. */
    @Test
    void anAttemptThatWasSettledArmsNoMore() throws Exception {
        running.add(new StandInProxy("p1"));
        running.add(new StandInApplier("source", "target"));
        awaitReady(true);
        CountDownLatch stopped = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        MigrationCutover slow = cutover(RouteLedger.class.cast(Proxy.newProxyInstance(
                RouteLedger.class.getClassLoader(), new Class<?>[] {RouteLedger.class}, (_, method, arguments) -> {
                    if (method.getName().equals("arm")) {
                        stopped.countDown();
                        released.await();
                    }
                    return method.invoke(routes, arguments);
                })));
        AttemptRequest first = new AttemptRequest(spec, true, 1, "", "run");
        CompletableFuture<AttemptResult> late = CompletableFuture.supplyAsync(() -> slow.attempt(first));
        stopped.await();
        long epoch = routes.read(MIGRATION).orElseThrow().epoch();

        assertThat(cutover(routes).settle(first).outcome()).isEqualTo("aborted");
        released.countDown();

        assertThat(late.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("refused");
        assertOwner("source", epoch);
        assertThat(cutover(routes)
                        .attempt(new AttemptRequest(spec, true, 1, "", "another run"))
                        .outcome())
                .isEqualTo("committed");
    }

    private MigrationCutover cutover(RouteLedger ledger) {
        return new MigrationCutover(
                ledger,
                coordinator(ledger, engine),
                new AttemptSettler(ledger, engine),
                new LostAttempts(ledger),
                stages);
    }

    /** As {@code immediate} asks, when nobody else would hear of it. */
    @Test
    void aCutoverThatWouldComeByItselfAndWaitsIsToldOf() {
        AttemptRequest request = new AttemptRequest(spec, true, 1, "", "run");
        assertThat(cutover(routes).readiness(request).ready()).isFalse();
        assertThat(stages.delays)
                .singleElement()
                .asString()
                .startsWith("not ready for cutover: ")
                .hasSizeGreaterThan("not ready for cutover: ".length());
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
}
