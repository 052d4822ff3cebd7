package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import dev.eden.proxy.Route;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One loop's connections to the standby for clients' reads. The fence keeps users out there, so Eden's own role becomes the user ({@code SET
 * ROLE}), with the settings that a session of the user begins with on the active side, and may not write.
 */
final class StandbyPools {
    /** What can change a row's looks, or how long a statement may take. */
    private static final List<String> SETTINGS = List.of(
            "search_path",
            "client_encoding",
            "DateStyle",
            "IntervalStyle",
            "TimeZone",
            "standard_conforming_strings",
            "extra_float_digits",
            "bytea_output",
            "xmlbinary",
            "xmloption",
            "lc_monetary",
            "lc_numeric",
            "lc_time",
            "array_nulls",
            "backslash_quote",
            "default_text_search_config",
            "transform_null_equals",
            "row_security",
            "quote_all_identifiers",
            "timezone_abbreviations",
            "statement_timeout",
            "lock_timeout");

    private static final Set<String> OPTIONS = SETTINGS.stream()
            .map(name -> name.toLowerCase(java.util.Locale.ROOT))
            .collect(Collectors.toUnmodifiableSet());

    /**
     * What holds a table there (a change of the schema that is made on the standby first) need not hold it on the active side, which serves the
     * read instead.
     */
    private static final int LOCK_MILLIS = 500;

    private static final String LOCK_TIMEOUT = "lock_timeout";

    /** A read that takes longer is not compared. */
    private static final int COMPARED_MILLIS = 500;

    private static final String ISOLATION = "default_transaction_isolation";

    private static final String DEFAULTS = "SELECT name, reset_val FROM pg_catalog.pg_settings WHERE name IN ("
            + SETTINGS.stream().map(Settings::literal).collect(Collectors.joining(", "))
            + ", '" + ISOLATION + "') OR name LIKE '%.%' AND context = 'user' AND source <> 'default'"
            + " UNION ALL SELECT '', (current_user = session_user)::text";

    private final PostgresLoop loop;
    private final Map<PoolKey, Entry> entries = new HashMap<>();

    private static final class Entry {
        @Nullable
        ServerPool pool;

        @Nullable
        Both both;

        boolean asked;
        boolean readCommitted;

        void close() {
            ServerPool clients = pool;
            if (clients != null) {
                clients.closeLater();
            }
            Both compared = both;
            if (compared != null) {
                compared.active().closeLater();
                compared.standby().closeLater();
            }
        }
    }

    /** A connection to each side by which one user's reads are asked again. */
    record Both(ServerPool active, ServerPool standby, String user) {}

    /** For reads of clients of {@code active}; null while it is not known how their sessions begin. */
    @Nullable
    Both both(ServerPool active) {
        pool(active);
        Entry entry = entries.get(active.key);
        return entry == null ? null : entry.both;
    }

    /** True where sessions of {@code active}'s begin transactions at READ COMMITTED. */
    boolean readCommitted(ServerPool active) {
        Entry entry = entries.get(active.key);
        return entry != null && entry.readCommitted;
    }

    StandbyPools(PostgresLoop loop) {
        this.loop = loop;
    }

    /** True where sessions of this kind begin with nothing that {@link #pool} could not give them. */
    static boolean reproducible(PoolKey key) {
        return key.options().keySet().stream()
                .allMatch(name -> OPTIONS.contains(name.toLowerCase(java.util.Locale.ROOT)));
    }

    /** For clients of {@code active}, whose sessions tell what to begin with; null: not yet, or not at all. */
    @Nullable
    ServerPool pool(ServerPool active) {
        Entry entry = entries.computeIfAbsent(active.key, _ -> new Entry());
        if (!entry.asked) {
            entry.asked = true;
            active.exchange(DEFAULTS, outcome -> {
                Route route = loop.gate.route();
                if (entries.get(active.key) != entry || route == null) {
                    return;
                }
                Backend standby = route.standby();
                Backend.Login login = standby == null ? null : standby.edenLogin();
                Backend here = route.active();
                Backend.Login loginHere = here == null ? null : here.edenLogin();
                if (outcome.error() != null || standby == null || login == null || here == null || loginHere == null) {
                    entry.asked = false;
                    return;
                }
                String beginning = beginning(active.key.user(), outcome.rows());
                if (beginning != null) {
                    entry.readCommitted = outcome.rows().stream()
                            .anyMatch(row -> ISOLATION.equals(row[0]) && "read committed".equals(row[1]));
                    entry.pool = loop.standbyPool(standby, login, beginning);
                    String bounded = beginning + ";SET statement_timeout = " + COMPARED_MILLIS;
                    entry.both = new Both(
                            loop.sessions(here, loginHere, bounded, 1),
                            loop.sessions(standby, login, bounded, 1),
                            active.key.user());
                }
            });
        }
        return entry.pool;
    }

    /** Null: such a session cannot be made, or reads in it mean more than the rows of a moment. */
    private static @Nullable String beginning(String user, List<@Nullable String[]> rows) {
        Map<String, String> settings = new HashMap<>();
        for (@Nullable String[] row : rows) {
            String name = Objects.requireNonNull(row[0]);
            String value = row[1] == null ? "" : Objects.requireNonNull(row[1]);
            if (name.isEmpty()) {
                if (!value.startsWith("t")) {
                    return null;
                }
            } else if (name.equals(ISOLATION)) {
                if (value.equals("serializable")) {
                    return null;
                }
            } else {
                settings.put(name, value);
            }
        }
        settings.compute(LOCK_TIMEOUT, (_, own) -> lockTimeout(own));
        return "SET ROLE " + Settings.identifier(user) + ";" + Settings.statement(settings)
                + ";SET default_transaction_read_only = on";
    }

    /** In milliseconds, as 0 is: for ever. */
    private static String lockTimeout(@Nullable String own) {
        return own == null || own.equals("0") || Integer.parseInt(own) > LOCK_MILLIS
                ? Integer.toString(LOCK_MILLIS)
                : own;
    }

    /** The route has changed: whatever there is goes to a server that is the standby no more. */
    void clear() {
        entries.values().forEach(Entry::close);
        entries.clear();
    }

    /** The standby does not speak: whoever waits for it is told that it is lost. */
    void hangUp() {
        for (Entry entry : entries.values()) {
            ServerPool pool = entry.pool;
            if (pool != null) {
                pool.each(ServerConnection::close);
            }
            Both compared = entry.both;
            if (compared != null) {
                compared.standby().each(ServerConnection::close);
            }
        }
    }

    void trim(long before) {
        for (Entry entry : entries.values()) {
            ServerPool pool = entry.pool;
            if (pool != null) {
                pool.trim(before);
            }
            Both compared = entry.both;
            if (compared != null) {
                compared.active().trim(before);
                compared.standby().trim(before);
            }
        }
    }
}
