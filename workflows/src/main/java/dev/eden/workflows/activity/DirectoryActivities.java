package dev.eden.workflows.activity;

import dev.eden.workflows.Strategy;
import io.temporal.activity.ActivityInterface;
import org.jspecify.annotations.Nullable;

/** The directory of migrations in Eden's store: what REST lists, and the audit log. */
@ActivityInterface
public interface DirectoryActivities {

    /**
     * Idempotent by {@code (migration, the workflow's run, revision)}; revisions only grow within a run. {@code phaseJson} is the phase as JSON, {@code viewJson} the whole view.
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

    /**
     * What Eden knows besides at that moment, for people who look at the workflow.
     *
     * @param lagMs of the stream between the two sides; null: there is none
     * @param status where Eden shows the migration; null: nobody has said where Eden is
     */
    record Glance(@Nullable Long lagMs, @Nullable String status) {}

    /** Stores the phase and writes one audit event. Ending phases release the endpoints. Null from a server of before there was an answer. */
    @Nullable
    Glance record(PhaseRecord record);
}
