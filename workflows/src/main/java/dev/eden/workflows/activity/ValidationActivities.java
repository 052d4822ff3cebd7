package dev.eden.workflows.activity;

import dev.eden.workflows.MigrationSpec;
import io.temporal.activity.ActivityInterface;

/** Full comparison under live writes, repair, comparison again. */
@ActivityInterface
public interface ValidationActivities {

    /** {@code repair}: differences are copied again and compared once more. */
    record ValidationRequest(MigrationSpec spec, boolean repair) {}

    /** The stored report has the sample of differences; here only what the workflow decides on. */
    record ValidationSummary(
            long keysCompared, long differencesFound, long repaired, long remaining, String reportId) {}

    /** Compares everything; heartbeats its cursor. Never throws for a difference: the summary says so. */
    ValidationSummary validate(ValidationRequest request);
}
