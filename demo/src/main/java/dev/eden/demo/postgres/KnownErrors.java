package dev.eden.demo.postgres;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Statements that fail, with what the source says to them: a client behind Eden must be told the same. */
final class KnownErrors {
    private static final List<String> STATEMENTS = List.of(
            "SELECT 1 / (id - id) FROM app.counters WHERE id = 1",
            "SELECT id, nothing FROM app.counters",
            "SELEKT 1",
            "INSERT INTO app.counters (id, n) VALUES (1, 0)",
            "INSERT INTO app.events (id, at, mood, rate) VALUES (-1, now(), 'calm', 101)",
            "SELECT 'angry'::app.mood",
            "INSERT INTO app.transfers (token, debit, credit, amount) VALUES (0, -7, 1, 1)",
            "SELECT * FROM app.nowhere",
            """
            DO $$ BEGIN RAISE EXCEPTION 'sold out: %', 'größe 7' USING ERRCODE = 'SHOP1', DETAIL = 'none left', HINT = 'order more'; END $$""");

    /** A statement and what is said to it; ids of server versions, files and lines left out. */
    record Known(String sql, String said) {}

    private KnownErrors() {}

    /** Asks a server that nothing stands before. */
    static List<Known> learn(Connection direct) throws SQLException {
        List<Known> known = new ArrayList<>();
        for (String sql : STATEMENTS) {
            known.add(new Known(sql, said(direct, sql)));
        }
        return known;
    }

    /** Every field of the error that is the same in all versions and modes of the protocol. */
    static String said(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
            return "no error";
        } catch (PSQLException e) {
            ServerErrorMessage message = e.getServerErrorMessage();
            if (message == null || !"ERROR".equals(message.getSeverity())) {
                throw e;
            }
            return String.join(
                    " | ",
                    text(message.getSeverity()),
                    text(message.getSQLState()),
                    text(message.getMessage()),
                    text(message.getDetail()),
                    text(message.getHint()),
                    Integer.toString(message.getPosition()),
                    text(message.getSchema()),
                    text(message.getTable()),
                    text(message.getColumn()),
                    text(message.getDatatype()),
                    text(message.getConstraint()));
        }
    }

    private static String text(@Nullable String field) {
        return field == null ? "–" : field;
    }
}
