package dev.eden.activities.redis.replication;

import dev.eden.activities.store.ReplicationLedger;

/** Told several times a second how replication gets on; whatever it throws ends {@link RedisReplicator#run}. */
@FunctionalInterface
public interface Heartbeat {
    void beat(ReplicationLedger.Progress progress);
}
