package dev.eden.activities.migration;

import dev.eden.activities.postgres.preflight.PostgresPreflight;
import dev.eden.activities.redis.preflight.RedisPreflight;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.PreparationActivities.Preflight;

/** What {@code plan} says, for either engine. */
public record MigrationPreflight(RedisPreflight redis, PostgresPreflight postgres) {

    /** Never throws for what a server says or fails to say: that is a finding. Takes up to about five seconds. */
    public Preflight preflight(MigrationSpec spec) {
        return switch (Engine.of(spec)) {
            case REDIS -> redis.preflight(spec);
            case POSTGRES -> postgres.preflight(spec);
        };
    }
}
