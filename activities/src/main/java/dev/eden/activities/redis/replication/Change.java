package dev.eden.activities.redis.replication;

import java.util.List;

/**
 * A stream command and what is to be made of it.
 *
 * @param database where it runs
 * @param keys what it touches; null where that can't be known
 * @param probes keys whose absence on the written side, just before the command, would mean that they expired there too early
 * @param effective the reply on the written side must show an effect, because the other side had one
 * @param applied false for what is only Eden's or only for replicas
 */
record Change(
        StreamCommand command,
        int database,
        @org.jspecify.annotations.Nullable List<byte[]> keys,
        List<byte[]> probes,
        boolean effective,
        boolean applied) {

    /** What it changes can't be told key by key, so that nothing makes up for it where it is refused. */
    boolean keyless() {
        return keys == null || keys.isEmpty();
    }
}
