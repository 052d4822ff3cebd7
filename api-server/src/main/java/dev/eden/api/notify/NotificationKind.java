package dev.eden.api.notify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.eden.api.store.AuditLog;
import dev.eden.workflows.AuditEvents;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What people may be told of a migration; each entry of the audit log is one of these at most. */
public enum NotificationKind {
    STARTED(false, "it has been started"),
    READY(false, "the data is on the target and compared: reads may move, and a cutover may be asked for"),
    GATE_BREACHED(true, "a gate was breached: no reads go to the target, or writes go back"),
    CUTOVER_COMMITTED(true, "the target owns writes"),
    CUTOVER_FAILED(true, "no attempt to cut over was committed: the source owns writes"),
    ROLLING_BACK(true, "it is being taken back, because somebody has said so"),
    ROLLBACK_COMMITTED(true, "the source owns writes again, and the migration goes on in canary"),
    STEP_FAILED(true, "a step has failed: it is tried on, or everything is taken back"),
    NEEDS_OPERATOR(
            true, "nothing moves until somebody comes: it is parked, paused by a failure, or has lost its workflow"),
    ROLLED_BACK(true, "it has ended, and the source owns writes"),
    COMPLETED(true, "it has ended, and the target owns writes");

    private static final String ORPHANED = "migration.orphaned";
    private static final String BEGUN = "migration.started";

    private final boolean usual;
    private final String meaning;

    NotificationKind(boolean usual, String meaning) {
        this.usual = usual;
        this.meaning = meaning;
    }

    /** As requests and notifications name it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** For people. */
    public String meaning() {
        return meaning;
    }

    public static List<String> labels() {
        return Arrays.stream(values()).map(NotificationKind::label).toList();
    }

    /** Labels of what is told where nobody says of what. */
    public static List<String> usual() {
        return Arrays.stream(values())
                .filter(kind -> kind.usual)
                .map(NotificationKind::label)
                .toList();
    }

    /** Empty for what nobody is ever told of. */
    public static Optional<NotificationKind> of(AuditLog.Event event) {
        return switch (event.event()) {
            case BEGUN -> Optional.of(STARTED);
            case ORPHANED -> Optional.of(NEEDS_OPERATOR);
            default -> recorded(event);
        };
    }

    /** What a workflow has recorded says where the migration was before. */
    private static Optional<NotificationKind> recorded(AuditLog.Event event) {
        JsonNode view = event.before();
        String before = view == null ? "" : view.path("phase").asText();
        String phase = String.valueOf(event.phase());
        if (view == null || before.isEmpty()) {
            return Optional.empty();
        }
        boolean entered = !before.equals(phase);
        boolean failed = event.event().equals(AuditEvents.STEP_FAILED);
        if (phase.equals("needs_operator") && (entered || failed)) {
            return Optional.of(NEEDS_OPERATOR);
        }
        if (event.event().equals(AuditEvents.GATE_BREACHED)) {
            return Optional.of(GATE_BREACHED);
        }
        if (failed) {
            return Optional.of(waits(event.after()) ? NEEDS_OPERATOR : STEP_FAILED);
        }
        return entered ? between(view, phase) : Optional.empty();
    }

    /** It is paused because a step has failed. */
    private static boolean waits(@Nullable JsonNode view) {
        return view != null && view.path("failed").asBoolean();
    }

    private static Optional<NotificationKind> between(JsonNode view, String phase) {
        String before = view.path("phase").asText();
        // A workflow that was lost behind its flip is parked by its recovery first: not before somebody resumes it does
        // it bake.
        String forward = view.path("parked_in").asText(before);
        return Optional.ofNullable(
                switch (phase) {
                    case "completed" -> COMPLETED;
                    case "rolled_back" -> ROLLED_BACK;
                    case "rolling_back" -> ROLLING_BACK;
                    case "baking" -> forward.equals("cutting_over") ? CUTOVER_COMMITTED : null;
                    case "canary" ->
                        switch (before) {
                            case "cutting_over" -> CUTOVER_FAILED;
                            case "rolling_back" -> ROLLBACK_COMMITTED;
                            case "validating" -> READY;
                            default -> null;
                        };
                    default -> null;
                });
    }
}
