package dev.eden.api;

import dev.eden.activities.cutover.SweepLoop;
import dev.eden.activities.migration.MigrationSteps;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.store.MigrationRecorder;
import dev.eden.api.store.StageStore;
import dev.eden.api.store.StoredValidationReports;
import dev.eden.workflows.worker.MigrationActivities;
import io.temporal.activity.Activity;
import java.time.Clock;
import java.util.List;

/** The activities of this version, bound to the store. */
final class ActivitySet {
    private ActivitySet() {}

    static EdenServer.Activities.Opened open(EdenStore store, ServerOptions options) {
        RouteLedger routes = store.routes();
        MigrationSteps steps = MigrationSteps.of(
                new MigrationSteps.Ports(
                        store.endpoints(),
                        store.records(),
                        store.users(),
                        routes,
                        new StageStore(store.database().jdbi(), store.audit()),
                        store.replication(),
                        new StoredValidationReports(store.database().jdbi())),
                "server-" + ProcessHandle.current().pid(),
                options.maxValueBytes(),
                Clock.systemUTC());
        MigrationActivities activities = new MigrationActivities(
                steps.preparation(),
                steps.replication(),
                steps.validation(),
                steps.canary(),
                steps.cutover(),
                steps.cleanup(),
                new MigrationRecorder(
                        store.database().jdbi(),
                        store.audit(),
                        options.publicUrl(),
                        () -> Activity.getExecutionContext().getInfo().getWorkflowRunId()));
        return new EdenServer.Activities.Opened(
                activities,
                List.of(
                        new SweepLoop(routes, steps.settler(), steps.fences()),
                        steps.retention().start()));
    }
}
