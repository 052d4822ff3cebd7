package dev.eden.activities.migration;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.store.RouteLedger.Routes;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.CutoverActivities;
import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@link CutoverActivities} on the coordinator of this process. */
public final class MigrationCutover implements CutoverActivities {
    private static final Logger LOGGER = LoggerFactory.getLogger(MigrationCutover.class);
    private static final Duration HEARTBEAT = Duration.ofSeconds(1);

    private final CutoverCoordinator coordinator;
    private final AttemptSettler settler;

    public MigrationCutover(CutoverCoordinator coordinator, AttemptSettler settler) {
        this.coordinator = coordinator;
        this.settler = settler;
    }

    @Override
    public Readiness readiness(AttemptRequest request) {
        List<String> blockers = coordinator.readiness(request.spec(), request.forward());
        return new Readiness(blockers.isEmpty(), blockers);
    }

    @Override
    public AttemptResult attempt(AttemptRequest request) {
        return heartbeating(() -> {
            AttemptReport report = coordinator.attempt(request.spec(), request.forward(), request.number());
            return new AttemptResult(
                    report.outcome(), report.blockers(), report.pauseMicros(), Long.toString(report.attempt()));
        });
    }

    @Override
    public AttemptResult settle(AttemptRequest request) {
        return heartbeating(() -> {
            MigrationSpec spec = request.spec();
            Routes row = settler.settleUntilStable(spec.id());
            String wanted = request.forward() ? spec.target() : spec.source();
            boolean committed = row.active().equals(wanted);
            return new AttemptResult(
                    committed ? "committed" : "aborted",
                    committed ? List.of() : List.of("the attempt's coordinator was lost before the commit"),
                    0,
                    Long.toString(row.attempt()));
        });
    }

    /** The protocol is too quick and too exact to be interrupted: the heartbeat only tells that this process lives. */
    private static <T> T heartbeating(Supplier<T> work) {
        ActivityExecutionContext context = Activity.getExecutionContext();
        AtomicBoolean done = new AtomicBoolean();
        Thread beat = Thread.ofVirtual().name("cutover-heartbeat").start(() -> {
            while (!done.get()) {
                try {
                    context.heartbeat(null);
                    Thread.sleep(HEARTBEAT);
                } catch (InterruptedException e) {
                    return;
                } catch (RuntimeException e) {
                    LOGGER.atWarn().addKeyValue("problem", e.getMessage()).log("heartbeat of an attempt failed");
                }
            }
        });
        try {
            return work.get();
        } finally {
            done.set(true);
            beat.interrupt();
        }
    }
}
