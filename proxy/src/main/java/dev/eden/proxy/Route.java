package dev.eden.proxy;

import org.jspecify.annotations.Nullable;

/**
 * One committed route row as a proxy sees it: immutable.
 *
 * @param version grows with every change of the row, whatever changed; an older version never replaces a newer one
 * @param attempt number of the running attempt, 0 when there is none
 * @param deadlineMillis length of the running attempt's budget from PREPARED, 0 when there is none
 * @param active serves writes; null until the interlay is bound to an endpoint
 * @param standby the other side of a migration, null outside one
 * @param activeTag 0…15, changes whenever the active server changes; tags SCAN cursors
 * @param appliedKey how the standby tells what position has been applied; Redis: a key in db 0, a hash with fields {@code replid} and {@code offset};
 *     PostgreSQL: the name of the subscription, and of the publication on the active side; null when no applier runs
 * @param ackBoth replies to writes wait until the standby has applied them
 */
public record Route(
        String interlay,
        long version,
        long epoch,
        RouteState state,
        long attempt,
        long deadlineMillis,
        @Nullable Backend active,
        @Nullable Backend standby,
        int activeTag,
        @Nullable String appliedKey,
        CanaryPolicy canary,
        boolean ackBoth) {}
