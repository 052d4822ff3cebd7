package dev.eden.activities.postgres.replication;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.store.ProgressPace;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Direction;
import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.activities.store.ReplicationWatcher;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A migration's replication for as long as it lives: follows the committed route through every flip. The servers do the work by native
 * logical replication; this process only says which subscription may apply, and only while the routes are STABLE. What it holds in memory is
 * worth nothing: killed anywhere, the next one finds everything on the servers.
 *
 * <p>{@link #run} belongs to one thread; everything else may be called from any.
 */
public final class PostgresReplicator implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(PostgresReplicator.class);
    private static final long POLL_MILLIS = 50;
    private static final long ATTEMPT_POLL_MILLIS = 5;
    private static final long AFTER_FLIP_MILLIS = 150;
    private static final long MOST_BACKOFF_MILLIS = 2_000;
    /** In a row: a certificate that is being exchanged may not fit for a moment. */
    private static final int MOST_UNVERIFIED = 3;

    private final Pair pair;
    private final boolean copies;
    private final RetentionWatch watch;
    private final ReplicationLedger ledger;
    private final Clock clock;
    private final CopyPace copyPace = new CopyPace();
    private volatile boolean closed;
    private @Nullable ReplicationRun run;
    /** The last that this one has taken; 0: none. */
    private long generation;

    private @Nullable String problem;
    private @Nullable String loadsAgain;
    private long notBeforeNanos;
    private long backoffMillis;
    private int unverified;
    private @Nullable Progress last;
    private final LoadSpeed speed = new LoadSpeed();

    public PostgresReplicator(Pair pair, ReplicationLedger ledger, Clock clock) {
        this(pair, ledger, clock, true);
    }

    /** {@code copies}: the first load copies rows; else the target has them by other means, and what differs is the validation's business. */
    public PostgresReplicator(Pair pair, ReplicationLedger ledger, Clock clock, boolean copies) {
        this(pair, ledger, clock, copies, Retention.DEFAULT);
    }

    PostgresReplicator(Pair pair, ReplicationLedger ledger, Clock clock, boolean copies, Retention retention) {
        this.pair = pair;
        this.watch = new RetentionWatch(pair, retention, ledger);
        this.copies = copies;
        this.ledger = ledger;
        this.clock = clock;
    }

    /**
     * Blocks until {@link #close}, an interrupt, or until the watcher throws. Throws {@link ReplicationStopped} when it can't go on without
     * a person, and {@link Superseded} when another one replicates. When it returns, this process does nothing more; the servers go on replicating.
     */
    public void run(ReplicationWatcher watcher) {
        ProgressPace pace = new ProgressPace(progress -> ledger.progress(pair.migration(), progress), watcher::beat);
        boolean calm = false;
        if (ledger.current(pair.migration()).generation() > 0) {
            last = ledger.progress(pair.migration()).orElse(null);
        }
        watch.start();
        try {
            while (!closed && !Thread.currentThread().isInterrupted()) {
                Direction direction = calm ? ledger.lately(pair.migration()) : ledger.current(pair.migration());
                calm = !direction.attemptRunning() && run != null;
                if (copyPace.follow(() -> ledger.tuning(pair.migration()))) {
                    LOGGER.atInfo().addKeyValue("migration", pair.migration()).log("tuned: {}", copyPace.tuning());
                }
                watch.follow(direction);
                stopFor(watch.verdict());
                supervise(direction);
                String again = loadsAgain;
                if (again != null) {
                    loadsAgain = null;
                    watcher.loadsAgain(again);
                }
                long now = System.nanoTime();
                if (pace.due(now)) {
                    pace.tell(progress().retaining(watch.retained()), now);
                }
                TimeUnit.MILLISECONDS.sleep(direction.attemptRunning() ? ATTEMPT_POLL_MILLIS : POLL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ReplicationStopped e) {
            problem = e.getMessage();
            ledger.progress(pair.migration(), idle("stopped"));
            throw e;
        } finally {
            watch.close();
            endRun();
        }
    }

    private static void stopFor(@Nullable String verdict) {
        if (verdict != null) {
            throw new ReplicationStopped(verdict);
        }
    }

    /** Ends {@link #run} soon. */
    @Override
    public void close() {
        closed = true;
    }

    private void supervise(Direction direction) {
        requireLatest(direction);
        ReplicationRun running = run;
        if (running != null && !same(running.direction(), direction)) {
            if (direction.attemptRunning()) {
                running.attemptRunning(true);
                return; // committed, and clients wait for the opening: what can be done later would take the machine
                // from it
            }
            endRun();
            running = null;
            backoffMillis = AFTER_FLIP_MILLIS;
            notBeforeNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoffMillis);
        }
        if (running != null && running.ending() != null) {
            ended(running);
            endRun();
            running = null;
        }
        if (running != null) {
            running.attemptRunning(direction.attemptRunning());
            if (running.streaming()) {
                backoffMillis = 0;
                problem = null;
                unverified = 0;
            }
            return;
        }
        if (direction.attemptRunning() || (backoffMillis > 0 && System.nanoTime() < notBeforeNanos)) {
            return;
        }
        begin(direction);
    }

    private void begin(Direction direction) {
        // What was read a moment ago may be older than another one's first breath.
        requireLatest(ledger.current(pair.migration()));
        OptionalLong next = ledger.nextGeneration(pair.migration(), direction.epoch());
        if (next.isPresent()) {
            long before = generation;
            generation = next.getAsLong();
            if (before > 0 && generation != before + 1) {
                throw new Superseded(before);
            }
            // Read again: a load may have ended, or begun anew, since.
            Direction now = ledger.current(pair.migration());
            requireLatest(now);
            if (same(now, direction) && !lostBefore(now)) {
                run = new ReplicationRun(pair, now, generation, ledger, copies, copyPace);
            }
        }
    }

    /**
     * The worker that this one runs on may have been given up for dead, and its attempt at the activity made again elsewhere. Then it takes no more
     * generations: each would end the other's run, and the other this one's. One that says less is of an earlier look.
     */
    private void requireLatest(Direction direction) {
        if (generation > 0 && direction.generation() > generation) {
            throw new Superseded(generation);
        }
    }

    /** Then {@link RetentionWatch} lets go of what is kept for nobody, and says so. */
    private boolean lostBefore(Direction now) {
        boolean lost = LostLog.noted(pair.records(), pair.migration(), now.from(), now.epoch());
        if (lost) {
            problem = "the log of " + now.from() + " was lost" + LostLog.FOR_GOOD;
            backoffMillis = MOST_BACKOFF_MILLIS;
            notBeforeNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoffMillis);
        }
        return lost;
    }

    private void ended(ReplicationRun over) {
        backoffMillis = Math.min(MOST_BACKOFF_MILLIS, Math.max(10, 2 * backoffMillis));
        notBeforeNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoffMillis);
        switch (over.ending()) {
            case null -> throw new IllegalStateException("it has not ended");
            case ReplicationRun.Ending.Interrupted interrupted -> {
                unverified = 0;
                interrupted(over, interrupted.why());
            }
            case ReplicationRun.Ending.Unverified refused -> {
                if (++unverified >= MOST_UNVERIFIED) {
                    throw new ReplicationStopped(refused.why());
                }
                backoffMillis = MOST_BACKOFF_MILLIS;
                notBeforeNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoffMillis);
                interrupted(over, refused.why());
            }
            case ReplicationRun.Ending.Stopped stopped -> throw new ReplicationStopped(stopped.why());
            case ReplicationRun.Ending.LogLost lost -> {
                stopFor(watch.settled());
                loadAgain(over, lost);
            }
        }
    }

    private void interrupted(ReplicationRun over, String why) {
        problem = why;
        LOGGER.atWarn()
                .addKeyValue("migration", pair.migration())
                .log("generation {} is over: {}", over.generation(), why);
    }

    /** A lost log means a new full load, but only while the target has never served a write. */
    private void loadAgain(ReplicationRun over, ReplicationRun.Ending.LogLost lost) {
        String why = lost.why();
        problem = why;
        Direction direction = over.direction();
        Direction now = ledger.current(pair.migration());
        requireLatest(now);
        if (now.attemptRunning() || !same(now, direction)) {
            // A flip that gets through needs that log no more; after any other the next run is here again.
            return;
        }
        if (LostLog.isForGood(direction)) {
            LostLog.note(pair.records(), pair.migration(), direction);
            throw new ReplicationStopped(why + LostLog.FOR_GOOD);
        }
        LOGGER.atWarn().addKeyValue("migration", pair.migration()).log("a new full load is needed: {}", why);
        if (!copies) {
            throw new ReplicationStopped(
                    why + "; the target was filled by other means, so it is not loaded again by Eden");
        }
        boolean loaded = ledger.current(pair.migration()).loaded();
        ledger.restartLoad(pair.migration(), direction.epoch(), over.generation());
        Direction restarted = ledger.current(pair.migration());
        requireLatest(restarted); // whose load it is then
        if (restarted.loaded()) {
            throw new ReplicationStopped(why + LostLog.FOR_GOOD);
        }
        endRun();
        last = null;
        new LoadReset(pair, direction.epoch(), over.generation()).reset();
        loadsAgain = loaded || lost.before() ? why : null;
    }

    private void endRun() {
        ReplicationRun running = run;
        run = null;
        if (running != null) {
            running.close();
        }
    }

    private Progress progress() {
        ReplicationRun running = run;
        if (running == null) {
            return idle("waiting");
        }
        LoadProgress load = known(running.load());
        Direction direction = running.direction();
        boolean loading = !direction.loaded() && !running.streaming();
        double rate = loading ? speed.rate(running.generation(), load, System.nanoTime()) : 0;
        long left = Math.max(0, load.rowsTotal() - load.rowsDone());
        long eta = !loading ? 0 : rate > 0 ? Math.round(left / rate) : -1;
        Progress progress = new Progress(
                loading ? "loading" : running.streaming() ? "streaming" : "waiting",
                load.rowsDone(),
                load.rowsTotal(),
                load.bytes(),
                rate,
                eta,
                running.lagMillis(),
                running.sourceOffset(),
                running.appliedOffset(),
                running.reverseProven(),
                0,
                Stream.of(
                                Optional.ofNullable(problem),
                                Optional.ofNullable(running.trouble()),
                                Optional.ofNullable(watch.scarce()))
                        .flatMap(Optional::stream)
                        .findFirst()
                        .orElse(null),
                clock.millis(),
                loading ? load.tables() : List.of());
        last = progress;
        return progress;
    }

    /** A run that has nothing to copy, or has not looked yet, knows nothing of it; and a server that is away has copied no less. */
    private LoadProgress known(LoadProgress load) {
        Progress before = last;
        return load.tableCount() > 0 || before == null
                ? load
                : LoadProgress.known(before.keysDone(), before.keysTotal(), before.bytes());
    }

    private Progress idle(String state) {
        Progress before = last;
        return new Progress(
                state,
                before == null ? 0 : before.keysDone(),
                before == null ? 0 : before.keysTotal(),
                before == null ? 0 : before.bytes(),
                0,
                -1,
                // Nothing measures it just now.
                -1,
                before == null ? 0 : before.sourceOffset(),
                before == null ? 0 : before.appliedOffset(),
                false,
                0,
                problem,
                clock.millis());
    }

    private static boolean same(Direction one, Direction other) {
        return one.epoch() == other.epoch()
                && one.from().equals(other.from())
                && one.to().equals(other.to());
    }
}
