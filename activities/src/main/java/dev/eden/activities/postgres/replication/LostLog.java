package dev.eden.activities.postgres.replication;

import dev.eden.activities.store.ReplicationLedger.Direction;
import dev.eden.activities.store.ServerRecords;

/**
 * After a flip, what a log has lost cannot be loaded again: the rows are on the owner of writes alone, and no route goes back under this epoch. That the
 * slot is missing says so for as long as nobody makes one of that name; this says it for good.
 */
public final class LostLog {
    private static final String NAME = "log:lost";

    /** What is left to do. */
    static final String FOR_GOOD = "; after a flip it is not loaded again by itself: finalise, or abort and begin anew";

    private LostLog() {}

    /** Before the first flip, from which on a log begins where the turn was, a new load mends it. */
    static boolean isForGood(Direction direction) {
        return direction.startOffset() > 0;
    }

    static void note(ServerRecords records, String migration, Direction direction) {
        records.put(migration, direction.from(), NAME, Long.toString(direction.epoch()));
    }

    /** {@code owner} of writes under that epoch. */
    public static boolean noted(ServerRecords records, String migration, String owner, long epoch) {
        return records.get(migration, owner, NAME)
                .filter(Long.toString(epoch)::equals)
                .isPresent();
    }
}
