package dev.eden.activities.postgres.cutover;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.SequencePositions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sequences are not replicated: their values are read from the fenced side and set on the other, with a margin. {@code last_value} counts what
 * sessions took into their caches already (PostgreSQL documentation, CREATE SEQUENCE, CACHE); the margin is for the rest of a doubt. Those that have not
 * begun are set to begin where they would have.
 */
final class Sequences {
    private static final String OWN = """
            FROM pg_sequences WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^(pg_temp|eden_)'""";

    private static final String UNUSED =
            "SELECT format('%I.%I', schemaname, sequencename) " + OWN + " AND last_value IS NULL";

    private static final String MISSING =
            "SELECT name FROM unnest(?::text[]) AS n (name) WHERE to_regclass(name) IS NULL";

    /** {@code last} null: it has not begun. */
    private record Value(String name, @Nullable Long last, long increment, long lowest, long highest, long cache) {}

    /** @param begins where those begin that have not, as far as it was asked */
    private record Values(List<Value> all, Map<String, Long> begins) {}

    /** The first is of all that have begun, too; another one for so many that have not, if there are more. */
    private final List<String> reads;

    private final Map<String, Long> standing;

    private Sequences(List<String> reads, Map<String, Long> standing) {
        this.reads = List.copyOf(reads);
        this.standing = standing;
    }

    /**
     * Looks which have not begun, so that under the pause one question is enough (of {@value SequencePositions#TOGETHER} such; known ones for more), and
     * those that stand as they should are left alone. One more is asked of those that are told to begin anew after this.
     */
    static Sequences prepare(PostgresSession from, PostgresSession to) {
        List<String> unused = from.texts(UNUSED);
        List<String> reads = new ArrayList<>();
        for (int i = 0; i < unused.size(); i += SequencePositions.TOGETHER) {
            List<String> some = unused.subList(i, Math.min(unused.size(), i + SequencePositions.TOGETHER));
            reads.add("SELECT false, name, value, 0, 0, 0, 0 FROM (" + SequencePositions.query(some) + ") AS unused");
        }
        String used =
                "SELECT true, format('%I.%I', schemaname, sequencename), last_value, increment_by, min_value, max_value, cache_size "
                        + OWN;
        String first = reads.isEmpty() ? used : used + " UNION ALL " + reads.removeFirst();
        reads.addFirst(first);
        return new Sequences(reads, SequencePositions.read(to, to.texts(UNUSED)));
    }

    /**
     * @param sessions that may have held cached values
     * @param all the other side must have each of them; else it may lack what only this side has
     */
    void copy(PostgresSession from, PostgresSession to, int sessions, boolean all) {
        Values values = read(from);
        Map<String, Long> begins = new HashMap<>(values.begins());
        begins.putAll(SequencePositions.read(
                from,
                values.all().stream()
                        .filter(value -> value.last() == null && !begins.containsKey(value.name()))
                        .map(Value::name)
                        .toList()));
        List<String> names = new ArrayList<>();
        List<Long> next = new ArrayList<>();
        List<Boolean> used = new ArrayList<>();
        for (Value value : values.all()) {
            Long last = value.last();
            Long begin = begins.get(value.name());
            if (last != null) {
                names.add(value.name());
                next.add(beyond(value, last, sessions));
                used.add(true);
            } else if (begin != null && !begin.equals(standing.get(value.name()))) {
                names.add(value.name());
                next.add(begin);
                used.add(false);
            }
        }
        if (!names.isEmpty() && set(to, names, next, used) < names.size() && all) {
            throw new IllegalStateException("sequences are missing there: "
                    + String.join(", ", to.texts(MISSING, (Object) names.toArray(String[]::new))));
        }
    }

    /** Asks as {@link #copy} will; changes nothing. */
    void rehearse(PostgresSession from, PostgresSession to) {
        read(from);
        set(to, List.of(), List.of(), List.of());
    }

    private Values read(PostgresSession from) {
        List<Value> all = new ArrayList<>();
        Map<String, Long> begins = new HashMap<>();
        for (String read : reads) {
            from.query(read, row -> {
                String name = row.getString(2);
                if (!row.getBoolean(1)) {
                    begins.put(name, row.getLong(3));
                    return true;
                }
                return all.add(new Value(
                        name,
                        row.getObject(3, Long.class),
                        row.getLong(4),
                        row.getLong(5),
                        row.getLong(6),
                        row.getLong(7)));
            });
        }
        return new Values(all, begins);
    }

    private static int set(PostgresSession to, List<String> names, List<Long> next, List<Boolean> used) {
        return (int)
                to.number("""
                SELECT count(setval(to_regclass(name), value, used)) FROM unnest(?::text[], ?::bigint[], ?::boolean[]) AS next (name, value, used)
                WHERE to_regclass(name) IS NOT NULL""", names.toArray(String[]::new), next.toArray(Long[]::new), used.toArray(Boolean[]::new));
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
