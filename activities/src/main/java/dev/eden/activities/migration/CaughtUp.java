package dev.eden.activities.migration;

import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.workflows.activity.ReplicationActivities.CaughtUpRequest;
import dev.eden.workflows.activity.ReplicationActivities.ReplicationStatus;
import io.temporal.activity.Activity;
import java.time.Duration;
import java.util.Optional;

/** Waits until the load is done, the lag is under its gate and the reverse path is proven, as the replicator reports it. */
final class CaughtUp {
    private static final Duration LOOK = Duration.ofMillis(100);
    private static final long FRESH_MILLIS = 3_000;

    private final ReplicationLedger ledger;

    CaughtUp(ReplicationLedger ledger) {
        this.ledger = ledger;
    }

    /** Heartbeats what it sees; ends by cancellation otherwise. */
    ReplicationStatus await(CaughtUpRequest request) {
        while (true) {
            Optional<Progress> progress = ledger.progress(request.spec().id());
            if (progress.isPresent()) {
                ReplicationStatus status = status(progress.get());
                Activity.getExecutionContext().heartbeat(status);
                boolean fresh = System.currentTimeMillis() - progress.get().atMillis() < FRESH_MILLIS;
                boolean caughtUp = status.state().equals("streaming") && status.lagMs() <= request.maxLagMs();
                if (fresh && caughtUp && progress.get().reverseProven()) {
                    return status;
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

    static ReplicationStatus status(Progress p) {
        return new ReplicationStatus(
                p.state(), p.keysDone(), p.keysTotal(), p.bytes(), p.keysPerSecond(), p.etaSeconds(), p.lagMs());
    }
}
