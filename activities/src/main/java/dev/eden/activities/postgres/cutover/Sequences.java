package dev.eden.activities.postgres.cutover;

import dev.eden.activities.postgres.PostgresSession;
import java.util.List;

/**
 * Sequences are not replicated: their values are read from the fenced side and set on the other, with a margin. {@code last_value} counts what
 * sessions took into their caches already (PostgreSQL documentation, CREATE SEQUENCE, CACHE); the margin is for the rest of a doubt.
 */
final class Sequences {
    private static final String OWN = """
            FROM pg_sequences WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^(pg_temp|eden_)'""";

    private static final String MISSING =
            "SELECT name FROM unnest(?::text[]) AS n (name) WHERE to_regclass(name) IS NULL";

    private record Value(String name, long last, long increment, long lowest, long highest, long cache) {}

    private Sequences() {}

    /**
     * @param sessions that may have held cached values
     * @param all the other side must have each of them; else it may lack what only this side has
     */
    static void copy(PostgresSession from, PostgresSession to, int sessions, boolean all) {
        List<Value> values = read(from);
        if (values.isEmpty()) {
            return;
        }
        String[] names = values.stream().map(Value::name).toArray(String[]::new);
        Long[] next = values.stream().map(value -> beyond(value, sessions)).toArray(Long[]::new);
        if (set(to, names, next) < names.length && all) {
            throw new IllegalStateException(
                    "sequences are missing there: " + String.join(", ", to.texts(MISSING, (Object) names)));
        }
    }

    /** Asks as {@link #copy} will; changes nothing. */
    static void rehearse(PostgresSession from, PostgresSession to) {
        read(from);
        set(to, new String[0], new Long[0]);
    }

    private static List<Value> read(PostgresSession from) {
        return from.query(
                "SELECT format('%I.%I', schemaname, sequencename), last_value, increment_by, min_value, max_value, cache_size "
                        + OWN + " AND last_value IS NOT NULL",
                row -> new Value(
                        row.getString(1),
                        row.getLong(2),
                        row.getLong(3),
                        row.getLong(4),
                        row.getLong(5),
                        row.getLong(6)));
    }

    private static int set(PostgresSession to, String[] names, Long[] next) {
        return (int) to.number("""
                SELECT count(setval(to_regclass(name), value)) FROM unnest(?::text[], ?::bigint[]) AS next (name, value)
                WHERE to_regclass(name) IS NOT NULL""", names, next);
    }

    /** Never past the sequence's end, where the next value would be an error or a new cycle. */
    private static long beyond(Value value, int sessions) {
        long margin;
        try {
            margin = Math.multiplyExact(Math.multiplyExact(value.increment(), value.cache()), Math.max(1, sessions));
        } catch (ArithmeticException e) {
            return value.last();
        }
        long next = value.last() + margin;
        boolean overflow = ((value.last() ^ next) & (margin ^ next)) < 0;
        return overflow || next > value.highest() || next < value.lowest() ? value.last() : next;
    }
}
