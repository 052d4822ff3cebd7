package dev.eden.activities.canary;

import dev.eden.activities.canary.SinceFirstSeen.Step;
import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.proxy.TrafficReport;
import dev.eden.workflows.MigrationSpec.Gates;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Judges by the proxies' counters whether the side that owns writes serves its clients: by the error rate of a window, and by requests of which not one
 * succeeds, however slowly they come. Nothing is held against it when nobody asks. Not thread-safe.
 */
final class OwnerWatch {
    /** So many failures in a row, with no success between, are no accident. */
    private static final long NONE_OF = 20;

    private final Gates gates;
    private final long windowNanos;
    private final SinceFirstSeen counted;
    private Requests window = Requests.NONE;
    private Requests sinceSuccess = Requests.NONE;
    private long windowStart;

    OwnerWatch(Gates gates, List<Reported> start, long nowNanos, long windowNanos) {
        this.gates = gates;
        this.windowNanos = windowNanos;
        this.counted = new SinceFirstSeen(start);
        this.windowStart = nowNanos;
    }

    private record Requests(long operations, long errors) {
        static final Requests NONE = new Requests(0, 0);

        Requests plus(Step step) {
            TrafficReport.Side before = step.before().active();
            TrafficReport.Side now = step.now().active();
            return new Requests(
                    operations + now.operations() - before.operations(), errors + now.errors() - before.errors());
        }
    }

    /** The breach in words with its numbers, if there is one. */
    Optional<String> look(List<Reported> heard, long nowNanos) {
        for (Step step : counted.next(heard)) {
            window = window.plus(step);
            sinceSuccess = sinceSuccess.plus(step);
        }
        if (sinceSuccess.errors() < sinceSuccess.operations()) {
            sinceSuccess = Requests.NONE;
        } else if (sinceSuccess.operations() >= NONE_OF) {
            return Optional.of(
                    "none of " + sinceSuccess.operations() + " requests succeeded on the side that owns writes now");
        }
        double rate = window.operations() == 0 ? 0 : (double) window.errors() / window.operations();
        if (gates.maxErrorRate() >= 0
                && window.operations() >= Math.max(1, gates.minSamples())
                && rate > gates.maxErrorRate()) {
            return Optional.of(String.format(
                    Locale.ROOT,
                    "max_error_rate: %.4f of %d requests failed on the side that owns writes now, the gate is %.4f",
                    rate,
                    window.operations(),
                    gates.maxErrorRate()));
        }
        if (nowNanos - windowStart > windowNanos) {
            window = Requests.NONE;
            windowStart = nowNanos;
        }
        return Optional.empty();
    }
}
