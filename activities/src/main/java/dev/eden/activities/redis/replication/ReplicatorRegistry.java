package dev.eden.activities.redis.replication;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The replicators that run in this process, by migration. Thread-safe. */
public final class ReplicatorRegistry {
    private final Map<String, RedisReplicator> running = new ConcurrentHashMap<>();

    /** Empty when this process does not run the migration's replication (now). */
    public Optional<RedisReplicator> find(String migration) {
        return Optional.ofNullable(running.get(migration));
    }

    void add(String migration, RedisReplicator replicator) {
        running.put(migration, replicator);
    }

    void remove(String migration, RedisReplicator replicator) {
        running.remove(migration, replicator);
    }
}
