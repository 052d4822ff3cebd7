package dev.eden.demo.postgres;

import dev.eden.demo.history.History;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.OperationLog;
import dev.eden.demo.history.Outcome;
import dev.eden.demo.load.LoadStats;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Runs one client's statements and transactions and writes down what became of them. Effects are announced before their statement is
 * sent and settled when it, or its transaction, is over. A COMMIT, or a statement outside a transaction, whose answer was lost is in
 * doubt; what is lost before COMMIT was sent did not happen. Every round trip is timed for itself.
 */
final class SqlRecorder {
    /** What the application sends. */
    interface Body {
        void run() throws SQLException;
    }

    /** Is told what became of a statement; times are {@link System#nanoTime()}. */
    interface Effect {
        void settle(Outcome outcome, long invoked, long returned);
    }

    /** What one statement does to one cell. Reads fill in {@code value} from the answer, some writes {@code extra}. */
    final class Entry implements Effect {
        private final OperationKind kind;
        private final int cell;
        long value;
        long extra;

        private Entry(OperationKind kind, int cell, long value, long extra) {
            this.kind = kind;
            this.cell = cell;
            this.value = value;
            this.extra = extra;
        }

        @Override
        public void settle(Outcome outcome, long invoked, long returned) {
            cells.add(kind, outcome, session, cell, value, extra, invoked, returned);
        }
    }

    private enum Failure {
        /** Serializable transactions are told to try again, and of deadlocked ones one is. */
        CONFLICT,
        ERROR,
        LOST
    }

    private record Sent(Effect effect, long invoked) {}

    /** serialization_failure, deadlock_detected (PostgreSQL documentation, Appendix A). */
    private static final Set<String> CONFLICTS = Set.of("40001", "40P01");

    /** admin_shutdown, crash_shutdown: the connection ends with them. */
    private static final Set<String> ENDS = Set.of("57P01", "57P02");

    private final int client;
    private final OperationLog cells;
    private final OperationLog requests;
    private final LoadStats stats;
    private final List<Effect> announced = new ArrayList<>();
    private final List<Sent> sent = new ArrayList<>();
    private int session;

    SqlRecorder(int client, History history, History requests, LoadStats stats) {
        this.client = client;
        this.cells = history.open(client);
        this.requests = requests.open(client);
        this.stats = stats;
    }

    /** The connection, counted up with every loss. */
    int session() {
        return session;
    }

    /** Announces what the next statement does to a cell. */
    Entry expect(OperationKind kind, int cell, long value) {
        Entry entry = new Entry(kind, cell, value, 0);
        announced.add(entry);
        return entry;
    }

    /** Announces any other effect of the next statement. */
    void expect(Effect effect) {
        announced.add(effect);
    }

    /** One statement outside a transaction. False where the connection was lost. */
    boolean statement(Connection connection, Body body) {
        try {
            step(body);
            settle(Outcome.OK);
            return true;
        } catch (SQLException e) {
            Failure failure = failure(connection, e);
            settle(failure == Failure.LOST ? Outcome.IN_DOUBT : Outcome.FAILED);
            return report(failure, e);
        }
    }

    /**
     * Several statements that take effect together or not at all; {@code body} takes a {@link #step} for each.
     *
     * @param begin a BEGIN with its modes, or nothing: then the driver sends its own together with the first statement
     * @param commit false for an application that changes its mind
     * @return false where the connection was lost
     */
    boolean transaction(Connection connection, String begin, boolean commit, Body body) {
        boolean committing = false;
        try {
            if (begin.isEmpty()) {
                connection.setAutoCommit(false);
            } else {
                step(() -> execute(connection, begin));
            }
            body.run();
            committing = commit;
            step(() -> end(connection, begin, commit));
            settle(commit ? Outcome.OK : Outcome.FAILED);
            return true;
        } catch (SQLException e) {
            Failure failure = failure(connection, e);
            settle(committing && failure == Failure.LOST ? Outcome.IN_DOUBT : Outcome.FAILED);
            return report(failure, e) && rollback(connection, begin);
        }
    }

    /** One round trip. */
    void step(Body body) throws SQLException {
        long invoked = System.nanoTime();
        announced.forEach(effect -> sent.add(new Sent(effect, invoked)));
        announced.clear();
        Outcome outcome = Outcome.FAILED;
        try {
            body.run();
            outcome = Outcome.OK;
        } finally {
            long returned = System.nanoTime();
            requests.add(OperationKind.READ, outcome, session, 0, 0, 0, invoked, returned);
            if (outcome == Outcome.OK) {
                stats.answered(1, returned - invoked);
            }
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void end(Connection connection, String begin, boolean commit) throws SQLException {
        if (!begin.isEmpty()) {
            execute(connection, commit ? "COMMIT" : "ROLLBACK");
            return;
        }
        if (commit) {
            connection.commit();
        } else {
            connection.rollback();
        }
        connection.setAutoCommit(true);
    }

    private boolean rollback(Connection connection, String begin) {
        try {
            end(connection, begin, false);
            return true;
        } catch (SQLException e) {
            return report(failure(connection, e), e);
        }
    }

    private void settle(Outcome outcome) {
        long returned = System.nanoTime();
        sent.forEach(each -> each.effect().settle(outcome, each.invoked(), returned));
        sent.clear();
        announced.clear();
    }

    private static Failure failure(Connection connection, SQLException e) {
        String state = e.getSQLState() == null ? "" : e.getSQLState();
        if (CONFLICTS.contains(state)) {
            return Failure.CONFLICT;
        }
        try {
            return state.startsWith("08") || ENDS.contains(state) || connection.isClosed()
                    ? Failure.LOST
                    : Failure.ERROR;
        } catch (SQLException unknown) {
            return Failure.LOST;
        }
    }

    /** True where the connection may go on. */
    private boolean report(Failure failure, SQLException e) {
        String words = e.getSQLState() + " " + e.getMessage() + (e.getCause() == null ? "" : " (" + e.getCause() + ")");
        return switch (failure) {
            case CONFLICT -> {
                stats.conflict();
                yield true;
            }
            case ERROR -> {
                stats.error(client, words);
                yield true;
            }
            case LOST -> {
                stats.disconnected(client, words);
                session++;
                yield false;
            }
        };
    }
}
