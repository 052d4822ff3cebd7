package dev.eden.activities.migration;

import dev.eden.activities.postgres.preflight.PostgresCopyForecast;
import dev.eden.activities.postgres.preparation.PostgresPreparation;
import dev.eden.activities.redis.preflight.RedisCopyForecast;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.MigrationEndedException;
import dev.eden.activities.store.RouteLedger;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.Failures;
import dev.eden.workflows.activity.PreparationActivities;
import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.failure.ApplicationFailure;

/** Preflight, then the servers, then the routes: proxies learn of the standby only when Eden's users exist on it. */
public final class MigrationPreparation implements PreparationActivities {
    private final EndpointDirectory endpoints;
    private final MigrationPreflight preflight;
    private final RedisPreparation redis;
    private final PostgresPreparation postgres;
    private final RouteLedger routes;

    public MigrationPreparation(
            EndpointDirectory endpoints,
            MigrationPreflight preflight,
            RedisPreparation redis,
            PostgresPreparation postgres,
            RouteLedger routes) {
        this.endpoints = endpoints;
        this.preflight = preflight;
        this.redis = redis;
        this.postgres = postgres;
        this.routes = routes;
    }

    @Override
    public Preflight preflight(MigrationSpec spec) {
        return preflight.preflight(spec);
    }

    @Override
    public CopyForecast forecast(MigrationSpec spec) {
        if (spec.data().type().equals("none")) {
            return new CopyForecast(0, 0, 0, "nothing is copied");
        }
        Endpoint source = endpoints.endpoint(spec.source());
        return switch (Engine.of(spec)) {
            case REDIS -> RedisCopyForecast.of(source);
            case POSTGRES -> PostgresCopyForecast.of(source);
        };
    }

    @Override
    public void prepare(MigrationSpec spec) {
        try {
            prepareServers(spec);
            routes.attach(spec.id(), spec.source(), spec.target(), spec.interlays());
        } catch (MigrationEndedException e) {
            throw ApplicationFailure.newNonRetryableFailure(
                    String.valueOf(e.getMessage()), Failures.PRECONDITION_FAILED);
        }
    }

    private void prepareServers(MigrationSpec spec) {
        switch (Engine.of(spec)) {
            case REDIS -> redis.prepare(spec);
            case POSTGRES -> {
                ActivityExecutionContext context = Activity.getExecutionContext();
                // Throws where the migration does not want it any more.
                postgres.prepare(spec, () -> context.heartbeat(null));
            }
        }
    }
}
