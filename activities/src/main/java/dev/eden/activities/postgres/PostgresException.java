package dev.eden.activities.postgres;

import java.sql.BatchUpdateException;
import java.sql.SQLException;

/** A server refused a statement. The message is the server's, without statement or values. */
public class PostgresException extends RuntimeException {
    private final String sqlState;

    PostgresException(SQLException cause) {
        super(cause.getMessage(), cause);
        this.sqlState = cause.getSQLState() == null ? "" : cause.getSQLState();
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
        // A batch's own message repeats the statement.
        SQLException next = thrown instanceof BatchUpdateException ? thrown.getNextException() : null;
        SQLException e = next == null ? thrown : next;
        String state = e.getSQLState() == null ? "" : e.getSQLState();
        boolean lost = state.startsWith("08") || state.startsWith("57P") || state.equals("53300");
        return lost ? new PostgresConnectionException(e) : new PostgresException(e);
    }
}
