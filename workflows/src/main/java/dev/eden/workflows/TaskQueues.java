package dev.eden.workflows;

/** Task queues; rollback and settling have their own so that busy data movers cannot starve them. */
public final class TaskQueues {
    public static final String ORCHESTRATOR = "eden-orchestrator";
    public static final String DATA = "eden-data";
    public static final String CUTOVER = "eden-cutover";

    private TaskQueues() {}
}
