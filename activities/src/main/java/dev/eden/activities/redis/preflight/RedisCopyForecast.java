package dev.eden.activities.redis.preflight;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.Endpoint;
import dev.eden.workflows.activity.PreparationActivities.CopyForecast;
import java.time.Duration;

/** How long a Redis may take to be copied, from its own figures; changes nothing. */
public final class RedisCopyForecast {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    /** Measured (docs/benchmarks.md): small keys are limited by the target's one thread. */
    private static final double KEYS_PER_SECOND = 200_000;
    /** Large values are limited by the network; half of what two processes of one machine give each other. */
    private static final double BYTES_PER_SECOND = 100 << 20;

    private RedisCopyForecast() {}

    public static CopyForecast of(Endpoint source) {
        try (RespConnection connection = RespConnection.connect(source, "eden:forecast", TIMEOUT)) {
            ServerInfo info = ServerInfo.read(connection, "memory", "keyspace");
            long keys = info.keysByDatabase().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
            long bytes = info.number("used_memory_dataset");
            return new CopyForecast(
                    keys,
                    bytes,
                    Math.max(keys / KEYS_PER_SECOND, bytes / BYTES_PER_SECOND),
                    "200,000 keys/s, or 100 MiB/s of the source's memory, whichever takes longer");
        }
    }
}
