package dev.eden.activities.store;

import dev.eden.activities.store.ReplicationLedger.Progress;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * When a replicator says where it is. What changes is stored within a fifth of a second; where nothing changes, once a second is enough for
 * whoever wants to know that it lives (three seconds of silence count as none). A server with hundreds of resting migrations is spared the rest:
 * each heartbeat is a write in Temporal. Belongs to one thread.
 */
public final class ProgressPace {
    private static final long CHANGED_NANOS = Duration.ofMillis(200).toNanos();
    private static final long SAME_NANOS = Duration.ofSeconds(1).toNanos();

    /** A heartbeat also brings a cancellation: one is heard of within this time. */
    private static final long BEAT_NANOS = Duration.ofSeconds(2).toNanos();

    private final Consumer<Progress> store;
    private final Consumer<Progress> heartbeat;
    private @Nullable Progress told;
    private long toldAt;
    private long beatAt;
    private boolean began;

    public ProgressPace(Consumer<Progress> store, Consumer<Progress> heartbeat) {
        this.store = store;
        this.heartbeat = heartbeat;
    }

    /** Whether a {@link Progress} is worth making; {@code now} in {@link System#nanoTime}. */
    public boolean due(long now) {
        return !began || now - toldAt >= CHANGED_NANOS || now - beatAt >= BEAT_NANOS;
    }

    /** Stores and beats what has to be. */
    public void tell(Progress progress, long now) {
        if (!began || now - toldAt >= (progress.saysTheSameAs(told) ? SAME_NANOS : CHANGED_NANOS)) {
            store.accept(progress);
            told = progress;
            toldAt = now;
        }
        if (!began || now - beatAt >= BEAT_NANOS) {
            heartbeat.accept(progress);
            beatAt = now;
        }
        began = true;
    }
}
