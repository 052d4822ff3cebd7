package dev.eden.activities.cutover;

/** The owner of writes has stayed away for as long as anybody waits at once; sweepers go on, and whoever asked asks again. */
final class NotSettledYet extends IllegalStateException {
    NotSettledYet(String message, Throwable cause) {
        super(message, cause);
    }
}
