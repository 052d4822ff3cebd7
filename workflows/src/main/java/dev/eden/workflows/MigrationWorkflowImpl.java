package dev.eden.workflows;

import dev.eden.workflows.Command.Kind;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What Temporal sees of a migration. Handlers only queue commands; {@link MigrationRun} obeys them, at every point where it waits.
 *
 * <p>Cancelling the workflow (Temporal CLI, Web UI) is an abort: it rolls back in order instead of leaving things behind.
 */
public final class MigrationWorkflowImpl implements MigrationWorkflow {
    private final MigrationInput input;
    private final MigrationState state;
    private final CommandInbox inbox;

    /** State lives in the constructor: a handler may run before {@link #run}. */
    @WorkflowInit
    public MigrationWorkflowImpl(MigrationInput input) {
        this.input = input;
        CarriedState carried = input.carried();
        boolean indexed = Workflow.getTypedSearchAttributes().containsKey(SearchAttributesNeeded.PHASE);
        // Revisions begin with the clock: a workflow that starts again under the same id goes on where the lost one
        // was.
        if (carried == null) {
            state = new MigrationState(input.spec(), Workflow.currentTimeMillis(), indexed);
            inbox = new CommandInbox(List.of(), List.of());
        } else {
            state = new MigrationState(input.spec(), carried);
            if (state.isRecovered()) {
                state.beginsAt(Workflow.currentTimeMillis(), indexed);
            }
            inbox = new CommandInbox(carried.pending(), carried.seenCommandIds());
        }
    }

    @Override
    public MigrationOutcome run(MigrationInput ignored) {
        CancellationScope.current().getCancellationRequest().thenApply(reason -> {
            inbox.receive(new Command(Kind.ABORT, "", "temporal", "workflow cancelled", null));
            return reason;
        });
        Workflow.newDetachedCancellationScope(new MigrationRun(input, state, inbox)::live)
                .run();
        return new MigrationOutcome(state.phase().label(), state.flips());
    }

    /** Of an update: {@link #check} has compared the phase that it is meant for with that of its arrival. */
    private CommandReceipt receive(Kind kind, @Nullable Command received) {
        return take(CommandInbox.complete(kind, received).meantFor(null));
    }

    /** Nobody has looked at it. */
    private void signalled(Kind kind, @Nullable Command received) {
        take(CommandInbox.complete(kind, received));
    }

    private CommandReceipt take(Command command) {
        boolean fresh = inbox.receive(command);
        return new CommandReceipt(command.id(), !fresh, state.view());
    }

    /** A repeated command was accepted before and is again. */
    private void check(Kind kind, @Nullable Command received) {
        Command command = CommandInbox.complete(kind, received);
        if (inbox.knows(command.id())) {
            return;
        }
        CommandJudge.refusal(command, inbox.ahead(), state).ifPresent(refused -> {
            throw refused.failure();
        });
    }

    @Override
    public MigrationView view() {
        return state.view();
    }

    // Updates and signals of the same names.

    @Override
    public CommandReceipt advance(@Nullable Command command) {
        return receive(Kind.ADVANCE, command);
    }

    @Override
    public void validateAdvance(@Nullable Command command) {
        check(Kind.ADVANCE, command);
    }

    @Override
    public void advanceSignal(@Nullable Command command) {
        signalled(Kind.ADVANCE, command);
    }

    @Override
    public CommandReceipt pause(@Nullable Command command) {
        return receive(Kind.PAUSE, command);
    }

    @Override
    public void validatePause(@Nullable Command command) {
        check(Kind.PAUSE, command);
    }

    @Override
    public void pauseSignal(@Nullable Command command) {
        signalled(Kind.PAUSE, command);
    }

    @Override
    public CommandReceipt resume(@Nullable Command command) {
        return receive(Kind.RESUME, command);
    }

    @Override
    public void validateResume(@Nullable Command command) {
        check(Kind.RESUME, command);
    }

    @Override
    public void resumeSignal(@Nullable Command command) {
        signalled(Kind.RESUME, command);
    }

    @Override
    public CommandReceipt abort(@Nullable Command command) {
        return receive(Kind.ABORT, command);
    }

    @Override
    public void validateAbort(@Nullable Command command) {
        check(Kind.ABORT, command);
    }

    @Override
    public void abortSignal(@Nullable Command command) {
        signalled(Kind.ABORT, command);
    }

    @Override
    public CommandReceipt cutover(@Nullable Command command) {
        return receive(Kind.CUTOVER, command);
    }

    @Override
    public void validateCutover(@Nullable Command command) {
        check(Kind.CUTOVER, command);
    }

    @Override
    public void cutoverSignal(@Nullable Command command) {
        signalled(Kind.CUTOVER, command);
    }

    @Override
    public CommandReceipt rollback(@Nullable Command command) {
        return receive(Kind.ROLLBACK, command);
    }

    @Override
    public void validateRollback(@Nullable Command command) {
        check(Kind.ROLLBACK, command);
    }

    @Override
    public void rollbackSignal(@Nullable Command command) {
        signalled(Kind.ROLLBACK, command);
    }

    @Override
    public CommandReceipt finalizeMigration(@Nullable Command command) {
        return receive(Kind.FINALIZE, command);
    }

    @Override
    public void validateFinalize(@Nullable Command command) {
        check(Kind.FINALIZE, command);
    }

    @Override
    public void finalizeSignal(@Nullable Command command) {
        signalled(Kind.FINALIZE, command);
    }

    @Override
    public CommandReceipt patchStrategy(@Nullable Command command) {
        return receive(Kind.PATCH_STRATEGY, command);
    }

    @Override
    public void validatePatchStrategy(@Nullable Command command) {
        check(Kind.PATCH_STRATEGY, command);
    }

    @Override
    public void patchStrategySignal(@Nullable Command command) {
        signalled(Kind.PATCH_STRATEGY, command);
    }
}
