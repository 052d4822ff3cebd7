package dev.eden.activities.postgres.validation;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.copy.SourcePing;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.schema.MaterializedViews;
import dev.eden.activities.postgres.schema.SchemaCopier;
import dev.eden.activities.store.DifferenceKinds;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Direction;
import dev.eden.activities.store.ServerRecords;
import dev.eden.activities.store.ValidationLedger;
import dev.eden.activities.store.ValidationLedger.Difference;
import dev.eden.workflows.MigrationSpec;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares every row of every table on both sides while both live and replicate: checksums are computed by the servers, per range of the primary
 * key, on both at the same time; what differs is narrowed to rows and only counted when it differs at equal positions. So no random sample of rows is drawn besides: it would be
 * of what has been compared already. Further: that every object of the source's schema is on the target, by kind and name ({@link SchemaCopier#compare}); what is there by
 * the name of a key, a foreign key or a unique index asks no less of rows, as far as its columns tell; no constraint waits to be validated; and no sequence would give a value twice. That other definitions,
 * of checks, functions, triggers and views, are the same is not looked at: a target may have been prepared with its own, which plan lists.
 */
public final class PostgresValidation {
    private static final Logger LOGGER = LoggerFactory.getLogger(PostgresValidation.class);
    private static final int LANES = 2;
    static final int SAMPLE = 1_000;
    private static final Duration PING_LIMIT = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final EndpointDirectory endpoints;
    private final ServerRecords records;
    private final ReplicationLedger replication;
    private final ValidationLedger reports;
    private final Clock clock;

    public PostgresValidation(
            EndpointDirectory endpoints,
            ServerRecords records,
            ReplicationLedger replication,
            ValidationLedger reports,
            Clock clock) {
        this.endpoints = endpoints;
        this.records = records;
        this.replication = replication;
        this.reports = reports;
        this.clock = clock;
    }

    /**
     * Where an interrupted run goes on.
     *
     * @param pair of which direction; another one begins anew
     * @param done tables compared, of a server that kept the list, which outgrows what Temporal keeps of a heartbeat; empty since, for such a server to read
     * @param ranges how many checksums were compared
     * @param kinds of the differences of rows; null in one of a server that did not count them
     * @param next of the table that comes next, what is counted in already apart; null: all of it
     * @param last the table compared last, in the order of {@link TableShape#read}; null: none
     */
    public record Cursor(
            String report,
            String startedAt,
            String pair,
            List<String> done,
            long compared,
            long suspicious,
            long found,
            long repaired,
            List<Difference> sample,
            long ranges,
            @Nullable DifferenceKinds kinds,
            @Nullable Next next,
            @Nullable String last) {
        public Cursor {
            done = done == null ? List.of() : List.copyOf(done);
            sample = List.copyOf(sample);
        }

        /** How many of these tables have been compared; negative where it can't be told: the last is there no more, or another server's list is all there is. */
        int compared(List<TableShape> tables) {
            if (last == null) {
                return done.isEmpty() ? 0 : -1;
            }
            for (int i = 0; i < tables.size(); i++) {
                if (tables.get(i).name().equals(last)) {
                    return i + 1;
                }
            }
            return -1;
        }
    }

    /**
     * Where in a table.
     *
     * @param there what only the written side has is being looked for
     * @param after the key; null: from the beginning
     */
    public record Next(
            String table, boolean there, @Nullable List<String> after) {}

    /**
     * Blocks until everything is compared; the report is stored before it returns. With {@code repair}, rows that differ are copied again and
     * compared once more. Throws {@link UnsettledException} when the pair does not replicate or its direction turns: begin again later.
     *
     * @param resume of an earlier run that was cut off, or null
     * @param heartbeat is told the cursor after every range
     */
    public ValidationLedger.Report validate(
            MigrationSpec spec, boolean repair, @Nullable Cursor resume, Consumer<Cursor> heartbeat) {
        String migration = spec.id();
        Pair pair = new Pair(migration, spec.source(), spec.target(), endpoints, records);
        Direction direction = replication.current(migration);
        Role followed = pair.role(direction.from());
        String way = direction.from() + " → " + direction.to() + " " + direction.epoch();
        Cursor begun = resume != null && resume.pair().equals(way) ? resume : beginning(way);
        Cursor start;
        Tally tally;
        String last;
        SequenceComparison.Outcome sequences;
        CopyPace tuned = new CopyPace();
        Pace pace = new Pace(() -> lagMillis(migration), tuned);
        IntSupplier lanes = () -> {
            tuned.follow(() -> replication.tuning(migration));
            return tuned.lanes(LANES);
        };
        endEarlier(pair);
        try (Sides sides = Sides.open(pair, followed, PATIENCE);
                SidesPool pool = new SidesPool(pair, followed, PATIENCE, LANES);
                SourcePing _ = new SourcePing(migration, tuned, () -> ping(pair, followed))) {
            List<TableShape> tables = TableShape.read(sides.from, sides.to, () -> heartbeat.accept(begun));
            start = begun.compared(tables) < 0 ? beginning(way) : begun;
            tally = new Tally(SAMPLE, start);
            last = start.last();
            for (TableShape table : tables.subList(start.compared(tables), tables.size())) {
                requireSame(migration, direction);
                String before = last;
                if (table.key().isEmpty()) {
                    new KeylessComparison(
                                    sides,
                                    table,
                                    tally,
                                    repair,
                                    () -> heartbeat.accept(tally.cursor(start, before, null)))
                            .compare();
                } else {
                    new TableComparison(
                                    table, repair, tally, next -> heartbeat.accept(tally.cursor(start, before, next)))
                            .compare(sides, pool, start.next(), lanes, pace);
                }
                last = table.name();
                heartbeat.accept(tally.cursor(start, last, null));
            }
            sequences = SequenceComparison.compare(sides, direction.startOffset() > 0, followed == Role.SOURCE);
        }
        requireSame(migration, direction);
        Cursor compared = tally.cursor(start, last, null);
        new MaterializedViews(pair).fillAgain(followed, () -> heartbeat.accept(compared));
        SchemaCopier.Comparison schema = new SchemaCopier(pair).compare(followed);
        for (String object : schema.missing()) {
            tally.object(object, "missing", "an object of the schema", false);
        }
        SequenceComparison.Outcome told = sequences.without(schema.missing());
        for (SequenceComparison.Finding finding : told.findings()) {
            tally.object(finding.key(), finding.kind(), finding.detail(), false);
        }
        Cursor end = tally.cursor(start, last, null);
        ValidationLedger.Report report = new ValidationLedger.Report(
                start.report(),
                migration,
                start.startedAt(),
                clock.instant().toString(),
                end.compared(),
                end.suspicious(),
                end.found(),
                end.repaired(),
                end.found() - end.repaired(),
                0,
                end.sample(),
                Checks.of(end, schema, told));
        reports.save(report);
        LOGGER.atInfo()
                .addKeyValue("migration", migration)
                .addKeyValue("rows", report.keysCompared())
                .addKeyValue("suspicious", report.suspicious())
                .addKeyValue("differences", report.differencesFound())
                .addKeyValue("repaired", report.repaired())
                .log("validated");
        return report;
    }

    private static void endEarlier(Pair pair) {
        for (Role side : Role.values()) {
            try (PostgresSession session = pair.control(side, "ending", PING_LIMIT)) {
                Sides.endAll(session, pair.names());
            }
        }
    }

    private Cursor beginning(String way) {
        return new Cursor(
                UUID.randomUUID().toString(),
                clock.instant().toString(),
                way,
                List.of(),
                0,
                0,
                0,
                0,
                List.of(),
                0,
                DifferenceKinds.NONE,
                null,
                null);
    }

    private long lagMillis(String migration) {
        return replication
                .progress(migration)
                .map(ReplicationLedger.Progress::lagMs)
                .orElse(0L);
    }

    private static SourcePing.Connection ping(Pair pair, Role followed) {
        PostgresSession session = pair.control(followed, "ping", PING_LIMIT);
        return new SourcePing.Connection(() -> session.execute("SELECT 1"), session::close);
    }

    private void requireSame(String migration, Direction direction) {
        Direction now = replication.current(migration);
        if (now.epoch() != direction.epoch() || !now.from().equals(direction.from())) {
            throw new UnsettledException("the direction of replication has turned");
        }
    }
}
