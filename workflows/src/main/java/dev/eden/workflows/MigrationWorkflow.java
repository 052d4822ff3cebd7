package dev.eden.workflows;

import io.temporal.workflow.QueryMethod;
import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.UpdateMethod;
import io.temporal.workflow.UpdateValidatorMethod;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;

/**
 * The only owner of a migration's progress. Workflow id: {@code migration/{id}}; task queue {@link TaskQueues#ORCHESTRATOR}.
 * Commands are updates (validated: a refusal is an answer and leaves no history) and signals of the same names.
 */
@WorkflowInterface
public interface MigrationWorkflow {

    /** The id of the workflow that runs migration {@code id}. */
    static String workflowId(String id) {
        return "migration/" + id;
    }

    @WorkflowMethod(name = "Migration")
    MigrationOutcome run(MigrationInput input);

    @QueryMethod(name = "view")
    MigrationView view();

    @UpdateMethod(name = "advance")
    CommandReceipt advance(Command command);

    @UpdateValidatorMethod(updateName = "advance")
    void validateAdvance(Command command);

    @UpdateMethod(name = "pause")
    CommandReceipt pause(Command command);

    @UpdateValidatorMethod(updateName = "pause")
    void validatePause(Command command);

    @UpdateMethod(name = "resume")
    CommandReceipt resume(Command command);

    @UpdateValidatorMethod(updateName = "resume")
    void validateResume(Command command);

    @UpdateMethod(name = "abort")
    CommandReceipt abort(Command command);

    @UpdateValidatorMethod(updateName = "abort")
    void validateAbort(Command command);

    @UpdateMethod(name = "cutover")
    CommandReceipt cutover(Command command);

    @UpdateValidatorMethod(updateName = "cutover")
    void validateCutover(Command command);

    @UpdateMethod(name = "rollback")
    CommandReceipt rollback(Command command);

    @UpdateValidatorMethod(updateName = "rollback")
    void validateRollback(Command command);

    @UpdateMethod(name = "finalize")
    CommandReceipt finalizeMigration(Command command);

    @UpdateValidatorMethod(updateName = "finalize")
    void validateFinalize(Command command);

    @UpdateMethod(name = "patch_strategy")
    CommandReceipt patchStrategy(Command command);

    @UpdateValidatorMethod(updateName = "patch_strategy")
    void validatePatchStrategy(Command command);

    // Signals of the same names. Temporal keeps updates and signals in separate name spaces.

    @SignalMethod(name = "advance")
    void advanceSignal(Command command);

    @SignalMethod(name = "pause")
    void pauseSignal(Command command);

    @SignalMethod(name = "resume")
    void resumeSignal(Command command);

    @SignalMethod(name = "abort")
    void abortSignal(Command command);

    @SignalMethod(name = "cutover")
    void cutoverSignal(Command command);

    @SignalMethod(name = "rollback")
    void rollbackSignal(Command command);

    @SignalMethod(name = "finalize")
    void finalizeSignal(Command command);

    @SignalMethod(name = "patch_strategy")
    void patchStrategySignal(Command command);
}
