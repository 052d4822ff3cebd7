package dev.eden.activities.redis.replication;

import java.util.List;

/**
 * What must be applied together: one command, or a whole MULTI … EXEC of the source (without these two).
 *
 * @param end offset of the log after it
 * @param databaseAfter the log's selected database after it
 * @param bytes size in the log
 */
record Unit(List<Change> changes, long end, int databaseAfter, long bytes) {}
