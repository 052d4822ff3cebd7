package dev.eden.activities.postgres.replication;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.copy.SourcePing;
import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Lanes;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.replication.LoadProgress.TableSize;
import dev.eden.activities.store.ReplicationLedger.TableProgress;
import dev.eden.proxy.Failpoints;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Copies all tables under the one snapshot that the forward slot begins with: what is copied and what the slot sends later meet exactly. Several tables
 * at a time; a large one in parts; as fast and on as many lanes as the pace says. What is complete is written down on the target in the same transaction, so that a load which was cut off, by
 * the death of Eden or of a server, is not begun again: the servers copy the rest by themselves (see {@link ReplicationRun}).
 */
final class FullLoad {
    private static final int LANES = 4;
    private static final Duration PING_LIMIT = Duration.ofSeconds(5);
    /** A larger table is copied in parts of this many bytes, by several lanes at a time. */
    private static final long PART = 1L << 30;
    /** For building primary keys; as many at a time as there are lanes. */
    private static final String WORK_MEMORY =
            "SELECT set_config('maintenance_work_mem', greatest(pg_size_bytes(current_setting('maintenance_work_mem')), 128 * 1024 * 1024) / 1024 || 'kB', false)";

    private final Pair pair;
    private final EdenObjects names;
    private final CopyPace pace;
    private final Consumer<PostgresSession> opened;
    private final long part;
    private final List<Table> tables = new ArrayList<>();

    FullLoad(Pair pair, CopyPace pace, Consumer<PostgresSession> opened) {
        this(pair, pace, opened, PART);
    }

    /** {@code opened} is told each session, so that another thread can end what takes long. */
    FullLoad(Pair pair, CopyPace pace, Consumer<PostgresSession> opened, long part) {
        this.pair = pair;
        this.pace = pace;
        this.names = pair.names();
        this.opened = opened;
        this.part = part;
    }

    private static final class Table {
        final TableCopy copy;
        final TableSize size;
        final Meter meter;
        final AtomicLong copied = new AtomicLong();
        final AtomicInteger partsLeft = new AtomicInteger();
        volatile String state = "waiting";
        volatile long begunNanos;

        Table(TableCopy copy, TableSize size, CopyPace pace) {
            this.copy = copy;
            this.size = size;
            this.meter = new Meter(pace);
        }

        TableProgress progress() {
            long done = meter.rows().get();
            boolean ready = state.equals("ready");
            boolean copying = state.equals("copying");
            double rate = copying ? done / Math.max(0.001, (System.nanoTime() - begunNanos) / 1e9) : 0;
            long left = Math.max(0, size.rows() - done);
            long eta = ready ? 0 : rate > 0 ? Math.round(left / rate) : -1;
            return new TableProgress(
                    copy.table(),
                    state,
                    done,
                    ready ? done : size.rows(),
                    meter.bytes().get(),
                    rate,
                    eta);
        }
    }

    /** @param from,to blocks; {@code from} -1: the whole table; {@code to} -1: to its end */
    private record Part(Table table, long from, long to) {}

    /** What is on the target already, from a load that was cut off. */
    static List<String> done(PostgresSession target, EdenObjects names) {
        return target.texts("SELECT name FROM " + names.loaded() + " ORDER BY 1");
    }

    LoadProgress progress() {
        synchronized (tables) {
            return LoadProgress.of(tables.stream().map(Table::progress).toList());
        }
    }

    /**
     * Makes the slot and copies. The publication exists; the target's tables are Eden's alone. Returns when every row is there.
     *
     * @param wanted quoted; the marker comes with them
     */
    void run(PostgresSession source, PostgresSession target, List<String> wanted) {
        target.execute("DELETE FROM " + names.loaded());
        // Made by an earlier Eden.
        target.execute("ALTER TABLE " + names.loaded() + " ADD COLUMN IF NOT EXISTS bytes bigint NOT NULL DEFAULT 0");
        List<String> leaves = new ArrayList<>(wanted);
        leaves.add(names.marker(Role.SOURCE));
        Map<String, TableSize> sizes = TableSize.read(source, leaves);
        List<Part> parts = new ArrayList<>();
        for (String name : leaves) {
            Table table = new Table(TableCopy.of(name, source, target), sizes.getOrDefault(name, TableSize.NONE), pace);
            synchronized (tables) {
                tables.add(table);
            }
            if (split(table, parts)) {
                empty(target, name);
            }
        }
        parts.sort(
                Comparator.comparingLong((Part one) -> one.table().size.bytes()).reversed());
        try (PostgresSession snapshots = pair.replication(Role.SOURCE, "snapshot")) {
            opened.accept(snapshots);
            String snapshot = snapshots
                    .first(
                            "CREATE_REPLICATION_SLOT " + Sql.name(names.main()) + " LOGICAL pgoutput",
                            row -> row.getString("snapshot_name"))
                    .orElseThrow();
            Failpoints.reach("load.slot");
            try (SourcePing _ = new SourcePing(pair.migration(), pace, this::ping)) {
                Lanes.run(parts, () -> pace.lanes(LANES), lane -> lane(lane, snapshot));
            }
        }
    }

    private static void empty(PostgresSession target, String table) {
        target.transaction(() -> {
            target.execute("SET LOCAL session_replication_role = replica");
            TableCopy.empty(target, table);
        });
    }

    /** Takes out what an unfinished load left. */
    static void empty(PostgresSession target, List<String> tables) {
        tables.forEach(table -> empty(target, table));
    }

    /** False: it is copied whole. */
    private boolean split(Table table, List<Part> parts) {
        long each = table.size.blocks() == 0 ? 0 : part / Math.max(1, table.size.bytes() / table.size.blocks());
        if (table.size.bytes() <= part || each == 0 || table.size.blocks() <= each) {
            table.partsLeft.set(1);
            parts.add(new Part(table, -1, -1));
            return false;
        }
        for (long from = 0; from < table.size.blocks(); from += each) {
            table.partsLeft.incrementAndGet();
            long to = from + each;
            parts.add(new Part(table, from, to < table.size.blocks() ? to : -1));
        }
        return true;
    }

    /** The slot's session holds the snapshot until the load is done: a lane may begin at any time. */
    private void lane(Supplier<@Nullable Part> parts, String snapshot) {
        try (PostgresSession source = open(Role.SOURCE);
                PostgresSession target = open(Role.TARGET)) {
            target.execute("SET session_replication_role = replica");
            target.text(WORK_MEMORY);
            source.transaction(() -> {
                source.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
                source.execute("SET TRANSACTION SNAPSHOT " + Sql.text(snapshot));
                for (Part next = parts.get(); next != null; next = parts.get()) {
                    copy(next, source, target);
                }
            });
        }
    }

    private void copy(Part next, PostgresSession source, PostgresSession target) {
        Table table = next.table();
        if (table.begunNanos == 0) {
            table.begunNanos = System.nanoTime();
        }
        table.state = "copying";
        target.transaction(() -> {
            long copied = next.from() < 0
                    ? table.copy.whole(source, target, table.size.bytes(), table.meter)
                    : table.copy.part(source, target, next.from(), next.to(), table.meter);
            table.copied.addAndGet(copied);
            if (next.from() < 0) {
                done(table, target);
            }
        });
        // Of several parts the last one: all others are committed.
        if (table.partsLeft.decrementAndGet() == 0) {
            if (next.from() >= 0) {
                done(table, target);
            }
            table.meter.rows().set(table.copied.get());
            table.state = "ready";
            Failpoints.reach("load.table");
        } else {
            Failpoints.reach("load.split");
        }
    }

    private void done(Table table, PostgresSession target) {
        target.update(
                "INSERT INTO " + names.loaded() + " (name, rows, bytes) VALUES (?, ?, ?)",
                table.copy.table(),
                table.copied.get(),
                table.meter.bytes().get());
    }

    private SourcePing.Connection ping() {
        PostgresSession session = pair.control(Role.SOURCE, "ping", PING_LIMIT);
        opened.accept(session);
        return new SourcePing.Connection(() -> session.execute("SELECT 1"), session::close);
    }

    private PostgresSession open(Role side) {
        PostgresSession session = pair.control(side, "load", Duration.ZERO);
        opened.accept(session);
        return session;
    }
}
