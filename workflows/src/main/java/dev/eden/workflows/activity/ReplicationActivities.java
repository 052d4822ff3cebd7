package dev.eden.workflows.activity;

import dev.eden.workflows.MigrationSpec;
import io.temporal.activity.ActivityInterface;

/** Full load and change stream. */
@ActivityInterface
public interface ReplicationActivities {

    /** {@code state}: {@code loading}, {@code streaming}, {@code idle}; rates per second; {@code etaSeconds} -1 when unknown. */
    record ReplicationStatus(
            String state,
            long keysDone,
            long keysTotal,
            long bytes,
            double keysPerSecond,
            long etaSeconds,
            long lagMs) {}

    /**
     * Runs for as long as the migration lives: loads, then applies the active side's log to the standby, and follows the
     * committed route through every flip. Heartbeats {@link ReplicationStatus}; resumes from positions kept on the servers; ends
     * only by cancellation or with {@link Failures#REPLICATION_STOPPED}.
     */
    void replicate(MigrationSpec spec);

    /** Returns when the load is done and lag is under {@code maxLagMs}; heartbeats. */
    ReplicationStatus awaitCaughtUp(CaughtUpRequest request);

    record CaughtUpRequest(MigrationSpec spec, long maxLagMs) {}
}
