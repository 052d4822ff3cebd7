package dev.eden.workflows.activity;

import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import io.temporal.activity.ActivityInterface;

/** The read share of the committed route, and the watch over its gates. */
@ActivityInterface
public interface CanaryActivities {

    record CanaryRequest(MigrationSpec spec, Strategy strategy) {}

    /** {@code breached} names the gate and its numbers. */
    record CanaryVerdict(boolean breached, String reason) {}

    /** Writes share, consistency and ack mode into the route; proxies follow within a second. Idempotent. */
    void apply(CanaryRequest request);

    /** Watches until a gate is breached (answers) or it is cancelled; heartbeats. */
    CanaryVerdict watch(CanaryRequest request);

    /**
     * After a flip: watches what clients get from the side that owns writes now until a gate is breached, or requests come and none succeeds
     * (answers), or it is cancelled; heartbeats. No requests prove nothing.
     */
    CanaryVerdict watchOwner(CanaryRequest request);
}
