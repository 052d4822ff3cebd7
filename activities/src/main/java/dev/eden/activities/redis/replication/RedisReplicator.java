package dev.eden.activities.redis.replication;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ProgressPace;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Direction;
import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.activities.store.ReplicationWatcher;
import dev.eden.activities.store.ServerRecords;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A migration's replication for as long as it lives: follows the committed route through every flip. It decides nothing itself; the
 * {@link ReplicationLedger} says which direction applies, and only while the routes are STABLE may it take a new generation. What it holds in
 * memory is worth nothing: killed anywhere, the next one goes on from the marker on the written server.
 *
 * <p>{@link #run} belongs to one thread; everything else may be called from any.
 */
public final class RedisReplicator implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(RedisReplicator.class);
    private static final long POLL_MILLIS = 100;
    private static final long ATTEMPT_POLL_MILLIS = 25;
    private static final long MOST_BACKOFF_MILLIS = 2_000;

    private final ReplicationConfig config;
    private final EndpointDirectory endpoints;
    private final ServerRecords records;
    private final ReplicationLedger ledger;
    private final ReplicatorRegistry registry;
    private final Clock clock;
    private final CopyPace copyPace = new CopyPace();
    private volatile @Nullable ReplicationSession session;
    private volatile boolean closed;
    private @Nullable String problem;
    private @Nullable String loadsAgain;
    private long notBeforeNanos;
    private long backoffMillis;
    private @Nullable Progress last;

    public RedisReplicator(
            ReplicationConfig config,
            EndpointDirectory endpoints,
            ServerRecords records,
            ReplicationLedger ledger,
            ReplicatorRegistry registry,
            Clock clock) {
        this.config = config;
        this.endpoints = endpoints;
        this.records = records;
        this.ledger = ledger;
        this.registry = registry;
        this.clock = clock;
    }

    /**
     * Blocks until {@link #close}, an interrupt, or until the watcher throws. Throws {@link ReplicationStopped} when it can't go on without
     * a person. When it returns nothing of it runs any more.
     */
    public void run(ReplicationWatcher watcher) {
        registry.add(config.migration(), this);
        ProgressPace pace = new ProgressPace(progress -> ledger.progress(config.migration(), progress), watcher::beat);
        boolean calm = false;
        try {
            while (!closed && !Thread.currentThread().isInterrupted()) {
                Direction direction = calm ? ledger.lately(config.migration()) : ledger.current(config.migration());
                calm = !direction.attemptRunning() && session != null;
                long now = System.nanoTime();
                if (copyPace.follow(() -> ledger.tuning(config.migration()))) {
                    LOGGER.atInfo().addKeyValue("migration", config.migration()).log("tuned: {}", copyPace.tuning());
                }
                supervise(direction);
                String again = loadsAgain;
                if (again != null) {
                    loadsAgain = null;
                    watcher.loadsAgain(again);
                }
                if (pace.due(now)) {
                    pace.tell(progress(), now);
                }
                TimeUnit.MILLISECONDS.sleep(direction.attemptRunning() ? ATTEMPT_POLL_MILLIS : POLL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ReplicationStopped e) {
            problem = e.getMessage();
            ledger.progress(config.migration(), idle("stopped"));
            throw e;
        } finally {
            registry.remove(config.migration(), this);
            endSession();
        }
    }

    /** Ends {@link #run} soon. */
    @Override
    public void close() {
        closed = true;
    }

    /**
     * Looks at both sides at one position of the log: the reads run on the followed side in one transaction, then the written side is brought
     * exactly there and stands still while {@code body} looks at it on the caller's thread. Meant for a handful of keys and a few
     * milliseconds: it is replication lag.
     *
     * @param reads commands for the followed side; begin with {@code SELECT} for a database other than 0
     * @throws EqualPosition.UnreachableException when that did not work out within {@code limit}; try again
     */
    public <T> T atEqualPosition(List<Object[]> reads, Duration limit, Function<EqualPosition, T> body) {
        return current().atEqualPosition(reads, limit, body);
    }

    /** Copies keys whole again, each at an exact position of the log; a key that the followed side does not have is deleted. */
    public ExactCopy recopy(List<DbKey> keys, Duration limit) {
        return current().recopy(keys, limit);
    }

    private ReplicationSession current() {
        ReplicationSession running = session;
        if (running == null) {
            throw new EqualPosition.UnreachableException("replication does not run now");
        }
        return running;
    }

    private void supervise(Direction direction) {
        ReplicationSession running = session;
        if (running != null && !same(running.direction(), direction)) {
            endSession();
            running = null;
            backoffMillis = 0;
            notBeforeNanos = System.nanoTime();
        }
        if (running != null && running.ending() != null) {
            ended(running);
            endSession();
            running = null;
        }
        if (running != null) {
            running.attemptRunning(direction.attemptRunning());
            if (running.isStreaming()) {
                backoffMillis = 0;
            }
            return;
        }
        if (direction.attemptRunning() || (backoffMillis > 0 && System.nanoTime() < notBeforeNanos)) {
            return;
        }
        OptionalLong generation = ledger.nextGeneration(config.migration(), direction.epoch());
        if (generation.isPresent()) {
            // Read again: a load may have ended, or begun anew, since.
            Direction now = ledger.current(config.migration());
            if (same(now, direction)) {
                session = new ReplicationSession(
                        config, now, generation.getAsLong(), endpoints, records, ledger, copyPace);
            }
        }
    }

    private void ended(ReplicationSession over) {
        Ending ending = over.ending();
        backoffMillis = Math.min(MOST_BACKOFF_MILLIS, Math.max(10, 2 * backoffMillis));
        notBeforeNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(backoffMillis);
        switch (ending) {
            case null -> throw new IllegalStateException("it has not ended");
            case Ending.Closed _ -> problem = null;
            case Ending.Interrupted interrupted -> {
                problem = interrupted.why();
                LOGGER.atWarn()
                        .addKeyValue("migration", config.migration())
                        .log("generation {} is over: {}", over.generation(), interrupted.why());
            }
            case Ending.Stopped stopped -> throw new ReplicationStopped(stopped.why());
            case Ending.LogLost lost -> loadAgain(over, lost.why());
        }
    }

    /** A lost log means a new full load, but only while the target has never served a write. */
    private void loadAgain(ReplicationSession over, String why) {
        problem = why;
        LOGGER.atWarn().addKeyValue("migration", config.migration()).log("a new full load is needed: {}", why);
        Direction direction = over.direction();
        if (!direction.from().equals(config.source())) {
            throw new ReplicationStopped(why + "; after a flip it is not loaded again by itself");
        }
        boolean loaded = ledger.current(config.migration()).loaded();
        ledger.restartLoad(config.migration(), direction.epoch(), over.generation());
        if (ledger.current(config.migration()).loaded()) {
            throw new ReplicationStopped(why + "; after a flip it is not loaded again by itself");
        }
        loadsAgain = loaded ? why : null;
    }

    private void endSession() {
        ReplicationSession running = session;
        session = null;
        if (running != null) {
            running.close();
        }
    }

    private Progress progress() {
        ReplicationSession running = session;
        if (running == null) {
            return idle("waiting");
        }
        Progress progress = running.progress(clock.millis());
        last = progress;
        return progress;
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
                -1,
                before == null ? 0 : before.sourceOffset(),
                before == null ? 0 : before.appliedOffset(),
                false,
                before == null ? 0 : before.conflicts(),
                problem,
                clock.millis());
    }

    private static boolean same(Direction one, Direction other) {
        return one.epoch() == other.epoch()
                && one.from().equals(other.from())
                && one.to().equals(other.to());
    }
}
