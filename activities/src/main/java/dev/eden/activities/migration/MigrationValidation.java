package dev.eden.activities.migration;

import dev.eden.activities.postgres.validation.PostgresValidation;
import dev.eden.activities.redis.validation.RedisValidation;
import dev.eden.activities.redis.validation.ValidationCursor;
import dev.eden.activities.store.ValidationLedger.Report;
import dev.eden.workflows.activity.ValidationActivities;
import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;

/** {@link ValidationActivities}: the heartbeat carries the cursor, a retry goes on from it. */
public final class MigrationValidation implements ValidationActivities {
    private final RedisValidation redis;
    private final PostgresValidation postgres;

    public MigrationValidation(RedisValidation redis, PostgresValidation postgres) {
        this.redis = redis;
        this.postgres = postgres;
    }

    @Override
    public ValidationSummary validate(ValidationRequest request) {
        Report report = switch (Engine.of(request.spec())) {
            case REDIS -> redis(request);
            case POSTGRES -> postgres(request);
        };
        return new ValidationSummary(
                report.keysCompared(), report.differencesFound(), report.repaired(), report.remaining(), report.id());
    }

    private Report redis(ValidationRequest request) {
        ActivityExecutionContext context = Activity.getExecutionContext();
        ValidationCursor resume =
                context.getHeartbeatDetails(ValidationCursor.class).orElse(null);
        return redis.validate(request.spec(), request.repair(), resume, context::heartbeat);
    }

    private Report postgres(ValidationRequest request) {
        ActivityExecutionContext context = Activity.getExecutionContext();
        PostgresValidation.Cursor resume =
                context.getHeartbeatDetails(PostgresValidation.Cursor.class).orElse(null);
        return postgres.validate(request.spec(), request.repair(), resume, context::heartbeat);
    }
}
