package dev.eden.api;

import dev.eden.activities.canary.RouteCanary;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.cutover.FenceSweeper;
import dev.eden.activities.cutover.RedisCutover;
import dev.eden.activities.cutover.SweepLoop;
import dev.eden.activities.migration.MigrationCleanup;
import dev.eden.activities.migration.MigrationCutover;
import dev.eden.activities.migration.MigrationPreparation;
import dev.eden.activities.redis.cleanup.RedisCleanup;
import dev.eden.activities.redis.preflight.RedisPreflight;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.store.MigrationRecorder;
import dev.eden.api.worker.Unavailable;
import dev.eden.workflows.worker.MigrationActivities;
import java.util.List;

/** The activities of this version, bound to the store. */
final class ActivitySet {
    private ActivitySet() {}

    static EdenServer.Activities.Opened open(EdenStore store) {
        RouteLedger routes = store.routes();
        RedisCutover redis = new RedisCutover(store.endpoints(), store.records());
        AttemptSettler settler = new AttemptSettler(routes, redis);
        String name = "server-" + ProcessHandle.current().pid();
        CutoverCoordinator coordinator = new CutoverCoordinator(routes, store.replication(), redis, settler, name);
        Unavailable missing = new Unavailable();
        MigrationActivities activities = new MigrationActivities(
                new MigrationPreparation(
                        new RedisPreflight(store.endpoints()),
                        new RedisPreparation(store.endpoints(), store.records(), routes::read),
                        routes),
                missing,
                missing,
                new RouteCanary(routes),
                new MigrationCutover(coordinator, settler),
                new MigrationCleanup(routes, settler, new RedisCleanup(store.endpoints(), store.records())),
                new MigrationRecorder(store.database().jdbi(), store.audit()));
        SweepLoop sweeper = new SweepLoop(routes, settler, new FenceSweeper(routes, redis));
        return new EdenServer.Activities.Opened(activities, List.of(sweeper));
    }
}
