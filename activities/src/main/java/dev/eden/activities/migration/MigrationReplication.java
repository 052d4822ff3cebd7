package dev.eden.activities.migration;

import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.replication.PostgresReplicator;
import dev.eden.activities.redis.replication.RedisReplicator;
import dev.eden.activities.redis.replication.ReplicationConfig;
import dev.eden.activities.redis.replication.ReplicationStopped;
import dev.eden.activities.redis.replication.ReplicatorRegistry;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationWatcher;
import dev.eden.activities.store.ServerRecords;
import dev.eden.activities.store.StageLedger;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.Failures;
import dev.eden.workflows.activity.ReplicationActivities;
import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.failure.ApplicationFailure;
import java.time.Clock;

/** Runs a {@link RedisReplicator} or a {@link PostgresReplicator} for as long as its activity lives; the heartbeat is what ends it. */
public final class MigrationReplication implements ReplicationActivities {
    private final EndpointDirectory endpoints;
    private final ServerRecords records;
    private final ReplicationLedger ledger;
    private final StageLedger stages;
    private final ReplicatorRegistry registry;
    private final int maxValueBytes;
    private final Clock clock;

    public MigrationReplication(
            EndpointDirectory endpoints,
            ServerRecords records,
            ReplicationLedger ledger,
            StageLedger stages,
            ReplicatorRegistry registry,
            int maxValueBytes,
            Clock clock) {
        this.endpoints = endpoints;
        this.records = records;
        this.ledger = ledger;
        this.stages = stages;
        this.registry = registry;
        this.maxValueBytes = maxValueBytes;
        this.clock = clock;
    }

    @Override
    public void replicate(MigrationSpec spec) {
        tellLoss(ledger, spec.id(), Activity.getExecutionContext().getInfo().getAttempt());
        switch (Engine.of(spec)) {
            case REDIS -> redis(spec);
            case POSTGRES -> postgres(spec);
        }
    }

    /** The worker of the attempt before may have died between a lost log and saying so. A first attempt is asked for by a workflow that has heard all. */
    static void tellLoss(ReplicationLedger ledger, String migration, int attempt) {
        if (attempt == 1) {
            ledger.lossTold(migration);
        } else if (ledger.lossUntold(migration)) {
            throw loadedAgain("another worker goes on with a full load, since the log was lost");
        }
    }

    private void postgres(MigrationSpec spec) {
        ActivityExecutionContext context = Activity.getExecutionContext();
        Pair pair = new Pair(spec.id(), spec.source(), spec.target(), endpoints, records);
        try (PostgresReplicator replicator =
                new PostgresReplicator(pair, ledger, clock, !spec.data().type().equals("none"))) {
            replicator.run(new Told(context));
        } catch (dev.eden.activities.postgres.replication.ReplicationStopped e) {
            throw ApplicationFailure.newNonRetryableFailure(
                    String.valueOf(e.getMessage()), Failures.REPLICATION_STOPPED);
        }
    }

    private void redis(MigrationSpec spec) {
        ActivityExecutionContext context = Activity.getExecutionContext();
        ReplicationConfig config = ReplicationConfig.of(
                        spec.id(),
                        spec.source(),
                        spec.target(),
                        ReplicationConfig.Existing.of(spec.data().replace()))
                .withMaxValueBytes(maxValueBytes);
        try (RedisReplicator replicator = new RedisReplicator(config, endpoints, records, ledger, registry, clock)) {
            replicator.run(new Told(context));
        } catch (ReplicationStopped e) {
            throw ApplicationFailure.newNonRetryableFailure(
                    String.valueOf(e.getMessage()), Failures.REPLICATION_STOPPED);
        }
    }

    @Override
    public ReplicationStatus awaitCaughtUp(CaughtUpRequest request) {
        return new CaughtUp(ledger, stages).await(request);
    }

    /** A comparison of before says nothing of what is loaded now, and the reads on the target end: that is the workflow's to know. */
    private static ApplicationFailure loadedAgain(String why) {
        return ApplicationFailure.newNonRetryableFailure(why, Failures.LOADED_AGAIN);
    }

    private record Told(ActivityExecutionContext context) implements ReplicationWatcher {
        @Override
        public void beat(ReplicationLedger.Progress progress) {
            context.heartbeat(CaughtUp.status(progress));
        }

        @Override
        public void loadsAgain(String why) {
            throw loadedAgain(why);
        }
    }
}
