package dev.eden.activities.canary;

import dev.eden.activities.canary.SinceFirstSeen.Step;
import dev.eden.proxy.TrafficReport;
import dev.eden.workflows.MigrationSpec.Gates;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Judges what a canary's target served. Pure. */
final class CanaryGates {

    /** What was seen of the target over some time; {@code compared}: reads that were asked of both sides, for their rows alone. */
    record Seen(long reads, long errors, long compared, long mismatched, double sourceP99, double targetP99) {
        static final Seen NOTHING = new Seen(0, 0, 0, 0, 0, 0);

        /** With what came since the last look; latencies are the worst proxy's percentiles over its last window. */
        Seen plus(List<Step> steps) {
            long newReads = 0;
            long newErrors = 0;
            long newCompared = 0;
            long newMismatched = 0;
            double source = 0;
            double target = 0;
            for (Step step : steps) {
                TrafficReport before = step.before();
                TrafficReport now = step.now();
                newReads += now.standby().operations() - before.standby().operations();
                newErrors += now.standby().errors() - before.standby().errors();
                newCompared += now.comparedReads() - before.comparedReads();
                newMismatched += now.mismatchedReads() - before.mismatchedReads();
                source = Math.max(source, now.active().p99Millis());
                target = Math.max(target, now.standby().p99Millis());
            }
            return new Seen(
                    reads + newReads,
                    errors + newErrors,
                    compared + newCompared,
                    mismatched + newMismatched,
                    source,
                    target);
        }

        double errorRate() {
            return reads == 0 ? 0 : (double) errors / reads;
        }

        double mismatchRate() {
            return compared == 0 ? 0 : (double) mismatched / compared;
        }

        double latencyRatio() {
            return sourceP99 > 0 ? targetP99 / sourceP99 : 0;
        }
    }

    private CanaryGates() {}

    /** Fewer reads than {@code minSamples} prove nothing; where no figure of the reads is gated none are needed. */
    static boolean enough(Gates gates, Seen seen) {
        return !gates.judgesReads() || seen.reads() >= Math.max(1, gates.minSamples());
    }

    /** The breach in words with its numbers, if there is one. */
    static Optional<String> breach(Gates gates, Seen seen) {
        // A difference is confirmed before it is counted, so a few comparisons are enough: with none allowed the first
        // is one too many.
        boolean compared = gates.maxMismatchRate() == 0 || seen.compared() >= gates.minSamples();
        if (gates.maxMismatchRate() >= 0 && compared && seen.mismatchRate() > gates.maxMismatchRate()) {
            return Optional.of("max_mismatch_rate: " + mismatches(gates, seen));
        }
        if (!gates.judgesReads() || !enough(gates, seen)) {
            return Optional.empty();
        }
        if (gates.maxErrorRate() >= 0 && seen.errorRate() > gates.maxErrorRate()) {
            return Optional.of("max_error_rate: " + errors(gates, seen));
        }
        if (gates.maxLatencyRatio() >= 0 && seen.latencyRatio() > gates.maxLatencyRatio()) {
            return Optional.of("max_latency_ratio: " + latency(gates, seen));
        }
        return Optional.empty();
    }

    /** The figures of a stage that has passed. */
    static String numbers(Gates gates, Seen seen) {
        return "passed: " + errors(gates, seen) + "; " + latency(gates, seen)
                + (seen.compared() == 0 ? "" : "; " + mismatches(gates, seen));
    }

    private static String mismatches(Gates gates, Seen seen) {
        return String.format(
                        Locale.ROOT,
                        "%d of %d reads asked of both sides had different rows, rate %.4f, ",
                        seen.mismatched(),
                        seen.compared(),
                        seen.mismatchRate())
                + gate("%.4f", gates.maxMismatchRate());
    }

    private static String errors(Gates gates, Seen seen) {
        return String.format(
                        Locale.ROOT,
                        "%d of %d reads on the target failed (%.4f), ",
                        seen.errors(),
                        seen.reads(),
                        seen.errorRate())
                + gate("%.4f", gates.maxErrorRate());
    }

    private static String latency(Gates gates, Seen seen) {
        return String.format(
                        Locale.ROOT,
                        "p99 is %.3f ms on the target and %.3f ms on the source, ratio %.2f over %d reads, ",
                        seen.targetP99(),
                        seen.sourceP99(),
                        seen.latencyRatio(),
                        seen.reads())
                + gate("%.2f", gates.maxLatencyRatio());
    }

    private static String gate(String format, double value) {
        return value < 0 ? "not gated" : "the gate is " + String.format(Locale.ROOT, format, value);
    }
}
