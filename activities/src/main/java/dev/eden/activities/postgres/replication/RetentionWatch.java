package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Direction;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after what the owner of writes keeps for the other server, on a session with the owner alone: it matters most while the other one is away, when
 * there is no {@link ReplicationRun}.
 */
final class RetentionWatch implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(RetentionWatch.class);
    private static final Duration LIMIT = Duration.ofSeconds(5);

    private final Pair pair;
    private final Retention retention;
    private final ReplicationLedger ledger;
    private volatile @Nullable Direction direction;
    private volatile @Nullable String verdict;
    private volatile @Nullable Long retained;
    private volatile @Nullable String scarce;
    private volatile boolean closed;
    private volatile @Nullable PostgresSession session;
    private @Nullable Thread thread;
    private String sessionOn = "";

    RetentionWatch(Pair pair, Retention retention, ReplicationLedger ledger) {
        this.pair = pair;
        this.retention = retention;
        this.ledger = ledger;
    }

    void start() {
        thread = Thread.ofVirtual().name("eden-retention-" + pair.migration()).start(this::watch);
    }

    /** Who owns writes now. While an attempt runs, slots are its business. */
    void follow(Direction now) {
        direction = now;
    }

    /** Why replication has to end: its slots are gone. Null: it need not. */
    @Nullable
    String verdict() {
        return verdict;
    }

    /** Bytes of log that the owner of writes keeps, a few seconds ago; null: it could not be asked. */
    @Nullable
    Long retained() {
        return retained;
    }

    /** What the owner's disk is short of though the slot is not to blame; null: nothing. */
    @Nullable
    String scarce() {
        return scarce;
    }

    /** As {@link #verdict}, after whatever is being dropped just now. */
    synchronized @Nullable String settled() {
        return verdict;
    }

    @Override
    public void close() {
        closed = true;
        PostgresSession open = session;
        if (open != null) {
            open.abort();
        }
        Thread running = thread;
        if (running != null) {
            running.interrupt();
            try {
                running.join(LIMIT.multipliedBy(2));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void watch() {
        try {
            while (!closed && verdict == null) {
                Direction now = direction;
                if (now != null && !now.attemptRunning()) {
                    look(now);
                }
                TimeUnit.MILLISECONDS.sleep(now == null ? 50 : TimeUnit.NANOSECONDS.toMillis(Retention.EVERY_NANOS));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            leave();
        }
    }

    /** Once; one thread's. */
    void look(Direction now) {
        try {
            PostgresSession owner = on(now.from());
            List<String> slots = Links.slots(pair, pair.role(now.from()), owner);
            long kept = Retention.kept(owner, slots);
            retained = kept;
            Retention.Verdict found = LostLog.noted(pair.records(), pair.migration(), now.from(), now.epoch())
                    ? new Retention.LetGo("the log of " + now.from() + " was lost")
                    : retention.gate(owner, kept);
            warn(now, found instanceof Retention.Scarce(String what) ? what : null);
            if (found instanceof Retention.LetGo(String why)) {
                letGo(now, owner, why);
            }
        } catch (PostgresException e) {
            // Whoever cannot be asked fills no disk either, or is asked again soon.
            LOGGER.atDebug().addKeyValue("migration", pair.migration()).log("not asked: {}", e.sqlState());
            leave();
        } catch (RuntimeException e) {
            if (!closed) {
                LOGGER.atWarn()
                        .addKeyValue("migration", pair.migration())
                        .setCause(e)
                        .log("the log that is kept is not watched just now");
            }
            leave();
        }
    }

    /** Once, until there is room again. */
    private void warn(Direction now, @Nullable String what) {
        if (what != null && scarce == null) {
            LOGGER.atWarn().addKeyValue("migration", pair.migration()).log("{}: {}", now.from(), what);
        }
        scarce = what == null ? null : "make room on " + now.from() + ": " + what;
    }

    /** A slot that would fill the disk goes, and with it what only the log could have brought. */
    private synchronized void letGo(Direction seen, PostgresSession owner, String why) {
        Direction now = ledger.current(pair.migration());
        if (closed || now.attemptRunning() || now.epoch() != seen.epoch()) {
            return;
        }
        boolean forGood = LostLog.isForGood(seen);
        if (forGood) {
            // Before it is: whoever finds this goes on here.
            LostLog.note(pair.records(), pair.migration(), seen);
        }
        Appliers.unlessLater(owner, pair.names(), seen.epoch(), () -> {
            // Asked again: what was to blame may be gone, and a later load's slot be there of the same name.
            List<String> slots = Links.slots(pair, pair.role(seen.from()), owner);
            if (!forGood && !(retention.gate(owner, Retention.kept(owner, slots)) instanceof Retention.LetGo)) {
                return;
            }
            slots.forEach(slot -> Links.dropSlot(owner, slot));
            verdict = seen.from() + " comes first: " + why + "; the slot is dropped"
                    + (forGood ? LostLog.FOR_GOOD : ", a new full load is due");
        });
    }

    private PostgresSession on(String owner) {
        PostgresSession open = session;
        if (open == null || !sessionOn.equals(owner)) {
            leave();
            open = pair.control(pair.role(owner), "retention", LIMIT);
            session = open;
            sessionOn = owner;
        }
        return open;
    }

    private void leave() {
        retained = null;
        scarce = null;
        PostgresSession open = session;
        session = null;
        if (open != null) {
            open.close();
        }
    }
}
