package dev.eden.activities.migration;

import dev.eden.activities.postgres.preparation.PostgresPreparation;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.store.RouteLedger;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.PreparationActivities;

/** Preflight, then the servers, then the routes: proxies learn of the standby only when Eden's users exist on it. */
public final class MigrationPreparation implements PreparationActivities {
    private final MigrationPreflight preflight;
    private final RedisPreparation redis;
    private final PostgresPreparation postgres;
    private final RouteLedger routes;

    public MigrationPreparation(
            MigrationPreflight preflight, RedisPreparation redis, PostgresPreparation postgres, RouteLedger routes) {
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
    public void prepare(MigrationSpec spec) {
        switch (Engine.of(spec)) {
            case REDIS -> redis.prepare(spec);
            case POSTGRES -> postgres.prepare(spec);
        }
        routes.attach(spec.id(), spec.source(), spec.target(), spec.interlays());
    }
}
