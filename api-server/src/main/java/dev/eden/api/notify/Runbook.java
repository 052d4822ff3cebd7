package dev.eden.api.notify;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Where docs/operating.md says what to do about a reason: a migration stops for a person with one that begins with a heading there. */
public enum Runbook {
    PREFLIGHT_REFUSED("preflight refused"),
    DIFFERENCES_REMAIN("differences remain after"),
    DIFFERENCES_LEFT("differences are left for a person"),
    REPLICATION_ENDED("replication ended"),
    REPLICATION_STOPPED("ReplicationStopped"),
    LOADED_AGAIN("LoadedAgain"),
    PRECONDITION_FAILED("PreconditionFailed"),
    NO_ANSWER("no answer"),
    ROLLBACK_ATTEMPT("rollback, attempt"),
    CLEANUP_INCOMPLETE("CleanupIncomplete"),
    ORPHANED("EdenMigrationOrphaned"),
    ABORTS("EdenCutoverAborts"),
    ANYTHING_ELSE("anything else");

    private static final String DOCUMENT = "docs/operating.md#";

    private final String heading;

    Runbook(String heading) {
        this.heading = heading;
    }

    public String heading() {
        return heading;
    }

    /** Stable over versions. */
    String code() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    String link() {
        return DOCUMENT + heading.toLowerCase(Locale.ROOT).replace(",", "").replace(' ', '-');
    }

    /** Empty where nobody has to do anything. */
    static Optional<Runbook> of(NotificationKind kind, String event, String reason) {
        return switch (kind) {
            case NEEDS_OPERATOR, STEP_FAILED ->
                Optional.of(event.equals("migration.orphaned") ? ORPHANED : byReason(reason));
            case CUTOVER_FAILED -> Optional.of(ABORTS);
            case STARTED, READY, GATE_BREACHED, CUTOVER_COMMITTED, ROLLING_BACK, ROLLBACK_COMMITTED -> Optional.empty();
            case ROLLED_BACK, COMPLETED -> Optional.empty();
        };
    }

    private static Runbook byReason(String reason) {
        return Arrays.stream(values())
                .filter(runbook -> reason.startsWith(runbook.heading))
                .findFirst()
                .orElse(ANYTHING_ELSE);
    }
}
