package dev.eden.api;

import dev.eden.activities.cutover.SweepLoop;
import dev.eden.activities.migration.MigrationActivities.Ports;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.store.MigrationRecorder;
import dev.eden.api.store.StoredValidationReports;
import dev.eden.workflows.worker.MigrationActivities;
import java.time.Clock;
import java.util.List;

/** The activities of this version, bound to the store. */
final class ActivitySet {
    private ActivitySet() {}

    static EdenServer.Activities.Opened open(EdenStore store) {
        RouteLedger routes = store.routes();
        var jdbi = store.database().jdbi();
        var parts = dev.eden.activities.migration.MigrationActivities.of(
                new Ports(
                        store.endpoints(),
                        store.records(),
                        routes,
                        store.replication(),
                        new StoredValidationReports(jdbi)),
                "server-" + ProcessHandle.current().pid(),
                Clock.systemUTC());
        MigrationActivities activities = new MigrationActivities(
                parts.preparation(),
                parts.replication(),
                parts.validation(),
                parts.canary(),
                parts.cutover(),
                parts.cleanup(),
                new MigrationRecorder(jdbi, store.audit()));
        return new EdenServer.Activities.Opened(
                activities, List.of(new SweepLoop(routes, parts.settler(), parts.fences())));
    }
}
