package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenSchema;
import dev.eden.activities.postgres.OtherSessions;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

/** One session on either side for one lane of a comparison, and the marker that tells how far the written side is. */
public final class Sides implements AutoCloseable {
    private static final String PART = "validate";
    private static final Duration OTHERS_END = Duration.ofSeconds(2);
    private static final int MARKER_ROW = 3;
    private static final long LOOK_MILLIS = 2;
    /** How long applications may wait for the other side, while what they write is held. */
    private static final Duration HELD = Duration.ofSeconds(1);
    /** Nothing is held while the other side is farther behind than this. */
    private static final Duration NEAR = Duration.ofMillis(500);
    /** Shorter than the silence after which a worker counts as dead. */
    private static final Duration FAR = Duration.ofSeconds(5);
    /** No lock in time, and a deadlock. */
    private static final Set<String> TOO_LONG = Set.of("55P03", "40P01");

    /** The followed side lets go by itself where this process cannot reach it, or hangs on the other side. */
    private static final String CUT_OFF = "SET LOCAL idle_in_transaction_session_timeout = '15s'";

    private static final Executor THREADS = work -> Thread.ofVirtual().start(work);

    final PostgresSession from;
    final PostgresSession to;
    private final PostgresSession marking;
    private final String marker;
    private final Duration patience;
    private boolean holding;

    private Sides(PostgresSession from, PostgresSession to, PostgresSession marking, String marker, Duration patience) {
        this.from = from;
        this.to = to;
        this.marking = marking;
        this.marker = marker;
        this.patience = patience;
    }

    static Sides open(Pair pair, Role followed, Duration patience) {
        EdenObjects names = pair.names();
        PostgresSession from = pair.control(followed, PART, Duration.ZERO);
        try {
            // Nor is anything held for one that does not take the rows which it asked for.
            from.execute("SET tcp_user_timeout = '15s'");
            PostgresSession to = pair.control(followed.other(), PART, Duration.ZERO);
            try {
                PostgresSession marking = pair.control(followed, PART, Duration.ZERO);
                return new Sides(from, to, marking, names.marker(followed), patience);
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

    /**
     * Ends whoever compares on this server, and takes back what of a repair is not committed: what a stalled process had sent already would come late. Who
     * begins to compare comes first, and authority does not turn over one.
     */
    public static void endAll(PostgresSession session, EdenObjects names) {
        OtherSessions.end(
                session, OTHERS_END, "usename = ? AND application_name = ?", names.control(), names.session(PART));
    }

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
     * Runs work in a transaction on the followed side that holds what applications write: only while the other side is near, and for as long as it takes
     * that to come up again.
     *
     * @throws LetGoException where that, or a lock, takes too long: applications go on, and what the work has written on the followed side is undone
     */
    <T> T holding(Supplier<T> work) {
        awaitNear();
        holding = true;
        try {
            return from.transaction(() -> {
                from.execute("SET LOCAL lock_timeout = '2s'");
                from.execute(CUT_OFF);
                return work.get();
            });
        } catch (PostgresException e) {
            throw TOO_LONG.contains(e.sqlState()) ? new LetGoException() : e;
        } finally {
            holding = false;
        }
    }

    /** What is held meanwhile would wait for the other side's lag as well. */
    private void awaitNear() {
        long begun = System.nanoTime();
        while (true) {
            long asked = System.nanoTime();
            awaitApplied();
            long now = System.nanoTime();
            if (now - asked < NEAR.toNanos()) {
                return;
            }
            if (now - begun > FAR.toNanos()) {
                throw new LetGoException();
            }
        }
    }

    /**
     * Returns when the written side has applied everything that was committed on the followed one before the call. While something is held that is soon, or a
     * {@link LetGoException}.
     */
    void awaitApplied() {
        // Counted by the row itself, of which there is one for all lanes and processes: whoever has a higher number has
        // committed later.
        long number = marking.number(
                "INSERT INTO " + marker
                        + " AS old (id, number) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET number = old.number + 1 RETURNING number",
                MARKER_ROW);
        long end = System.nanoTime() + (holding ? HELD : patience).toNanos();
        while (EdenSchema.read(to, marker, MARKER_ROW) < number) {
            if (System.nanoTime() - end > 0) {
                throw holding
                        ? new LetGoException()
                        : new UnsettledException("the written side does not come up with the other");
            }
            pause(LOOK_MILLIS);
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
        marking.close();
    }
}
