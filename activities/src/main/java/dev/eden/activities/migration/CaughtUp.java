package dev.eden.activities.migration;

import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.activities.store.StageLedger;
import dev.eden.workflows.activity.ReplicationActivities.CaughtUpRequest;
import dev.eden.workflows.activity.ReplicationActivities.ReplicationStatus;
import io.temporal.activity.Activity;
import java.time.Duration;
import java.util.Optional;

/** Waits until the load is done, the lag is under its gate and the reverse path is proven, as the replicator reports it. */
final class CaughtUp {
    private static final Duration LOOK = Duration.ofMillis(100);
    private static final long FRESH_MILLIS = 3_000;

    /** What has gathered while the load ran is applied first; more is worth a word. */
    private static final long USUAL_NANOS = Duration.ofSeconds(30).toNanos();

    private final ReplicationLedger ledger;
    private final StageLedger stages;

    CaughtUp(ReplicationLedger ledger, StageLedger stages) {
        this.ledger = ledger;
        this.stages = stages;
    }

    /** Heartbeats what it sees; ends by cancellation otherwise. */
    ReplicationStatus await(CaughtUpRequest request) {
        long over = 0;
        boolean told = false;
        while (true) {
            Optional<Progress> progress = ledger.progress(request.spec().id());
            if (progress.isPresent()) {
                ReplicationStatus status = status(progress.get());
                Activity.getExecutionContext().heartbeat(status);
                boolean fresh = System.currentTimeMillis() - progress.get().atMillis() < FRESH_MILLIS;
                boolean caughtUp = status.state().equals("streaming")
                        && status.lagMs() >= 0
                        && status.lagMs() <= request.maxLagMs();
                if (fresh && caughtUp && progress.get().reverseProven()) {
                    return status;
                }
                boolean late = fresh && status.state().equals("streaming") && status.lagMs() > request.maxLagMs();
                over = !late ? 0 : over == 0 ? System.nanoTime() : over;
                if (late && !told && System.nanoTime() - over > USUAL_NANOS) {
                    told = true;
                    stages.delayed(request.spec().id(), late(status.lagMs(), request.maxLagMs()));
                }
            } else {
                Activity.getExecutionContext().heartbeat(null);
            }
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for replication", e);
            }
        }
    }

    private static String late(long lagMillis, long maxMillis) {
        return "before the canary: the replication lag is " + lagMillis + " ms, " + maxMillis + " ms are allowed";
    }

    static ReplicationStatus status(Progress p) {
        return new ReplicationStatus(
                p.state(), p.keysDone(), p.keysTotal(), p.bytes(), p.keysPerSecond(), p.etaSeconds(), p.lagMs());
    }
}
