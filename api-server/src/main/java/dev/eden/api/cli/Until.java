package dev.eden.api.cli;

import com.fasterxml.jackson.databind.JsonNode;

/** What {@code watch --until} waits for. A phase that began and ended between two looks is reached once a later one of its way is seen. */
final class Until {
    static final String READY = "ready";
    private static final String ROLLING_BACK = "rolling_back";
    private static final String ROLLED_BACK = "rolled_back";

    private final String wanted;
    private int seen = -1;
    private String last = "";

    Until(String wanted) {
        this.wanted = wanted;
    }

    boolean reached(JsonNode status) {
        String phase = status.path("phase").asText();
        int now = StatusText.PHASES.indexOf(phase);
        int goal = StatusText.PHASES.indexOf(wanted);
        boolean passed = seen >= 0 && seen < goal && now > goal
                || wanted.equals(ROLLING_BACK) && phase.equals(ROLLED_BACK) && !last.isEmpty() && !last.equals(phase);
        if (now >= 0 || phase.equals(ROLLING_BACK)) {
            seen = now;
        }
        last = phase;
        return passed || phase.equals(wanted) || wanted.equals(READY) && NextCommand.ready(status);
    }
}
