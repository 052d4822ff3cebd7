package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Direction;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.RouteLedger.Routes;
import dev.eden.activities.store.ServerRecords;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after what servers keep for each other while no {@link PostgresReplicator} does: it has stopped, or its workflow was terminated. Replication may well
 * go on by itself then, and its slots keep log for as long as they are there.
 */
public final class RetentionSweeper implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(RetentionSweeper.class);
    private static final String ENGINE = "postgres";
    private static final Duration LIMIT = Duration.ofSeconds(5);
    /** A replicator that lives says so more often. */
    private static final Duration SILENT = Duration.ofSeconds(10);

    private static final String STOPPED = "stopped";

    private final EndpointDirectory endpoints;
    private final ServerRecords records;
    private final RouteLedger routes;
    private final ReplicationLedger replication;
    private final Retention retention;
    private final Clock clock;
    /** Once for each epoch of a migration: one thread's. */
    private final Set<String> told = new HashSet<>();

    private volatile @Nullable Thread thread;

    public RetentionSweeper(
            EndpointDirectory endpoints,
            ServerRecords records,
            RouteLedger routes,
            ReplicationLedger replication,
            Clock clock) {
        this(endpoints, records, routes, replication, clock, Retention.DEFAULT);
    }

    RetentionSweeper(
            EndpointDirectory endpoints,
            ServerRecords records,
            RouteLedger routes,
            ReplicationLedger replication,
            Clock clock,
            Retention retention) {
        this.endpoints = endpoints;
        this.records = records;
        this.routes = routes;
        this.replication = replication;
        this.clock = clock;
        this.retention = retention;
    }

    public RetentionSweeper start() {
        thread = Thread.ofVirtual().name("eden-retention").start(this::run);
        return this;
    }

    @Override
    public void close() {
        Thread running = thread;
        if (running != null) {
            running.interrupt();
        }
    }

    private void run() {
        while (!Thread.currentThread().isInterrupted()) {
            try {
                TimeUnit.NANOSECONDS.sleep(Retention.EVERY_NANOS);
                sweep();
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                // The store; whoever needs it more says so.
                LOGGER.atDebug().setCause(e).log("what is kept is not looked after just now");
            }
        }
    }

    /** One pass over the migrations that rest; one thread's. */
    void sweep() {
        for (Routes row : routes.attached()) {
            try {
                if (row.standby() != null && orphan(row)) {
                    look(row.migration());
                }
            } catch (RuntimeException e) {
                LOGGER.atDebug()
                        .addKeyValue("migration", row.migration())
                        .setCause(e)
                        .log("what is kept is not looked after just now");
            }
        }
    }

    private boolean orphan(Routes row) {
        return endpoints.endpoint(row.active()).engine().equals(ENGINE)
                && replication
                        .progress(row.migration())
                        .map(progress -> progress.state().equals(STOPPED)
                                || clock.millis() - progress.atMillis() > SILENT.toMillis())
                        .orElse(false);
    }

    private void look(String migration) {
        Direction now = replication.current(migration);
        if (now.attemptRunning()) {
            return;
        }
        // Which of the two is the source matters to nothing here.
        Pair pair = new Pair(migration, now.from(), now.to(), endpoints, records);
        try (RetentionWatch owner = new RetentionWatch(pair, retention, replication)) {
            owner.look(now);
            String verdict = owner.verdict();
            if (verdict != null && told.add(migration + " " + now.epoch())) {
                LOGGER.atWarn().addKeyValue("migration", migration).log("nobody replicates, and {}", verdict);
            }
        }
        skip(pair, now);
    }

    private static void skip(Pair pair, Direction now) {
        StandbySlot slot = new StandbySlot(EdenObjects.of(pair.migration()), now.epoch());
        try (PostgresSession standby = pair.control(pair.role(now.to()), "retention", LIMIT)) {
            while (slot.skip(standby, () -> false) == StandbySlot.Skip.MORE) {
                LOGGER.atDebug().addKeyValue("migration", pair.migration()).log("skipped a step");
            }
        } catch (PostgresException e) {
            // Away, or a step takes too long here: then its log stays until a replicator runs.
            LOGGER.atDebug().addKeyValue("migration", pair.migration()).log("not skipped: {}", e.sqlState());
        }
    }
}
