package dev.eden.activities.canary;

import dev.eden.proxy.TrafficReport;
import dev.eden.workflows.MigrationSpec.Gates;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Judges a canary by what all proxies counted between two looks. Pure. */
final class CanaryGates {

    /** Sums over the proxies; latencies are the worst proxy's percentiles over its last window. */
    record Totals(
            long sourceOperations,
            long operations,
            long errors,
            long compared,
            long mismatched,
            double sourceP99,
            double targetP99) {

        static Totals of(List<TrafficReport> reports) {
            long sourceOperations = 0;
            long operations = 0;
            long errors = 0;
            long compared = 0;
            long mismatched = 0;
            double sourceP99 = 0;
            double targetP99 = 0;
            for (TrafficReport report : reports) {
                sourceOperations += report.active().operations();
                operations += report.standby().operations();
                errors += report.standby().errors();
                compared += report.comparedReads();
                mismatched += report.mismatchedReads();
                sourceP99 = Math.max(sourceP99, report.active().p99Millis());
                targetP99 = Math.max(targetP99, report.standby().p99Millis());
            }
            return new Totals(sourceOperations, operations, errors, compared, mismatched, sourceP99, targetP99);
        }
    }

    private CanaryGates() {}

    /** The breach in words with its numbers, if there is one; fewer samples than {@code minSamples} prove nothing. */
    static Optional<String> breach(Gates gates, Totals before, Totals now) {
        Optional<String> mismatch = mismatch(gates, before, now);
        if (mismatch.isPresent()) {
            return mismatch;
        }
        long operations = now.operations() - before.operations();
        if (operations < Math.max(1, gates.minSamples())) {
            return Optional.empty();
        }
        double errorRate = (double) (now.errors() - before.errors()) / operations;
        if (gates.maxErrorRate() >= 0 && errorRate > gates.maxErrorRate()) {
            return Optional.of(String.format(
                    Locale.ROOT,
                    "max_error_rate: %.4f of %d reads on the target failed, the gate is %.4f",
                    errorRate,
                    operations,
                    gates.maxErrorRate()));
        }
        double ratio = now.sourceP99() > 0 ? now.targetP99() / now.sourceP99() : 0;
        if (gates.maxLatencyRatio() >= 0 && ratio > gates.maxLatencyRatio()) {
            return Optional.of(String.format(
                    Locale.ROOT,
                    "max_latency_ratio: p99 is %.3f ms on the target and %.3f ms on the source, ratio %.2f over %d reads, the gate is %.2f",
                    now.targetP99(),
                    now.sourceP99(),
                    ratio,
                    operations,
                    gates.maxLatencyRatio()));
        }
        return Optional.empty();
    }

    /** A difference is confirmed before it is counted, so a few comparisons are enough: with none allowed the first is one too many. */
    private static Optional<String> mismatch(Gates gates, Totals before, Totals now) {
        long compared = now.compared() - before.compared();
        long mismatched = now.mismatched() - before.mismatched();
        if (gates.maxMismatchRate() < 0 || mismatched <= 0 || compared <= 0) {
            return Optional.empty();
        }
        boolean enough = gates.maxMismatchRate() == 0 || compared >= gates.minSamples();
        double rate = (double) mismatched / compared;
        return enough && rate > gates.maxMismatchRate()
                ? Optional.of(String.format(
                        Locale.ROOT,
                        "max_mismatch_rate: %d of %d reads asked of both sides had different rows, rate %.4f, the gate is %.4f",
                        mismatched,
                        compared,
                        rate,
                        gates.maxMismatchRate()))
                : Optional.empty();
    }
}
