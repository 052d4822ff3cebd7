package dev.eden.activities.canary;

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
    private Totals window;
    private Totals lastSuccess;
    private long windowStart;

    OwnerWatch(Gates gates, List<TrafficReport> start, long nowNanos, long windowNanos) {
        this.gates = gates;
        this.windowNanos = windowNanos;
        this.window = Totals.of(start);
        this.lastSuccess = window;
        this.windowStart = nowNanos;
    }

    private record Totals(long operations, long errors) {
        static Totals of(List<TrafficReport> reports) {
            return new Totals(
                    reports.stream()
                            .mapToLong(report -> report.active().operations())
                            .sum(),
                    reports.stream()
                            .mapToLong(report -> report.active().errors())
                            .sum());
        }

        Totals since(Totals before) {
            return new Totals(operations - before.operations, errors - before.errors);
        }
    }

    /** The breach in words with its numbers, if there is one. */
    Optional<String> look(List<TrafficReport> reports, long nowNanos) {
        Totals now = Totals.of(reports);
        // A proxy that is gone, or began anew.
        if (now.operations() < window.operations() || now.errors() < window.errors()) {
            window = now;
            lastSuccess = now;
            windowStart = nowNanos;
            return Optional.empty();
        }
        Totals unbroken = now.since(lastSuccess);
        if (unbroken.errors() < unbroken.operations()) {
            lastSuccess = now;
        } else if (unbroken.operations() >= NONE_OF) {
            return Optional.of(
                    "none of " + unbroken.operations() + " requests succeeded on the side that owns writes now");
        }
        Totals inWindow = now.since(window);
        double rate = inWindow.operations() == 0 ? 0 : (double) inWindow.errors() / inWindow.operations();
        if (gates.maxErrorRate() >= 0
                && inWindow.operations() >= Math.max(1, gates.minSamples())
                && rate > gates.maxErrorRate()) {
            return Optional.of(String.format(
                    Locale.ROOT,
                    "max_error_rate: %.4f of %d requests failed on the side that owns writes now, the gate is %.4f",
                    rate,
                    inWindow.operations(),
                    gates.maxErrorRate()));
        }
        if (nowNanos - windowStart > windowNanos) {
            window = now;
            windowStart = nowNanos;
        }
        return Optional.empty();
    }
}
