package dev.eden.workflows.worker;

import dev.eden.workflows.activity.CleanupActivities;

/** Cleaning up under {@link Liveness}. */
final class LiveCleanup implements CleanupActivities {
    private final CleanupActivities cleanup;

    LiveCleanup(CleanupActivities cleanup) {
        this.cleanup = cleanup;
    }

    @Override
    public void cleanUp(CleanupRequest request) {
        Liveness.whileRunning(() -> {
            cleanup.cleanUp(request);
            return true;
        });
    }
}
