package dev.eden.workflows;

import io.temporal.failure.ApplicationFailure;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Why a command was not taken: what the failure that an update's validator throws says, with the allowed commands as its first
 * detail and the blockers as its second. A refusal is an answer and leaves nothing in the workflow's history.
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
                .setDetails(allowed, blockers)
                .build();
    }

    /** The refusal behind what an update call threw, {@code WorkflowUpdateException} for instance; empty when it was something else. */
    public static Optional<CommandRefusal> in(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof ApplicationFailure failure && failure.getType().equals(TYPE)) {
                return Optional.of(
                        new CommandRefusal(failure.getOriginalMessage(), detail(failure, 0), detail(failure, 1)));
            }
        }
        return Optional.empty();
    }

    private static List<String> detail(ApplicationFailure failure, int index) {
        String @Nullable [] words =
                failure.getDetails().getSize() > index ? failure.getDetails().get(index, String[].class) : null;
        return words == null ? List.of() : List.of(words);
    }
}
