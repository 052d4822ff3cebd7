package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Failpoints;
import dev.eden.proxy.redis.CommandTable;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
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
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final long SAMPLE_MILLIS = 20;
    private static final long ACKNOWLEDGE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long RETRY_MILLIS = 100;

    /** Name in the server records: the epoch whose direction has a marker on the written server. */
    private static final String BEGAN = "applied:epoch";

    /** Why a session is over. */
    sealed interface Ending {
        /** By {@link #close}. */
        record Closed() implements Ending {}

        /** The identity was taken away, or the written server lost: its generation is over. */
        record Interrupted(String why) implements Ending {}

        /** What the log or the written server has no more can only come from a new full load. */
        record LogLost(String why) implements Ending {}

        /** A person is needed. */
        record Stopped(String why) implements Ending {}
    }

    private final ReplicationConfig config;
    private final ReplicationLedger.Direction direction;
    private final long generation;
    private final EndpointDirectory endpoints;
    private final ServerRecords records;
    private final ReplicationLedger ledger;
    private final Endpoint from;
    private final Endpoint to;
    private final TtlFilter filter;
    private final UnitQueue queue;
    private final LagSampler lag = new LagSampler();
    private final SourceReads reads;
    private final Thread thread;
    private volatile @Nullable ReplicaLink link;
    private volatile @Nullable RespConnection applierConnection;
    private volatile @Nullable Applier applier;
    private volatile @Nullable FullLoad load;
    private volatile @Nullable ReversePath reverse;
    private volatile @Nullable Ending ending;
    private volatile boolean closed;
    private volatile long keysTotal;
    private volatile long loadStarted;
    private volatile long loadNanos;
    private volatile @Nullable String sourceProblem;

    ReplicationSession(
            ReplicationConfig config,
            ReplicationLedger.Direction direction,
            long generation,
            EndpointDirectory endpoints,
            ServerRecords records,
            ReplicationLedger ledger) {
        this.config = config;
        this.direction = direction;
        this.generation = generation;
        this.endpoints = endpoints;
        this.records = records;
        this.ledger = ledger;
        this.from = endpoints.endpoint(direction.from());
        this.to = endpoints.endpoint(direction.to());
        this.filter = new TtlFilter(config.filterBytes());
        this.queue = new UnitQueue(config.queueBytes());
        this.reads = new SourceReads(from, this::fromLogin, "eden:copy:" + config.migration());
        this.thread = daemon("session", this::run);
    }

    ReplicationLedger.Direction direction() {
        return direction;
    }

    long generation() {
        return generation;
    }

    /** Null while it runs. */
    @Nullable
    Ending ending() {
        return ending;
    }

    boolean isStreaming() {
        return applier != null;
    }

    /** While an attempt runs nothing lingers. */
    void attemptRunning(boolean running) {
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
        FullLoad loading = load;
        Applier current = applier;
        long done = loading == null ? 0 : loading.keysDone();
        long elapsed = loading == null ? 0 : current == null ? System.nanoTime() - loadStarted : loadNanos;
        double rate = elapsed == 0 ? 0 : done / (elapsed / 1e9);
        long total = Math.max(keysTotal, done);
        long applied = current == null ? 0 : current.published().offset();
        String problem = current != null && current.problem() != null ? current.problem() : sourceProblem;
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
                isReverseProven(),
                loading == null ? 0 : loading.conflicts(),
                problem,
                nowMillis);
    }

    @Override
    public void close() {
        closed = true;
        releaseAll();
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean isReverseProven() {
        ReversePath path = reverse;
        return path != null && path.proven();
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
            follow();
            end = new Ending.Closed();
        } catch (ReplicationStopped e) {
            end = new Ending.Stopped(String.valueOf(e.getMessage()));
        } catch (RdbException e) {
            end = new Ending.Stopped(String.valueOf(e.getMessage()));
        } catch (LogLostException e) {
            end = new Ending.LogLost(String.valueOf(e.getMessage()));
        } catch (IOException | RuntimeException e) {
            end = new Ending.Interrupted(e.toString());
            if (!closed && !(e instanceof RedisException) && !(e instanceof RedisConnectionException)) {
                LOGGER.atWarn()
                        .addKeyValue("migration", config.migration())
                        .setCause(e)
                        .log("replication session failed");
            }
        } catch (InterruptedException e) {
            end = new Ending.Interrupted("interrupted");
        }
        releaseAll();
        // The reader may have found the reason before the applier noticed.
        Ending known = ending;
        ending = closed ? new Ending.Closed() : known != null ? known : end;
    }

    private static final class LogLostException extends IOException {
        LogLostException(String message) {
            super(message);
        }
    }

    private void follow() throws IOException, InterruptedException {
        RespConnection own;
        try (RespConnection control = RespConnection.connect(to, toLogin(), name("control"), TIMEOUT)) {
            ApplierIdentity.grant(control, applierLogin());
            own = applierConnection();
            applierConnection = own;
            ApplierIdentity.claim(own, config.migration(), direction.epoch(), generation);
            ApplierIdentity.removeOlder(control, config.migration(), generation);
        }
        Failpoints.reach("applier.resume");
        AppliedMarker marker = direction.loaded() ? resume(own) : load(own);
        stream(own, marker);
    }

    private void stream(RespConnection own, AppliedMarker marker) throws InterruptedException {
        StreamReader reader = new StreamReader(
                new StreamEffects(CommandTable.bundled(), filter), marker.offset(), marker.offsetDatabase());
        Applier running = new Applier(
                config.migration(),
                own,
                queue,
                reads,
                filter,
                marker,
                direction.attemptRunning() ? 0 : config.linger().toNanos());
        applier = running;
        ReversePath way =
                new ReversePath(config.migration(), from, this::fromLogin, to, this::toLogin, running::writeProbe);
        reverse = way;
        LOGGER.atInfo()
                .addKeyValue("migration", config.migration())
                .addKeyValue("epoch", direction.epoch())
                .addKeyValue("endpoint", to.id())
                .log("generation {} applies from {}", generation, marker.offset());
        Thread readerThread = daemon("reader", () -> readLog(reader, marker.replid(), running));
        Thread samplerThread = daemon("sampler", () -> sample(running, way));
        try {
            running.run();
        } finally {
            releaseAll();
            readerThread.interrupt();
            samplerThread.interrupt();
            readerThread.join();
            samplerThread.join();
        }
    }

    private AppliedMarker resume(RespConnection own) throws IOException {
        Optional<AppliedMarker> found = AppliedMarker.read(own, config.migration())
                .filter(m -> m.epoch() == direction.epoch() && m.state().equals("streaming"));
        filter.saturate();
        if (found.isPresent()) {
            AppliedMarker m = found.get();
            return new AppliedMarker(
                    m.state(),
                    m.replid(),
                    m.position(),
                    m.database(),
                    m.offset(),
                    m.offsetDatabase(),
                    m.epoch(),
                    generation);
        }
        if (records.get(config.migration(), to.id(), BEGAN).orElse("").equals(Long.toString(direction.epoch()))) {
            throw new LogLostException(to.id() + " has lost what was written to it");
        }
        String replid = direction.startReplid();
        if (replid == null) {
            throw new ReplicationStopped("the log's beginning is not known");
        }
        AppliedMarker first = new AppliedMarker(
                "streaming",
                replid,
                direction.startOffset(),
                0,
                direction.startOffset(),
                0,
                direction.epoch(),
                generation);
        write(own, first);
        records.put(config.migration(), to.id(), BEGAN, Long.toString(direction.epoch()));
        return first;
    }

    private AppliedMarker load(RespConnection own) throws IOException, InterruptedException {
        loadStarted = System.nanoTime();
        LoadTarget.prepare(own, config, direction.epoch(), generation);
        try (RespConnection control = RespConnection.connect(from, fromLogin(), name("control"), TIMEOUT)) {
            keysTotal = ServerInfo.read(control, "keyspace").keysByDatabase().values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
        }
        ReplicaLink open = ReplicaLink.connect(from, fromLogin(), name("replica"));
        link = open;
        FullLoad loading = new FullLoad(
                config.lanes(),
                _ -> applierConnection(),
                filter,
                config.existing() == ReplicationConfig.Existing.SKIP,
                "eden-load-" + config.migration());
        load = loading;
        try (loading) {
            if (!(open.psync(null, 0) instanceof ReplicaLink.Start.Full start)) {
                throw new IOException("the server did not announce a full copy");
            }
            open.readRdb(loading, config.maxValueBytes(), start.offset());
            open.acknowledge(start.offset());
            loading.finish();
            loadNanos = System.nanoTime() - loadStarted;
            AppliedMarker marker = new AppliedMarker(
                    "streaming", start.replid(), start.offset(), 0, start.offset(), 0, direction.epoch(), generation);
            write(own, marker);
            records.put(config.migration(), to.id(), BEGAN, Long.toString(direction.epoch()));
            ledger.loaded(config.migration(), direction.epoch(), generation, start.replid(), start.offset());
            LOGGER.atInfo()
                    .addKeyValue("migration", config.migration())
                    .log("full load: {} keys in {} ms", loading.keysDone(), loadNanos / 1_000_000);
            return marker;
        }
    }

    private void write(RespConnection own, AppliedMarker marker) throws IOException {
        RespBuffer buffer = new RespBuffer(512);
        marker.write(buffer, AppliedMarker.key(config.migration()));
        buffer.writeTo(own.output());
        own.read().number();
    }

    /** The reader's thread: a cut link is taken up again; a lost log ends the session. */
    private void readLog(StreamReader reader, String firstReplid, Applier running) {
        String replid = firstReplid;
        while (!closed && ending == null && !Thread.currentThread().isInterrupted()) {
            try {
                ReplicaLink open = link;
                if (open == null) {
                    open = ReplicaLink.connect(from, readLogin(), name("replica"));
                    link = open;
                    switch (open.psync(replid, reader.offset())) {
                        case ReplicaLink.Start.Full _ -> {
                            end(
                                    running,
                                    new Ending.LogLost("the log of " + from.id() + " does not reach back to "
                                            + reader.offset() + " any more"));
                            return;
                        }
                        case ReplicaLink.Start.Partial partial -> {
                            if (!partial.replid().equals(replid)) {
                                replid = partial.replid();
                                running.continueAs(replid);
                            }
                        }
                    }
                }
                while (!closed && ending == null) {
                    queue.put(reader.next(open));
                }
            } catch (IOException | RedisConnectionException | RedisException e) {
                cut(e);
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                if (Thread.currentThread().isInterrupted()) {
                    return;
                }
                LOGGER.atError()
                        .addKeyValue("migration", config.migration())
                        .setCause(e)
                        .log("the log can't be read");
                end(running, new Ending.Stopped("the log can't be read: " + e));
                return;
            }
        }
    }

    /** Eden's store may be away, or this session may be ending: neither needs a person, as a log that makes no sense does. */
    private Backend.Login readLogin() throws IOException {
        try {
            return fromLogin();
        } catch (RuntimeException away) {
            throw new IOException("the login cannot be read: " + away.getMessage(), away);
        }
    }

    private void cut(Exception why) {
        ReplicaLink broken = link;
        link = null;
        if (broken != null) {
            broken.close();
        }
        if (closed || ending != null) {
            return;
        }
        LOGGER.atWarn()
                .addKeyValue("migration", config.migration())
                .addKeyValue("endpoint", from.id())
                .log("link to the log was cut: {}", why.getMessage());
        pause(RETRY_MILLIS);
    }

    private void end(Applier running, Ending why) {
        ending = why;
        running.stop();
    }

    /** The sampler's thread: positions of the followed server, acknowledgements, probes. */
    private void sample(Applier running, ReversePath way) {
        long acknowledged = System.nanoTime();
        RespConnection control = null;
        while (!closed && ending == null && !Thread.currentThread().isInterrupted()) {
            try {
                if (control == null) {
                    control = RespConnection.connect(from, fromLogin(), name("lag"), TIMEOUT);
                }
                long before = System.nanoTime();
                lag.sample(
                        SourceReads.position(control.call("INFO", "replication").text())
                                .offset(),
                        before);
                sourceProblem = null;
                if (before - acknowledged >= ACKNOWLEDGE_NANOS) {
                    acknowledged = before;
                    ReplicaLink open = link;
                    if (open != null) {
                        open.acknowledge(running.published().offset());
                    }
                    way.tick(before);
                }
            } catch (RedisConnectionException | RedisException e) {
                sourceProblem = from.id() + ": " + e.getMessage();
                if (control != null) {
                    control.close();
                    control = null;
                }
            }
            pause(SAMPLE_MILLIS);
        }
        if (control != null) {
            control.close();
        }
    }

    private RespConnection applierConnection() {
        return RespConnection.connect(to, applierLogin(), name("apply"), TIMEOUT);
    }

    private Backend.Login applierLogin() {
        return records.login(
                config.migration(),
                to.id(),
                "login:apply:" + generation,
                ApplierIdentity.user(config.migration(), generation));
    }

    private Backend.Login fromLogin() {
        return control(from);
    }

    private Backend.Login toLogin() {
        return control(to);
    }

    private Backend.Login control(Endpoint endpoint) {
        return records.login(
                config.migration(), endpoint.id(), EdenUsers.CONTROL_LOGIN, EdenUsers.control(config.migration()));
    }

    private String name(String part) {
        return "eden:" + part + ":" + config.migration();
    }

    private void releaseAll() {
        Applier running = applier;
        if (running != null) {
            running.stop();
        }
        closeQuietly(link);
        closeQuietly(applierConnection);
        closeQuietly(load);
        closeQuietly(reverse);
        reads.close();
    }

    private static void closeQuietly(@Nullable AutoCloseable open) {
        if (open != null) {
            try {
                open.close();
            } catch (Exception e) {
                LOGGER.atDebug().setCause(e).log("close");
            }
        }
    }

    private Thread daemon(String part, Runnable body) {
        return Thread.ofPlatform()
                .daemon()
                .name("eden-" + part + "-" + config.migration() + "-" + generation)
                .start(body);
    }

    private static void pause(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
