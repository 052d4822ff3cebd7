package dev.eden.demo.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** What Eden makes on a server and takes away at the end. The application and the demo have none of it, but for one role. */
final class LeftBehind {
    private static final String SQL = """
            SELECT 'role ' || rolname FROM pg_roles WHERE rolname ~ '^eden_' AND rolname <> '%s'
            UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname ~ '^eden_'
            UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger
            UNION ALL SELECT 'subscription ' || subname FROM pg_subscription
            UNION ALL SELECT 'publication ' || pubname FROM pg_publication
            UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots
            UNION ALL SELECT 'replication origin ' || roname FROM pg_replication_origin
            ORDER BY 1""".formatted(PostgresDatabases.SABOTEUR);

    private LeftBehind() {}

    static List<String> on(Connection server) throws SQLException {
        List<String> found = new ArrayList<>();
        try (Statement statement = server.createStatement();
                ResultSet row = statement.executeQuery(SQL)) {
            while (row.next()) {
                found.add(row.getString(1));
            }
        }
        return found;
    }
}
