package dev.eden.activities.postgres.replication;

/** Another replicator of the same migration has begun after this one. Where it was not meant to, the next attempt at the activity goes on. */
public final class Superseded extends RuntimeException {
    Superseded(long generation) {
        super("generation " + generation + " of replication is over: another worker has begun after it");
    }
}
