package dev.eden.activities.redis.replication;

import java.util.List;

/**
 * What must be applied together: one command, or a whole MULTI … EXEC of the source (without these two).
 *
 * @param end offset of the log after it
 * @param databaseAfter the log's selected database after it
 * @param bytes size in the log
 */
record Unit(List<Change> changes, long end, int databaseAfter, long bytes) {

    /** True where something in it is to be applied and {@link Change#keyless}. */
    boolean keyless() {
        for (int i = 0; i < changes.size(); i++) {
            Change change = changes.get(i);
            if (change.applied() && change.keyless()) {
                return true;
            }
        }
        return false;
    }
}
