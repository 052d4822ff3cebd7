package dev.eden.demo.postgres;

import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.Tail;
import dev.eden.demo.load.Payload;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Random;
import java.util.TreeMap;

/** What is judged cell by cell: texts that are replaced, numbers that grow, lists that grow at their end, pairs. */
final class CellWork {
    private static final int HOT = 64;
    private static final int SEVERAL = 8;

    private final Rows rows;
    private final SqlRecorder recorder;
    private final Random random;
    private final Tokens tokens;

    CellWork(Rows rows, SqlRecorder recorder, Random random, Tokens tokens) {
        this.rows = rows;
        this.recorder = recorder;
        this.random = random;
        this.tokens = tokens;
    }

    /** Every other choice falls on a few rows. */
    private int pick(Table table) {
        int count = rows.count(table);
        return random.nextBoolean() ? random.nextInt(Math.min(HOT, count)) : random.nextInt(count);
    }

    boolean read(Connection on) {
        int id = pick(Table.PROFILE);
        SqlRecorder.Entry entry = recorder.expect(OperationKind.READ, rows.cell(Table.PROFILE, id, 0), 0);
        return recorder.statement(on, () -> {
            try (PreparedStatement statement = on.prepareStatement("SELECT body FROM app.profiles WHERE id = ?")) {
                statement.setInt(1, id);
                try (ResultSet row = statement.executeQuery()) {
                    entry.value = row.next() ? Payload.id(row.getString(1)) : Operation.ABSENT;
                }
            }
        });
    }

    boolean readSeveral(Connection on) {
        TreeMap<Integer, SqlRecorder.Entry> entries = new TreeMap<>();
        for (int i = 0; i < SEVERAL; i++) {
            int id = pick(Table.PROFILE);
            if (!entries.containsKey(id)) {
                entries.put(id, recorder.expect(OperationKind.READ, rows.cell(Table.PROFILE, id, 0), Operation.ABSENT));
            }
        }
        Integer[] ids = entries.keySet().toArray(Integer[]::new);
        return recorder.statement(on, () -> {
            try (PreparedStatement statement =
                    on.prepareStatement("SELECT id, body FROM app.profiles WHERE id = ANY (?)")) {
                statement.setArray(1, on.createArrayOf("int4", ids));
                try (ResultSet row = statement.executeQuery()) {
                    while (row.next()) {
                        SqlRecorder.Entry entry = entries.get(row.getInt(1));
                        if (entry != null) {
                            entry.value = Payload.id(row.getString(2));
                        }
                    }
                }
            }
        });
    }

    boolean write(Connection on) {
        int id = pick(Table.PROFILE);
        long token = tokens.next();
        recorder.expect(OperationKind.WRITE, rows.cell(Table.PROFILE, id, 0), token);
        return recorder.statement(on, () -> {
            try (PreparedStatement statement =
                    on.prepareStatement("UPDATE app.profiles SET body = ?, changed = now() WHERE id = ?")) {
                statement.setString(1, Payload.of(token));
                statement.setInt(2, id);
                one(statement.executeUpdate());
            }
        });
    }

    private static void one(int rows) throws SQLException {
        if (rows != 1) {
            throw new SQLException(rows + " rows instead of one", "DEMO1");
        }
    }

    boolean increment(Connection on) {
        int id = pick(Table.COUNTER);
        SqlRecorder.Entry entry = expectIncrement(id);
        return recorder.statement(on, () -> sendIncrement(on, id, entry));
    }

    int anyCounter() {
        return pick(Table.COUNTER);
    }

    SqlRecorder.Entry expectIncrement(int id) {
        return recorder.expect(OperationKind.INCREMENT, rows.cell(Table.COUNTER, id, 0), 0);
    }

    void sendIncrement(Connection on, int id, SqlRecorder.Entry entry) throws SQLException {
        try (PreparedStatement statement =
                on.prepareStatement("UPDATE app.counters SET n = n + 1 WHERE id = ? RETURNING n")) {
            statement.setInt(1, id);
            entry.value = number(statement);
        }
    }

    boolean count(Connection on) {
        int id = pick(Table.COUNTER);
        SqlRecorder.Entry entry = recorder.expect(OperationKind.COUNT, rows.cell(Table.COUNTER, id, 0), 0);
        return recorder.statement(on, () -> {
            try (PreparedStatement statement = on.prepareStatement("SELECT n FROM app.counters WHERE id = ?")) {
                statement.setInt(1, id);
                entry.value = number(statement);
            }
        });
    }

    /** The first column of the only row. */
    static long number(PreparedStatement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery()) {
            return row.next() ? row.getLong(1) : Operation.CORRUPT;
        }
    }

    boolean appendToLog(Connection on) {
        int id = pick(Table.LOG);
        SqlRecorder.Entry entry = expectAppend(Table.LOG, id);
        return recorder.statement(on, () -> sendLogAppend(on, id, entry));
    }

    int anyLog() {
        return pick(Table.LOG);
    }

    SqlRecorder.Entry expectAppend(Table table, int id) {
        return recorder.expect(OperationKind.APPEND, rows.cell(table, id, 0), tokens.next());
    }

    void sendLogAppend(Connection on, int id, SqlRecorder.Entry entry) throws SQLException {
        try (PreparedStatement statement =
                on.prepareStatement("UPDATE app.logs SET v = v || ? WHERE id = ? RETURNING length(v)")) {
            statement.setString(1, Payload.element(entry.value));
            statement.setInt(2, id);
            long length = number(statement);
            entry.extra = length % Payload.ELEMENT == 0 ? length / Payload.ELEMENT : Operation.CORRUPT;
        }
    }

    boolean logTail(Connection on) {
        int id = pick(Table.LOG);
        SqlRecorder.Entry entry = recorder.expect(OperationKind.TAIL, rows.cell(Table.LOG, id, 0), 0);
        return recorder.statement(on, () -> {
            try (PreparedStatement statement = on.prepareStatement("SELECT right(v, ?) FROM app.logs WHERE id = ?")) {
                statement.setInt(1, Tail.LENGTH * Payload.ELEMENT);
                statement.setInt(2, id);
                try (ResultSet row = statement.executeQuery()) {
                    tail(entry, row.next() ? Payload.elements(row.getString(1), Tail.LENGTH) : new long[0]);
                }
            }
        });
    }

    private static void tail(SqlRecorder.Entry entry, long[] elements) {
        entry.value = elements.length == 0 ? Operation.ABSENT : elements[elements.length - 1];
        entry.extra = Tail.digest(elements, 0, elements.length);
    }

    boolean appendToTrail(Connection on) {
        int id = pick(Table.TRAIL);
        SqlRecorder.Entry entry = expectAppend(Table.TRAIL, id);
        return recorder.statement(on, () -> {
            try (PreparedStatement statement = on.prepareStatement(
                    "UPDATE app.trails SET v = v || ?::bigint WHERE id = ? RETURNING cardinality(v)")) {
                statement.setLong(1, entry.value);
                statement.setInt(2, id);
                entry.extra = number(statement);
            }
        });
    }

    boolean trailTail(Connection on) {
        int id = pick(Table.TRAIL);
        SqlRecorder.Entry entry = recorder.expect(OperationKind.TAIL, rows.cell(Table.TRAIL, id, 0), 0);
        return recorder.statement(on, () -> {
            try (PreparedStatement statement = on.prepareStatement("SELECT v[greatest(1, cardinality(v) - "
                    + (Tail.LENGTH - 1) + "):] FROM app.trails WHERE id = ?")) {
                statement.setInt(1, id);
                try (ResultSet row = statement.executeQuery()) {
                    tail(entry, row.next() ? elements(row.getArray(1)) : new long[0]);
                }
            }
        });
    }

    static long[] elements(Array array) throws SQLException {
        Long[] values = (Long[]) array.getArray();
        long[] elements = new long[values.length];
        for (int i = 0; i < values.length; i++) {
            elements[i] = values[i];
        }
        return elements;
    }

    boolean writePair(Connection on) {
        int id = random.nextInt(rows.count(Table.PAIR));
        long token = tokens.next();
        return recorder.transaction(on, "", random.nextInt(8) > 0, () -> {
            for (int side = 0; side < 2; side++) {
                int which = side;
                recorder.expect(OperationKind.WRITE, rows.cell(Table.PAIR, id, side), token);
                recorder.step(() -> {
                    try (PreparedStatement statement =
                            on.prepareStatement("UPDATE app.pairs SET v = ? WHERE id = ? AND side = ?")) {
                        statement.setLong(1, token);
                        statement.setInt(2, id);
                        statement.setInt(3, which);
                        one(statement.executeUpdate());
                    }
                });
            }
        });
    }

    boolean readPair(Connection on) {
        int id = random.nextInt(rows.count(Table.PAIR));
        SqlRecorder.Entry first = recorder.expect(OperationKind.READ, rows.cell(Table.PAIR, id, 0), Operation.ABSENT);
        SqlRecorder.Entry second = recorder.expect(OperationKind.READ, rows.cell(Table.PAIR, id, 1), Operation.ABSENT);
        SqlRecorder.Entry both = recorder.expect(OperationKind.PAIR, rows.cell(Table.PAIR, id, 2), 0);
        return recorder.statement(on, () -> {
            try (PreparedStatement statement = on.prepareStatement("SELECT side, v FROM app.pairs WHERE id = ?")) {
                statement.setInt(1, id);
                try (ResultSet row = statement.executeQuery()) {
                    while (row.next()) {
                        (row.getInt(1) == 0 ? first : second).value = row.getLong(2);
                    }
                }
            }
            both.value = first.value;
            both.extra = second.value;
        });
    }
}
