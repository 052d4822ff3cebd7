package dev.eden.api.worker;

import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.Failures;
import dev.eden.workflows.activity.ReplicationActivities;
import dev.eden.workflows.activity.ValidationActivities;
import io.temporal.failure.ApplicationFailure;

/** Stands where an engine's part is not built in. */
public final class Unavailable implements ReplicationActivities, ValidationActivities {
    @Override
    public void replicate(MigrationSpec spec) {
        throw unavailable("replication");
    }

    @Override
    public ReplicationStatus awaitCaughtUp(CaughtUpRequest request) {
        throw unavailable("replication");
    }

    @Override
    public ValidationSummary validate(ValidationRequest request) {
        throw unavailable("validation");
    }

    private static ApplicationFailure unavailable(String part) {
        return ApplicationFailure.newNonRetryableFailure(part + " is not built in", Failures.CONFIG_INVALID);
    }
}
