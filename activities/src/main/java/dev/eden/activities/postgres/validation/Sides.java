package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenSchema;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Sessions on either side for one lane of a comparison, and the marker that tells how far the written side is. What is held on the followed side
 * keeps applications waiting: that is bounded here, whatever becomes of the other side.
 */
final class Sides implements AutoCloseable {
    private static final int MARKER_ROW = 3;
    private static final long LOOK_MILLIS = 2;
    private static final Duration HELD = Duration.ofMillis(200);
    /** Each statement, and Eden's silence between two: a host that is gone answers none. */
    private static final List<String> WHILE_HELD = List.of(
            "SET LOCAL lock_timeout = '200ms'",
            "SET LOCAL statement_timeout = '500ms'",
            "SET LOCAL idle_in_transaction_session_timeout = '3s'");
    /** No lock in time, a deadlock, a statement that took too long. */
    private static final Set<String> TOO_LONG = Set.of("55P03", "40P01", "57014");

    private static final Executor THREADS = work -> Thread.ofVirtual().start(work);
    /** Shared by all lanes: the row is one, and only grows. */
    private static final AtomicLong NUMBERS = new AtomicLong(System.currentTimeMillis() << 16);

    final PostgresSession from;
    final PostgresSession to;
    /** On the followed side too, for what is not part of the other's transaction. */
    final PostgresSession beside;

    private final String marker;
    private final Duration patience;
    private boolean held;

    private Sides(PostgresSession from, PostgresSession to, PostgresSession beside, String marker, Duration patience) {
        this.from = from;
        this.to = to;
        this.beside = beside;
        this.marker = marker;
        this.patience = patience;
    }

    static Sides open(Pair pair, Role followed, Duration patience) {
        EdenObjects names = pair.names();
        PostgresSession from = pair.control(followed, "validate", Duration.ZERO);
        try {
            PostgresSession to = pair.control(followed.other(), "validate", Duration.ZERO);
            try {
                PostgresSession beside = pair.control(followed, "validate", Duration.ZERO);
                return new Sides(from, to, beside, names.marker(followed), patience);
            } catch (RuntimeException e) {
                to.close();
                throw e;
            }
        } catch (RuntimeException e) {
            from.close();
            throw e;
        }
    }

    record Both<T>(T from, T to) {}

    /** Asks both at the same time. */
    <T> Both<T> both(Function<PostgresSession, T> question) {
        CompletableFuture<T> there = CompletableFuture.supplyAsync(() -> question.apply(to), THREADS);
        T here;
        try {
            here = question.apply(from);
        } finally {
            there.exceptionally(_ -> null).join();
        }
        try {
            return new Both<>(here, there.join());
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /**
     * Returns when the written side has applied everything that was committed on the followed one before the call. While something is held that is
     * soon or not at all: {@link LetGoException}.
     */
    void awaitApplied() {
        waited();
    }

    /** Nanoseconds beside the round trips: a server that is far away is not one that is behind. */
    private long waited() {
        long number = NUMBERS.incrementAndGet();
        // A lane that is late must not set the row back.
        beside.update(
                "INSERT INTO " + marker
                        + " AS old (id, number) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET number = greatest(old.number, excluded.number)",
                MARKER_ROW,
                number);
        if (applied(number)) {
            return 0;
        }
        long begun = System.nanoTime();
        long most = (held ? HELD : patience).toNanos();
        do {
            if (System.nanoTime() - begun > most) {
                throw held
                        ? new LetGoException()
                        : new UnsettledException("the written side does not come up with the other");
            }
            pause(LOOK_MILLIS);
        } while (!applied(number));
        return System.nanoTime() - begun;
    }

    private boolean applied(long number) {
        return EdenSchema.read(to, marker, MARKER_ROW) >= number;
    }

    /**
     * Runs work in a transaction on the followed side that holds what applications write, when the written side is near.
     *
     * @throws LetGoException where it took too long: nothing was done, and they go on
     */
    <T> T holding(Supplier<T> work) {
        awaitNear();
        to.execute("SET statement_timeout = '500ms'");
        held = true;
        try {
            return from.transaction(() -> {
                from.executeAll(WHILE_HELD);
                return work.get();
            });
        } catch (PostgresException e) {
            throw orLetGo(e);
        } finally {
            held = false;
            to.execute("SET statement_timeout = 0");
        }
    }

    /**
     * Runs work that sees a table on {@link #beside} and {@link #to} as it is at equal positions. The table's writers wait until both have been looked
     * at for the first time, and not for the work.
     *
     * @param table quoted, with its schema
     * @param written on the other side, to which replication waits with its changes of the table until the work is done
     * @throws LetGoException as {@link #holding}
     */
    <T> T atEqualPositions(String table, boolean written, Supplier<T> work) {
        awaitNear();
        // No transaction() around the rest, which goes on after this one.
        from.execute("BEGIN");
        held = true;
        try {
            from.executeAll(WHILE_HELD);
            from.execute("LOCK TABLE ONLY " + table + " IN SHARE MODE");
            awaitApplied();
            return beside.transaction(() -> {
                snapshot(beside);
                return to.transaction(() -> {
                    to.execute("SET LOCAL lock_timeout = '200ms'");
                    if (written) {
                        to.execute("LOCK TABLE ONLY " + table + " IN SHARE ROW EXCLUSIVE MODE");
                    }
                    snapshot(to);
                    letGo();
                    return work.get();
                });
            });
        } catch (PostgresException e) {
            throw orLetGo(e);
        } finally {
            letGo();
        }
    }

    private static void snapshot(PostgresSession session) {
        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
        session.number("SELECT 1");
    }

    private void letGo() {
        if (held) {
            held = false;
            from.execute("ROLLBACK");
        }
    }

    private static RuntimeException orLetGo(PostgresException e) {
        return TOO_LONG.contains(e.sqlState()) ? new LetGoException() : e;
    }

    /** Writers that wait for what is held would wait for the other side's lag too. */
    private void awaitNear() {
        long begun = System.nanoTime();
        while (waited() > TimeUnit.MILLISECONDS.toNanos(Pace.HIGH_MILLIS)) {
            if (System.nanoTime() - begun > patience.toNanos()) {
                throw new UnsettledException("the written side is too far behind for rows to be held meanwhile");
            }
        }
    }

    static void pause(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnsettledException("interrupted");
        }
    }

    @Override
    public void close() {
        from.close();
        to.close();
        beside.close();
    }
}
