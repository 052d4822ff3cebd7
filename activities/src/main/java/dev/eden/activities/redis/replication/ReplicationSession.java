package dev.eden.activities.redis.replication;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Failpoints;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One generation of one direction: takes its identity, loads or resumes, follows the log until its identity, its log or its patience
 * ends. Never starts again; {@link RedisReplicator} makes the next one.
 */
final class ReplicationSession implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ReplicationSession.class);

    /** A batch in flight takes a few round trips at most. */
    private static final long GRACE_MILLIS = 1_000;

    private final ReplicationConfig config;
    private final Sides sides;
    private final TtlFilter filter;
    private final UnitQueue queue;
    private final LagSampler lag = new LagSampler();
    private final SourceReads reads;
    private final CopyPace pace;
    private final StartPoint start;
    private final Thread thread;
    private volatile @Nullable RespConnection own;
    private volatile @Nullable Applier applier;
    private volatile @Nullable LogFollower log;
    private volatile @Nullable SourceSampler sampler;
    private volatile @Nullable ReversePath reverse;
    private volatile @Nullable ExpiryScan scan;
    private volatile @Nullable Ending ending;
    private volatile @Nullable Ending foundByOthers;
    private volatile boolean closed;
    private volatile boolean quiet;

    ReplicationSession(
            ReplicationConfig config,
            ReplicationLedger.Direction direction,
            long generation,
            EndpointDirectory endpoints,
            ServerRecords records,
            ReplicationLedger ledger,
            CopyPace pace) {
        this.config = config;
        this.pace = pace;
        this.sides = new Sides(
                config.migration(),
                direction,
                generation,
                endpoints.endpoint(direction.from()),
                endpoints.endpoint(direction.to()),
                records);
        this.filter = new TtlFilter(config.filterBytes());
        this.queue = new UnitQueue(config.queueBytes());
        this.reads = new SourceReads(sides.from(), sides::fromLogin, "eden:copy:" + config.migration());
        this.start = new StartPoint(config, sides, ledger, filter, pace);
        this.thread = daemon("session", this::run);
    }

    ReplicationLedger.Direction direction() {
        return sides.direction();
    }

    long generation() {
        return sides.generation();
    }

    /** Null while it runs. */
    @Nullable
    Ending ending() {
        return ending;
    }

    boolean isStreaming() {
        return applier != null;
    }

    /** While an attempt runs nothing lingers and nothing is probed. */
    void attemptRunning(boolean running) {
        quiet = running;
        Applier current = applier;
        if (current != null) {
            current.linger(running ? 0 : config.linger().toNanos());
        }
        ReversePath path = reverse;
        if (path != null) {
            path.quiet(running);
        }
    }

    <T> T atEqualPosition(List<Object[]> sourceReads, Duration limit, Function<EqualPosition, T> body) {
        return streaming().requests().hold(sourceReads, limit, body);
    }

    ExactCopy recopy(List<DbKey> keys, Duration limit) {
        return streaming().requests().recopy(keys, limit);
    }

    ReplicationLedger.Progress progress(long nowMillis) {
        FullLoad loading = start.load();
        Applier current = applier;
        ReversePath path = reverse;
        long done = loading == null ? 0 : loading.keysDone();
        double seconds = loading == null ? 0 : start.elapsedNanos() / 1e9;
        double rate = seconds > 0 ? done / seconds : 0;
        long total = current != null ? done : Math.max(start.keysTotal(), done);
        long applied = current == null ? 0 : current.published().offset();
        return new ReplicationLedger.Progress(
                current == null ? "loading" : "streaming",
                done,
                total,
                loading == null ? 0 : loading.bytes(),
                rate,
                current != null ? 0 : rate < 1 ? -1 : (long) ((total - done) / rate),
                current == null ? -1 : lag.lagMillis(applied, System.nanoTime()),
                Math.max(lag.newest(), applied),
                applied,
                path != null && path.proven(),
                start.conflicts(),
                problem(),
                nowMillis);
    }

    @Override
    public void close() {
        closed = true;
        letEnd();
        releaseAll();
        thread.interrupt();
        joinUninterruptibly(thread);
    }

    /** Cut off in the middle of a batch, it would leave its successor in doubt. */
    private void letEnd() {
        Applier applying = applier;
        if (applying != null && thread.isAlive()) {
            applying.stop();
            // A worker that is shut down has been interrupted by now.
            boolean interrupted = Thread.interrupted();
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(GRACE_MILLIS);
            boolean ended = false;
            while (!ended && System.nanoTime() - until < 0) {
                try {
                    applying.awaitEnd(Math.max(1, TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime())));
                    ended = true;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private @Nullable String problem() {
        Applier current = applier;
        String ofApplier = current == null ? null : current.problem();
        SourceSampler sampling = sampler;
        return ofApplier != null || sampling == null ? ofApplier : sampling.problem();
    }

    private Applier streaming() {
        Applier current = applier;
        if (current == null || ending != null) {
            throw new EqualPosition.UnreachableException("the change stream does not run now");
        }
        return current;
    }

    private void run() {
        Ending end;
        try {
            takeIdentity();
            stream(start.reach(connection(), this::reconnect));
            end = new Ending.Closed();
        } catch (ReplicationStopped | RdbException e) {
            end = new Ending.Stopped(String.valueOf(e.getMessage()));
        } catch (LogLostException e) {
            end = new Ending.LogLost(String.valueOf(e.getMessage()));
        } catch (RedisConnectionException | RedisException | IOException | InterruptedException e) {
            end = new Ending.Interrupted(String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            end = new Ending.Interrupted(e.toString());
            LOGGER.atError()
                    .addKeyValue("migration", sides.migration())
                    .setCause(e)
                    .log("replication session failed");
        }
        releaseAll();
        Ending known = foundByOthers;
        ending = closed ? new Ending.Closed() : known != null ? known : end;
    }

    private void takeIdentity() {
        try (RespConnection control = sides.connectTo("control")) {
            ApplierIdentity.grant(control, sides.applierLogin());
            RespConnection applierConnection = sides.connectApplier();
            own = applierConnection;
            ApplierIdentity.claim(
                    applierConnection, sides.migration(), sides.direction().epoch(), sides.generation());
            ApplierIdentity.removeOlder(control, sides.migration(), sides.generation());
            sides.forgetOlderLogin();
        }
        Failpoints.reach("applier.resume");
    }

    private RespConnection connection() {
        RespConnection open = own;
        if (open == null) {
            throw new IllegalStateException("no identity yet");
        }
        return open;
    }

    private RespConnection reconnect() {
        connection().close();
        RespConnection fresh = sides.connectApplier();
        own = fresh;
        if (closed) {
            fresh.close();
        }
        return fresh;
    }

    private void stream(AppliedMarker marker) throws InterruptedException, LogLostException {
        Applier applying = new Applier(
                sides.migration(),
                connection(),
                queue,
                reads,
                filter,
                marker,
                pace,
                quiet ? 0 : config.linger().toNanos());
        LogFollower following = new LogFollower(
                sides,
                marker,
                start.takeLink(),
                queue,
                filter,
                applying::continueAs,
                why -> {
                    foundByOthers = why;
                    applying.stop();
                },
                this::stir);
        log = following;
        if (start.load() == null) {
            ExpiryScan scanning = new ExpiryScan(sides, filter);
            scan = scanning;
            following.rebuildFilterBy(scanning);
        }
        ReversePath path = new ReversePath(
                sides.migration(), sides.from(), sides::fromLogin, sides.to(), sides::toLogin, applying::writeProbe);
        path.quiet(quiet);
        reverse = path;
        SourceSampler sampling =
                new SourceSampler(sides, lag, () -> applying.published().offset(), now -> {
                    following.acknowledge(applying.published().offset());
                    path.tick(now);
                });
        sampler = sampling;
        applier = applying;
        LOGGER.atInfo()
                .addKeyValue("migration", sides.migration())
                .addKeyValue("epoch", sides.direction().epoch())
                .addKeyValue("endpoint", sides.to().id())
                .log("generation {} applies from {}", sides.generation(), marker.offset());
        Thread reader = daemon("reader", following::run);
        Thread samples = daemon("sampler", sampling::run);
        try {
            if (!closed) {
                applying.run();
            }
        } finally {
            releaseAll();
            reader.interrupt();
            samples.interrupt();
            joinUninterruptibly(reader);
            joinUninterruptibly(samples);
        }
    }

    private void stir() {
        SourceSampler sampling = sampler;
        if (sampling != null) {
            sampling.stir();
        }
    }

    private void releaseAll() {
        Applier applying = applier;
        if (applying != null) {
            applying.stop();
        }
        for (AutoCloseable open : new @Nullable AutoCloseable[] {log, own, start, reverse, scan, sampler, reads}) {
            if (open != null) {
                try {
                    open.close();
                } catch (Exception e) {
                    LOGGER.atDebug().setCause(e).log("close");
                }
            }
        }
    }

    private Thread daemon(String part, Runnable body) {
        return Thread.ofPlatform()
                .daemon()
                .name("eden-" + part + "-" + sides.migration() + "-" + sides.generation())
                .start(body);
    }

    private static void joinUninterruptibly(Thread other) {
        boolean interrupted = false;
        while (other.isAlive()) {
            try {
                other.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
