package dev.eden.workflows;

import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.PhaseMachine.Facts;
import dev.eden.workflows.PhaseMachine.Moved;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.CompletablePromise;
import io.temporal.workflow.Functions;
import io.temporal.workflow.Promise;
import io.temporal.workflow.TimerOptions;
import io.temporal.workflow.Workflow;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Where a phase waits. Commands are obeyed at every such point; a wait ends by its result, or with {@link PhaseLeft} by a command that leads elsewhere,
 * by the end of replication, or because the history is long enough for a new run.
 */
final class Waits {
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    /** Change ids: each is asked only where the decision is another than before. */
    private static final String FINALIZED_AFTER_A_FAILURE = "finalized-after-a-failure";

    private static final String COME_FIRST = "come-before-length";
    /** What {@link PhaseMachine.Facts#ofBefore()} takes is refused. */
    private static final String TAKES_LESS = "takes-less";

    private final MigrationState state;
    private final CommandInbox inbox;
    private final RunLength length;
    private final ReplicationStep replication;
    private final Journal journal;
    private final OnBehalf onBehalf;
    private boolean longWork;

    Waits(
            MigrationState state,
            CommandInbox inbox,
            RunLength length,
            ReplicationStep replication,
            Journal journal,
            OnBehalf onBehalf) {
        this.state = state;
        this.inbox = inbox;
        this.length = length;
        this.replication = replication;
        this.journal = journal;
        this.onBehalf = onBehalf;
    }

    /** Waits until {@code condition}, obeying commands meanwhile. What came is handled before the run ends because it was long enough. */
    void until(Supplier<Boolean> condition) {
        until(condition, true);
    }

    private void until(Supplier<Boolean> condition, boolean comes) {
        while (true) {
            takeCommands();
            if (replication.ended()) {
                throw new PhaseLeft.ByEvent(replication.howEnded());
            }
            boolean holds = condition.get();
            // What has come is not known to the next run.
            if (longEnough() && !(comes && holds && decides(COME_FIRST))) {
                throw new PhaseLeft.ByLength();
            }
            if (holds) {
                return;
            }
            // What a command caused beside the phase has been scheduled.
            onBehalf.goOn();
            Workflow.await(() -> condition.get() || !inbox.isEmpty() || replication.ended() || longEnough());
        }
    }

    /** A load that is cut off begins anew, and so does a comparison that ends with its activity. After a failure nothing runs that could be. */
    private boolean longEnough() {
        boolean loads = state.phase() instanceof MigrationPhase.Replicating && !state.failed();
        return length.reached(!longWork && !loads);
    }

    /** While paused nothing new begins. Here a run that is long enough ends, before work that would keep it. */
    void whilePaused() {
        until(() -> !state.paused(), false);
        replication.ensureFor(state.phase());
    }

    void sleep(Duration duration, String summary) {
        if (duration.isZero()) {
            return;
        }
        Promise<Void> timer = timer(duration, summary);
        until(timer::isCompleted);
    }

    static Promise<Void> timer(Duration duration, String summary) {
        return Workflow.newTimer(
                duration, TimerOptions.newBuilder().setSummary(summary).build());
    }

    /** Runs an activity that may take hours; where the phase ends meanwhile it is cancelled, and its end awaited, first. */
    <T> T longWork(Functions.Func<T> activity) {
        return work(activity, Duration.ZERO);
    }

    /** Runs an activity that takes a moment: where the phase ends meanwhile it is cancelled only if it keeps failing. */
    <T> T work(Functions.Func<T> activity) {
        return work(activity, PATIENCE);
    }

    /** The in-process test server fails for good when an activity is cancelled that ended a moment ago, hence the patience. */
    private <T> T work(Functions.Func<T> activity, Duration patience) {
        CompletablePromise<T> result = Workflow.newPromise();
        CancellationScope scope = Workflow.newCancellationScope(() -> result.completeFrom(Async.function(activity)));
        scope.run();
        longWork = patience.isZero();
        try {
            until(result::isCompleted);
        } catch (PhaseLeft left) {
            if (patience.isZero() || !Workflow.await(patience, result::isCompleted)) {
                scope.cancel();
                Workflow.await(result::isCompleted);
            }
            throw left;
        } finally {
            longWork = false;
        }
        return result.get();
    }

    /** By which it is judged. */
    private Facts facts(Command command) {
        Facts facts = state.facts();
        Facts before = facts.ofBefore();
        boolean less = CommandJudge.refusal(command, state.phase(), facts).isPresent()
                && CommandJudge.refusal(command, state.phase(), before).isEmpty();
        return less && !decides(TAKES_LESS) ? before : facts;
    }

    /** Runs of before were refused a finalize after a failure. */
    private Optional<CommandRefusal> refusal(Command command, Facts facts) {
        Optional<CommandRefusal> refusal = CommandJudge.refusal(command, state.phase(), facts);
        boolean since = refusal.isEmpty()
                && command.kind() == Kind.FINALIZE
                && state.phase() instanceof MigrationPhase.Baking
                && state.paused();
        return since && !decides(FINALIZED_AFTER_A_FAILURE)
                ? Optional.of(new CommandRefusal(
                        "the migration is paused; resume first", PhaseMachine.allowed(state.phase(), facts), List.of()))
                : refusal;
    }

    private static boolean decides(String change) {
        return Workflow.getVersion(change, Workflow.DEFAULT_VERSION, 1) != Workflow.DEFAULT_VERSION;
    }

    /** Obeys everything that is pending; throws {@link PhaseLeft} at the first that leads elsewhere. */
    void takeCommands() {
        for (Command command = inbox.poll(); command != null; command = inbox.poll()) {
            Facts facts = facts(command);
            Optional<CommandRefusal> refusal = refusal(command, facts);
            onBehalf.serve(command);
            if (refusal.isPresent()) {
                journal.record(
                        AuditEvents.COMMAND_REFUSED,
                        command.actor(),
                        command.kind().label() + ": " + refusal.get().why());
                onBehalf.goOn();
                continue;
            }
            MigrationPhase next = ((Moved) PhaseMachine.onCommand(state.phase(), command.effect(), facts)).phase();
            boolean anew = state.obey(command, Waits::decides);
            if (!next.equals(state.phase()) && command.effect() != Kind.PATCH_STRATEGY || anew) {
                inbox.leads(command);
                throw new PhaseLeft.ByCommand(command.effect() == Kind.PATCH_STRATEGY ? state.phase() : next, command);
            }
            if (!command.reason().isEmpty()) {
                state.reason(command.reason());
            }
            journal.publish();
            journal.record(command.kind().label(), command.actor(), command.reason());
            if (command.kind() == Kind.FINALIZE) {
                onBehalf.workFor(command);
            } else if (state.phase().flips()) {
                onBehalf.goOn();
            }
        }
    }
}
