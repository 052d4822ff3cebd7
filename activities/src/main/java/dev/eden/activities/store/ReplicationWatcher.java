package dev.eden.activities.store;

/** Hears how a replicator gets on; whatever it throws ends the replicator. */
@FunctionalInterface
public interface ReplicationWatcher {
    /** Several times a second. */
    void beat(ReplicationLedger.Progress progress);

    /** The target had been loaded whole; the log was lost since, and the next load begins with nothing. */
    default void loadsAgain(String why) {}
}
