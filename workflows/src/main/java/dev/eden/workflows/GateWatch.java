package dev.eden.workflows;

import dev.eden.workflows.activity.CanaryActivities;
import dev.eden.workflows.activity.CanaryActivities.CanaryRequest;
import dev.eden.workflows.activity.CanaryActivities.CanaryVerdict;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.CompletablePromise;
import io.temporal.workflow.Functions;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import org.jspecify.annotations.Nullable;

/** The activity that watches gates in a phase; nobody waits for the end of one that is left. */
final class GateWatch {
    private final MigrationState state;
    private @Nullable CancellationScope watching;

    GateWatch(MigrationState state) {
        this.state = state;
    }

    /** @param bakedAtMillis when a stage has been long enough to pass; 0: it never passes, it only breaches */
    Promise<CanaryVerdict> start(
            String title, long bakedAtMillis, Functions.Func2<CanaryActivities, CanaryRequest, CanaryVerdict> what) {
        CompletablePromise<CanaryVerdict> verdict = Workflow.newPromise();
        CanaryRequest request = new CanaryRequest(state.spec().withGates(state.gates()), state.wanted(), bakedAtMillis);
        CancellationScope scope = Workflow.newCancellationScope(
                () -> verdict.completeFrom(Async.function(() -> what.apply(Steps.watch(title), request))));
        scope.run();
        watching = scope;
        return verdict;
    }

    void leave() {
        if (watching != null) {
            watching.cancel();
        }
        watching = null;
    }
}
