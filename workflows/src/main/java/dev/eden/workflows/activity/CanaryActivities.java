package dev.eden.workflows.activity;

import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import io.temporal.activity.ActivityInterface;

/** The read share of the committed route, and the watch over its gates. */
@ActivityInterface
public interface CanaryActivities {

    /**
     * @param spec its gates are those of the present stage
     * @param bakedAtMillis for {@link #watch}: when the present stage has baked (Unix time); 0: no stage follows by itself
     */
    record CanaryRequest(MigrationSpec spec, Strategy strategy, long bakedAtMillis) {
        public CanaryRequest(MigrationSpec spec, Strategy strategy) {
            this(spec, strategy, 0);
        }
    }

    /**
     * Either a gate was breached, or the stage has passed.
     *
     * @param reason the gates and their numbers
     * @param passed the stage has baked, enough reads were seen and every gate has held over all of them
     */
    record CanaryVerdict(boolean breached, String reason, boolean passed) {
        public CanaryVerdict(boolean breached, String reason) {
            this(breached, reason, false);
        }
    }

    /** Writes share, consistency and ack mode into the route; proxies follow within a second. Idempotent. */
    void apply(CanaryRequest request);

    /** Watches until a gate is breached, the stage has passed (where one bakes), or it is cancelled; heartbeats. */
    CanaryVerdict watch(CanaryRequest request);

    /**
     * After a flip: watches what clients get from the side that owns writes now until a gate is breached, or requests come and none succeeds
     * (answers), or it is cancelled; heartbeats. No requests prove nothing.
     */
    CanaryVerdict watchOwner(CanaryRequest request);
}
