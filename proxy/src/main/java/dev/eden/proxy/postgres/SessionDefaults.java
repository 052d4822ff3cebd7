package dev.eden.proxy.postgres;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the tracked settings of one session on a server are where nobody has set them there: what RESET brings back. A server says when that changes (a reload of
 * its configuration), at the end of the request before which it has noticed, in the words in which it reports a SET. What a SET has made, RESET unmakes:
 * so a session that nobody has set anything in hears of every reload.
 */
final class SessionDefaults {
    /** What of the defaults comes from ALTER ROLE and ALTER DATABASE, here or in sessions that begin now: they hold for those alone that begin later. */
    static final String BY_ROLE = """
            SELECT name FROM pg_catalog.pg_settings WHERE source IN ('database', 'user', 'database user')
            UNION ALL SELECT pg_catalog.split_part(c, '=', 1) FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) c
             WHERE s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
             AND s.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user))""";

    /** Which of them have been set in the session. */
    static final String ASSIGNED =
            "SELECT name FROM pg_catalog.pg_settings WHERE source = 'session' AND name IN (" + names() + ")";

    private final ServerConnection connection;
    private Settings values;
    private int reported;
    private int byRole;
    private boolean byRoleKnown;
    private int assigned;
    private boolean heard;

    SessionDefaults(ServerConnection connection) {
        this.connection = connection;
        this.values = connection.pool.loop.settings.empty;
    }

    private static String names() {
        StringBuilder names = new StringBuilder();
        for (String name : Settings.NAMES) {
            names.append(names.isEmpty() ? "" : ", ").append(Settings.literal(name));
        }
        return names.toString();
    }

    Settings values() {
        return values;
    }

    /** Which settings the server reports, and so may be left to it; bits of {@link Settings#bit}, as all here. */
    int reported() {
        return reported;
    }

    /** Those that have to do with {@link #BY_ROLE}, once that has been asked. */
    int byRole() {
        return byRole;
    }

    boolean byRoleKnown() {
        return byRoleKnown;
    }

    /** A session has begun with others. */
    void doubt() {
        byRoleKnown = false;
    }

    /** Those that have been set in the session, or may have been. */
    int assigned() {
        return assigned & reported;
    }

    /** The server has reported something since the last {@link #heard()}. */
    void hear() {
        heard = true;
    }

    boolean heard() {
        return heard;
    }

    void begins() {
        values = connection.settings;
        heard = false;
        for (int i = 0; i < Settings.NAMES.length; i++) {
            reported |= connection.reports(i) ? Settings.bit(i) : 0;
        }
    }

    /** As {@link #BY_ROLE} is answered; null: it is not. */
    void byRole(@Nullable List<@Nullable String[]> rows) {
        byRole = rows == null ? Settings.ALL : bits(rows);
        byRoleKnown = true;
    }

    /** A text is on its way that sets these. */
    void assign(int settings) {
        assigned |= settings;
    }

    /** These have been set in the session, and no others. */
    void assigned(int settings) {
        assigned = settings;
    }

    static int bits(List<@Nullable String[]> rows) {
        int bits = 0;
        for (@Nullable String[] row : rows) {
            bits |= Settings.bit(Settings.index(String.valueOf(row[0])));
        }
        return bits;
    }

    /** Those that are not as RESET would have them, as far as is known. */
    int differing() {
        return connection.settings.differing(values) & reported;
    }

    /** What has not been set, by {@code whose} client neither, is the server's default, whatever that is by now. */
    void settled(int whose) {
        heard = false;
        if (!connection.pool.sharesDefaults()) {
            return;
        }
        int changed = differing() & ~assigned & ~whose;
        if (changed != 0) {
            values = connection.pool.loop.settings.with(values, changed, connection.settings);
            connection.pool.defaultsAre(values, changed);
        }
    }
}
