package dev.eden.activities.redis.replication;

import java.util.List;
import org.jspecify.annotations.Nullable;

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

    /** The first change that Eden does not carry; null where it carries all. */
    @Nullable
    Change notCarried() {
        for (int i = 0; i < changes.size(); i++) {
            if (!changes.get(i).carried()) {
                return changes.get(i);
            }
        }
        return null;
    }

    /** True where one change alone is to be applied. */
    boolean single() {
        return changes.stream().filter(Change::applied).count() == 1;
    }

    /** Nothing of it is without keys that somebody tells, be it the followed server alone. */
    boolean named() {
        return changes.stream()
                .filter(Change::applied)
                .allMatch(change -> change.keys() != null && !change.keys().isEmpty());
    }

    /** It may be applied a second time, with nothing in between: see {@link Change#repeatable}. */
    boolean repeatable() {
        return single() && changes.stream().filter(Change::applied).allMatch(Change::repeatable);
    }
}
