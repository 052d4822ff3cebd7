/**
 * Full load and change stream by Redis' own replication protocol (PSYNC): Eden is a replica of the side that owns writes and writes
 * what it receives to the other side, every batch and its position in one transaction.
 */
@NullMarked
package dev.eden.activities.redis.replication;

import org.jspecify.annotations.NullMarked;
