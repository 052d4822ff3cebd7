package dev.eden.workflows.activity;

import dev.eden.workflows.MigrationSpec;
import io.temporal.activity.ActivityInterface;

/** Leaves nothing of Eden's on either server. Idempotent, ordered, retried for ever. */
@ActivityInterface
public interface CleanupActivities {

    /** {@code completed}: the target stays the owner; else the source. {@code emptyTarget}: delete what was copied (rollback before the first flip, on request). */
    record CleanupRequest(MigrationSpec spec, boolean completed, boolean emptyTarget) {}

    void cleanUp(CleanupRequest request);
}
