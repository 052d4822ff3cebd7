package dev.eden.activities.migration;

import dev.eden.activities.canary.RouteCanary;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.FenceSweeper;
import dev.eden.activities.cutover.LostAttempts;
import dev.eden.activities.postgres.cleanup.PostgresCleanup;
import dev.eden.activities.postgres.preflight.PostgresPreflight;
import dev.eden.activities.postgres.preparation.PostgresPreparation;
import dev.eden.activities.postgres.replication.RetentionSweeper;
import dev.eden.activities.postgres.validation.PostgresValidation;
import dev.eden.activities.redis.cleanup.RedisCleanup;
import dev.eden.activities.redis.preflight.RedisPreflight;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.redis.replication.ReplicatorRegistry;
import dev.eden.activities.redis.validation.RedisValidation;
import dev.eden.activities.redis.validation.ReplicatorPositions;
import dev.eden.activities.redis.validation.ValidationOptions;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.ServerRecords;
import dev.eden.activities.store.StageLedger;
import dev.eden.activities.store.UserDirectory;
import dev.eden.activities.store.ValidationLedger;
import java.time.Clock;

/** Everything a worker runs, composed from the store's ports. {@code preflight} also serves REST's {@code plan}. */
public record MigrationSteps(
        MigrationPreflight preflight,
        MigrationPreparation preparation,
        MigrationReplication replication,
        MigrationValidation validation,
        RouteCanary canary,
        MigrationCutover cutover,
        MigrationCleanup cleanup,
        AttemptSettler settler,
        FenceSweeper fences,
        RetentionSweeper retention) {

    /** The store's side. */
    public record Ports(
            EndpointDirectory endpoints,
            ServerRecords records,
            UserDirectory users,
            RouteLedger routes,
            StageLedger stages,
            ReplicationLedger replication,
            ValidationLedger reports) {}

    /**
     * @param process name of this process, for the route row's coordinator
     * @param maxValueBytes a Redis value that is larger, serialised, stops the load
     */
    public static MigrationSteps of(Ports ports, String process, int maxValueBytes, Clock clock) {
        CutoverEngine engine = EndpointEngines.of(ports.endpoints(), ports.records());
        AttemptSettler settler = new AttemptSettler(ports.routes(), engine);
        LostAttempts lost = new LostAttempts(ports.routes());
        MigrationPreflight preflight = new MigrationPreflight(
                new RedisPreflight(ports.endpoints(), maxValueBytes),
                new PostgresPreflight(ports.endpoints(), ports.records(), ports.users()));
        ReplicatorRegistry replicators = new ReplicatorRegistry();
        RedisValidation validation = new RedisValidation(
                ports.endpoints(),
                ports.records(),
                ports.replication(),
                ports.reports(),
                ReplicatorPositions.of(replicators),
                ValidationOptions.defaults(),
                clock);
        return new MigrationSteps(
                preflight,
                new MigrationPreparation(
                        ports.endpoints(),
                        preflight,
                        new RedisPreparation(ports.endpoints(), ports.records(), ports.routes()::read),
                        new PostgresPreparation(ports.endpoints(), ports.records(), ports.routes()::read),
                        ports.routes()),
                new MigrationReplication(
                        ports.endpoints(),
                        ports.records(),
                        ports.replication(),
                        ports.stages(),
                        replicators,
                        maxValueBytes,
                        clock),
                new MigrationValidation(
                        validation,
                        new PostgresValidation(
                                ports.endpoints(), ports.records(), ports.replication(), ports.reports(), clock)),
                new RouteCanary(ports.routes(), ports.stages(), clock),
                new MigrationCutover(
                        ports.routes(),
                        new CutoverCoordinator(ports.routes(), ports.replication(), engine, settler, process),
                        settler,
                        lost,
                        ports.stages()),
                new MigrationCleanup(
                        ports.routes(),
                        settler,
                        lost,
                        new RedisCleanup(ports.endpoints(), ports.records()),
                        new PostgresCleanup(ports.endpoints(), ports.records())),
                settler,
                new FenceSweeper(ports.routes(), engine),
                new RetentionSweeper(ports.endpoints(), ports.records(), ports.routes(), ports.replication(), clock));
    }
}
