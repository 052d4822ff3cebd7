package dev.eden.activities.migration;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.replication.DbKey;
import dev.eden.activities.redis.replication.EqualPosition;
import dev.eden.activities.redis.replication.RedisReplicator;
import dev.eden.activities.redis.validation.EqualPositions;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** What validation asks of the replicator that runs in this process. */
record ReplicatorPositions(RedisReplicator replicator) implements EqualPositions {

    @Override
    public <T> T at(List<Object[]> reads, Duration limit, Function<List<Reply>, T> body) {
        return settled(() -> replicator.atEqualPosition(reads, limit, position -> body.apply(position.from())));
    }

    @Override
    public void recopy(List<DbKey> keys, Duration limit) {
        settled(() -> replicator.recopy(keys, limit));
    }

    private static <T> T settled(Supplier<T> work) {
        try {
            return work.get();
        } catch (EqualPosition.UnreachableException e) {
            throw new UnsettledException(String.valueOf(e.getMessage()));
        }
    }
}
