/**
 * The full comparison of two servers under live writes.
 *
 * <p>What makes a comparison exact although the servers move: {@link dev.eden.activities.redis.validation.WatchedComparison} asks the
 * source by WATCH whether a key stood still while both sides were looked at, and keys that never stand still are compared by {@link
 * dev.eden.activities.redis.validation.SettledComparison} while the applier stands still at a known position. Nothing is decided by
 * waiting and hoping.
 */
@NullMarked
package dev.eden.activities.redis.validation;

import org.jspecify.annotations.NullMarked;
