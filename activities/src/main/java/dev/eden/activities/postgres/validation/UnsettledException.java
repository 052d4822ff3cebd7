package dev.eden.activities.postgres.validation;

/** The pair does not replicate now, or its direction turned: nothing can be said, begin again later. */
public final class UnsettledException extends RuntimeException {
    UnsettledException(String message) {
        super(message);
    }
}
