package dev.eden.activities.canary;

import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.activities.store.StageLedger.Counted;
import dev.eden.workflows.MigrationSpec.Gates;
import dev.eden.workflows.activity.CanaryActivities.CanaryVerdict;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Judges one stage of a canary: each window by itself, and all that was served since the stage began before it passes. Pure; not thread-safe.
 */
final class StageWatch {
    /** Gates judge windows of this length; a window with too few samples goes on. */
    static final long WINDOW_NANOS = Duration.ofSeconds(5).toNanos();

    private final Gates gates;
    private final long bakedAtMillis;
    private final SinceFirstSeen since;
    private CanaryGates.Seen window = CanaryGates.Seen.NOTHING;
    private CanaryGates.Seen stage;
    private long windowStart;

    /**
     * @param bakedAtMillis 0: it never passes, it only breaches
     * @param before what a watch before this one has counted of the stage; null: this is the first
     */
    StageWatch(Gates gates, long bakedAtMillis, @Nullable Counted before, List<Reported> heard, long nowNanos) {
        this.gates = gates;
        this.bakedAtMillis = bakedAtMillis;
        since = new SinceFirstSeen(before == null ? heard : before.heard());
        stage = before == null
                ? CanaryGates.Seen.NOTHING
                : new CanaryGates.Seen(before.reads(), before.errors(), before.compared(), before.mismatched(), 0, 0);
        windowStart = nowNanos;
    }

    /** With what is heard of the proxies now. Empty: go on. */
    Optional<CanaryVerdict> look(List<Reported> heard, long nowNanos, long nowMillis) {
        List<SinceFirstSeen.Step> steps = since.next(heard);
        window = window.plus(steps);
        stage = stage.plus(steps);
        Optional<String> breach = CanaryGates.breach(gates, window);
        if (breach.isPresent()) {
            return Optional.of(new CanaryVerdict(true, breach.get()));
        }
        if (bakedAtMillis > 0 && nowMillis >= bakedAtMillis && CanaryGates.enough(gates, stage)) {
            // Errors too few for each window may still be too many for the stage.
            Optional<String> overall = CanaryGates.breach(gates, stage);
            return Optional.of(
                    overall.isPresent()
                            ? new CanaryVerdict(true, overall.get())
                            : new CanaryVerdict(false, CanaryGates.numbers(gates, stage), true));
        }
        if (nowNanos - windowStart > WINDOW_NANOS && CanaryGates.enough(gates, window)) {
            window = CanaryGates.Seen.NOTHING;
            windowStart = nowNanos;
        }
        return Optional.empty();
    }

    /** For the next watch of this stage. */
    Counted counted() {
        return new Counted(stage.reads(), stage.errors(), stage.compared(), stage.mismatched(), since.last());
    }
}
