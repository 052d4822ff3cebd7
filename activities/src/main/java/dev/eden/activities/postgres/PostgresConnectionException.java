package dev.eden.activities.postgres;

import java.sql.SQLException;

/** The server cannot be reached, ended the session or takes no further one; another try may work. */
public final class PostgresConnectionException extends PostgresException {
    PostgresConnectionException(SQLException cause) {
        super(cause);
    }
}
