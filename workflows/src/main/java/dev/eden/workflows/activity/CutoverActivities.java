package dev.eden.workflows.activity;

import dev.eden.workflows.MigrationSpec;
import io.temporal.activity.ActivityInterface;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The cutover protocol. One {@link #attempt} is one try: never retried by Temporal, a new attempt is the workflow's decision. */
@ActivityInterface
public interface CutoverActivities {

    /**
     * {@code forward}: source to target.
     *
     * @param run of the workflow, which counts {@code number}; null: from before it was told, and not closed when settled
     */
    record AttemptRequest(
            MigrationSpec spec,
            boolean forward,
            int number,
            String reason,
            @Nullable String run) {}

    /** {@code outcome}: {@code committed}, {@code aborted} or {@code refused}; {@code blockers} says why not; {@code pauseMicros} null: not known. */
    record AttemptResult(
            String outcome, List<String> blockers, @Nullable Long pauseMicros, String reportId) {
        public boolean committed() {
            return outcome.equals("committed");
        }
    }

    record Readiness(boolean ready, List<String> blockers) {}

    /** What stands in the way of a cutover now: lag, reverse path, what the servers say. Changes nothing. */
    Readiness readiness(AttemptRequest request);

    /**
     * The same and silent proxies, once what may be a moment's has had some seconds to pass. Changes nothing. No workflow asks for it; it
     * is what an operator who asks for a cutover is refused with.
     */
    Readiness awaitReadiness(AttemptRequest request);

    /**
     * {@code outcome}: {@code rehearsed}, {@code aborted} or {@code refused}; {@code reportJson}: each step's and each proxy's times, as of an
     * attempt.
     */
    record Rehearsal(String outcome, List<String> blockers, long pauseMicros, String reportJson) {}

    /** The protocol up to the commit, then taken back: what clients would wait. No workflow asks for it, operators do. */
    Rehearsal rehearse(MigrationSpec spec);

    /** Runs the protocol of docs/adr/0001 on this host. */
    AttemptResult attempt(AttemptRequest request);

    /**
     * After an attempt whose activity was lost: reads the row and finishes what it says, forwards after COMMITTED, backwards
     * otherwise. Idempotent, retried for ever. The result tells which side owns writes.
     */
    AttemptResult settle(AttemptRequest request);
}
