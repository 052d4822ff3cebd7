package dev.eden.activities.canary;

import dev.eden.activities.canary.SinceFirstSeen.Step;
import dev.eden.activities.store.StageLedger.Latency;
import dev.eden.proxy.TrafficReport;
import dev.eden.workflows.MigrationSpec.Gates;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Holds the target's p99 against the source's, each proxy's against its own: another may be nearer to either server, or busier. Pure. */
final class Latencies {
    /** From so many on a single slow one is not the p99. */
    private static final long ENOUGH = 100;

    /** Below this the p99 of a window is hardly more than any request, and the two sides' are not alike where one has many. */
    private static final long SOME = 20;

    private Latencies() {}

    /** Samples that a window needs on each side; who gates by fewer reads says that fewer are enough. */
    static long needed(Gates gates) {
        return Math.clamp(gates.minSamples(), 1, ENOUGH);
    }

    static boolean counts(Gates gates, Latency latency) {
        return scarcer(latency) >= needed(gates);
    }

    /** The worst that counts; while none does, the one that is nearest to it. */
    static @Nullable Latency worst(Gates gates, @Nullable Latency before, List<Latency> told) {
        Latency worst = before;
        for (Latency one : told) {
            if (worst == null || isWorse(gates, one, worst)) {
                worst = one;
            }
        }
        return worst;
    }

    private static boolean isWorse(Gates gates, Latency one, Latency than) {
        boolean counts = counts(gates, one);
        if (counts != counts(gates, than)) {
            return counts;
        }
        if (counts) {
            return one.ratio() > than.ratio();
        }
        return scarcer(one) == scarcer(than) ? samples(one) > samples(than) : scarcer(one) > scarcer(than);
    }

    static Latency of(Step step) {
        TrafficReport.Side source = step.now().active();
        TrafficReport.Side target = step.now().standby();
        return new Latency(
                step.interlay(),
                step.proxy(),
                source.p99Millis(),
                source.samples(),
                target.p99Millis(),
                target.samples());
    }

    /**
     * Means of several proxies' percentiles, as ratios are averaged (of twice as slow and twice as fast neither is left), by their samples: each is still held against
     * itself. Null where fewer than two have 20 samples on both sides.
     */
    static @Nullable Latency together(List<Latency> few) {
        List<Latency> timed = few.stream()
                .filter(one -> scarcer(one) >= SOME && one.sourceP99Millis() > 0 && one.targetP99Millis() > 0)
                .toList();
        if (timed.size() < 2) {
            return null;
        }
        double weights = timed.stream().mapToLong(Latencies::scarcer).sum();
        double source = timed.stream()
                .mapToDouble(one -> scarcer(one) * Math.log(one.sourceP99Millis()))
                .sum();
        double target = timed.stream()
                .mapToDouble(one -> scarcer(one) * Math.log(one.targetP99Millis()))
                .sum();
        String interlay = timed.getFirst().interlay();
        return new Latency(
                timed.stream().allMatch(one -> one.interlay().equals(interlay)) ? interlay : "several",
                timed.size() + " together",
                Math.exp(source / weights),
                timed.stream().mapToLong(Latency::sourceSamples).sum(),
                Math.exp(target / weights),
                timed.stream().mapToLong(Latency::targetSamples).sum());
    }

    private static long scarcer(Latency latency) {
        return Math.min(latency.sourceSamples(), latency.targetSamples());
    }

    private static long samples(Latency latency) {
        return latency.sourceSamples() + latency.targetSamples();
    }

    static String words(Latency latency) {
        return String.format(
                Locale.ROOT,
                "p99 over about 5 s at proxy %s:%s is %.3f ms of %d reads on the target and %.3f ms of %d requests on the source, ratio %.2f",
                latency.interlay(),
                latency.proxy(),
                latency.targetP99Millis(),
                latency.targetSamples(),
                latency.sourceP99Millis(),
                latency.sourceSamples(),
                latency.ratio());
    }

    /** What there has to be before anything is compared. */
    static String wanting(Gates gates, @Nullable Latency nearest) {
        return "p99 needs " + needed(gates) + " reads on the target and " + needed(gates)
                + " requests on the source within about 5 s, twice in a row, at one proxy or at several together"
                + (nearest == null
                        ? ""
                        : ", the nearest was " + nearest.targetSamples() + " and " + nearest.sourceSamples() + " ("
                                + nearest.interlay() + ":" + nearest.proxy() + ")");
    }
}
