package dev.eden.activities.canary;

import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.activities.store.StageLedger.Counted;
import dev.eden.activities.store.StageLedger.Latency;
import dev.eden.workflows.MigrationSpec.Gates;
import dev.eden.workflows.activity.CanaryActivities.CanaryVerdict;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Judges one stage of a canary: each window by itself, and all that was served since the stage began before it passes. Percentiles of several
 * windows make none of their own: of latencies it keeps the worst that was sustained. Pure; not thread-safe.
 */
final class StageWatch {
    /** Gates judge windows of this length; a window with too few samples goes on. */
    static final long WINDOW_NANOS = Duration.ofSeconds(5).toNanos();

    /** By then whoever has samples enough has been heard with them twice. */
    private static final long HEARD_MILLIS = 20_000;

    private final Gates gates;
    private final long bakedAtMillis;
    private final long beganAtMillis;
    private final SinceFirstSeen since;
    private final SustainedLatencies latencies;
    private CanaryGates.Seen window = CanaryGates.Seen.NOTHING;
    private CanaryGates.Seen stage;
    private long windowStart;

    /**
     * @param bakedAtMillis 0: it never passes, it only breaches
     * @param before what a watch before this one has counted of the stage; null: this is the first
     */
    StageWatch(
            Gates gates,
            long bakedAtMillis,
            @Nullable Counted before,
            List<Reported> heard,
            long nowNanos,
            long nowMillis) {
        this.gates = gates;
        this.bakedAtMillis = bakedAtMillis;
        beganAtMillis = before == null || before.beganAtMillis() == 0 ? nowMillis : before.beganAtMillis();
        latencies = new SustainedLatencies(beganAtMillis);
        since = new SinceFirstSeen(before == null ? heard : before.heard());
        stage = before == null ? CanaryGates.Seen.NOTHING : CanaryGates.Seen.of(before);
        windowStart = nowNanos;
    }

    /** With what is heard of the proxies now. Empty: go on. */
    Optional<CanaryVerdict> look(List<Reported> heard, long nowNanos, long nowMillis) {
        List<SinceFirstSeen.Step> steps = since.next(heard);
        window = window.plus(steps);
        stage = stage.plus(steps);
        List<Latency> told = latencies.next(gates, steps, nowMillis);
        window = window.timed(gates, told);
        stage = stage.timed(gates, told);
        Optional<String> breach = CanaryGates.breach(gates, window);
        if (breach.isPresent()) {
            return Optional.of(new CanaryVerdict(true, breach.get()));
        }
        if (hasBaked(nowMillis)) {
            // Errors too few for each window may still be too many for the stage.
            Optional<String> overall = CanaryGates.breach(gates, stage);
            if (overall.isPresent()) {
                return Optional.of(new CanaryVerdict(true, overall.get()));
            }
            if (CanaryGates.missing(gates, stage).isEmpty()) {
                return Optional.of(new CanaryVerdict(false, CanaryGates.numbers(gates, stage), true));
            }
        }
        if (nowNanos - windowStart > WINDOW_NANOS && CanaryGates.enough(gates, window)) {
            window = CanaryGates.Seen.NOTHING;
            windowStart = nowNanos;
        }
        return Optional.empty();
    }

    /** What a stage that has baked still waits for, in words. */
    Optional<String> waits(long nowMillis) {
        List<String> missing = CanaryGates.missing(gates, stage);
        return missing.isEmpty() || !hasBaked(nowMillis) || nowMillis < beganAtMillis + HEARD_MILLIS
                ? Optional.empty()
                : Optional.of("baked, waits for samples: " + String.join("; ", missing));
    }

    /** Of the reads that both sides were asked, how many had different rows. */
    long mismatched() {
        return stage.mismatched();
    }

    /** The same, in words and with the gate. */
    String mismatches() {
        return CanaryGates.mismatches(gates, stage);
    }

    private boolean hasBaked(long nowMillis) {
        return bakedAtMillis > 0 && nowMillis >= bakedAtMillis;
    }

    /** For the next watch of this stage. */
    Counted counted() {
        return new Counted(
                stage.reads(),
                stage.errors(),
                stage.compared(),
                stage.mismatched(),
                stage.latency(),
                beganAtMillis,
                since.last());
    }
}
