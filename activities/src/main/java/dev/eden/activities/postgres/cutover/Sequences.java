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

    private record Value(String name, long last, long increment, long lowest, long highest, long cache) {}

    private Sequences() {}

    /**
     * @param sessions that may have held cached values
     * @return sequences set
     */
    static int copy(PostgresSession from, PostgresSession to, int sessions) {
        List<Value> values = from.query(
                "SELECT format('%I.%I', schemaname, sequencename), last_value, increment_by, min_value, max_value, cache_size "
                        + OWN + " AND last_value IS NOT NULL",
                row -> new Value(
                        row.getString(1),
                        row.getLong(2),
                        row.getLong(3),
                        row.getLong(4),
                        row.getLong(5),
                        row.getLong(6)));
        if (values.isEmpty()) {
            return 0;
        }
        String[] names = values.stream().map(Value::name).toArray(String[]::new);
        Long[] next = values.stream().map(value -> beyond(value, sessions)).toArray(Long[]::new);
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
