package dev.eden.workflows;

import io.temporal.failure.ApplicationFailure;
import java.util.List;
import java.util.Optional;

/**
 * Why a command was not taken: the first detail of the failure that an update's validator throws. A refusal is an answer and
 * leaves nothing in the workflow's history.
 *
 * @param allowed labels of the commands that would be taken now
 * @param blockers what stands in the way of a cutover; empty for other commands
 */
public record CommandRefusal(String why, List<String> allowed, List<String> blockers) {
    /** {@code ApplicationFailure} type of a refusal. */
    public static final String TYPE = "CommandRefused";

    ApplicationFailure failure() {
        return ApplicationFailure.newBuilder()
                .setMessage(why)
                .setType(TYPE)
                .setNonRetryable(true)
                .setDetails(this)
                .build();
    }

    /** The refusal behind what an update call threw, {@code WorkflowUpdateException} for instance; empty when it was something else. */
    public static Optional<CommandRefusal> in(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof ApplicationFailure failure && failure.getType().equals(TYPE)) {
                return Optional.ofNullable(failure.getDetails().get(0, CommandRefusal.class));
            }
        }
        return Optional.empty();
    }
}
