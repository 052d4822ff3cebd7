package dev.eden.activities.postgres.replication;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenSchema;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import dev.eden.activities.postgres.schema.SchemaCopier;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Direction;
import dev.eden.proxy.Failpoints;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One generation of one direction. The servers replicate by themselves; this makes what they need, lets the right subscription apply, and
 * watches. Four threads: one brings it up (which may take as long as the load), one writes and reads the markers, one moves the slot of the way back, one
 * carries changes of the schema where that is wanted.
 */
final class ReplicationRun implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ReplicationRun.class);
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final Duration NO_LIMIT = Duration.ZERO;
    private static final long LOOK_MILLIS = 20;
    private static final long MARKER_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long SKIP_MILLIS = 500;
    /** Rest after a step of skipping, in its own lengths: reading much log again and again takes a processor of the server. */
    private static final long SKIP_REST = 4;

    private static final long HEALTH_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long PROBE_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long PROBE_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(15);
    private static final int GENERATION_BITS = 32;
    private static final long TROUBLE_NANOS = TimeUnit.SECONDS.toNanos(15);
    private static final int STATISTICS_SINCE = 15;
    private static final long CARRY_MILLIS = 100;
    static final int LAG_ROW = 1;

    private final Pair pair;
    private final EdenObjects names;
    private final Direction direction;
    private final long generation;
    private final ReplicationLedger ledger;
    private final Role from;
    private final Role to;
    private final MarkerLag lag = new MarkerLag();
    private final Thread bringingUp;
    private final Thread pulse;
    private final Thread skipping;
    private final Thread carrying;
    private final FirstLoad first;
    private final LoadClaim claim;
    private final StandbySlot back;
    private volatile boolean up;
    private volatile boolean streaming;
    private volatile boolean attemptRunning;
    private volatile boolean reverseProven;
    private volatile @Nullable String trouble;
    private volatile long sourceOffset;
    private volatile long appliedOffset;
    private volatile @Nullable Ending ending;
    private volatile boolean closed;
    private volatile @Nullable PostgresSession skippingOn;
    private final Set<PostgresSession> sessions = ConcurrentHashMap.newKeySet();
    private long number;
    private long failures = -1;
    private long failedAt;

    /** {@code copies}: the first load copies rows; else the target has them by other means. */
    ReplicationRun(
            Pair pair, Direction direction, long generation, ReplicationLedger ledger, boolean copies, CopyPace pace) {
        this.pair = pair;
        this.names = pair.names();
        this.claim = new LoadClaim(names, generation);
        this.first = new FirstLoad(pair, direction.epoch(), copies, pace, this::openedForLoad);
        this.direction = direction;
        this.generation = generation;
        this.ledger = ledger;
        this.from = pair.role(direction.from());
        this.to = from.other();
        this.back = new StandbySlot(names, direction.epoch());
        this.number = generation << GENERATION_BITS;
        this.bringingUp =
                Thread.ofVirtual().name("eden-replication-" + pair.migration()).start(() -> guard(this::bringUp));
        this.pulse = Thread.ofVirtual().name("eden-marker-" + pair.migration()).start(() -> guard(this::beat));
        this.skipping = Thread.ofVirtual().name("eden-slot-" + pair.migration()).start(() -> guard(this::skip));
        this.carrying =
                Thread.ofVirtual().name("eden-changes-" + pair.migration()).start(() -> guard(this::carry));
    }

    /** Why it is over. */
    sealed interface Ending {
        /** Try again. */
        record Interrupted(String why) implements Ending {}

        /**
         * What the log no longer has can only come from a new full load.
         *
         * @param before it was lost before this run: what was loaded then may have been whole, and nobody was told
         */
        record LogLost(String why, boolean before) implements Ending {}

        /** One server can't verify the other: a few more tries, then a person. */
        record Unverified(String why) implements Ending {}

        /** A person is needed. */
        record Stopped(String why) implements Ending {}
    }

    Direction direction() {
        return direction;
    }

    long generation() {
        return generation;
    }

    @Nullable
    Ending ending() {
        return ending;
    }

    boolean streaming() {
        return streaming;
    }

    LoadProgress load() {
        return first.progress();
    }

    boolean reverseProven() {
        return reverseProven;
    }

    long lagMillis() {
        return lag.millis(System.nanoTime());
    }

    long sourceOffset() {
        return sourceOffset;
    }

    long appliedOffset() {
        return appliedOffset;
    }

    /** What keeps the servers from replicating though everything is in place; null: nothing known. */
    @Nullable
    String trouble() {
        return trouble;
    }

    /** While an attempt runs, slots and subscriptions are its business. */
    void attemptRunning(boolean running) {
        boolean begins = running && !attemptRunning;
        attemptRunning = running;
        PostgresSession moving = skippingOn;
        if (begins && moving != null) {
            // Nothing waits for it but the other side's worker, after the flip.
            Thread.ofVirtual().start(moving::cancel);
        }
    }

    @Override
    public void close() {
        closed = true;
        // What takes long, such as building an index, goes on at the server otherwise.
        sessions.forEach(PostgresSession::abort);
        bringingUp.interrupt();
        pulse.interrupt();
        skipping.interrupt();
        carrying.interrupt();
        try {
            bringingUp.join(LIMIT.multipliedBy(2));
            pulse.join(LIMIT.multipliedBy(2));
            skipping.join(LIMIT.multipliedBy(2));
            carrying.join(LIMIT.multipliedBy(2));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void guard(Runnable work) {
        try {
            work.run();
        } catch (PostgresConnectionException e) {
            end(new Ending.Interrupted(String.valueOf(e.getMessage())));
        } catch (UnverifiedLink e) {
            end(new Ending.Unverified(String.valueOf(e.getMessage())));
        } catch (ReplicationStopped e) {
            end(new Ending.Stopped(String.valueOf(e.getMessage())));
        } catch (RuntimeException e) {
            if (!closed) {
                LOGGER.atWarn()
                        .addKeyValue("migration", pair.migration())
                        .setCause(e)
                        .log("generation {} of replication failed", generation);
            }
            end(new Ending.Interrupted(String.valueOf(e.getMessage())));
        }
    }

    private void end(Ending how) {
        if (ending == null) {
            ending = how;
        }
    }

    private void bringUp() {
        try (PostgresSession onFrom = open(from);
                PostgresSession onTo = open(to)) {
            PostgresSession source = from == Role.SOURCE ? onFrom : onTo;
            PostgresSession target = from == Role.SOURCE ? onTo : onFrom;
            if (!direction.loaded()) {
                claim.take(source);
                claim.take(target);
            }
            if (!direction.loaded() && !Link.exists(target, names.main())) {
                first.copy(source, target);
            } else if (!Links.usable(onFrom, names.main())) {
                // Made anew, it would begin with the present, and nobody would miss what came before.
                // During a load: a reset that was cut off; what the subscription calls complete is not.
                end(new Ending.LogLost(lost(), true));
                return;
            }
            links(source, target);
            // 0 until the first flip: see loaded() below.
            if (!Appliers.enable(onTo, names, direction.epoch(), direction.startOffset())) {
                throw late();
            }
            up = true;
            if (!direction.loaded()) {
                Links.note(pair, Role.SOURCE, target);
                first.copyTheRest(source, target);
                awaitLoad(onFrom, onTo);
                Failpoints.reach("load.indexes");
                new SchemaCopier(pair, this::openedForLoad).afterLoad();
                Failpoints.reach("load.done");
                String server = onFrom.text("SELECT system_identifier FROM pg_control_system()")
                        .orElse("");
                ledger.loaded(pair.migration(), direction.epoch(), generation, server, 0);
                LOGGER.atInfo()
                        .addKeyValue("migration", pair.migration())
                        .addKeyValue("rows", load().rowsDone())
                        .log("full load done");
            }
            streaming = true;
        }
    }

    private IllegalStateException late() {
        return new IllegalStateException("a later route has been here; epoch " + direction.epoch() + " is over");
    }

    private void carry() {
        try (PostgresSession onFrom = open(from, "carry");
                PostgresSession onTo = open(to, "carry")) {
            if (!ChangeCarrier.wanted(onFrom, names)) {
                return;
            }
            ChangeCarrier changes = new ChangeCarrier(pair, direction.epoch(), claim, from, onFrom, onTo);
            while (!closed && ending == null) {
                if (streaming && !attemptRunning) {
                    changes.look("");
                } else if (!streaming && !direction.loaded()) {
                    changes.look("the tables are still being copied; try again when the load is done");
                }
                pause(CARRY_MILLIS);
            }
        }
    }

    private PostgresSession open(Role side) {
        return open(side, "bring-up");
    }

    private PostgresSession open(Role side, String part) {
        PostgresSession session = pair.control(side, part, NO_LIMIT);
        opened(session);
        return session;
    }

    /** Open by now: a cleanup that begins later ends it, and one that has begun is known here. */
    private void opened(PostgresSession session) {
        sessions.add(session);
        if (closed) {
            session.abort();
        }
        pair.records().requireOngoing(pair.migration());
    }

    /** After the claim of a later generation, which has ended those that were open. */
    private void openedForLoad(PostgresSession session) {
        opened(session);
        claim.require(session);
    }

    private void links(PostgresSession source, PostgresSession target) {
        Link forward = new Link(pair, Role.SOURCE);
        Link reverse = new Link(pair, Role.TARGET);
        // The way back exists before the first change comes: nothing on the other side escapes it. It is made on the
        // side that is written by replication only: see above.
        if (to == Role.TARGET) {
            reverse.publication(target, UserTables.publishedFor(target, source));
        } else {
            forward.publication(source, UserTables.published(source));
        }
        if (!back.ensure(to == Role.TARGET ? target : source)) {
            throw late();
        }
        Failpoints.reach("load.way-back");
        reverse.publishProbe(target);
        forward.publishProbe(source);
        reverse.subscribe(source, target.major());
        forward.subscribeProbe(target);
        reverse.subscribeProbe(source);
        Failpoints.reach("load.links");
    }

    private void awaitLoad(PostgresSession onFrom, PostgresSession onTo) {
        while (!first.copied(onFrom, onTo)) {
            pause(10 * LOOK_MILLIS);
        }
    }

    private void beat() {
        String marker = names.marker(from);
        long markedAt = System.nanoTime() - MARKER_NANOS;
        long healthAt = System.nanoTime();
        Probe probe = new Probe();
        try (PostgresSession onFrom = pair.control(from, "marker", LIMIT);
                PostgresSession onTo = pair.control(to, "marker", LIMIT)) {
            while (!closed && ending == null) {
                long now = System.nanoTime();
                if (now - markedAt >= MARKER_NANOS) {
                    markedAt = now;
                    lag.written(++number, now);
                    EdenSchema.write(onFrom, marker, LAG_ROW, number);
                }
                lag.seen(EdenSchema.read(onTo, marker, LAG_ROW));
                if (up && !attemptRunning) {
                    reverseProven = probe.look(now, onFrom, onTo);
                    if (now - healthAt >= HEALTH_NANOS) {
                        healthAt = now;
                        health(onFrom, onTo);
                    }
                }
                pause(LOOK_MILLIS);
            }
        }
    }

    /** On a session of its own and without a limit: what came while nobody skipped, or under a long transaction, takes its time. */
    private void skip() {
        Link link = new Link(pair, to);
        try (PostgresSession onTo = open(to, "slot")) {
            skippingOn = onTo;
            while (!closed && ending == null) {
                long began = System.nanoTime();
                StandbySlot.Skip skipped = up && !attemptRunning ? skip(onTo, link) : StandbySlot.Skip.REST;
                long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
                pause(skipped == StandbySlot.Skip.MORE ? LOOK_MILLIS : Math.max(SKIP_MILLIS, SKIP_REST * took));
            }
        }
    }

    private StandbySlot.Skip skip(PostgresSession onTo, Link link) {
        try {
            link.publishProbe(onTo);
            StandbySlot.Skip skipped = back.skip(onTo, () -> attemptRunning);
            boolean late = switch (skipped) {
                case LATE -> true;
                case GONE -> {
                    LOGGER.atWarn()
                            .addKeyValue("migration", pair.migration())
                            .log("the slot of the way back on {} is gone or has lost its log", direction.to());
                    yield !back.ensure(onTo);
                }
                case MORE, REST -> false;
            };
            if (late) {
                end(new Ending.Interrupted(String.valueOf(late().getMessage())));
            }
            return skipped;
        } catch (PostgresException e) {
            if (!StandbySlot.nextTime(e)) {
                throw e;
            }
            return StandbySlot.Skip.REST;
        }
    }

    private void health(PostgresSession onFrom, PostgresSession onTo) {
        sourceOffset = onFrom.number("SELECT pg_current_wal_lsn() - '0/0'");
        appliedOffset = onTo.number(
                "SELECT max(latest_end_lsn) - '0/0' FROM pg_stat_subscription WHERE subname = ? AND relid IS NULL",
                names.main());
        trouble = troubleOf(System.nanoTime(), onTo);
        if (!Links.usable(onFrom, names.main())) {
            end(new Ending.LogLost(lost(), false));
        }
    }

    private String lost() {
        return "the slot " + names.main() + " on " + direction.from() + " is gone or has lost its log";
    }

    /** The message itself is in the server's log only. */
    private @Nullable String troubleOf(long now, PostgresSession onTo) {
        if (onTo.major() >= STATISTICS_SINCE) {
            long failed = onTo.number(
                    "SELECT apply_error_count + sync_error_count FROM pg_stat_subscription_stats WHERE subname = ?",
                    names.main());
            if (failed > failures && failures >= 0) {
                failedAt = now;
            }
            failures = failed;
            if (failedAt != 0 && now - failedAt < TROUBLE_NANOS) {
                return "replication fails on " + direction.to() + " (" + failed
                        + " times so far); its server log says why";
            }
        }
        boolean working = onTo.is(
                "SELECT true FROM pg_stat_subscription WHERE subname = ? AND relid IS NULL AND pid IS NOT NULL",
                names.main());
        return working ? null : "no apply worker runs on " + direction.to() + "; its server log says why";
    }

    private void pause(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (closed) {
            throw new IllegalStateException("closed");
        }
    }

    /** A row written on the side that is written by replication, and seen on the other: the way back works. */
    private final class Probe {
        private long awaited;
        private long since;
        private boolean arrived;
        private boolean proven;

        boolean look(long now, PostgresSession onFrom, PostgresSession onTo) {
            // Its log may have been lost.
            boolean overdue = !arrived && now - since > PROBE_LIMIT_NANOS;
            if (awaited == 0 || overdue || (arrived && now - since > PROBE_NANOS)) {
                proven &= !overdue;
                awaited = Math.max(number << 8, awaited) + 1;
                since = now;
                arrived = false;
                EdenSchema.write(onTo, names.probeTable(to), LAG_ROW, awaited);
            }
            if (!arrived) {
                arrived = EdenSchema.read(onFrom, names.probeTable(to), LAG_ROW) == awaited
                        && Links.usable(onTo, names.main())
                        && Link.exists(onFrom, names.main());
                proven = arrived || (proven && now - since < PROBE_LIMIT_NANOS);
            }
            return proven;
        }
    }
}
