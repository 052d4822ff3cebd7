package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Direction;
import dev.eden.activities.store.ServerRecords;
import dev.eden.activities.store.ValidationLedger;
import dev.eden.workflows.MigrationSpec;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares everything that the written side of a migration has with the side it is copied from, while both serve and replicate:
 * type, value, order, expiry, encoding, missing and extra keys of every database, and the function libraries. Keys that begin with <code>eden:{</code> are not looked at.
 */
public final class RedisValidation {
    private static final Logger LOGGER = LoggerFactory.getLogger(RedisValidation.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    /** 6.2 does not tell an expiry, only the time left. */
    private static final long TOLERANCE_WITHOUT_EXPIRETIME = 100;

    private static final long GRACE_MILLIS = 100;

    private final EndpointDirectory endpoints;
    private final ServerRecords records;
    private final ReplicationLedger replication;
    private final ValidationLedger reports;
    private final Function<String, Optional<EqualPositions>> positions;
    private final ValidationOptions options;
    private final Clock clock;

    /** {@code positions} finds the replicator of a migration in this process. */
    public RedisValidation(
            EndpointDirectory endpoints,
            ServerRecords records,
            ReplicationLedger replication,
            ValidationLedger reports,
            Function<String, Optional<EqualPositions>> positions,
            ValidationOptions options,
            Clock clock) {
        this.endpoints = endpoints;
        this.records = records;
        this.replication = replication;
        this.reports = reports;
        this.positions = positions;
        this.options = options;
        this.clock = clock;
    }

    /**
     * Blocks until everything is compared; the report is stored before it returns. With {@code repair}, keys that differ are copied whole
     * again and compared once more; not for {@code replace: skip}, where the target's own keys are to stay and each one that differs is a
     * conflict that remains (keys that only the target has are none). Throws {@link EqualPositions.UnsettledException} when the pair does
     * not replicate, or in another process while keys differ or never stand still, or when its direction turns: begin again later.
     *
     * @param resume of an earlier run that was cut off, or null
     */
    public ValidationLedger.Report validate(
            MigrationSpec spec,
            boolean repair,
            @Nullable ValidationCursor resume,
            ValidationCursor.Heartbeat heartbeat) {
        String migration = spec.id();
        Direction direction = replication.current(migration);
        boolean skip = spec.data().replace().equals("skip");
        try (RespConnection source =
                        EdenUsers.connect(migration, endpoints.endpoint(direction.from()), records, TIMEOUT);
                RespConnection target =
                        EdenUsers.connect(migration, endpoints.endpoint(direction.to()), records, TIMEOUT);
                Lanes lanes = Lanes.open(
                        options.lanes(),
                        () -> EdenUsers.connect(migration, endpoints.endpoint(direction.from()), records, TIMEOUT))) {
            ServerInfo from = ServerInfo.read(source, "server");
            ServerInfo to = ServerInfo.read(target, "server");
            boolean exactExpiry = from.atLeast(7, 0) && to.atLeast(7, 0);
            ExpiryRule expiry =
                    new ExpiryRule(exactExpiry ? 0 : TOLERANCE_WITHOUT_EXPIRETIME, GRACE_MILLIS, clockOffset(source));
            KeyState.Reader onSource = new KeyState.Reader(from.atLeast(7, 0));
            KeyState.Reader onTarget = new KeyState.Reader(to.atLeast(7, 0));
            ValueComparison values = new ValueComparison(target, migration, expiry);
            WatchedComparison watched = new WatchedComparison(
                    lanes.connections(), target, onSource, onTarget, values, migration, options.patience());
            Optional<EqualPositions> atRest = positions.apply(migration);
            Optional<SettledComparison> settled =
                    atRest.map(found -> new SettledComparison(found, target, onSource, onTarget, values));
            ValidationTally tally = new ValidationTally(options.sample());
            Suspects suspects = new Suspects(migration, watched, settled, atRest, tally, repair && !skip, () -> !skip);
            String pair =
                    direction.from() + " " + from.text("run_id") + " → " + direction.to() + " " + to.text("run_id");
            KeyScan scan = new KeyScan(
                    source,
                    target,
                    watched,
                    suspects,
                    tally,
                    options,
                    () -> requireSame(migration, direction),
                    heartbeat);
            ValidationCursor start = resume != null && resume.pair().equals(pair)
                    ? resume
                    : tally.cursor(
                            UUID.randomUUID().toString(),
                            clock.instant().toString(),
                            pair,
                            ValidationCursor.SOURCE,
                            0,
                            "0");
            scan.run(start);
            if (from.atLeast(7, 0) && to.atLeast(7, 0)) {
                new FunctionComparison(migration, source, target, atRest, tally, repair && !skip, !skip).run();
            }
            ValidationLedger.Report report = tally.report(
                    start.report(),
                    migration,
                    start.startedAt(),
                    clock.instant().toString(),
                    expiry.toleranceMillis());
            reports.save(report);
            LOGGER.atInfo()
                    .addKeyValue("migration", migration)
                    .addKeyValue("keys", report.keysCompared())
                    .addKeyValue("suspicious", report.suspicious())
                    .addKeyValue("differences", report.differencesFound())
                    .addKeyValue("repaired", report.repaired())
                    .log("validated");
            return report;
        }
    }

    /** Sessions that are closed together. */
    private record Lanes(List<RespConnection> connections) implements AutoCloseable {
        static Lanes open(int count, Supplier<RespConnection> connect) {
            Lanes lanes = new Lanes(new ArrayList<>(count));
            try {
                for (int i = 0; i < count; i++) {
                    lanes.connections.add(connect.get());
                }
                return lanes;
            } catch (RuntimeException e) {
                lanes.close();
                throw e;
            }
        }

        @Override
        public void close() {
            connections.forEach(RespConnection::close);
        }
    }

    private void requireSame(String migration, Direction direction) {
        Direction now = replication.current(migration);
        if (now.epoch() != direction.epoch() || !now.from().equals(direction.from())) {
            throw new EqualPositions.UnsettledException("the direction of replication has turned");
        }
    }

    private static long clockOffset(RespConnection connection) {
        Reply time = connection.ask("TIME");
        if (time instanceof Reply.Error error) {
            throw new RedisException(error.message());
        }
        List<Reply> parts = time.items();
        return parts.get(0).number() * 1000 + parts.get(1).number() / 1000 - System.currentTimeMillis();
    }
}
