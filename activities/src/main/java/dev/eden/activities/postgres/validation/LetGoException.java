package dev.eden.activities.postgres.validation;

/** What was held kept applications waiting for the other side for too long: it is let go, and may be held again. */
final class LetGoException extends RuntimeException {
    LetGoException() {
        super("held for too long");
    }
}
