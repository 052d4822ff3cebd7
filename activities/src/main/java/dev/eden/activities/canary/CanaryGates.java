package dev.eden.activities.canary;

import dev.eden.activities.canary.SinceFirstSeen.Step;
import dev.eden.activities.store.StageLedger.Counted;
import dev.eden.activities.store.StageLedger.Latency;
import dev.eden.proxy.TrafficReport;
import dev.eden.workflows.MigrationSpec.Gates;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Judges what a canary's target served; what a stage lacks is the same for its watch and for a status. Pure. */
public final class CanaryGates {

    /** What was seen of the target over some time; {@code compared}: reads that were asked of both sides, for their rows alone. */
    record Seen(
            long reads,
            long errors,
            long compared,
            long mismatched,
            @Nullable Latency latency) {
        static final Seen NOTHING = new Seen(0, 0, 0, 0, null);

        static Seen of(Counted counted) {
            return new Seen(
                    counted.reads(), counted.errors(), counted.compared(), counted.mismatched(), counted.latency());
        }

        /** With what came since the last look. */
        Seen plus(List<Step> steps) {
            long newReads = 0;
            long newErrors = 0;
            long newCompared = 0;
            long newMismatched = 0;
            for (Step step : steps) {
                TrafficReport before = step.before();
                TrafficReport now = step.now();
                newReads += now.standby().operations() - before.standby().operations();
                newErrors += now.standby().errors() - before.standby().errors();
                newCompared += now.comparedReads() - before.comparedReads();
                newMismatched += now.mismatchedReads() - before.mismatchedReads();
            }
            return new Seen(
                    reads + newReads, errors + newErrors, compared + newCompared, mismatched + newMismatched, latency);
        }

        /** With what proxies' windows tell now. */
        Seen timed(Gates gates, List<Latency> told) {
            return new Seen(reads, errors, compared, mismatched, Latencies.worst(gates, latency, told));
        }

        double errorRate() {
            return reads == 0 ? 0 : (double) errors / reads;
        }

        double mismatchRate() {
            return compared == 0 ? 0 : (double) mismatched / compared;
        }
    }

    private CanaryGates() {}

    /** What is still to be seen before a stage can pass, in words; empty: nothing. */
    public static List<String> missing(Gates gates, Counted stage) {
        return missing(gates, Seen.of(stage));
    }

    /** The worst that was sustained, with enough samples. */
    public static Optional<Latency> latency(Gates gates, Counted stage) {
        return compared(gates, stage.latency());
    }

    static List<String> missing(Gates gates, Seen seen) {
        List<String> missing = new ArrayList<>();
        if (!enough(gates, seen)) {
            missing.add(seen.reads() + " of " + Math.max(1, gates.minSamples()) + " reads");
        }
        if (gates.maxLatencyRatio() >= 0 && compared(gates, seen.latency()).isEmpty()) {
            missing.add(Latencies.wanting(gates, seen.latency()));
        }
        return missing;
    }

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
        if (gates.maxLatencyRatio() < 0) {
            return Optional.empty();
        }
        return compared(gates, seen.latency())
                .filter(worst -> worst.ratio() > gates.maxLatencyRatio())
                .map(_ -> "max_latency_ratio: " + latency(gates, seen));
    }

    /** The figures of a stage that has passed. */
    static String numbers(Gates gates, Seen seen) {
        String worst = compared(gates, seen.latency()).isPresent() ? "; in the worst window " : "; ";
        return "passed: " + errors(gates, seen) + worst + latency(gates, seen)
                + (seen.compared() == 0 ? "" : "; " + mismatches(gates, seen));
    }

    private static Optional<Latency> compared(Gates gates, @Nullable Latency latency) {
        return Optional.ofNullable(latency).filter(one -> Latencies.counts(gates, one));
    }

    static String mismatches(Gates gates, Seen seen) {
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
        return compared(gates, seen.latency()).map(Latencies::words).orElse("latencies were not compared") + ", "
                + gate("%.2f", gates.maxLatencyRatio());
    }

    private static String gate(String format, double value) {
        return value < 0 ? "not gated" : "the gate is " + String.format(Locale.ROOT, format, value);
    }
}
