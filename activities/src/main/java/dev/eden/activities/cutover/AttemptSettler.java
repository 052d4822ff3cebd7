package dev.eden.activities.cutover;

import dev.eden.activities.cutover.CutoverEngine.Others;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.RouteLedger.Routes;
import dev.eden.activities.store.RouteLedger.Unsettled;
import dev.eden.proxy.Failpoints;
import dev.eden.proxy.RouteState;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Finishes what a dead or stalled coordinator left: forwards after COMMITTED, backwards otherwise. Anybody may run it at any
 * time, several at once: each step is idempotent and each change of the row is a compare-and-set. It runs in every server
 * and proxy process, so that an attempt ends within moments of its deadline even when no server of Eden's is alive.
 */
public final class AttemptSettler {
    private static final Logger LOGGER = LoggerFactory.getLogger(AttemptSettler.class);
    /** Past the deadline, before somebody else than the coordinator takes an attempt over. */
    private static final long GRACE_MILLIS = 50;
    /** How long an ABORTING or COMMITTED row may rest before another than its owner finishes it. */
    private static final long TAKEOVER_MILLIS = 300;
    /** A coordinator needs at most its arming timeout between ARMED and PREPARED. */
    private static final long ARMED_MILLIS = 5_000;

    /** While an attempt runs nobody should ask the store more often than needed: clients wait for it. */
    private static final long LOOK_AGAIN_MILLIS = 150;

    /** Why an attempt is taken back that nobody has given another reason for. */
    static final String REASON = "settled after its coordinator";

    /** Below the limit of the activities that wait for it. */
    private static final Duration LONGEST = Duration.ofMinutes(4);

    private static final long SOON_MILLIS = 10;
    private static final long SAY_AGAIN_NANOS = Duration.ofSeconds(5).toNanos();

    private final RouteLedger routes;
    private final CutoverEngine engine;
    /** Keeps the sweepers of several processes from taking over in the same instant. */
    private final AtomicLong saidNanos = new AtomicLong(System.nanoTime() - 2 * SAY_AGAIN_NANOS);

    private final long jitterMillis = ThreadLocalRandom.current().nextLong(200);

    private final Duration longest;

    public AttemptSettler(RouteLedger routes, CutoverEngine engine) {
        this(routes, engine, LONGEST);
    }

    AttemptSettler(RouteLedger routes, CutoverEngine engine, Duration longest) {
        this.routes = routes;
        this.engine = engine;
        this.longest = longest;
    }

    /**
     * Settles one migration now, whatever the age of its attempt, retrying until its routes are STABLE; blocks, for four minutes at most. {@link #finish} comes
     * next. Fails where the owner of writes stays away for longer: whoever asks asks again, and its place among the workers is free meanwhile.
     */
    public Routes settleUntilStable(String migration) {
        Duration pause = Duration.ofMillis(20);
        long began = System.nanoTime();
        while (true) {
            if (Thread.currentThread().isInterrupted()) {
                throw new IllegalStateException("interrupted while settling " + migration);
            }
            long mark = routes.changeMark();
            try {
                Routes row = settle(migration);
                if (row.state() == RouteState.STABLE) {
                    return row;
                }
            } catch (RuntimeException e) {
                failed(migration, e);
                if (System.nanoTime() - began > longest.toNanos()) {
                    throw new NotSettledYet(
                            "the attempt of " + migration + " is not settled yet, it goes on: " + e.getMessage(), e);
                }
                pause = pause.compareTo(Duration.ofSeconds(1)) < 0 ? pause.multipliedBy(2) : pause;
            }
            routes.awaitChange(mark, pause);
        }
    }

    /**
     * One pass over all attempts that nobody seems to own any more.
     *
     * @return milliseconds until the next of them may be due, at most {@value #LOOK_AGAIN_MILLIS}; negative where every row is STABLE
     */
    public long sweep() {
        long next = -1;
        for (Unsettled u : routes.unsettled()) {
            long due = switch (u.routes().state()) {
                case STABLE -> Long.MAX_VALUE / 2;
                case ARMED -> ARMED_MILLIS;
                case PREPARED -> u.deadlineMillis() + GRACE_MILLIS;
                case ABORTING, COMMITTED -> TAKEOVER_MILLIS;
            };
            long left = due + jitterMillis - u.ageMillis();
            long look = Math.clamp(left, SOON_MILLIS, LOOK_AGAIN_MILLIS);
            next = next < 0 ? look : Math.min(next, look);
            if (left <= 0) {
                try {
                    finish(settle(u.routes().migration()));
                } catch (RuntimeException e) {
                    failed(u.routes().migration(), e);
                }
            }
        }
        return next;
    }

    /** One try, on the owner of writes alone: clients must not wait for a standby that may be gone for good. Returns the row as it was left. */
    Routes settle(String migration) {
        Routes first = read(migration);
        String standby = first.standby();
        if (first.state() == RouteState.STABLE || standby == null) {
            return first;
        }
        if (first.state() == RouteState.ARMED || first.state() == RouteState.PREPARED) {
            // Losing this race means that the row moved on; it is read again below.
            routes.beginAbort(migration, first.epoch(), first.attempt(), REASON);
        }
        try (CutoverEngine.ActiveSide owner = engine.openActive(migration, first.active(), standby, Others.END)) {
            // Connected before this read: see CutoverEngine#open.
            Routes row = read(migration);
            if (row.epoch() != first.epoch() || row.attempt() != first.attempt()) {
                return row;
            }
            settle(row, owner);
        }
        Routes after = read(migration);
        LOGGER.atInfo()
                .addKeyValue("migration", migration)
                .addKeyValue("epoch", after.epoch())
                .addKeyValue("state", after.state())
                .addKeyValue("attempt", first.attempt())
                .log("settled");
        return after;
    }

    /** What a settled attempt leaves on the standby; where that cannot be reached, {@link FenceSweeper} does it when it is back. */
    public void finish(Routes settled) {
        String standby = settled.standby();
        if (settled.state() != RouteState.STABLE || standby == null) {
            return;
        }
        String migration = settled.migration();
        try (CutoverEngine.Session session = engine.open(migration, settled.active(), standby, Others.LEAVE)) {
            Routes now = read(migration);
            if (now.state() == RouteState.STABLE
                    && now.epoch() == settled.epoch()
                    && now.attempt() == settled.attempt()) {
                session.finishRestore();
                session.relax();
                session.persist();
            }
        } catch (RuntimeException e) {
            LOGGER.atWarn()
                    .addKeyValue("migration", migration)
                    .addKeyValue("endpoint", standby)
                    .addKeyValue("problem", e.getMessage())
                    .log("settled without the standby, which cannot be reached");
        }
    }

    private void settle(Routes row, CutoverEngine.ActiveSide owner) {
        switch (row.state()) {
            case ABORTING -> {
                Failpoints.reach("settle.restore");
                routes.undo(row.attempt()).ifPresent(owner::restore);
                Failpoints.reach("settle.end-abort");
                routes.endAbort(row.migration(), row.epoch(), row.attempt());
            }
            case COMMITTED -> {
                Failpoints.reach("settle.unfence");
                owner.unfence();
                Listeners.awaitCarried(routes, row.attempt());
                routes.stable(row.migration(), row.epoch(), row.attempt());
            }
            case STABLE, ARMED, PREPARED -> {
                // Moved on meanwhile: the caller looks again.
            }
        }
    }

    /** Said once in a while: it is tried many times a second. */
    private void failed(String migration, RuntimeException cause) {
        long now = System.nanoTime();
        long before = saidNanos.getAndUpdate(last -> now - last > SAY_AGAIN_NANOS ? now : last);
        LOGGER.atLevel(now - before > SAY_AGAIN_NANOS ? Level.WARN : Level.DEBUG)
                .addKeyValue("migration", migration)
                .setCause(cause)
                .log("settling failed, trying again");
    }

    private Routes read(String migration) {
        return routes.read(migration).orElseThrow(() -> new IllegalStateException("no routes for " + migration));
    }
}
