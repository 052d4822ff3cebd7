package dev.eden.proxy.postgres;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a session that servers report (ParameterStatus) and clients may change: a client carries its own from connection to
 * connection. Immutable and interned per loop, so that comparing a client's with a connection's is one comparison of references.
 */
final class Settings {
    static final String[] NAMES = {
        "client_encoding",
        "DateStyle",
        "IntervalStyle",
        "TimeZone",
        "standard_conforming_strings",
        "application_name",
        "search_path",
        "default_transaction_read_only"
    };
    static final int CLIENT_ENCODING = 0;
    static final int DATE_STYLE = 1;
    static final int TIME_ZONE = 3;
    static final int CONFORMING_STRINGS = 4;
    static final int APPLICATION_NAME = 5;
    static final int SEARCH_PATH = 6;
    static final int READ_ONLY = 7;
    /** What a parser reads texts by: literals become constants, names become tables. */
    private static final int[] READING = {CLIENT_ENCODING, DATE_STYLE, 2, TIME_ZONE, CONFORMING_STRINGS, SEARCH_PATH};

    /** In a set of bits, as {@link #bit} has them: all of them. */
    static final int ALL = (1 << NAMES.length) - 1;

    private static final Map<String, Integer> INDEX = new HashMap<>();

    static {
        for (int i = 0; i < NAMES.length; i++) {
            INDEX.put(NAMES[i].toLowerCase(Locale.ROOT), i);
        }
    }

    private final @Nullable String[] values;
    private final int hash;
    private final boolean plainBackslashes;
    private Settings reading = this;

    private Settings(@Nullable String[] values) {
        this.values = values;
        this.hash = Arrays.hashCode(values);
        this.plainBackslashes = !"off".equals(values[CONFORMING_STRINGS]);
    }

    /** One per loop: makes equal settings identical. */
    static final class Interner {
        private static final int MOST = 10_000;
        private final Map<Settings, Settings> known = new HashMap<>();
        final Settings empty = intern(new Settings(new @Nullable String[NAMES.length]));

        private Settings intern(Settings settings) {
            if (known.size() > MOST) {
                known.clear();
            }
            Settings same = known.putIfAbsent(settings, settings);
            if (same != null) {
                return same;
            }
            @Nullable String[] read = new @Nullable String[NAMES.length];
            for (int i : READING) {
                read[i] = settings.values[i];
            }
            settings.reading = Arrays.equals(read, settings.values) ? settings : intern(new Settings(read));
            return settings;
        }

        Settings with(Settings base, int index, String value) {
            if (value.equals(base.values[index])) {
                return base;
            }
            @Nullable String[] changed = base.values.clone();
            changed[index] = value;
            return intern(new Settings(changed));
        }

        /** {@code settings}, as {@link #bit} has them: which are to be as {@code other} has them. */
        Settings with(Settings base, int settings, Settings other) {
            Settings changed = base;
            for (int i = 0; i < NAMES.length; i++) {
                String value = other.values[i];
                if ((settings & bit(i)) != 0 && value != null) {
                    changed = with(changed, i, value);
                }
            }
            return changed;
        }
    }

    /** Those in which two differ, as {@link #bit} has them. */
    int differing(Settings other) {
        int differing = 0;
        for (int i = 0; this != other && i < NAMES.length; i++) {
            differing |= Objects.equals(values[i], other.values[i]) ? 0 : bit(i);
        }
        return differing;
    }

    /** The number of a setting by its name in any case, or -1 when it is none of these. */
    static int index(String name) {
        Integer index = INDEX.get(name.toLowerCase(Locale.ROOT));
        return index == null ? -1 : index;
    }

    /** Of a setting in a set of them; no bit for what is none of these. */
    static int bit(int index) {
        return index < 0 ? 0 : 1 << index;
    }

    /** Backslashes in plain literals are backslashes. */
    boolean plainBackslashes() {
        return plainBackslashes;
    }

    @Nullable
    String value(int index) {
        return values[index];
    }

    /** The session's {@code client_encoding}; null: not known. */
    @Nullable
    String encoding() {
        return values[CLIENT_ENCODING];
    }

    /** Those of them by which a statement's text is read where it is parsed, interned as well. */
    Settings reading() {
        return reading;
    }

    /** True where a server with {@code other} does what this asks for; what this does not know it does not ask for. */
    boolean satisfiedBy(Settings other) {
        if (this == other) {
            return true;
        }
        for (int i = 0; i < NAMES.length; i++) {
            String wanted = values[i];
            if (wanted != null && !wanted.equals(other.values[i])) {
                return false;
            }
        }
        return true;
    }

    /** What has to be set on a server with {@code other}. */
    Map<String, String> differencesTo(Settings other) {
        Map<String, String> differences = new LinkedHashMap<>();
        for (int i = 0; i < NAMES.length; i++) {
            String wanted = values[i];
            if (wanted != null && !wanted.equals(other.values[i])) {
                differences.put(NAMES[i], wanted);
            }
        }
        return differences;
    }

    /** One statement that sets them for the session. */
    static String statement(Map<String, String> settings) {
        StringBuilder sql = new StringBuilder("SELECT ");
        settings.forEach((name, value) -> {
            if (sql.length() > 7) {
                sql.append(", ");
            }
            sql.append("pg_catalog.set_config(")
                    .append(literal(name))
                    .append(", ")
                    .append(literal(value))
                    .append(", false)");
        });
        return sql.toString();
    }

    /** The same as statements that take no snapshot (PostgreSQL documentation, "SET"). */
    static String assignments(Map<String, String> settings) {
        StringBuilder sql = new StringBuilder();
        settings.forEach((name, value) -> sql.append("SET ")
                .append(name)
                .append(" = ")
                .append(name.equals(NAMES[SEARCH_PATH]) ? schemas(value) : literal(value))
                .append(';'));
        return sql.toString();
    }

    /** A search_path, quoted one by one, as SET takes it: the whole in quotes would be one name. */
    private static String schemas(String path) {
        StringBuilder all = new StringBuilder();
        StringBuilder name = new StringBuilder();
        boolean quoted = false;
        for (char c : (path + ",").toCharArray()) {
            quoted ^= c == '"';
            if (c != ',' || quoted) {
                name.append(c);
                continue;
            }
            String one = name.toString().strip();
            name.setLength(0);
            all.append(all.isEmpty() ? "" : ", ")
                    .append(one.startsWith("\"") ? one : one.isEmpty() ? "''" : identifier(lowered(one)));
        }
        return all.toString();
    }

    /** As a server of many-byte encodings reads a name without quotes: other letters than those of ASCII stay. */
    private static String lowered(String name) {
        StringBuilder lowered = new StringBuilder(name.length());
        name.chars().forEach(c -> lowered.append((char) (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c)));
        return lowered.toString();
    }

    /** A string literal that means the same whatever standard_conforming_strings says. */
    static String literal(String value) {
        String quoted = value.replace("'", "''");
        return value.indexOf('\\') < 0 ? "'" + quoted + "'" : " E'" + quoted.replace("\\", "\\\\") + "'";
    }

    static String identifier(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Settings that && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
