package dev.eden.workflows;

import dev.eden.workflows.PhaseMachine.Event;
import dev.eden.workflows.activity.CutoverActivities.AttemptRequest;
import dev.eden.workflows.activity.CutoverActivities.AttemptResult;
import io.temporal.failure.ActivityFailure;
import io.temporal.workflow.Workflow;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Attempts of the cutover protocol, each one try, settled where its outcome is unknown. None is ever interrupted: commands that arrive meanwhile are
 * judged again by the phase that its outcome leads to.
 */
final class Attempts {
    /** How reasons begin that explain nothing once an attempt has committed. */
    private static final List<String> KEPT_FROM_IT =
            List.of("cutover, attempt ", "rollback, attempt ", "not ready for cutover: ");

    private final MigrationState state;
    private final Journal journal;

    Attempts(MigrationState state, Journal journal) {
        this.state = state;
        this.journal = journal;
    }

    AttemptRequest request(boolean forward) {
        return new AttemptRequest(
                state.spec(),
                forward,
                state.attempts(),
                state.lastReason(),
                Workflow.getInfo().getRunId());
    }

    Event attempt(boolean forward) {
        state.attemptStarts();
        String title = (forward ? "cutover" : "rollback") + ", attempt " + state.attempts();
        AttemptRequest request = request(forward);
        AttemptResult result;
        try {
            result = Steps.attempt(title).attempt(request);
        } catch (ActivityFailure lost) {
            journal.record(AuditEvents.ATTEMPT_LOST, AuditEvents.EDEN, title + ": " + StepFailure.reason(lost));
            result = Steps.settle("settle " + title).settle(request);
        }
        if (result.committed()) {
            state.flipped(forward);
            if (KEPT_FROM_IT.stream().anyMatch(state.lastReason()::startsWith)) {
                state.reason("");
            }
            journal.publish();
            journal.record(
                    AuditEvents.FLIPPED, AuditEvents.EDEN, title + " committed, pause " + pause(result.pauseMicros()));
            return new Event.Committed();
        }
        String why = title + " " + result.outcome() + ": " + String.join("; ", result.blockers());
        return result.outcome().equals("refused") ? new Event.NotReady(why) : new Event.Aborted(why);
    }

    private static String pause(@Nullable Long micros) {
        return micros == null ? "not known: its coordinator was lost" : micros / 1_000 + " ms";
    }

    /** Before the next attempt of a series. */
    Duration pause() {
        return Duration.ofSeconds(Math.min(10, 1L << Math.min(4, Math.max(0, state.series() - 1))));
    }
}
