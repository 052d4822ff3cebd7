package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What {@code watch --until} waits for. A phase that is over counts as reached, whether it began and ended between two looks or was over before the
 * first: a wait that is begun again ends. But the canary comes again with a rollback that was sent just now: where it was over before the first look, it
 * has to be so for a while.
 */
final class Until {
    static final String READY = "ready";
    private static final String CANARY = "canary";
    private static final String ROLLING_BACK = "rolling_back";
    private static final String ROLLED_BACK = "rolled_back";

    /** Within which a command that was accepted shows in the phase. */
    private static final Duration SETTLED = Duration.ofSeconds(5);

    private final String wanted;
    private @Nullable String passed;
    private boolean before;
    private long overSinceNanos;

    Until(String wanted) {
        this.wanted = wanted;
    }

    /** {@code nanos} as of {@link System#nanoTime}. */
    boolean reached(JsonNode status, long nanos) {
        String phase = status.path("phase").asText();
        int now = StatusText.PHASES.indexOf(phase);
        int goal = StatusText.PHASES.indexOf(wanted.equals(READY) ? CANARY : wanted);
        before |= now >= 0 && now < goal;
        boolean over = goal >= 0 && now > goal && !comesAgain(goal, now, nanos)
                || wanted.equals(ROLLING_BACK) && phase.equals(ROLLED_BACK);
        passed = over ? phase : null;
        return over || phase.equals(wanted) || wanted.equals(READY) && NextCommand.ready(status);
    }

    private boolean comesAgain(int goal, int now, long nanos) {
        int canary = StatusText.PHASES.indexOf(CANARY);
        if (goal != canary || before || now == StatusText.PHASES.size() - 1) {
            return false;
        }
        overSinceNanos = overSinceNanos == 0 ? nanos : overSinceNanos;
        return nanos - overSinceNanos < SETTLED.toNanos();
    }

    /** What people are told where the last look found it over; null otherwise. */
    @Nullable
    String over() {
        return passed == null ? null : wanted + " is over: the phase is " + passed;
    }
}
