package dev.eden.activities.store;

/** The migration is being cleaned up, or has been: nothing is made for it any more. No retry mends it. */
public final class MigrationEndedException extends IllegalStateException {
    public MigrationEndedException(String migration) {
        super("the cleanup of migration " + migration + " has begun or is over: nothing is prepared for it any more");
    }
}
