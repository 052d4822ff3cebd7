package dev.eden.activities.postgres;

import dev.eden.activities.store.ConnectFailure;
import dev.eden.activities.store.Endpoint;
import java.io.IOException;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * A server refused a statement. The message is the server's with the SQLSTATE and the names of what it concerns, and without statement, values and
 * addresses: it reaches logs, the store and Temporal's histories. So the driver's exception, which has all of them, is no cause of this one.
 */
public class PostgresException extends RuntimeException {
    private final String sqlState;

    PostgresException(String message, String sqlState) {
        super(message);
        this.sqlState = sqlState;
    }

    /** Five characters (PostgreSQL documentation, appendix A), empty when the driver gave none. */
    public String sqlState() {
        return sqlState;
    }

    /** A login that the server knows but does not want: no such role or wrong password, NOLOGIN, no CONNECT. */
    public boolean loginRefused() {
        return sqlState.startsWith("28") || sqlState.equals("42501");
    }

    /** For what is done beside a {@link PostgresSession}, such as COPY. */
    public static PostgresException of(SQLException thrown) {
        return of(null, thrown);
    }

    static PostgresException of(@Nullable Endpoint on, SQLException thrown) {
        // A batch's own message repeats the statement.
        SQLException next = thrown instanceof BatchUpdateException ? thrown.getNextException() : null;
        SQLException e = next == null ? thrown : next;
        String state = Objects.requireNonNullElse(e.getSQLState(), "");
        boolean lost = state.startsWith("08") || state.startsWith("57P") || state.equals("53300");
        String text = text(on, e, state);
        return lost
                ? new PostgresConnectionException(on == null ? text : "endpoint " + on.id() + ": " + text, state)
                : new PostgresException(text, state);
    }

    /** Where no session could be made. */
    static PostgresException connecting(Endpoint endpoint, SQLException e) {
        if (server(e) == null && e.getCause() instanceof IOException io) {
            return new PostgresConnectionException(
                    "endpoint " + endpoint.id() + " can't be reached: " + ConnectFailure.why(endpoint, io)
                            + " (SQLSTATE " + e.getSQLState() + ")",
                    Objects.requireNonNullElse(e.getSQLState(), ""));
        }
        return of(endpoint, e);
    }

    private static @Nullable ServerErrorMessage server(SQLException e) {
        return e instanceof PSQLException answer ? answer.getServerErrorMessage() : null;
    }

    private static String text(@Nullable Endpoint on, SQLException e, String state) {
        ServerErrorMessage said = server(e);
        List<String> facts = new ArrayList<>();
        if (!state.isEmpty()) {
            facts.add("SQLSTATE " + state);
        }
        String words;
        if (quotesValues(e, state)) {
            words = "ERROR: of a value, which is not repeated here; the server's log has it";
        } else {
            words = said == null
                    ? driver(on, String.valueOf(e.getMessage()))
                    : said.getSeverity() + ": " + ConnectFailure.withoutNamed(String.valueOf(said.getMessage()));
        }
        if (said != null) {
            fact(facts, "constraint", said.getConstraint());
            fact(facts, "table", qualified(said.getSchema(), said.getTable()));
            fact(facts, "column", said.getColumn());
        }
        return facts.isEmpty() ? words : words + " (" + String.join(", ", facts) + ")";
    }

    private static String driver(@Nullable Endpoint on, String text) {
        return on == null ? ConnectFailure.withoutNamed(text) : ConnectFailure.without(on, text);
    }

    /** Data exceptions, and what functions of the database raise in words of their own. */
    private static boolean quotesValues(SQLException e, String state) {
        return state.startsWith("22") || state.startsWith("P0") || e instanceof BatchUpdateException;
    }

    private static void fact(List<String> facts, String what, @Nullable String name) {
        if (name != null) {
            facts.add(what + " " + name);
        }
    }

    private static @Nullable String qualified(@Nullable String schema, @Nullable String table) {
        return schema == null || table == null ? table : schema + "." + table;
    }
}
