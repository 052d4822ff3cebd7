package dev.eden.demo.postgres;

import dev.eden.demo.history.Journal;
import dev.eden.demo.history.Journal.Append;
import dev.eden.demo.history.Journal.Batch;
import dev.eden.demo.history.Journal.Insert;
import dev.eden.demo.history.Journal.ListStep;
import dev.eden.demo.history.Journal.ListTransaction;
import dev.eden.demo.history.Journal.Notice;
import dev.eden.demo.history.Journal.Read;
import dev.eden.demo.history.Journal.Snapshot;
import dev.eden.demo.history.Journal.Transfer;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.Outcome;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.postgresql.PGConnection;

/** What is judged as transactions and rows: transfers, numbered rows, COPY, lists under SERIALIZABLE. */
final class RowWork {
    private static final int TRIES = 4;
    private static final String TEXT = "abcdefghijklmnopqrstuvwxyzäöüß€😀".repeat(8);

    private final int client;
    private final SqlClient.World world;
    private final CellWork cells;
    private final SqlRecorder recorder;
    private final Random random;
    private final Tokens tokens;
    private final Journal journal;
    private long lastBatch;
    private int lastBatchLines;
    private int transactions;

    RowWork(
            int client,
            SqlClient.World world,
            CellWork cells,
            SqlRecorder recorder,
            Random random,
            Tokens tokens,
            Journal journal) {
        this.client = client;
        this.world = world;
        this.cells = cells;
        this.recorder = recorder;
        this.random = random;
        this.tokens = tokens;
        this.journal = journal;
    }

    private long micros(Outcome outcome, long returned) {
        return outcome == Outcome.IN_DOUBT ? Operation.NEVER : world.history().micros(returned) + 1;
    }

    /** Accounts in the order of their ids, so that nobody waits for a deadlock. */
    boolean transfer(Connection on) {
        int debit = random.nextInt(Rows.ACCOUNTS);
        int credit = (debit + 1 + random.nextInt(Rows.ACCOUNTS - 1)) % Rows.ACCOUNTS;
        long amount = 1 + random.nextInt(100);
        long token = tokens.next();
        String begin = random.nextBoolean() ? "" : "BEGIN";
        return recorder.transaction(on, begin, random.nextInt(16) > 0, () -> {
            recorder.expect((outcome, _, _) -> journal.add(new Transfer(token, outcome, debit, credit, amount)));
            recorder.step(() -> move(on, Math.min(debit, credit), debit < credit ? -amount : amount));
            recorder.step(() -> move(on, Math.max(debit, credit), debit < credit ? amount : -amount));
            recorder.step(() -> {
                try (PreparedStatement statement = on.prepareStatement(
                        "INSERT INTO app.transfers (token, debit, credit, amount) VALUES (?, ?, ?, ?)")) {
                    statement.setLong(1, token);
                    statement.setInt(2, debit);
                    statement.setInt(3, credit);
                    statement.setLong(4, amount);
                    statement.executeUpdate();
                }
            });
        });
    }

    private static void move(Connection on, int account, long amount) throws SQLException {
        try (PreparedStatement statement =
                on.prepareStatement("UPDATE app.accounts SET balance = balance + ? WHERE id = ? RETURNING balance")) {
            statement.setLong(1, amount);
            statement.setInt(2, account);
            if (CellWork.number(statement) < 0) {
                throw new SQLException("account " + account + " is not there", "DEMO1");
            }
        }
    }

    boolean sum(Connection on) {
        return recorder.statement(on, () -> {
            try (PreparedStatement statement = on.prepareStatement("SELECT count(*), sum(balance) FROM app.accounts");
                    ResultSet row = statement.executeQuery()) {
                if (row.next()) {
                    journal.add(new Snapshot(world.history().now(), row.getLong(1), row.getLong(2)));
                }
            }
        });
    }

    boolean insert(Connection on) {
        long token = tokens.next();
        Numbers numbers = expectInsert(token);
        return recorder.statement(on, () -> sendInsert(on, token, numbers));
    }

    /** What the server answered. */
    private static final class Numbers {
        long id;
        long number;
    }

    private Numbers expectInsert(long token) {
        Numbers numbers = new Numbers();
        recorder.expect((outcome, _, _) -> journal.add(new Insert(token, outcome, numbers.id, numbers.number)));
        return numbers;
    }

    private static void sendInsert(Connection on, long token, Numbers numbers) throws SQLException {
        try (PreparedStatement statement =
                on.prepareStatement("INSERT INTO app.ledger (token, note) VALUES (?, ?) RETURNING id, number")) {
            statement.setLong(1, token);
            statement.setString(2, token % 3 == 0 ? null : "entry " + token);
            try (ResultSet row = statement.executeQuery()) {
                if (row.next()) {
                    numbers.id = row.getLong(1);
                    numbers.number = row.getLong(2);
                }
            }
        }
    }

    /** One to five appends and reads of whole lists; a conflict is tried again with new elements. */
    boolean serial(Connection on) {
        for (int i = 0; i < TRIES; i++) {
            Outcome[] outcome = {Outcome.FAILED};
            if (!serialOnce(on, outcome)) {
                return false;
            }
            if (outcome[0] == Outcome.OK) {
                return true;
            }
        }
        return true;
    }

    private boolean serialOnce(Connection on, Outcome[] became) {
        List<ListStep> steps = new ArrayList<>();
        int index = transactions++;
        int session = recorder.session();
        boolean readOnly = random.nextInt(5) == 0;
        int count = 1 + random.nextInt(4);
        return recorder.transaction(
                on, "BEGIN ISOLATION LEVEL SERIALIZABLE" + (readOnly ? " READ ONLY" : ""), true, () -> {
                    recorder.expect((outcome, invoked, returned) -> {
                        became[0] = outcome;
                        journal.add(new ListTransaction(
                                client,
                                session,
                                index,
                                outcome,
                                world.history().micros(invoked),
                                micros(outcome, returned),
                                steps));
                    });
                    for (int i = 0; i < count; i++) {
                        int key = world.serialKeys().pick(random);
                        if (readOnly || random.nextBoolean()) {
                            recorder.step(() -> steps.add(new Read(key, list(on, key))));
                        } else {
                            long element = tokens.next();
                            steps.add(new Append(key, element));
                            recorder.step(() -> append(on, key, element));
                        }
                    }
                });
    }

    private long[] list(Connection on, int key) throws SQLException {
        try (PreparedStatement statement = on.prepareStatement("SELECT v FROM app.serial WHERE id = ?")) {
            statement.setInt(1, key);
            try (ResultSet row = statement.executeQuery()) {
                long[] seen = row.next() ? CellWork.elements(row.getArray(1)) : new long[0];
                world.serialKeys().saw(key, seen.length);
                return seen;
            }
        }
    }

    private static void append(Connection on, int key, long element) throws SQLException {
        try (PreparedStatement statement =
                on.prepareStatement("INSERT INTO app.serial AS s (id, v) VALUES (?, ARRAY[?::bigint])"
                        + " ON CONFLICT (id) DO UPDATE SET v = s.v || excluded.v")) {
            statement.setInt(1, key);
            statement.setLong(2, element);
            statement.executeUpdate();
        }
    }

    /** A counter, a list, a row and a notification together; now and then taken back. */
    boolean mixed(Connection on) {
        return recorder.transaction(on, random.nextBoolean() ? "" : "BEGIN", random.nextInt(4) > 0, () -> {
            int counter = cells.anyCounter();
            SqlRecorder.Entry count = cells.expectIncrement(counter);
            recorder.step(() -> cells.sendIncrement(on, counter, count));
            int log = cells.anyLog();
            SqlRecorder.Entry element = cells.expectAppend(Table.LOG, log);
            recorder.step(() -> cells.sendLogAppend(on, log, element));
            long token = tokens.next();
            Numbers numbers = expectInsert(token);
            recorder.step(() -> sendInsert(on, token, numbers));
            long news = tokens.next();
            recorder.expect((outcome, invoked, returned) ->
                    journal.add(new Notice(news, outcome, world.history().micros(invoked), micros(outcome, returned))));
            recorder.step(() -> SessionWork.sendNotice(on, news));
        });
    }

    boolean copyIn(Connection on) {
        long token = tokens.next();
        int lines = 5 + random.nextInt(60);
        StringBuilder text = new StringBuilder();
        for (int line = 0; line < lines; line++) {
            text.append(token)
                    .append('\t')
                    .append(line)
                    .append('\t')
                    .append(body(token, line))
                    .append('\n');
        }
        recorder.expect((outcome, _, _) -> {
            journal.add(new Batch(token, outcome, lines));
            if (outcome == Outcome.OK) {
                lastBatch = token;
                lastBatchLines = lines;
            }
        });
        return recorder.statement(on, () -> {
            try {
                long copied = on.unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyIn("COPY app.imports (token, line, body) FROM STDIN", new StringReader(text.toString()));
                if (copied != lines) {
                    journal.surprise("COPY of " + lines + " lines said that it took " + copied);
                }
            } catch (IOException e) {
                throw new SQLException("COPY: " + e.getMessage(), "08006", e);
            }
        });
    }

    static String body(long token, int line) {
        int from = (int) ((token + line) & 7);
        return line + " of " + token + " " + TEXT.substring(from, TEXT.offsetByCodePoints(from, 100 + line));
    }

    /** What this client brought in last, which it must see whole. */
    boolean copyOut(Connection on) {
        long token = lastBatch;
        int lines = lastBatchLines;
        if (token == 0) {
            return sum(on);
        }
        return recorder.statement(on, () -> {
            StringWriter text = new StringWriter();
            try {
                long copied = on.unwrap(PGConnection.class)
                        .getCopyAPI()
                        .copyOut(
                                "COPY (SELECT line, body FROM app.imports WHERE token = " + token
                                        + " ORDER BY line) TO STDOUT",
                                text);
                if (copied != lines || !expected(token, lines).equals(text.toString())) {
                    journal.surprise("COPY out of a batch of " + lines + " lines gave " + copied + " or another text");
                }
            } catch (IOException e) {
                throw new SQLException("COPY: " + e.getMessage(), "08006", e);
            }
        });
    }

    private static String expected(long token, int lines) {
        StringBuilder text = new StringBuilder();
        for (int line = 0; line < lines; line++) {
            text.append(line).append('\t').append(body(token, line)).append('\n');
        }
        return text.toString();
    }
}
