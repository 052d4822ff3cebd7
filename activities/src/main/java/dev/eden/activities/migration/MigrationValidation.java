package dev.eden.activities.migration;

import dev.eden.activities.redis.validation.RedisValidation;
import dev.eden.activities.redis.validation.ValidationCursor;
import dev.eden.activities.store.ValidationLedger.Report;
import dev.eden.workflows.activity.ValidationActivities;
import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;

/** {@link ValidationActivities}: the heartbeat carries the cursor, a retry goes on from it. */
public final class MigrationValidation implements ValidationActivities {
    private final RedisValidation validation;

    public MigrationValidation(RedisValidation validation) {
        this.validation = validation;
    }

    @Override
    public ValidationSummary validate(ValidationRequest request) {
        ActivityExecutionContext context = Activity.getExecutionContext();
        ValidationCursor resume =
                context.getHeartbeatDetails(ValidationCursor.class).orElse(null);
        Report report = validation.validate(request.spec(), request.repair(), resume, context::heartbeat);
        return new ValidationSummary(
                report.keysCompared(), report.differencesFound(), report.repaired(), report.remaining(), report.id());
    }
}
