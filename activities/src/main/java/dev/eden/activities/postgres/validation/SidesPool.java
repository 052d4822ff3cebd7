package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/** Sessions that go from lane to lane and from table to table, so that small tables cost no connects; at most {@code kept} of them rest. Thread-safe. */
final class SidesPool implements AutoCloseable {
    private final Pair pair;
    private final Role followed;
    private final Duration patience;
    private final int kept;
    private final Deque<Sides> resting = new ArrayDeque<>();

    SidesPool(Pair pair, Role followed, Duration patience, int kept) {
        this.pair = pair;
        this.followed = followed;
        this.patience = patience;
        this.kept = kept;
    }

    /** Those of work that failed are not used again. */
    void with(Consumer<Sides> work) {
        Sides sides = take();
        boolean whole = false;
        try {
            work.accept(sides);
            whole = true;
        } finally {
            if (!whole || !rest(sides)) {
                sides.close();
            }
        }
    }

    private Sides take() {
        Sides rested;
        synchronized (this) {
            rested = resting.poll();
        }
        return rested != null ? rested : Sides.open(pair, followed, patience);
    }

    private synchronized boolean rest(Sides sides) {
        boolean room = resting.size() < kept;
        if (room) {
            resting.push(sides);
        }
        return room;
    }

    @Override
    public synchronized void close() {
        resting.forEach(Sides::close);
    }
}
