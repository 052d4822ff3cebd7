package dev.eden.activities.cutover;

import java.util.List;
import java.util.Map;

/**
 * The record of one attempt: each step's duration, each proxy's own times and counts. Wall-clock times are microseconds since
 * the epoch by the coordinator's (proxies: their own) clock, durations microseconds by a monotonic clock.
 */
public record AttemptReport(
        long attempt,
        int number,
        String migration,
        String direction,
        long epoch,
        String outcome,
        List<String> blockers,
        long holdAtMicros,
        long openedAtMicros,
        long pauseMicros,
        List<Step> steps,
        List<ProxyTimes> proxies) {

    /** The document that is stored and shown, with Java's names. */
    public String json() {
        return AttemptLog.json(this);
    }

    public record Step(String name, long micros) {}

    /** {@code acknowledgedAfterMicros}: from arming to each acknowledgement, by step. */
    public record ProxyTimes(String proxy, String interlay, Map<String, Long> acknowledgedAtMicros, String detail) {}
}
