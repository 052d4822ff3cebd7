package dev.eden.workflows.activity;

import dev.eden.workflows.Strategy;
import io.temporal.activity.ActivityInterface;
import org.jspecify.annotations.Nullable;

/** The directory of migrations in Eden's store: what REST lists, and the audit log. */
@ActivityInterface
public interface DirectoryActivities {

    /**
     * Idempotent by {@code (migration, revision)}; revisions only grow. {@code phaseJson} is the phase as JSON, {@code viewJson} the whole view.
     *
     * @param strategy in force from now on, where a command has changed it; null otherwise, and from workflows of before
     */
    record PhaseRecord(
            String migration,
            long revision,
            String phase,
            String viewJson,
            String actor,
            String event,
            String reason,
            @Nullable Strategy strategy) {}

    /** Stores the phase and writes one audit event. Ending phases release the endpoints. */
    void record(PhaseRecord record);
}
