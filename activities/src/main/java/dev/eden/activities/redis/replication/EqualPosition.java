package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.store.RouteLedger;
import java.util.List;

/**
 * Both sides at the same position of the log: the followed side was read at {@code position}, and the written side has applied exactly up
 * to there and stands still while this object is being looked at.
 *
 * @param from replies of the reads on the followed side, in order; errors included
 */
public record EqualPosition(RouteLedger.Position position, List<Reply> from) {

    /** Reads on the followed side took place, but the written side could not be held at their position. Nothing changed; try again. */
    public static final class UnreachableException extends RuntimeException {
        public UnreachableException(String message) {
            super(message);
        }
    }
}
