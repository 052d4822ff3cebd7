package dev.eden.workflows.activity;

import io.temporal.activity.ActivityInterface;

/** The directory of migrations in Eden's store: what REST lists, and the audit log. */
@ActivityInterface
public interface DirectoryActivities {

    /** Idempotent by {@code (migration, revision)}; revisions only grow. {@code phaseJson} is the phase as JSON, {@code viewJson} the whole view. */
    record PhaseRecord(
            String migration,
            long revision,
            String phase,
            String viewJson,
            String actor,
            String event,
            String reason) {}

    /** Stores the phase and writes one audit event. Ending phases release the endpoints. */
    void record(PhaseRecord record);
}
