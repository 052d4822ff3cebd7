package dev.eden.activities.redis.replication;

import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.Tuning;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What the store promises of replication, in memory; flips and attempts are the test's. */
public final class InMemoryReplicationLedger implements ReplicationLedger {
    private Direction direction = new Direction("source", "target", 1, 0, null, 0, false, false);
    private @Nullable Progress progress;
    private boolean lossUntold;
    public int restarts;
    public volatile Tuning tuning = Tuning.NONE;

    @Override
    public synchronized Direction current(String migration) {
        return direction;
    }

    public synchronized void attempt(boolean running) {
        Direction d = direction;
        direction = new Direction(
                d.from(), d.to(), d.epoch(), d.generation(), d.startReplid(), d.startOffset(), d.loaded(), running);
    }

    /** What a commit does; STABLE comes with {@link #attempt}. */
    public synchronized void flip(String replid, long offset) {
        Direction d = direction;
        direction = new Direction(d.to(), d.from(), d.epoch() + 1, d.generation(), replid, offset, true, true);
    }

    @Override
    public synchronized OptionalLong nextGeneration(String migration, long epoch) {
        Direction d = direction;
        if (d.attemptRunning() || d.epoch() != epoch) {
            return OptionalLong.empty();
        }
        direction = new Direction(
                d.from(), d.to(), d.epoch(), d.generation() + 1, d.startReplid(), d.startOffset(), d.loaded(), false);
        return OptionalLong.of(d.generation() + 1);
    }

    @Override
    public synchronized void loaded(String migration, long epoch, long generation, String replid, long offset) {
        Direction d = direction;
        direction =
                new Direction(d.from(), d.to(), d.epoch(), d.generation(), replid, offset, true, d.attemptRunning());
    }

    @Override
    public synchronized void restartLoad(String migration, long epoch, long generation) {
        Direction d = direction;
        restarts++;
        lossUntold |= d.loaded();
        direction = new Direction(d.from(), d.to(), d.epoch(), d.generation(), null, 0, false, d.attemptRunning());
    }

    @Override
    public synchronized boolean lossUntold(String migration) {
        return lossUntold && !direction.loaded();
    }

    @Override
    public synchronized void lossTold(String migration) {
        lossUntold = false;
    }

    @Override
    public synchronized void progress(String migration, Progress reported) {
        progress = reported;
    }

    @Override
    public synchronized Optional<Progress> progress(String migration) {
        return Optional.ofNullable(progress);
    }

    @Override
    public Tuning tuning(String migration) {
        return tuning;
    }

    public synchronized String state() {
        Progress now = progress;
        return now == null ? "" : now.state();
    }
}
