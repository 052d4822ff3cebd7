package dev.eden.activities.migration;

import dev.eden.activities.redis.preflight.RedisPreflight;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.store.RouteLedger;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.PreparationActivities;

/** Preflight, then the servers, then the routes: proxies learn of the standby only when Eden's users exist on it. */
public final class MigrationPreparation implements PreparationActivities {
    private final RedisPreflight preflight;
    private final RedisPreparation preparation;
    private final RouteLedger routes;

    public MigrationPreparation(RedisPreflight preflight, RedisPreparation preparation, RouteLedger routes) {
        this.preflight = preflight;
        this.preparation = preparation;
        this.routes = routes;
    }

    @Override
    public Preflight preflight(MigrationSpec spec) {
        return preflight.preflight(spec);
    }

    @Override
    public void prepare(MigrationSpec spec) {
        preparation.prepare(spec);
        routes.attach(spec.id(), spec.source(), spec.target(), spec.interlays());
    }
}
