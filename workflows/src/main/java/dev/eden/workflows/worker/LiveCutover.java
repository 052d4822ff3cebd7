package dev.eden.workflows.worker;

import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.CutoverActivities;

/** The cutover's activities under {@link Liveness}. */
final class LiveCutover implements CutoverActivities {
    private final CutoverActivities cutover;

    LiveCutover(CutoverActivities cutover) {
        this.cutover = cutover;
    }

    @Override
    public Readiness readiness(AttemptRequest request) {
        return cutover.readiness(request);
    }

    @Override
    public Readiness awaitReadiness(AttemptRequest request) {
        return Liveness.whileRunning(() -> cutover.awaitReadiness(request));
    }

    @Override
    public Rehearsal rehearse(MigrationSpec spec) {
        return Liveness.whileRunning(() -> cutover.rehearse(spec));
    }

    @Override
    public AttemptResult attempt(AttemptRequest request) {
        return Liveness.whileRunning(() -> cutover.attempt(request));
    }

    @Override
    public AttemptResult settle(AttemptRequest request) {
        return Liveness.whileRunning(() -> cutover.settle(request));
    }
}
