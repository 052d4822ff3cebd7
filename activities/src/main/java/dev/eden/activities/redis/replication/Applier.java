package dev.eden.activities.redis.replication;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.redis.EscapedKey;
import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.proxy.Failpoints;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the log to the other server, in order, on one connection, one batch in flight. A batch and its position are one transaction, so
 * each change is applied exactly once however often this stops and starts.
 *
 * <pre>
 *   take units ─► MULTI … marker EXEC ─► look at replies ─┬─ fine ─► equal = position
 *        ▲                                                └─ suspects: read them on the source, at p
 *        └────────────── equal = p ◄──── copy them ◄──── apply exactly up to p
 * </pre>
 *
 * <p>Three positions: <em>position</em> is executed; <em>equal</em> is known to be equal as well, once the replies were looked at;
 * <em>published</em> is the {@code offset} that stands on the written server. A successor starts at the published one: what lies between
 * it and {@code position} is executed, but may have met keys that had expired too early, so it only takes these keys as suspects; the last of
 * it may have been refused, where it names no keys: that it was not (<em>answered</em>) is announced at once, without waiting for the next batch.
 *
 * <p>{@link #run} belongs to one thread; requests come from any.
 */
final class Applier {
    private static final Logger LOGGER = LoggerFactory.getLogger(Applier.class);
    private static final int MAX_UNITS = 2048;
    private static final long MAX_BYTES = 1 << 20;
    private static final int KEYS_AT_ONCE = 64;
    /** Woken by whatever there is to do; this long otherwise. */
    private static final long WAIT_MILLIS = 500;

    private static final long RETRY_MILLIS = 50;

    /** Refusals of a whole batch that pass by themselves or when somebody mends the server. */
    private static final Set<String> TRANSIENT =
            Set.of("OOM", "MISCONF", "NOREPLICAS", "READONLY", "BUSY", "LOADING", "MASTERDOWN", "CLUSTERDOWN");

    /** What a server says to a value that a newer one has serialised. */
    private static final Set<String> NOT_UNDERSTOOD =
            Set.of("ERR DUMP payload version or checksum are wrong", "ERR Bad data format");

    private final String migration;
    private final RespConnection to;
    private final ReplyScanner replies;
    private final byte[] key;
    private final UnitQueue queue;
    private final SourceReads source;
    private final TtlFilter filter;
    private final ApplyBatch batch = new ApplyBatch();
    private final Set<DbKey> suspects = new LinkedHashSet<>();
    private final ApplierRequests requests;
    private final AtomicReference<@Nullable String> probe = new AtomicReference<>();
    private final AppliedMarker found;
    private final CopyPace pace;
    private final CountDownLatch ended = new CountDownLatch(1);

    private long position;
    private int database;
    private long equal;
    private int equalDatabase;

    /** End of the last unit without keys whose reply was seen. */
    private long answered;

    /** End of the last unit taken from the queue; behind {@code position} only while a predecessor's last batch is gone through. */
    private long seen;

    private volatile String replid;
    private volatile RouteLedger.Position published;
    private volatile long lingerNanos;
    private volatile boolean stopped;
    private volatile @Nullable String problem;
    private volatile long copiedAgain;

    /** {@code found}: what stands on the server; the queue begins after its {@code offset}. */
    Applier(
            String migration,
            RespConnection to,
            UnitQueue queue,
            SourceReads source,
            TtlFilter filter,
            AppliedMarker found,
            CopyPace pace,
            long lingerNanos) {
        this.migration = migration;
        this.to = to;
        this.replies = new ReplyScanner(to.input());
        this.key = AppliedMarker.key(migration);
        this.queue = queue;
        this.requests = new ApplierRequests(queue::wake);
        this.source = source;
        this.filter = filter;
        this.found = found;
        this.pace = pace;
        this.position = found.position();
        this.database = found.database();
        this.equal = found.offset();
        this.equalDatabase = found.offsetDatabase();
        this.seen = found.offset();
        this.answered = found.answered();
        this.replid = found.replid();
        this.published = new RouteLedger.Position(found.replid(), found.offset());
        this.lingerNanos = lingerNanos;
    }

    /** What stands on the written server: applied and known to be equal. */
    RouteLedger.Position published() {
        return published;
    }

    /** Why it waits; null when it does not. */
    @Nullable
    String problem() {
        return problem;
    }

    /** Keys copied whole again because of the expiry race or on request. */
    long copiedAgain() {
        return copiedAgain;
    }

    ApplierRequests requests() {
        return requests;
    }

    /** The log got a new id (the followed server was promoted); its offsets go on. */
    void continueAs(String newReplid) {
        replid = newReplid;
    }

    /** How long a small batch waits for company. */
    void linger(long nanos) {
        lingerNanos = nanos;
    }

    /** Writes the probe with the next batch, or at once. */
    void writeProbe(String value) {
        probe.set(value);
        queue.wake();
    }

    void stop() {
        stopped = true;
        queue.wake();
    }

    /** False where it is still at work: it can be cut off at any time. */
    boolean awaitEnd(long millis) throws InterruptedException {
        return ended.await(millis, TimeUnit.MILLISECONDS);
    }

    /**
     * Applies until {@link #stop}. Throws {@link RedisConnectionException} or {@link RedisException} when the identity is gone (or the
     * server), {@link ReplicationStopped} when a person is needed, {@link LogLostException} when nothing can be built on what was applied.
     */
    void run() throws InterruptedException, LogLostException {
        try {
            while (!stopped) {
                step();
            }
            if (published.offset() < equal) {
                // What is known is left to the successor.
                apply(List.of(), null);
            }
        } catch (LogLostException e) {
            throw e;
        } catch (IOException e) {
            throw new RedisConnectionException("the written server closed the connection: " + e.getMessage(), e);
        } finally {
            stopped = true;
            requests.abandon();
            ended.countDown();
        }
    }

    private void step() throws IOException, InterruptedException {
        ApplierRequests.Recopy recopy = requests.nextRecopy();
        if (recopy != null) {
            serve(recopy);
        }
        while (!suspects.isEmpty() && !stopped) {
            copyAgain(firstSuspects());
        }
        ApplierRequests.Hold hold = requests.nextHold();
        if (hold != null) {
            serve(hold);
        }
        int most = pace.batch(MAX_UNITS);
        List<Unit> units = queue.take(most, MAX_BYTES, Long.MAX_VALUE, published.offset() < equal ? 0 : WAIT_MILLIS);
        long linger = lingerNanos;
        if (linger > 0 && !units.isEmpty() && units.size() < Math.min(16, most)) {
            LockSupport.parkNanos(linger);
            units = new ArrayList<>(units);
            units.addAll(queue.take(most, MAX_BYTES, Long.MAX_VALUE, 0));
        }
        String wantedProbe = probe.getAndSet(null);
        if (!units.isEmpty() || wantedProbe != null || published.offset() < equal) {
            Failpoints.reach("applier.read");
            apply(units, wantedProbe);
        }
    }

    /** What names no keys goes alone: refused, it can be taken back, and nothing else with it. */
    private void apply(List<Unit> units, @Nullable String wantedProbe) throws IOException, InterruptedException {
        int from = 0;
        for (int i = 0; i < units.size(); i++) {
            if (units.get(i).keyless()) {
                if (i > from) {
                    apply(units.subList(from, i), List.of(), null);
                }
                apply(units.subList(i, i + 1), List.of(), null);
                from = i + 1;
            }
        }
        if (from == 0 || from < units.size() || wantedProbe != null) {
            apply(from == 0 ? units : units.subList(from, units.size()), List.of(), wantedProbe);
        }
    }

    /** False where the copies have to be read in another form first. */
    private boolean apply(List<Unit> units, List<SourceReads.Value> copies, @Nullable String wantedProbe)
            throws IOException, InterruptedException {
        batch.begin();
        long next = position;
        int nextDatabase = database;
        boolean sent = false;
        for (Unit unit : units) {
            seen = unit.end();
            if (unit.end() <= found.position() && !toRepeat(unit)) {
                unit.changes().forEach(this::suspectIfDependent);
                continue;
            }
            Change notCarried = unit.notCarried();
            if (notCarried != null) {
                giveUp(notCarried);
            }
            unit.changes().forEach(batch::add);
            sent = true;
            next = unit.end();
            nextDatabase = unit.databaseAfter();
        }
        copies.forEach(batch::copy);
        if (wantedProbe != null) {
            batch.set(ReversePath.probeKey(migration), wantedProbe);
        }
        boolean certain = !batch.isUncertain() && suspects.isEmpty() && copies.isEmpty() && seen >= next;
        AppliedMarker marker = new AppliedMarker(
                "streaming",
                replid,
                next,
                nextDatabase,
                certain ? next : equal,
                certain ? nextDatabase : equalDatabase,
                found.epoch(),
                found.generation(),
                answered);
        batch.end(marker, key);
        Failpoints.reach("applier.before-exec");
        ApplyBatch.Result result = execute();
        Failpoints.reach("applier.after-exec");
        List<Change> suspicious = List.of();
        boolean copied = true;
        switch (result) {
            case ApplyBatch.Result.Executed executed -> suspicious = executed.suspicious();
            case ApplyBatch.Result.Refused refused -> throw new RedisException(refused.error());
            case ApplyBatch.Result.Failed failed -> {
                Change change = failed.change();
                if (change != null) {
                    takeBack(marker, units);
                    throw new ReplicationStopped(
                            "the target refused " + change.command().name + " of the source's log: " + failed.error());
                }
                if (copies.isEmpty() || source.readsByType() || !NOT_UNDERSTOOD.contains(failed.error())) {
                    throw new ReplicationStopped("the target refused a write of Eden's own: " + failed.error());
                }
                source.readByType(ServerInfo.read(to, "server"));
                copies.forEach(value -> suspects.add(value.key()));
                copied = false;
            }
        }
        position = next;
        database = nextDatabase;
        if (!suspicious.isEmpty() || !suspects.isEmpty()) {
            spread(units, suspicious);
        }
        if (suspects.isEmpty() && seen >= position) {
            equal = position;
            equalDatabase = database;
        }
        published = new RouteLedger.Position(marker.replid(), marker.offset());
        if (sent && units.size() == 1 && units.getFirst().keyless()) {
            // Its reply has been seen: a successor has to hear of it, whatever comes next or is still doubtful.
            answered = position;
            batch.announce(here("streaming", replid), key, to);
        }
        return copied;
    }

    /**
     * The marker says that units are applied of which a command was refused. Alone in its unit, it comes again once the server is mended; of a
     * transaction nothing can come again, since the rest of it is applied.
     */
    private void takeBack(AppliedMarker advanced, List<Unit> units) throws IOException {
        boolean alone = units.size() == 1 && units.getFirst().single();
        mark(alone ? advanced.state() : AppliedMarker.INCOMPLETE, advanced.replid());
    }

    /** It comes again with every resume, so the next one has to begin with another load. */
    private void giveUp(Change change) throws IOException {
        mark(AppliedMarker.INCOMPLETE, replid);
        throw new ReplicationStopped(RdbValues.EXPIRING_FIELDS + ": " + change.command().name
                + " of the source's log, key "
                + EscapedKey.quoted(change.command().argument(1)));
    }

    /**
     * Of what a predecessor has executed last it may not have seen the reply ({@link AppliedMarker#answered}). True where it can be had by doing it again; where its keys are known they
     * are copied; else a load is needed. Whatever came before, a batch of its own, was fine: else nothing would have come after.
     */
    private boolean toRepeat(Unit unit) throws LogLostException, InterruptedException {
        if (unit.end() != found.position() || !unit.keyless() || found.answered() >= unit.end()) {
            return false;
        }
        if (!unit.repeatable() && unit.named() && areKeys(unit)) {
            unit.changes().stream().filter(Change::applied).forEach(this::suspect);
            return false;
        }
        if (!unit.repeatable()) {
            throw new LogLostException(
                    "nobody knows whether " + unit.changes().getLast().command().name
                            + " of the log was refused: replication ended before the answer");
        }
        return true;
    }

    /** What a server alone calls a key may be something else, an index: a copy of a key that is not there makes up for nothing. */
    private boolean areKeys(Unit unit) throws InterruptedException {
        List<Object[]> reads = new ArrayList<>();
        for (Change change : unit.changes()) {
            List<byte[]> keys = change.keys();
            if (change.applied() && !change.understood() && keys != null) {
                reads.add(new Object[] {"SELECT", change.database()});
                keys.forEach(key -> reads.add(new Object[] {"EXISTS", key}));
            }
        }
        return asked(() -> source.read(reads)).replies().stream()
                .noneMatch(reply -> reply instanceof Reply.Int number && number.value() == 0);
    }

    /** As everything up to {@code position} left it. */
    private void mark(String state, String log) throws IOException {
        RespBuffer buffer = new RespBuffer(512);
        here(state, log).write(buffer, key);
        buffer.writeTo(to.output());
        batch.settle(replies);
        replies.skip();
        if (replies.isError()) {
            throw new IOException("the marker can't be written: " + RedisException.withoutArguments(replies.error()));
        }
    }

    private AppliedMarker here(String state, String log) {
        return new AppliedMarker(
                state, log, position, database, equal, equalDatabase, found.epoch(), found.generation(), answered);
    }

    private ApplyBatch.Result execute() throws IOException, InterruptedException {
        while (true) {
            ApplyBatch.Result result = batch.execute(to, replies);
            switch (result) {
                case ApplyBatch.Result.Executed _, ApplyBatch.Result.Failed _ -> {
                    problem = null;
                    return result;
                }
                case ApplyBatch.Result.Refused refused -> {
                    String code = new Reply.Error(refused.error()).code();
                    if (code.equals("ERR")) {
                        throw new ReplicationStopped("the target refused a command of the log: "
                                + RedisException.withoutArguments(refused.error()));
                    }
                    if (!TRANSIENT.contains(code) || stopped) {
                        throw new RedisException(refused.error());
                    }
                    wait("the written server refuses writes: " + refused.error());
                }
            }
        }
    }

    /** What a suspect key was copied into before it is mended is suspect too: in order, from the change that showed it. */
    private void spread(List<Unit> units, List<Change> suspicious) {
        Iterator<Change> shown = suspicious.iterator();
        Change next = shown.hasNext() ? shown.next() : null;
        for (Unit unit : units) {
            for (Change change : unit.changes()) {
                if (change == next) {
                    suspect(change);
                    next = shown.hasNext() ? shown.next() : null;
                } else if (touchesSuspect(change)) {
                    suspect(change);
                }
            }
        }
    }

    private boolean touchesSuspect(Change change) {
        List<byte[]> keys = change.keys();
        return change.applied()
                && keys != null
                && !suspects.isEmpty()
                && (keys.size() > 1 || change.command().name.equals("MOVE"))
                && keys.stream().anyMatch(k -> suspects.contains(new DbKey(change.database(), k)));
    }

    private void suspect(Change change) {
        List<byte[]> keys = change.keys();
        if (keys != null) {
            keys.stream()
                    .filter(k -> !ReplicationLedger.reserves(k))
                    .forEach(k -> suspects.add(new DbKey(change.database(), k)));
        }
        if (change.command().name.equals("COPY") || change.command().name.equals("MOVE")) {
            suspectOtherDatabase(change);
        }
    }

    /** {@code MOVE key db} and {@code COPY source destination DB db} write into another database. */
    private void suspectOtherDatabase(Change change) {
        StreamCommand command = change.command();
        int at = command.name.equals("MOVE") ? 2 : -1;
        byte[] key = command.argument(command.name.equals("MOVE") ? 1 : 2);
        for (int i = 3; i + 1 < command.size() && at < 0; i++) {
            at = command.is(i, "DB") ? i + 1 : -1;
        }
        if (at > 0) {
            suspects.add(new DbKey(Integer.parseInt(command.word(at)), key));
        }
    }

    private void suspectIfDependent(Change change) {
        if (!change.probes().isEmpty() || change.effective()) {
            suspect(change);
        }
    }

    private List<DbKey> firstSuspects() {
        return suspects.stream().limit(KEYS_AT_ONCE).toList();
    }

    /** Copies keys whole, at an exact position of the log. */
    private RouteLedger.Position copyAgain(List<DbKey> keys) throws IOException, InterruptedException {
        SourceReads.Values read;
        do {
            // Until they are copied, whatever reads them is as doubtful as they are.
            suspects.addAll(keys);
            read = asked(() -> source.values(keys));
            applyUpTo(read.position().offset());
            keys.forEach(suspects::remove);
            read.values().stream()
                    .filter(value -> value.expireAtMillis() > 0)
                    .forEach(value -> filter.add(value.key().key()));
        } while (!apply(List.of(), read.values(), null));
        copiedAgain += keys.size();
        LOGGER.atTrace()
                .addKeyValue("migration", migration)
                .log("{} keys copied again at {}", keys.size(), read.position().offset());
        return read.position();
    }

    private <T> T asked(Supplier<T> question) throws InterruptedException {
        while (true) {
            try {
                return question.get();
            } catch (RedisConnectionException | RedisException e) {
                if (stopped) {
                    throw e;
                }
                wait("the followed server can't be read: " + e.getMessage());
            }
        }
    }

    private void applyUpTo(long end) throws IOException, InterruptedException {
        while (seen < end) {
            if (stopped) {
                throw new InterruptedException("stopped");
            }
            List<Unit> units = queue.take(MAX_UNITS, MAX_BYTES, end, WAIT_MILLIS);
            if (!units.isEmpty()) {
                apply(units, null);
            }
        }
        if (seen > end) {
            throw new IOException("the followed server is at " + end + ", before what it sent: " + seen);
        }
    }

    private void serve(ApplierRequests.Recopy request) throws IOException, InterruptedException {
        int copied = 0;
        RouteLedger.Position last = published;
        List<DbKey> keys = request.keys();
        for (int from = 0; from < keys.size(); from += KEYS_AT_ONCE) {
            List<DbKey> some = keys.subList(from, Math.min(keys.size(), from + KEYS_AT_ONCE));
            last = copyAgain(some);
            copied += some.size();
        }
        request.result().complete(new ExactCopy(last, copied));
    }

    private void serve(ApplierRequests.Hold hold) throws IOException, InterruptedException {
        SourceReads.At at;
        try {
            at = source.read(hold.reads());
        } catch (RedisConnectionException | RedisException e) {
            hold.reached().completeExceptionally(e);
            return;
        }
        applyUpTo(at.position().offset());
        if (!suspects.isEmpty()) {
            hold.reached()
                    .completeExceptionally(new EqualPosition.UnreachableException(
                            suspects.size() + " keys have to be copied again first"));
            return;
        }
        if (published.offset() < equal) {
            apply(List.of(), null);
        }
        hold.reached().complete(new EqualPosition(at.position(), at.replies()));
        hold.awaitDone();
    }

    private void wait(String why) throws InterruptedException {
        if (problem == null) {
            LOGGER.atWarn().addKeyValue("migration", migration).log(why);
        }
        problem = why;
        TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
    }
}
