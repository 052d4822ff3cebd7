package dev.eden.activities.postgres;

import java.util.List;

/**
 * Transactions that have changed something, in whichever database of a server: whoever wants to change the same row of a catalogue that all databases
 * share, or to make a slot, waits for them.
 */
public final class OpenChanges {
    private static final int MOST = 3;

    private OpenChanges() {}

    /** The oldest, in words; Eden's own left out. */
    public static List<String> on(PostgresSession session) {
        return session.query("""
                SELECT format('process %s in database %s, user %s, application %s, for %s s', pid, datname, usename, application_name,
                    extract(epoch FROM clock_timestamp() - xact_start)::bigint) AS open, xact_start AS since FROM pg_stat_activity
                WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND coalesce(usename, '') !~ ?
                UNION ALL SELECT format('prepared transaction %s in database %s', gid, database), prepared FROM pg_prepared_xacts
                ORDER BY since LIMIT ?""", row -> row.getString(1), EdenObjects.ROLE_PATTERN, MOST);
    }
}
