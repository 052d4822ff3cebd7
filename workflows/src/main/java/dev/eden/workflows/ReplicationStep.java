package dev.eden.workflows;

import dev.eden.workflows.PhaseMachine.Event;
import dev.eden.workflows.activity.Failures;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.CompletablePromise;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Replication: one activity for as long as the migration lives, whatever phase it is in. */
final class ReplicationStep {
    /**
     * Change id: a new full load in the middle of a migration is told to the workflow. 2: whatever run it is found in, the proxies hear of it before it
     * begins, and who waits for a person goes on waiting.
     */
    private static final String LOADED_AGAIN = "loaded-again";

    private static final int SPARES_CLIENTS = 2;

    private final MigrationState state;
    private @Nullable CancellationScope scope;
    private @Nullable Promise<?> running;

    ReplicationStep(MigrationState state) {
        this.state = state;
    }

    /** It runs when this returns, unless it was stopped for good. */
    void ensure() {
        if (running != null || state.replicationIsStopped()) {
            return;
        }
        CompletablePromise<Boolean> ended = Workflow.newPromise();
        scope = Workflow.newCancellationScope(() -> ended.completeFrom(Async.function(() -> {
            Steps.replication("replicate").replicate(state.spec());
            return true;
        })));
        scope.run();
        running = ended;
    }

    /** {@link #ensure} where {@code phase} lives on it. */
    void ensureFor(MigrationPhase phase) {
        switch (phase) {
            case MigrationPhase.Replicating _, MigrationPhase.Validating _, MigrationPhase.Canary _ -> ensure();
            case MigrationPhase.CuttingOver _, MigrationPhase.Baking _ -> ensure();
            case MigrationPhase.RollingBack back -> {
                if (back.flip()) {
                    ensure();
                }
            }
            case MigrationPhase.Created _, MigrationPhase.Initializing _, MigrationPhase.NeedsOperator _ -> {}
            case MigrationPhase.Completed _, MigrationPhase.RolledBack _ -> {}
        }
    }

    /** It is over, and nobody has asked {@link #howEnded} yet. */
    boolean ended() {
        return running != null && running.isCompleted();
    }

    /** After {@link #ended}; it may begin again then. */
    Event howEnded() {
        Promise<?> ended = Objects.requireNonNull(running);
        running = null;
        scope = null;
        RuntimeException failure = ended.getFailure();
        String why = failure == null ? "by itself" : StepFailure.reason(failure);
        if (loadedAgain(failure) && version() != Workflow.DEFAULT_VERSION) {
            return new Event.LoadedAgain(why);
        }
        return new Event.ReplicationFailed("replication ended: " + why);
    }

    /** After {@link Event.LoadedAgain} only: what the second version of its handling adds. */
    static boolean sparesClients() {
        return version() >= SPARES_CLIENTS;
    }

    private static int version() {
        return Workflow.getVersion(LOADED_AGAIN, Workflow.DEFAULT_VERSION, SPARES_CLIENTS);
    }

    private static boolean loadedAgain(@Nullable RuntimeException failure) {
        return failure != null && StepFailure.isOfType(failure, Failures.LOADED_AGAIN);
    }

    /** {@link #stop}, and what was found on the last stretch: the next run would not hear of it. */
    Optional<Event.LoadedAgain> handOver() {
        Promise<?> last = running;
        stop();
        RuntimeException failure = last == null ? null : last.getFailure();
        return failure != null && loadedAgain(failure) && sparesClients()
                ? Optional.of(new Event.LoadedAgain(StepFailure.reason(failure)))
                : Optional.empty();
    }

    /** Returns when its activity has ended. */
    void stop() {
        Promise<?> stopping = running;
        CancellationScope cancelled = scope;
        running = null;
        scope = null;
        if (stopping != null && cancelled != null) {
            cancelled.cancel();
            Workflow.await(stopping::isCompleted);
        }
    }
}
