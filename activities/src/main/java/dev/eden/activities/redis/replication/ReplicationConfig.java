package dev.eden.activities.redis.replication;

import java.time.Duration;

/**
 * What one migration's replication is told.
 *
 * @param source,target endpoint ids as the migration names them, whatever the present direction
 * @param existing what becomes of keys that the target has before the load
 * @param maxValueBytes a larger value stops the load: one RESTORE of it would block the target for too long
 * @param lanes connections of the full load
 * @param linger how long a small batch waits for company; adds to the lag, saves transactions
 * @param queueBytes changes read but not applied yet; beyond that the source has to keep them
 * @param filterBytes size of the filter of keys that ever had an expiry; a power of two
 */
public record ReplicationConfig(
        String migration,
        String source,
        String target,
        Existing existing,
        int maxValueBytes,
        int lanes,
        Duration linger,
        long queueBytes,
        int filterBytes) {

    public enum Existing {
        /** The target becomes an exact copy: it is emptied. */
        REPLACE,
        /** Existing keys stay and count as conflicts. */
        SKIP,
        /** The target must be empty. */
        FAIL;

        /** From {@code data.replace} of the REST contract. */
        public static Existing of(String text) {
            return switch (text) {
                case "replace" -> REPLACE;
                case "skip" -> SKIP;
                case "fail" -> FAIL;
                default -> throw new IllegalArgumentException("replace: " + text + " is not replace, skip or fail");
            };
        }
    }

    /** 64 MiB per value, 4 lanes, 0.5 ms linger, 64 MiB of queue, 8 MiB of filter. */
    public static ReplicationConfig of(String migration, String source, String target, Existing existing) {
        return new ReplicationConfig(
                migration, source, target, existing, 64 << 20, 4, Duration.ofNanos(500_000), 64L << 20, 8 << 20);
    }

    public ReplicationConfig withMaxValueBytes(int bytes) {
        return new ReplicationConfig(
                migration, source, target, existing, bytes, lanes, linger, queueBytes, filterBytes);
    }
}
