package dev.eden.demo.postgres;

import dev.eden.demo.check.FinalState;
import dev.eden.demo.check.JournalState;
import dev.eden.demo.check.JournalState.Lines;
import dev.eden.demo.check.JournalState.Row;
import dev.eden.demo.check.JournalState.Transferred;
import dev.eden.demo.history.History;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.OperationLog;
import dev.eden.demo.history.Outcome;
import dev.eden.demo.load.Payload;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads every table once, after the load has ended. */
final class FinalRows {
    private final Rows rows;
    private final History history;
    private int readers;

    FinalRows(Rows rows, History history) {
        this.rows = rows;
        this.history = history;
    }

    private interface RowReader {
        void read(ResultSet row) throws SQLException;
    }

    private static void each(Connection from, String sql, RowReader reader) throws SQLException {
        boolean before = from.getAutoCommit();
        from.setAutoCommit(false);
        try (Statement statement = from.createStatement()) {
            statement.setFetchSize(2000);
            try (ResultSet row = statement.executeQuery(sql)) {
                while (row.next()) {
                    reader.read(row);
                }
            }
        } finally {
            from.commit();
            from.setAutoCommit(before);
        }
    }

    /** What is judged cell by cell. {@code place}: what this connection leads to, in words. */
    FinalState cells(String place, Connection from) throws SQLException {
        OperationLog log = history.open(Operation.FIRST_FINAL_CLIENT + readers++);
        Map<Integer, long[]> elements = new HashMap<>();
        Reading profiles = new Reading(log, OperationKind.READ, Table.PROFILE);
        each(
                from,
                "SELECT id, body FROM app.profiles",
                row -> profiles.saw(row.getInt(1), 0, Payload.id(row.getString(2))));
        profiles.rest();
        Reading counters = new Reading(log, OperationKind.COUNT, Table.COUNTER);
        each(from, "SELECT id, n FROM app.counters", row -> counters.saw(row.getInt(1), 0, row.getLong(2)));
        counters.rest();
        Reading pairs = new Reading(log, OperationKind.READ, Table.PAIR);
        each(from, "SELECT id, side, v FROM app.pairs", row -> pairs.saw(row.getInt(1), row.getInt(2), row.getLong(3)));
        pairs.rest();
        each(
                from,
                "SELECT id, v FROM app.logs",
                row -> elements.put(
                        rows.cell(Table.LOG, row.getInt(1), 0), Payload.elements(row.getString(2), Integer.MAX_VALUE)));
        each(
                from,
                "SELECT id, v FROM app.trails",
                row -> elements.put(rows.cell(Table.TRAIL, row.getInt(1), 0), CellWork.elements(row.getArray(2))));
        return new FinalState(place, elements);
    }

    /** Notes each row of a table, and that the others are not there. */
    private final class Reading {
        private final OperationLog log;
        private final OperationKind kind;
        private final Table table;
        private final long began = System.nanoTime();
        private final boolean[] seen;

        Reading(OperationLog log, OperationKind kind, Table table) {
            this.log = log;
            this.kind = kind;
            this.table = table;
            this.seen = new boolean[rows.count(table) * 2];
        }

        void saw(int id, int sub, long value) {
            if (id < 0 || id >= rows.count(table)) {
                throw new IllegalStateException(table.relation + " has a row " + id + " that nobody inserted");
            }
            seen[id * 2 + sub] = true;
            note(id, sub, value);
        }

        private void note(int id, int sub, long value) {
            log.add(kind, Outcome.OK, 0, rows.cell(table, id, sub), value, 0, began, System.nanoTime());
        }

        void rest() {
            int subs = table == Table.PAIR ? 2 : 1;
            for (int id = 0; id < rows.count(table); id++) {
                for (int sub = 0; sub < subs; sub++) {
                    if (!seen[id * 2 + sub]) {
                        note(id, sub, Operation.ABSENT);
                    }
                }
            }
        }
    }

    /** What journals are held against. */
    static JournalState journals(Connection from) throws SQLException {
        List<Row> inserts = new ArrayList<>();
        each(
                from,
                "SELECT token, id, number FROM app.ledger",
                row -> inserts.add(new Row(row.getLong(1), row.getLong(2), row.getLong(3))));
        Map<Long, Lines> batches = new HashMap<>();
        Map<Long, boolean[]> lines = new HashMap<>();
        each(from, "SELECT token, line, body FROM app.imports", row -> {
            long token = row.getLong(1);
            int line = row.getInt(2);
            boolean[] there = lines.computeIfAbsent(token, _ -> new boolean[256]);
            boolean sound = line >= 0
                    && line < there.length
                    && RowWork.body(token, line).equals(row.getString(3));
            boolean again = sound && there[line];
            if (sound) {
                there[line] = true;
            }
            batches.merge(
                    token,
                    new Lines(1, again ? 0 : 1, sound),
                    (a, b) -> new Lines(a.rows() + b.rows(), a.different() + b.different(), a.sound() && b.sound()));
        });
        List<Transferred> transfers = new ArrayList<>();
        each(
                from,
                "SELECT token, debit, credit, amount FROM app.transfers",
                row -> transfers.add(new Transferred(row.getLong(1), row.getInt(2), row.getInt(3), row.getLong(4))));
        Map<Integer, Long> balances = new HashMap<>();
        each(from, "SELECT id, balance FROM app.accounts", row -> balances.put(row.getInt(1), row.getLong(2)));
        Map<Integer, long[]> lists = new HashMap<>();
        each(
                from,
                "SELECT id, v FROM app.serial WHERE id >= 0",
                row -> lists.put(row.getInt(1), CellWork.elements(row.getArray(2))));
        return new JournalState(inserts, batches, transfers, balances, lists);
    }
}
