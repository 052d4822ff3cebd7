package dev.eden.workflows;

import io.temporal.failure.ApplicationFailure;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Why a command was not taken. A refusal is an answer and leaves nothing in the workflow's history.
 *
 * <p>The caller finds the words at the top of what the update call throws and the rest ({@link #in}) in an
 * {@code ApplicationFailure} of type {@link #TYPE} further down, with the allowed commands as first detail and the blockers as
 * second: the SDK (1.38) forgets type and details of a Temporal failure that a validator throws itself.
 *
 * @param allowed labels of the commands that would be taken now
 * @param blockers what stands in the way of a cutover; empty for other commands
 */
public record CommandRefusal(String why, List<String> allowed, List<String> blockers) {
    /** {@code ApplicationFailure} type of a refusal. */
    public static final String TYPE = "CommandRefused";

    RuntimeException failure() {
        return new Refused(this);
    }

    private static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Refused(CommandRefusal refusal) {
            super(
                    refusal.why(),
                    ApplicationFailure.newBuilder()
                            .setMessage(refusal.why())
                            .setType(TYPE)
                            .setNonRetryable(true)
                            .setDetails(refusal.allowed(), refusal.blockers())
                            .build(),
                    false,
                    false);
        }
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
