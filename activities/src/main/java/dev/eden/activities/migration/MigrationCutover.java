package dev.eden.activities.migration;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.cutover.LostAttempts;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.RouteLedger.Routes;
import dev.eden.activities.store.StageLedger;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.CutoverActivities;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.slf4j.MDC;

/** {@link CutoverActivities} on the coordinator of this process. */
public final class MigrationCutover implements CutoverActivities {
    private final RouteLedger routes;
    private final CutoverCoordinator coordinator;
    private final AttemptSettler settler;
    private final LostAttempts lost;
    private final StageLedger stages;

    public MigrationCutover(
            RouteLedger routes,
            CutoverCoordinator coordinator,
            AttemptSettler settler,
            LostAttempts lost,
            StageLedger stages) {
        this.routes = routes;
        this.coordinator = coordinator;
        this.settler = settler;
        this.lost = lost;
        this.stages = stages;
    }

    @Override
    public Readiness readiness(AttemptRequest request) {
        if (coordinator.isThere(request.spec(), request.forward())) {
            return new Readiness(true, List.of());
        }
        List<String> blockers = coordinator.readiness(request.spec(), request.forward());
        if (!blockers.isEmpty()) {
            stages.delayed(request.spec().id(), "not ready for cutover: " + String.join("; ", blockers));
        }
        return new Readiness(blockers.isEmpty(), blockers);
    }

    @Override
    public Readiness awaitReadiness(AttemptRequest request) {
        List<String> blockers = coordinator.awaitReadiness(request.spec(), request.forward());
        return new Readiness(blockers.isEmpty(), blockers);
    }

    @Override
    public Rehearsal rehearse(MigrationSpec spec) {
        AttemptReport report = onOwnThread(() -> coordinator.rehearse(spec), spec.id());
        Long pause = report.pauseMicros();
        return new Rehearsal(report.outcome(), report.blockers(), pause == null ? 0 : pause, report.json());
    }

    /**
     * Committed, too, where the routes are on the wanted side already: an earlier attempt was given up as lost, settled as aborted, and was only
     * slow; or the workflow was set back behind its flip. Refused, the workflow would believe for ever that writes are on the other side.
     */
    @Override
    public AttemptResult attempt(AttemptRequest request) {
        if (coordinator.isThere(request.spec(), request.forward())) {
            return committedEarlier();
        }
        AttemptReport report = onOwnThread(
                () -> coordinator.attempt(request.spec(), request.forward(), request.number(), request.run()),
                request.spec().id());
        if (report.outcome().equals("refused") && coordinator.isThere(request.spec(), request.forward())) {
            return committedEarlier();
        }
        return new AttemptResult(
                report.outcome(), report.blockers(), report.pauseMicros(), Long.toString(report.attempt()));
    }

    /** Its coordinator may be alive, and have armed nothing yet: it must not do so any more once another outcome was told. */
    private Routes settled(AttemptRequest request) {
        String run = request.run();
        Routes row = settler.settleUntilStable(request.spec().id());
        while (run != null && !routes.closeAttempt(row.migration(), row.epoch(), request.number(), run)) {
            row = settler.settleUntilStable(row.migration());
        }
        return row;
    }

    private static AttemptResult committedEarlier() {
        return new AttemptResult("committed", List.of(), null, "0");
    }

    /** A thread of the system: a virtual one is woken by another that was woken before, and clients wait for both. */
    private static AttemptReport onOwnThread(Callable<AttemptReport> attempt, String migration) {
        Map<String, String> context = MDC.getCopyOfContextMap();
        FutureTask<AttemptReport> task = new FutureTask<>(() -> {
            if (context != null) {
                MDC.setContextMap(context);
            }
            return attempt.call();
        });
        Thread thread =
                Thread.ofPlatform().daemon().name("eden-cutover-" + migration).start(task);
        try {
            return task.get();
        } catch (InterruptedException e) {
            // What was begun is settled by whoever comes next; this thread must not act on a server any more.
            thread.interrupt();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted during an attempt of " + migration, e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("the attempt failed: " + e.getCause(), e.getCause());
        }
    }

    @Override
    public AttemptResult settle(AttemptRequest request) {
        MigrationSpec spec = request.spec();
        Routes row = settled(request);
        String wanted = request.forward() ? spec.target() : spec.source();
        boolean committed = row.active().equals(wanted);
        Optional<AttemptReport> told = lost.tell(spec.id()).filter(report -> report.number() == request.number());
        return new AttemptResult(
                committed ? "committed" : "aborted",
                committed ? List.of() : List.of("the attempt's coordinator was lost before the commit"),
                told.map(AttemptReport::pauseMicros).orElse(null),
                Long.toString(told.map(AttemptReport::attempt).orElse(0L)));
    }
}
