package dev.eden.workflows;

/**
 * {@code event} of a {@code PhaseRecord} where no command is behind it; a command's own label is used otherwise
 * ({@code pause}, {@code cutover} …).
 */
public final class AuditEvents {
    public static final String PHASE_CHANGED = "phase_changed";
    public static final String COMMAND_REFUSED = "command_refused";
    public static final String STAGE_PROMOTED = "stage_promoted";
    public static final String STAGE_WAITS = "stage_waits";
    public static final String DELAYED = "delayed";
    public static final String READS_DIFFER = "reads_differ";
    public static final String GATE_BREACHED = "gate_breached";
    public static final String STEP_FAILED = "step_failed";
    public static final String ATTEMPT_ABORTED = "attempt_aborted";
    public static final String ATTEMPT_REFUSED = "attempt_refused";
    public static final String ATTEMPT_LOST = "attempt_lost";
    public static final String RECOVERED = "recovered";
    public static final String FLIPPED = "flipped";

    /** Actor of what happens without a command. */
    public static final String EDEN = "eden";

    private AuditEvents() {}
}
