package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * What {@code watch --until} waits for. A phase that is over counts as reached, whether it began and ended between two looks or was over before the
 * first: a wait that is begun again ends.
 */
final class Until {
    static final String READY = "ready";
    private static final String CANARY = "canary";
    private static final String ROLLING_BACK = "rolling_back";
    private static final String ROLLED_BACK = "rolled_back";

    private final String wanted;
    private @Nullable String passed;

    Until(String wanted) {
        this.wanted = wanted;
    }

    boolean reached(JsonNode status) {
        String phase = status.path("phase").asText();
        int now = StatusText.PHASES.indexOf(phase);
        int goal = StatusText.PHASES.indexOf(wanted.equals(READY) ? CANARY : wanted);
        boolean over = goal >= 0 && now > goal || wanted.equals(ROLLING_BACK) && phase.equals(ROLLED_BACK);
        passed = over ? phase : null;
        return over || phase.equals(wanted) || wanted.equals(READY) && NextCommand.ready(status);
    }

    /** What people are told where the last look found it over; null otherwise. */
    @Nullable
    String over() {
        return passed == null ? null : wanted + " is over: the phase is " + passed;
    }
}
