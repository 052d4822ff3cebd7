package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.replication.DbKey;
import dev.eden.activities.redis.replication.EqualPosition;
import dev.eden.activities.redis.replication.RedisReplicator;
import dev.eden.activities.redis.replication.ReplicatorRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** {@link EqualPositions} by the replicator that runs in this process. */
public final class ReplicatorPositions implements EqualPositions {
    private final RedisReplicator replicator;

    private ReplicatorPositions(RedisReplicator replicator) {
        this.replicator = replicator;
    }

    /** What {@link RedisValidation} asks for a migration's replicator. */
    public static Function<String, Optional<EqualPositions>> of(ReplicatorRegistry registry) {
        return migration -> registry.find(migration).map(ReplicatorPositions::new);
    }

    @Override
    public <T> T at(List<Object[]> reads, Duration limit, Function<List<Reply>, T> body) {
        try {
            return replicator.atEqualPosition(reads, limit, position -> body.apply(position.from()));
        } catch (EqualPosition.UnreachableException | RedisConnectionException e) {
            throw new UnsettledException(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public void recopy(List<DbKey> keys, Duration limit) {
        try {
            replicator.recopy(keys, limit);
        } catch (EqualPosition.UnreachableException | RedisConnectionException e) {
            throw new UnsettledException(String.valueOf(e.getMessage()));
        }
    }
}
