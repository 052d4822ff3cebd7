package dev.eden.activities.postgres.replication;

/** One server can't verify the other, by which no number of tries changes anything; the message says why and what to do. */
final class UnverifiedLink extends RuntimeException {
    UnverifiedLink(String message) {
        super(message);
    }
}
