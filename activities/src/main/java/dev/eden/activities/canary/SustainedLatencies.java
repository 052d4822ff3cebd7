package dev.eden.activities.canary;

import dev.eden.activities.canary.SinceFirstSeen.Step;
import dev.eden.activities.store.StageLedger.Latency;
import dev.eden.workflows.MigrationSpec.Gates;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Of each proxy, and together of those that have too few samples alone, the better one of two windows after each other: a percentile of some hundred requests
 * is now and then far off by itself. A proxy that has begun lately is cold, and left out. Not thread-safe.
 */
final class SustainedLatencies {
    /** A proxy's percentiles are of its last 5 s, and what is heard of it may be 3 s old: before this they are of a time before. */
    static final long REACHES_BACK_MILLIS = 8_000;

    /** They are after each other still. */
    private static final long STALE_MILLIS = 20_000;

    private static final String TOGETHER = "";

    private final long fromMillis;
    private final Map<String, Window> last = new HashMap<>();
    private final Map<String, Long> begun = new HashMap<>();

    private record Window(Latency latency, long atMillis) {}

    /** @param beganAtMillis windows that reach back before it are another stage's */
    SustainedLatencies(long beganAtMillis) {
        this.fromMillis = beganAtMillis + REACHES_BACK_MILLIS;
    }

    /** What can be told now; of those with too few samples what there is. */
    List<Latency> next(Gates gates, List<Step> steps, long nowMillis) {
        steps.stream().filter(Step::first).forEach(step -> begun.put(step.origin(), nowMillis));
        begun.values().removeIf(at -> nowMillis >= at + REACHES_BACK_MILLIS);
        last.values().removeIf(window -> nowMillis > window.atMillis() + STALE_MILLIS);
        if (nowMillis < fromMillis) {
            return List.of();
        }
        List<Latency> told = new ArrayList<>();
        List<Latency> few = new ArrayList<>();
        for (Step step : steps) {
            if (!begun.containsKey(step.origin())) {
                Latency one = Latencies.of(step);
                if (Latencies.counts(gates, one)) {
                    sustained(step.origin(), one, nowMillis, told);
                } else {
                    few.add(one);
                }
            }
        }
        Latency together = Latencies.together(few);
        if (together != null && Latencies.counts(gates, together)) {
            sustained(TOGETHER, together, nowMillis, told);
        } else {
            told.addAll(few);
        }
        return told;
    }

    private void sustained(String origin, Latency now, long nowMillis, List<Latency> told) {
        @Nullable Window before = last.get(origin);
        if (before == null) {
            last.put(origin, new Window(now, nowMillis));
        } else if (nowMillis >= before.atMillis() + REACHES_BACK_MILLIS) {
            told.add(now.ratio() < before.latency().ratio() ? now : before.latency());
            last.put(origin, new Window(now, nowMillis));
        }
    }
}
