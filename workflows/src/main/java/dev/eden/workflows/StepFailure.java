package dev.eden.workflows;

import io.temporal.api.enums.v1.RetryState;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.TimeoutFailure;
import org.jspecify.annotations.Nullable;

/** What an activity's failure comes down to, in a line for people. */
final class StepFailure {
    private StepFailure() {}

    /** No other try would end otherwise. */
    static boolean isForGood(ActivityFailure failure) {
        Throwable cause = failure.getCause();
        return cause instanceof CanceledFailure
                || (cause instanceof ApplicationFailure application && application.isNonRetryable());
    }

    /** It has failed as often as it was allowed to; a step without a limit never has. */
    static boolean isExhausted(ActivityFailure failure) {
        return failure.getRetryState() == RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED;
    }

    static boolean isOfType(Throwable failure, String type) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ApplicationFailure application) {
                return type.equals(application.getType());
            }
        }
        return false;
    }

    static String reason(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ApplicationFailure application) {
                return told(application.getType(), application.getOriginalMessage());
            }
            if (cause instanceof TimeoutFailure timeout) {
                return "no answer: " + timeout.getTimeoutType();
            }
        }
        return String.valueOf(failure.getMessage());
    }

    /** What Eden's own exceptions say is for people as it is; of others the kind tells more than nothing. */
    private static String told(String type, @Nullable String message) {
        String kind = type.substring(type.lastIndexOf('.') + 1);
        if (message == null || message.isBlank()) {
            return kind;
        }
        return type.startsWith("dev.eden.") ? message : kind + ": " + message;
    }
}
