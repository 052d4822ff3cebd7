package dev.eden.proxy.postgres;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a session on a server has beyond a fresh one, as the server's own catalogues tell: the truth that looking at texts can only guess. Part of it can
 * be made again on another server; the rest cannot.
 *
 * @param channels LISTEN
 * @param settings set in the session, those that are tracked anyway apart
 * @param prepared PREPARE statements in SQL, each by itself
 * @param bound what dies with the session, by reason
 * @param searchPath of the session, whatever it is; null: in letters that the proxy cannot read
 */
record SessionState(
        List<String> channels,
        Map<String, String> settings,
        List<String> prepared,
        @Nullable String role,
        int bound,
        @Nullable String searchPath) {

    /** One row per finding: kind, name, value. Everything schema-qualified: the session's search_path is its own. */
    private static final String PROBE = """
            SELECT 'channel', c, '' FROM pg_catalog.pg_listening_channels() c
            UNION ALL SELECT 'setting', name, setting FROM pg_catalog.pg_settings
             WHERE source = 'session' AND context IN ('user', 'superuser')
            UNION ALL SELECT 'prepared', name, statement FROM pg_catalog.pg_prepared_statements WHERE from_sql
            UNION ALL SELECT 'cursor', name, '' FROM pg_catalog.pg_cursors WHERE is_holdable
            UNION ALL SELECT 'lock', '', '' FROM pg_catalog.pg_locks
             WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()
            UNION ALL SELECT 'temporary', '', '' FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema()
            UNION ALL SELECT 'temporary', '', '' FROM pg_catalog.pg_proc WHERE pronamespace = pg_catalog.pg_my_temp_schema()
            UNION ALL SELECT 'temporary', '', '' FROM pg_catalog.pg_type WHERE typnamespace = pg_catalog.pg_my_temp_schema()
            UNION ALL SELECT 'path', pg_catalog.current_setting('search_path'), ''
            UNION ALL SELECT 'role', current_user::text, '' WHERE current_user <> session_user
            """;

    /** {@code customs}: options that {@code pg_settings} does not show, for no library has defined them; empty is what RESET makes of them. */
    static String probe(Collection<String> customs) {
        StringBuilder sql = new StringBuilder(PROBE);
        for (String name : customs) {
            String literal = Settings.literal(name);
            sql.append("UNION ALL SELECT 'setting', ")
                    .append(literal)
                    .append(", pg_catalog.current_setting(")
                    .append(literal)
                    .append(", true) WHERE pg_catalog.current_setting(")
                    .append(literal)
                    .append(
                            ", true) <> '' AND NOT EXISTS (SELECT FROM pg_catalog.pg_settings WHERE pg_catalog.lower(name) = ")
                    .append(literal)
                    .append(')');
        }
        return sql.toString();
    }

    /** {@code plainBackslashes}: the session's {@code standard_conforming_strings}. */
    static SessionState of(List<@Nullable String[]> rows, boolean plainBackslashes) {
        List<String> channels = new ArrayList<>();
        Map<String, String> settings = new LinkedHashMap<>();
        List<String> prepared = new ArrayList<>();
        String role = null;
        int bound = 0;
        String searchPath = "";
        for (@Nullable String[] row : rows) {
            String name = text(row[1]);
            String kind = text(row[0]);
            if (Encoding.unreadable(name) || Encoding.unreadable(text(row[2]))) {
                bound |= unreadable(kind);
                searchPath = kind.equals("path") ? null : searchPath;
                continue;
            }
            switch (kind) {
                case "channel" -> channels.add(name);
                case "setting" -> {
                    if (Settings.index(name) < 0) {
                        settings.put(name, text(row[2]));
                    }
                }
                case "prepared" -> {
                    String statement = PreparedText.of(name, text(row[2]), plainBackslashes);
                    if (statement == null) {
                        bound |= Pin.PREPARE.bit();
                    } else {
                        prepared.add(statement);
                    }
                }
                case "cursor" -> bound |= Pin.CURSOR.bit();
                case "lock" -> bound |= Pin.ADVISORY_LOCK.bit();
                case "temporary" -> bound |= Pin.TEMPORARY.bit();
                case "role" -> role = name;
                case "path" -> searchPath = name;
                default -> throw new IllegalStateException("a probe's row of kind " + row[0]);
            }
        }
        return new SessionState(channels, settings, prepared, role, bound, searchPath);
    }

    /** What it cannot read the proxy cannot make again. */
    private static int unreadable(String kind) {
        return switch (kind) {
            case "channel" -> Pin.LISTEN.bit();
            case "prepared" -> Pin.PREPARE.bit();
            case "role" -> Pin.ROLE.bit();
            case "cursor" -> Pin.CURSOR.bit();
            default -> Pin.SETTING.bit();
        };
    }

    private static String text(@Nullable String value) {
        return value == null ? "" : value;
    }

    /** Why this session must keep its connection. */
    int pins() {
        int pins = bound;
        pins |= channels.isEmpty() ? 0 : Pin.LISTEN.bit();
        pins |= settings.isEmpty() ? 0 : Pin.SETTING.bit();
        pins |= prepared.isEmpty() ? 0 : Pin.PREPARE.bit();
        pins |= role == null ? 0 : Pin.ROLE.bit();
        return pins;
    }

    /** Makes it again on another server. */
    String statements() {
        StringBuilder sql = new StringBuilder();
        if (!settings.isEmpty()) {
            sql.append(Settings.statement(settings)).append(';');
        }
        prepared.forEach(statement -> sql.append(statement).append("\n;")); // it may end in a comment
        if (role != null) {
            sql.append("SET ROLE ").append(Settings.identifier(role)).append(';');
        }
        channels.forEach(channel ->
                sql.append("LISTEN ").append(Settings.identifier(channel)).append(';'));
        return sql.toString();
    }
}
