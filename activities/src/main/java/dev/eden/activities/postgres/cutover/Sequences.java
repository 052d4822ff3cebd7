package dev.eden.activities.postgres.cutover;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.SequencePositions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Sequences are not replicated: their values are read from the fenced side and set on the other, with a margin. {@code last_value} counts what
 * sessions took into their caches already (PostgreSQL documentation, CREATE SEQUENCE, CACHE); the margin is for the rest of a doubt. Those that have not
 * begun are set to begin where they would have.
 */
final class Sequences {
    private static final String OWN = """
            FROM pg_sequences WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^(pg_temp|eden_)'""";

    private static final String MISSING =
            "SELECT name FROM unnest(?::text[]) AS n (name) WHERE to_regclass(name) IS NULL";

    /** {@code last} null: it has not begun, and where it will is not known yet. */
    private record Value(
            String name, @Nullable Long last, boolean used, long increment, long lowest, long highest, long cache) {}

    private final String read;

    private Sequences(String read) {
        this.read = read;
    }

    /** Looks which have not begun, so that under the pause one question is enough; one more is asked of those that are told to begin anew after this. */
    static Sequences prepare(PostgresSession from) {
        List<String> unused = from.texts("SELECT format('%I.%I', schemaname, sequencename) " + OWN
                + " AND last_value IS NULL LIMIT " + SequencePositions.TOGETHER);
        return new Sequences(
                "SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, value), last_value IS NOT NULL, increment_by, min_value, max_value, cache_size FROM (SELECT * "
                        + OWN + ") AS s LEFT JOIN ("
                        + (unused.isEmpty()
                                ? "SELECT NULL::text AS name, NULL::bigint AS value"
                                : SequencePositions.query(unused))
                        + ") AS unused ON last_value IS NULL AND name = format('%I.%I', schemaname, sequencename)");
    }

    /**
     * @param sessions that may have held cached values
     * @param all the other side must have each of them; else it may lack what only this side has
     */
    void copy(PostgresSession from, PostgresSession to, int sessions, boolean all) {
        List<Value> values = read(from);
        if (values.isEmpty()) {
            return;
        }
        List<String> late = values.stream()
                .filter(value -> value.last() == null)
                .map(Value::name)
                .toList();
        Map<String, Long> begin = SequencePositions.read(from, late);
        String[] names = values.stream().map(Value::name).toArray(String[]::new);
        Long[] next = values.stream()
                .map(value -> value.used()
                        ? beyond(value, Objects.requireNonNull(value.last()), sessions)
                        : Objects.requireNonNullElseGet(
                                value.last(), () -> Objects.requireNonNull(begin.get(value.name()))))
                .toArray(Long[]::new);
        Boolean[] used = values.stream().map(Value::used).toArray(Boolean[]::new);
        if (set(to, names, next, used) < names.length && all) {
            throw new IllegalStateException(
                    "sequences are missing there: " + String.join(", ", to.texts(MISSING, (Object) names)));
        }
    }

    /** Asks as {@link #copy} will; changes nothing. */
    void rehearse(PostgresSession from, PostgresSession to) {
        read(from);
        set(to, new String[0], new Long[0], new Boolean[0]);
    }

    private List<Value> read(PostgresSession from) {
        return from.query(
                read,
                row -> new Value(
                        row.getString(1),
                        row.getObject(2, Long.class),
                        row.getBoolean(3),
                        row.getLong(4),
                        row.getLong(5),
                        row.getLong(6),
                        row.getLong(7)));
    }

    private static int set(PostgresSession to, String[] names, Long[] next, Boolean[] used) {
        return (int) to.number("""
                SELECT count(setval(to_regclass(name), value, used)) FROM unnest(?::text[], ?::bigint[], ?::boolean[]) AS next (name, value, used)
                WHERE to_regclass(name) IS NOT NULL""", names, next, used);
    }

    /** Never past the sequence's end, where the next value would be an error or a new cycle. */
    private static long beyond(Value value, long last, int sessions) {
        long margin;
        try {
            margin = Math.multiplyExact(Math.multiplyExact(value.increment(), value.cache()), Math.max(1, sessions));
        } catch (ArithmeticException e) {
            return last;
        }
        long next = last + margin;
        boolean overflow = ((last ^ next) & (margin ^ next)) < 0;
        return overflow || next > value.highest() || next < value.lowest() ? last : next;
    }
}
