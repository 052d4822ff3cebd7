package dev.eden.workflows.worker;

import dev.eden.workflows.MigrationWorkflowImpl;
import dev.eden.workflows.TaskQueues;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerFactoryOptions;
import io.temporal.worker.WorkerOptions;
import java.time.Duration;

/**
 * The three workers of a migration: which activity is served by which task queue is the workflow's business, so it is written
 * down beside it. Payloads go through Temporal's default data converter (Jackson; {@code MigrationPhase} carries its own type).
 */
public final class MigrationWorkers {
    /** A cancellation reaches a heartbeating activity within this time; the SDK's default would be many seconds. */
    static final Duration LONGEST_HEARTBEAT_THROTTLE = Duration.ofSeconds(1);

    private MigrationWorkers() {}

    /** For {@code WorkerFactory.newInstance}: workflows on virtual threads. */
    public static WorkerFactoryOptions factoryOptions() {
        return WorkerFactoryOptions.newBuilder()
                .setUsingVirtualWorkflowThreads(true)
                .build();
    }

    /** Registers everything; the caller starts the factory. */
    public static void register(WorkerFactory factory, MigrationActivities activities) {
        orchestrator(factory, activities);
        data(factory, activities);
        cutover(factory, activities);
    }

    /** The workflow, and the directory beside it. */
    public static void orchestrator(WorkerFactory factory, MigrationActivities activities) {
        var worker = factory.newWorker(TaskQueues.ORCHESTRATOR, options());
        worker.registerWorkflowImplementationTypes(MigrationWorkflowImpl.class);
        worker.registerActivitiesImplementations(activities.directory());
    }

    /** What moves and compares data. */
    public static void data(WorkerFactory factory, MigrationActivities activities) {
        factory.newWorker(TaskQueues.DATA, options())
                .registerActivitiesImplementations(
                        new LivePreparation(activities.preparation()),
                        activities.replication(),
                        activities.validation(),
                        activities.canary());
    }

    /** What must not wait for data movers: attempts, settling, the read share, cleaning up. */
    public static void cutover(WorkerFactory factory, MigrationActivities activities) {
        factory.newWorker(TaskQueues.CUTOVER, options())
                .registerActivitiesImplementations(
                        new LiveCutover(activities.cutover()),
                        new LiveCleanup(activities.cleanup()),
                        activities.canary());
    }

    private static WorkerOptions options() {
        return WorkerOptions.newBuilder()
                .setUsingVirtualThreads(true)
                .setMaxHeartbeatThrottleInterval(LONGEST_HEARTBEAT_THROTTLE)
                .build();
    }
}
