package dev.eden.demo.postgres;

import dev.eden.demo.history.Journal;
import dev.eden.demo.history.Journal.Notice;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.Outcome;
import dev.eden.demo.load.Payload;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What depends on the session: notifications, errors, PREPARE and EXECUTE in SQL, parameters that were set. */
final class SessionWork {
    private final int client;
    private final SqlClient.World world;
    private final SqlRecorder recorder;
    private final Random random;
    private final Tokens tokens;
    private final Journal journal;
    private boolean prepared;
    /** Of those that a session sets one after another. */
    private int settingsMade;

    SessionWork(
            int client, SqlClient.World world, SqlRecorder recorder, Random random, Tokens tokens, Journal journal) {
        this.client = client;
        this.world = world;
        this.recorder = recorder;
        this.random = random;
        this.tokens = tokens;
        this.journal = journal;
    }

    /** A new connection knows nothing. */
    void begin() {
        prepared = false;
        settingsMade = 0;
    }

    boolean notify(Connection on) {
        long token = tokens.next();
        recorder.expect((outcome, invoked, returned) -> journal.add(new Notice(
                token,
                outcome,
                world.history().micros(invoked),
                outcome == Outcome.IN_DOUBT ? Operation.NEVER : world.history().micros(returned) + 1)));
        return recorder.statement(on, () -> {
            if (random.nextBoolean()) {
                sendNotice(on, token);
            } else {
                execute(on, "NOTIFY " + Listener.CHANNEL + ", '" + Long.toString(token, 36) + "'");
            }
        });
    }

    static void sendNotice(Connection on, long token) throws SQLException {
        try (PreparedStatement statement = on.prepareStatement("SELECT pg_notify(?, ?)")) {
            statement.setString(1, Listener.CHANNEL);
            statement.setString(2, Long.toString(token, 36));
            statement.execute();
        }
    }

    private static void execute(Connection on, String sql) throws SQLException {
        try (Statement statement = on.createStatement()) {
            statement.execute(sql);
        }
    }

    boolean error(Connection on) {
        KnownErrors.Known known =
                world.errors().get(random.nextInt(world.errors().size()));
        return recorder.statement(on, () -> {
            String said = KnownErrors.said(on, known.sql());
            if (!said.equals(known.said())) {
                journal.surprise(known.sql() + " gave " + said + ", not " + known.said());
            }
        });
    }

    /** A statement that the application prepares once by SQL and executes from then on. */
    boolean sqlPrepared(Connection on) {
        if (!prepared) {
            boolean alive = recorder.statement(
                    on, () -> execute(on, "PREPARE one_profile (int) AS SELECT body FROM app.profiles WHERE id = $1"));
            prepared = alive;
            return alive;
        }
        int id = random.nextInt(world.rows().count(Table.PROFILE));
        SqlRecorder.Entry entry =
                recorder.expect(OperationKind.READ, world.rows().cell(Table.PROFILE, id, 0), Operation.ABSENT);
        return recorder.statement(on, () -> {
            try (Statement statement = on.createStatement();
                    ResultSet row = statement.executeQuery("EXECUTE one_profile (" + id + ")")) {
                entry.value = row.next() ? Payload.id(row.getString(1)) : Operation.ABSENT;
            }
        });
    }

    /** What is set belongs to the session, whichever server connection serves it, and whether the server reports it, shows it or neither. */
    boolean parameter(Connection on) {
        String zone = client % 2 == 0 ? "Europe/Vienna" : "Asia/Tokyo";
        String path = "app, public, of_" + client;
        List<String> statements = List.of(
                "SET TimeZone = '" + zone + "'", "SET search_path = " + path, "SET demo.client = '" + client + "'");
        if (settingsMade < statements.size()) {
            boolean alive = recorder.statement(on, () -> execute(on, statements.get(settingsMade)));
            settingsMade += alive ? 1 : 0;
            return alive;
        }
        List<String> expected = List.of("demo-" + client, zone, path, Integer.toString(client));
        return recorder.statement(on, () -> {
            try (Statement statement = on.createStatement();
                    ResultSet row = statement.executeQuery("""
                            SELECT current_setting('application_name'), current_setting('TimeZone'), current_setting('search_path'),
                                current_setting('demo.client', true)""")) {
                if (row.next()) {
                    List<String> said = new ArrayList<>();
                    for (int column = 1; column <= expected.size(); column++) {
                        said.add(String.valueOf(row.getString(column)));
                    }
                    if (!said.equals(expected)) {
                        journal.surprise("the session's settings are " + said + ", not " + expected);
                    }
                }
            }
        });
    }
}
