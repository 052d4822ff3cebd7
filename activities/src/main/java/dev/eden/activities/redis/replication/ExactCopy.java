package dev.eden.activities.redis.replication;

import dev.eden.activities.store.RouteLedger;

/** {@code keys} keys were copied whole again (or deleted, where the followed side has them no more); equal since {@code position} of the log. */
public record ExactCopy(RouteLedger.Position position, int keys) {}
