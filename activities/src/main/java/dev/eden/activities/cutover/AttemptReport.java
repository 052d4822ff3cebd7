package dev.eden.activities.cutover;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The record of one attempt: each step's duration, each proxy's own times and counts. Wall-clock times are microseconds since
 * the epoch by the coordinator's (proxies: the store's) clock, durations microseconds by a monotonic clock.
 *
 * @param holdAtMicros 0: clients did not wait, or it is not known since when
 * @param openedAtMicros 0: as before, until when
 * @param pauseMicros null: not known
 * @param ended transactions that were ended because they did not end in time
 * @param settled told by another than its coordinator, which was lost: without steps, its times by the store's clock
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
        @Nullable Long pauseMicros,
        List<Step> steps,
        List<ProxyTimes> proxies,
        List<String> ended,
        boolean settled) {

    /** The document that is stored and shown, with Java's names. */
    public String json() {
        return AttemptLog.json(this);
    }

    public record Step(String name, long micros) {}

    /** {@code acknowledgedAfterMicros}: from arming to each acknowledgement, by step. */
    public record ProxyTimes(String proxy, String interlay, Map<String, Long> acknowledgedAtMicros, String detail) {}
}
