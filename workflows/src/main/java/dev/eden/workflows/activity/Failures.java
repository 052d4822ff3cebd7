package dev.eden.workflows.activity;

/** {@code ApplicationFailure} types that mean something to the workflow. Every other failure is retried. */
public final class Failures {
    /** A preflight finding of severity {@code failure}, or a precondition that no retry mends. */
    public static final String PRECONDITION_FAILED = "PreconditionFailed";

    /** Replication cannot go on without a person (a value too large, target out of memory, log lost). */
    public static final String REPLICATION_STOPPED = "ReplicationStopped";

    /** Something of Eden's is left on a server that is away, or may be; the other side is clean. */
    public static final String CLEANUP_INCOMPLETE = "CleanupIncomplete";

    /** The source's log was lost before any flip: replication goes on with a new full load, and what was validated counts no more. */
    public static final String LOADED_AGAIN = "LoadedAgain";

    private Failures() {}
}
