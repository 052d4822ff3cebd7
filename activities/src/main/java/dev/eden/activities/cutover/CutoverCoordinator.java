package dev.eden.activities.cutover;

import dev.eden.activities.cutover.CutoverEngine.Others;
import dev.eden.activities.cutover.CutoverEngine.Side;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.RouteLedger.Acknowledgement;
import dev.eden.activities.store.RouteLedger.Armed;
import dev.eden.activities.store.RouteLedger.JoinedProxy;
import dev.eden.activities.store.RouteLedger.Position;
import dev.eden.activities.store.RouteLedger.Routes;
import dev.eden.proxy.Failpoints;
import dev.eden.proxy.RouteState;
import dev.eden.workflows.MigrationSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one attempt of the cutover protocol, from STABLE(e) to STABLE(e+1) or back to STABLE(e). Killable at any line: everything
 * that another needs to finish or undo it is in the store before it is done on a server.
 *
 * <pre>
 * STABLE(e) ─arm→ ARMED ─prepare→ PREPARED ─hold,drain,fence,position,verify,turn→ commit→ COMMITTED(e+1) ─unfence→ STABLE(e+1)
 *                   └──────────────────┴─→ ABORTING(e) ─restore→ STABLE(e)
 * </pre>
 *
 * <p>Every step is fenced by the compare-and-set on the route row; the row is read again before each step on a server. The
 * failpoints {@code cutover.<step>} stand before each step.
 */
public final class CutoverCoordinator {
    private static final Logger LOGGER = LoggerFactory.getLogger(CutoverCoordinator.class);
    private static final Duration ARM_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration SETTLE_IN = Duration.ofSeconds(15);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(50);
    private static final Duration OPEN_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration FENCE_MARGIN = Duration.ofMillis(500);
    /** Between arming and the hold: what the rehearsals set off here and in the proxies (compilers above all) should be over when clients wait. */
    private static final Duration SETTLE_DOWN = Duration.ofMillis(300);

    /** After the opening: what clients had to wait for comes first. */
    private static final Duration BREATH = Duration.ofMillis(50);

    private static final int REHEARSALS = 25;
    /** Statements of one rehearsal. */
    private static final int REHEARSED = 5;

    private static final int STATEMENTS_IN_PAUSE = 8;
    private static final long NO_ATTEMPT = -1;
    private static final String REHEARSAL = "rehearsal";
    private static final List<String> ANOTHERS =
            List.of("another attempt owns the route, or this one was given up as lost");
    private static final List<String> NO_ROUTES = List.of("the migration has no routes yet");

    private final RouteLedger routes;
    private final ReplicationLedger replication;
    private final CutoverEngine engine;
    private final AttemptSettler settler;
    private final String name;

    /** @param name of this process, for the row's {@code coordinator} column */
    public CutoverCoordinator(
            RouteLedger routes,
            ReplicationLedger replication,
            CutoverEngine engine,
            AttemptSettler settler,
            String name) {
        this.routes = routes;
        this.replication = replication;
        this.engine = engine;
        this.settler = settler;
        this.name = name;
    }

    /** Step 0 without an attempt: what stands in the way now. Changes nothing. */
    public List<String> readiness(MigrationSpec spec, boolean forward) {
        Routes row = routes.read(spec.id()).orElse(null);
        List<String> blockers = ledgerBlockers(spec, row, forward);
        return blockers.isEmpty() ? serverBlockers(spec, row) : blockers;
    }

    /**
     * As {@link #readiness}, and whom an attempt would wait for in vain. What an attempt would wait for before it says no is waited for here,
     * as long: what is left then lasts.
     */
    public List<String> awaitReadiness(MigrationSpec spec, boolean forward) {
        List<String> blockers = awaitReplication(spec, forward, true);
        return blockers.isEmpty() ? serverBlockers(spec, routes.read(spec.id()).orElse(null)) : blockers;
    }

    private List<String> serverBlockers(MigrationSpec spec, @Nullable Routes row) {
        String standby = row == null ? null : row.standby();
        if (row == null || standby == null) {
            return NO_ROUTES;
        }
        try (CutoverEngine.Session session = engine.open(spec.id(), row.active(), standby, Others.LEAVE)) {
            return session.blockers(spec);
        } catch (RuntimeException e) {
            return List.of("cannot look at the servers: " + e.getMessage());
        }
    }

    /** True where all routes rest on the side that an attempt in this direction would bring writes to. */
    public boolean isThere(MigrationSpec spec, boolean forward) {
        return routes.read(spec.id())
                .filter(row -> row.state() == RouteState.STABLE && row.standby() != null)
                .filter(row -> row.active().equals(forward ? spec.target() : spec.source()))
                .isPresent();
    }

    /** Runs one attempt; never throws for an abort or a refusal, only when this process can no longer tell the outcome. */
    public AttemptReport attempt(MigrationSpec spec, boolean forward, int number) {
        return attempt(spec, forward, number, null);
    }

    /** The same, of a workflow's {@code run}, which may give it up as lost before it is armed: then it is refused. */
    public AttemptReport attempt(MigrationSpec spec, boolean forward, int number, @Nullable String run) {
        return attempt(spec, forward, number, run, forward ? "forward" : "rollback");
    }

    /**
     * The barrier without the flip: as {@link #attempt} forwards, up to the proof that both sides are equal, then taken back as an attempt
     * that is aborted. Clients wait as long as they would in a cutover; authority does not move. Outcome {@code rehearsed} where only the
     * turn and the commit were missing.
     */
    public AttemptReport rehearse(MigrationSpec spec) {
        return attempt(spec, true, 0, null, REHEARSAL);
    }

    private AttemptReport attempt(
            MigrationSpec spec, boolean forward, int number, @Nullable String run, String direction) {
        List<String> blockers = awaitReplication(spec, forward, false);
        Routes row = routes.read(spec.id()).orElseThrow(() -> new IllegalStateException("no routes for " + spec.id()));
        AttemptLog log = new AttemptLog(spec.id(), number, direction, row.epoch(), direction.equals(REHEARSAL));
        String standby = row.standby();
        if (!blockers.isEmpty() || standby == null) {
            return log.refused(blockers);
        }
        Failpoints.reach("cutover.check");
        try (CutoverEngine.Session session = engine.open(spec.id(), row.active(), standby, Others.END)) {
            blockers = session.blockers(spec);
            if (blockers.isEmpty()) {
                blockers = followLogins(row, session);
            }
            if (!blockers.isEmpty()) {
                return log.refused(blockers);
            }
            log.step("check");
            String slow = rehearse(spec, session).orElse(null);
            if (slow != null) {
                return log.refused(List.of(slow));
            }
            log.step("rehearse");
            boolean admitted = admitProxies(spec, session, row.epoch());
            log.step("admit");
            Failpoints.reach("cutover.arm");
            Armed armed = routes.arm(spec.id(), row.epoch(), name, direction, number, run)
                    .orElse(null);
            if (armed == null) {
                if (admitted) {
                    session.shutOut(Set.of());
                }
                return log.refused(ANOTHERS);
            }
            return run(spec, row, armed, admitted, session, log);
        }
    }

    /**
     * Asks the store and the servers what the pause will ask them, with numbers of no attempt, so that neither this process's code nor a
     * connection is cold when clients wait; and refuses when the store is too slow for the budget.
     */
    private Optional<String> rehearse(MigrationSpec spec, CutoverEngine.Session session) {
        long[] nanos = new long[REHEARSALS];
        for (int i = 0; i < REHEARSALS; i++) {
            long began = System.nanoTime();
            routes.read(spec.id());
            routes.acknowledgements(NO_ATTEMPT);
            routes.prepare(spec.id(), NO_ATTEMPT, NO_ATTEMPT, Duration.ZERO);
            routes.commit(spec.id(), NO_ATTEMPT, NO_ATTEMPT, new Position("", 0));
            routes.stable(spec.id(), NO_ATTEMPT, NO_ATTEMPT);
            nanos[i] = (System.nanoTime() - began) / REHEARSED;
            routes.rehearse(spec.id());
            session.rehearse();
        }
        Arrays.sort(nanos);
        long median = nanos[REHEARSALS / 2];
        if (median * STATEMENTS_IN_PAUSE
                > TimeUnit.MILLISECONDS.toNanos(spec.budget().deadlineMs())) {
            return Optional.of("Eden's store takes " + median / 1_000 + " µs for a statement; the pause needs "
                    + STATEMENTS_IN_PAUSE + " of them within " + spec.budget().deadlineMs() + " ms");
        }
        return Optional.empty();
    }

    /** The row is read again: what its sessions were opened for may have been done by another attempt before. */
    private List<String> followLogins(Routes row, CutoverEngine.Session session) {
        boolean unchanged = routes.read(row.migration())
                .filter(now -> now.epoch() == row.epoch() && now.state() == RouteState.STABLE)
                .isPresent();
        return unchanged ? session.followLogins() : ANOTHERS;
    }

    /** What fails here costs clients time in the flip, and nothing else. */
    private static boolean admitProxies(MigrationSpec spec, CutoverEngine.Session session, long epoch) {
        try {
            return session.admitProxies(epoch);
        } catch (RuntimeException e) {
            LOGGER.atWarn()
                    .addKeyValue("migration", spec.id())
                    .addKeyValue("problem", e.getMessage())
                    .log("the proxies cannot log in on the standby ahead of the flip");
            session.shutOut(Set.of());
            return false;
        }
    }

    private void awaitArmed(Armed armed, boolean admitted, CutoverEngine.Session session) {
        try {
            awaitAll(armed, "ARMED", ARM_TIMEOUT);
        } finally {
            if (admitted) {
                session.shutOut(DrainReport.of(routes.acknowledgements(armed.attempt()), "ARMED")
                        .backends());
            }
        }
    }

    private AttemptReport run(
            MigrationSpec spec,
            Routes row,
            Armed armed,
            boolean admitted,
            CutoverEngine.Session session,
            AttemptLog log) {
        long attempt = armed.attempt();
        long epoch = row.epoch();
        log.attempt(attempt);
        AttemptReport report;
        DrainReport drained;
        Position turn;
        try {
            awaitArmed(armed, admitted, session);
            log.step("arm");
            session.approach();
            LockSupport.parkNanos(SETTLE_DOWN.toNanos());
            routes.saveUndo(attempt, session.undo());
            log.step("save-undo");
            Failpoints.reach("cutover.prepare");
            Duration deadline = Duration.ofMillis(spec.budget().deadlineMs());
            log.holdBegins();
            if (!routes.prepare(spec.id(), epoch, attempt, deadline)) {
                throw new AttemptAborted("lost the race to prepare");
            }
            Budget budget = new Budget(deadline);
            log.step("prepare");
            Failpoints.reach("cutover.drain");
            session.beginFence();
            log.step("shut");
            awaitDrained(spec, epoch, armed, session, budget, log);
            drained = DrainReport.of(routes.acknowledgements(attempt));
            session.resting(drained.backends());
            log.step("drain");
            stillMine(spec.id(), epoch, attempt);
            Failpoints.reach("cutover.fence");
            session.fence(budget.left().plus(FENCE_MARGIN));
            log.step("fence");
            Failpoints.reach("cutover.position");
            Position position = session.position();
            if (!session.awaitApplied(position, budget.left())) {
                throw new AttemptAborted("the target did not apply the source's position within the budget");
            }
            log.step("position");
            Failpoints.reach("cutover.verify");
            List<String> differences = session.verify();
            if (!differences.isEmpty()) {
                throw new AttemptAborted("not equal at the position: " + String.join("; ", differences));
            }
            log.step("verify");
            if (log.isRehearsal()) {
                budget.left();
                return save(takenBack(spec, epoch, armed, log));
            }
            stillMine(spec.id(), epoch, attempt);
            Failpoints.reach("cutover.turn");
            turn = session.turn();
            log.step("turn");
            budget.left();
            Failpoints.reach("cutover.commit");
            if (!routes.commit(spec.id(), epoch, attempt, turn)) {
                throw new AttemptAborted("lost the race to commit");
            }
            log.step("commit");
        } catch (NotSettledYet e) {
            // It was waited for already; to abort would be to wait once more.
            throw e;
        } catch (AttemptAborted | FailedAcknowledgement e) {
            report = abort(spec, epoch, attempt, String.valueOf(e.getMessage()), log);
            return save(report);
        } catch (RuntimeException e) {
            LOGGER.atWarn()
                    .addKeyValue("migration", spec.id())
                    .addKeyValue("epoch", epoch)
                    .setCause(e)
                    .log("attempt failed, settling");
            report = abort(spec, epoch, attempt, String.valueOf(e.getMessage()), log);
            return save(report);
        }
        boolean opened =
                rollForward(spec, epoch + 1, armed, !drained.listeners().isEmpty(), session, log);
        report = log.committed(acknowledged(armed, "OPENED", OPEN_TIMEOUT));
        if (opened) {
            replicateBack(spec, epoch + 1, turn, session);
        }
        return save(report);
    }

    /** What fails here is done a little later by whoever looks after replication. */
    private static void replicateBack(MigrationSpec spec, long epoch, Position turn, CutoverEngine.Session session) {
        LockSupport.parkNanos(BREATH.toNanos());
        try {
            session.replicateBack(epoch, turn);
        } catch (RuntimeException e) {
            LOGGER.atInfo()
                    .addKeyValue("migration", spec.id())
                    .addKeyValue("epoch", epoch)
                    .addKeyValue("problem", e.getMessage())
                    .log("the way back is left to the replicator");
        }
    }

    /** True where the new owner is open and {@code session} is still good. */
    private boolean rollForward(
            MigrationSpec spec,
            long epoch,
            Armed armed,
            boolean listeners,
            CutoverEngine.Session session,
            AttemptLog log) {
        try {
            Failpoints.reach("cutover.unfence");
            session.unfence(Side.TO);
            log.step("unfence");
            if (listeners && Listeners.awaitCarried(routes, armed.attempt())) {
                log.step("carry");
            }
            Failpoints.reach("cutover.stable");
            routes.stable(spec.id(), epoch, armed.attempt());
            log.step("stable");
            session.relax();
            session.persist();
            return true;
        } catch (RuntimeException e) {
            // After the commit there is only forward: the settler retries for as long as it takes.
            LOGGER.atWarn()
                    .addKeyValue("migration", spec.id())
                    .addKeyValue("epoch", epoch)
                    .setCause(e)
                    .log("committed, but the opening failed; settling");
            session.close();
            settler.finish(settler.settleUntilStable(spec.id()));
            return false;
        }
    }

    private AttemptReport abort(MigrationSpec spec, long epoch, long attempt, String reason, AttemptLog log) {
        Failpoints.reach("cutover.abort");
        routes.beginAbort(spec.id(), epoch, attempt, reason);
        Routes now = settler.settleUntilStable(spec.id());
        log.step("abort");
        settler.finish(now);
        if (now.epoch() > epoch && now.attempt() == attempt) {
            return log.committed(List.of());
        }
        return log.aborted(List.of(reason), routes.acknowledgements(attempt));
    }

    private AttemptReport takenBack(MigrationSpec spec, long epoch, Armed armed, AttemptLog log) {
        routes.beginAbort(spec.id(), epoch, armed.attempt(), "the rehearsal is over");
        Routes now = settler.settleUntilStable(spec.id());
        log.step("restore");
        AttemptReport report = log.rehearsed(acknowledged(armed, "OPENED", OPEN_TIMEOUT));
        settler.finish(now);
        return report;
    }

    private AttemptReport save(AttemptReport report) {
        routes.saveReport(report.attempt(), report.outcome(), AttemptLog.json(report));
        AttemptLog.ended(LOGGER, report, "cutover attempt ended");
        return report;
    }

    /** What replication has to say may be a moment old (a spike of lag, a reverse path being proven again after a flip): look for a while. */
    private List<String> awaitReplication(MigrationSpec spec, boolean forward, boolean heard) {
        long end = System.nanoTime() + SETTLE_IN.toNanos();
        while (true) {
            long mark = routes.changeMark();
            List<String> blockers =
                    new ArrayList<>(ledgerBlockers(spec, routes.read(spec.id()).orElse(null), forward));
            if (heard) {
                CutoverBlockers.silent(routes.joined(spec.id())).forEach(blockers::add);
            }
            if (blockers.isEmpty() || System.nanoTime() >= end) {
                return blockers;
            }
            routes.awaitChange(mark, LOOK_AGAIN);
        }
    }

    private List<String> ledgerBlockers(MigrationSpec spec, @Nullable Routes row, boolean forward) {
        List<String> blockers = new ArrayList<>();
        if (row == null || row.standby() == null) {
            return NO_ROUTES;
        }
        if (row.state() != RouteState.STABLE) {
            blockers.add("an attempt is being settled (route " + row.state() + ")");
        }
        String expected = forward ? spec.source() : spec.target();
        if (!row.active().equals(expected)) {
            blockers.add("writes are with " + row.active() + " already");
        }
        blockers.addAll(CutoverBlockers.of(
                spec.gates(),
                replication.progress(spec.id()).orElse(null),
                routes.joined(spec.id()),
                System.currentTimeMillis()));
        return blockers;
    }

    /** The row must still be this attempt's, or somebody aborted it: then nothing more may be done on a server. */
    private void stillMine(String migration, long epoch, long attempt) {
        Routes row = routes.read(migration).orElseThrow();
        if (row.epoch() != epoch || row.attempt() != attempt || row.state() != RouteState.PREPARED) {
            throw new AttemptAborted("the attempt was ended by somebody else (route " + row.state() + ")");
        }
    }

    private void awaitAll(Armed armed, String step, Duration atMost) {
        List<String> missing = missing(armed, step, atMost);
        if (!missing.isEmpty()) {
            String why = step.equals("ARMED")
                    ? Unreached.of(routes.acknowledgements(armed.attempt()), missing)
                            .orElse("; who is silent and what to do: eden proxy list")
                    : "";
            throw new FailedAcknowledgement(unanswered(step, missing) + why);
        }
    }

    private void awaitDrained(
            MigrationSpec spec, long epoch, Armed armed, CutoverEngine.Session session, Budget budget, AttemptLog log) {
        if (spec.budget().cancels()) {
            // The rest of the way needs its time, too.
            Duration patience = budget.left().multipliedBy(2).dividedBy(3);
            if (missing(armed, "DRAINED", patience).isEmpty()) {
                return;
            }
            stillMine(spec.id(), epoch, armed.attempt());
            log.ended(session.endStragglers());
            log.step("cancel");
        }
        List<String> missing = missing(armed, "DRAINED", budget.left());
        if (missing.isEmpty()) {
            return;
        }
        List<String> reasons = new ArrayList<>(List.of(unanswered("DRAINED", missing)));
        try {
            reasons.addAll(session.stragglers());
        } catch (RuntimeException e) {
            reasons.add("what is open there could not be asked: " + e.getMessage());
        }
        throw new FailedAcknowledgement(String.join("; ", reasons));
    }

    private static String unanswered(String step, List<String> proxies) {
        return "no answer (" + step + ") from " + String.join(", ", proxies);
    }

    private List<Acknowledgement> acknowledged(Armed armed, String step, Duration atMost) {
        missing(armed, step, atMost);
        return routes.acknowledgements(armed.attempt());
    }

    private List<String> missing(Armed armed, String step, Duration atMost) {
        long end = System.nanoTime() + atMost.toNanos();
        while (true) {
            long mark = routes.changeMark();
            Set<String> heard = routes.acknowledgements(armed.attempt()).stream()
                    .filter(a -> a.step().equals(step))
                    .map(a -> a.proxy() + "/" + a.interlay())
                    .collect(Collectors.toSet());
            List<String> missing = armed.proxies().stream()
                    .map(CutoverCoordinator::key)
                    .filter(p -> !heard.contains(p))
                    .toList();
            long left = end - System.nanoTime();
            if (missing.isEmpty() || left <= 0) {
                return missing;
            }
            routes.awaitChange(mark, Duration.ofNanos(left));
        }
    }

    private static String key(JoinedProxy proxy) {
        return proxy.name() + "/" + proxy.interlay();
    }

    /** The attempt's deadline by the coordinator's own monotonic clock. */
    private static final class Budget {
        private final long end;

        Budget(Duration length) {
            end = System.nanoTime() + length.toNanos();
        }

        /** Throws when nothing is left. */
        Duration left() {
            long left = end - System.nanoTime();
            if (left <= 0) {
                throw new AttemptAborted("the deadline passed");
            }
            return Duration.ofNanos(left);
        }
    }

    private static final class AttemptAborted extends RuntimeException {
        AttemptAborted(String why) {
            super(why);
        }
    }

    private static final class FailedAcknowledgement extends RuntimeException {
        FailedAcknowledgement(String why) {
            super(why);
        }
    }
}
