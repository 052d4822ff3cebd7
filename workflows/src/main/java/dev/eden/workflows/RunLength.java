package dev.eden.workflows;

import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInfo;

/**
 * When a run hands over to the next one.
 *
 * @param continueAfterEvents of the history; 0: when the server suggests it
 */
record RunLength(int continueAfterEvents) {
    private static final int HANDED_OVER_EVENTS = 50;

    /** @param between two steps: what takes hours, and would begin anew in the next run, is not cut short for another version of the workers */
    boolean reached(boolean between) {
        return Workflow.getInfo().isContinueAsNewSuggested()
                || (between && isOfFormerVersion())
                || (continueAfterEvents > 0 && Workflow.getInfo().getHistoryLength() > continueAfterEvents);
    }

    /**
     * Another version of the workers has become the current one. A run that was handed over itself takes some steps first: where an
     * operator holds a migration at a version against the current one, it would be handed over for ever.
     */
    private static boolean isOfFormerVersion() {
        WorkflowInfo info = Workflow.getInfo();
        return info.isTargetWorkerDeploymentVersionChanged()
                && (info.getContinuedExecutionRunId().isEmpty() || info.getHistoryLength() > HANDED_OVER_EVENTS);
    }
}
