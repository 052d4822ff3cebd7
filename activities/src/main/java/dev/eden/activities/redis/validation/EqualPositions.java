package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.replication.DbKey;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/** What validation needs of the replicator of the pair. */
public interface EqualPositions {

    /**
     * Runs {@code reads} on the followed side in one transaction, lets the written side come to exactly that position, and calls {@code
     * body} with the replies while the written side stands still. Throws {@link UnsettledException} when this was not possible within
     * {@code limit}; then the result of the body, if it ran, means nothing.
     */
    <T> T at(List<Object[]> reads, Duration limit, Function<List<Reply>, T> body);

    /** Copies the keys whole again at an exact position, or deletes those that the followed side does not have. */
    void recopy(List<DbKey> keys, Duration limit);

    /** Not now; nothing changed, try again. */
    final class UnsettledException extends RuntimeException {
        public UnsettledException(String message) {
            super(message);
        }
    }
}
