package dev.eden.activities.postgres;

/** The server cannot be reached, ended the session or takes no further one; another try may work. */
public final class PostgresConnectionException extends PostgresException {
    PostgresConnectionException(String message, String sqlState) {
        super(message, sqlState);
    }
}
