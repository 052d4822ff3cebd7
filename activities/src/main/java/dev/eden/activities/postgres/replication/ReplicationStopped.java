package dev.eden.activities.postgres.replication;

/** Replication can't go on without a person; the message says why, without any value. */
public final class ReplicationStopped extends RuntimeException {
    public ReplicationStopped(String message) {
        super(message);
    }
}
