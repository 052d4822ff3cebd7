package dev.eden.workflows.worker;

import dev.eden.workflows.MigrationWorkflowImpl;
import dev.eden.workflows.TaskQueues;
import io.temporal.common.VersioningBehavior;
import io.temporal.common.WorkerDeploymentVersion;
import io.temporal.worker.WorkerDeploymentOptions;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerFactoryOptions;
import io.temporal.worker.WorkerOptions;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The three workers of a migration: which activity is served by which task queue is the workflow's business, so it is written
 * down beside it. Payloads are Jackson's ({@code MigrationPhase} carries its own type); the client's data converter may encrypt them.
 */
public final class MigrationWorkers {
    /** A cancellation reaches a heartbeating activity within this time; the SDK's default would be many seconds. */
    static final Duration LONGEST_HEARTBEAT_THROTTLE = Duration.ofSeconds(1);

    /**
     * Steps of data movers at once. A running migration has one for as long as it lives and for some time a second that waits for the first: with the
     * SDK's 200 some hundred migrations could keep each other's second ones from the last places for ever. They are virtual threads and mostly rest.
     */
    static final int DATA_STEPS = 4_000;

    /** A workflow's thread that gets no processor for the SDK's one second is no deadlock, only a busy machine: its task would be done again. */
    private static final long NO_PROCESSOR_MILLIS = 5_000;

    private MigrationWorkers() {}

    /** For {@code WorkerFactory.newInstance}: workflows on virtual threads. */
    public static WorkerFactoryOptions factoryOptions() {
        return WorkerFactoryOptions.newBuilder()
                .setUsingVirtualWorkflowThreads(true)
                .build();
    }

    /** Registers everything, under {@code version} or, where it is null, under none; the caller starts the factory. */
    public static void register(
            WorkerFactory factory, MigrationActivities activities, @Nullable WorkerVersion version) {
        orchestrator(factory, activities, version);
        data(factory, activities, version);
        cutover(factory, activities, version);
    }

    /** The workflow, and the directory beside it. */
    public static void orchestrator(
            WorkerFactory factory, MigrationActivities activities, @Nullable WorkerVersion version) {
        var worker = factory.newWorker(TaskQueues.ORCHESTRATOR, options(version));
        worker.registerWorkflowImplementationTypes(MigrationWorkflowImpl.class);
        worker.registerActivitiesImplementations(activities.directory());
    }

    /** What moves and compares data. */
    public static void data(WorkerFactory factory, MigrationActivities activities, @Nullable WorkerVersion version) {
        factory.newWorker(TaskQueues.DATA, options(version, DATA_STEPS))
                .registerActivitiesImplementations(
                        new LivePreparation(activities.preparation()),
                        activities.replication(),
                        activities.validation(),
                        activities.canary());
    }

    /** What must not wait for data movers: attempts, settling, the read share, cleaning up. */
    public static void cutover(WorkerFactory factory, MigrationActivities activities, @Nullable WorkerVersion version) {
        factory.newWorker(TaskQueues.CUTOVER, options(version))
                .registerActivitiesImplementations(
                        new LiveCutover(activities.cutover()),
                        new LiveCleanup(activities.cleanup()),
                        activities.canary());
    }

    private static WorkerOptions options(@Nullable WorkerVersion version) {
        return options(version, 0);
    }

    /** {@code activities} at once; 0: the SDK's default. */
    private static WorkerOptions options(@Nullable WorkerVersion version, int activities) {
        WorkerOptions.Builder options = WorkerOptions.newBuilder()
                .setDefaultDeadlockDetectionTimeout(NO_PROCESSOR_MILLIS)
                .setMaxConcurrentActivityExecutionSize(activities)
                .setUsingVirtualThreads(true)
                .setMaxHeartbeatThrottleInterval(LONGEST_HEARTBEAT_THROTTLE);
        if (version != null) {
            options.setDeploymentOptions(WorkerDeploymentOptions.newBuilder()
                    .setUseVersioning(true)
                    .setVersion(new WorkerDeploymentVersion(version.deployment(), version.build()))
                    .setDefaultVersioningBehavior(VersioningBehavior.PINNED)
                    .build());
        }
        return options.build();
    }
}
