package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Compares a range of a table's primary key while both sides live. A checksum first; where it differs, row by row; and what differs then is
 * looked at by {@link SuspectRows}.
 */
final class KeyedComparison {
    /** Keys that are in memory at a time. */
    static final int RANGE = 50_000;

    /** A range that has so many times more is not fetched whole, on either side. */
    private static final int TIMES = 4;

    private final Sides sides;
    private final TableShape table;
    private final Tally tally;
    private final SuspectRows suspects;
    private final Runnable alive;

    /** @param alive is told now and then in a range that takes long */
    KeyedComparison(Sides sides, TableShape table, Tally tally, boolean repair, Runnable alive) {
        this.sides = sides;
        this.table = table;
        this.tally = tally;
        this.suspects = new SuspectRows(sides, table, tally, repair, alive);
        this.alive = alive;
    }

    /**
     * Keys after {@code after} up to {@code upTo}; null: no bound.
     *
     * @param there in the order of the written side, whose rows are looked for on the followed one; else the other way round, or as both sort
     */
    record Range(
            boolean there,
            @Nullable List<String> after,
            @Nullable List<String> upTo) {
        boolean whole() {
            return after == null && upTo == null;
        }
    }

    private record Sum(long rows, String sum) {}

    void compare(Range range) {
        if (range.there() || table.reordered() && !range.whole()) {
            byKeys(range, true); // what is within the same bounds has little to do with each other
            return;
        }
        String sql = "SELECT count(*), coalesce(sum(" + table.hash("t") + "), 0)::text FROM ONLY " + table.name()
                + " AS t" + where(range);
        Object[] arguments = arguments(range);
        Sides.Both<Sum> sums =
                sides.both(session -> session.first(sql, row -> new Sum(row.getLong(1), row.getString(2)), arguments)
                        .orElseThrow());
        tally.compared(sums.from().rows());
        if (sums.from().equals(sums.to())) {
            return;
        }
        if (Math.max(sums.from().rows(), sums.to().rows()) > TIMES * (long) RANGE) {
            byKeys(new Range(false, range.after(), range.upTo()), false);
            byKeys(new Range(true, range.after(), range.upTo()), false);
            return;
        }
        String rows = "SELECT " + table.keyTexts("t") + ", " + table.hash("t") + "::text FROM ONLY " + table.name()
                + " AS t" + where(range);
        Sides.Both<Map<List<String>, String>> both = sides.both(session -> {
            Map<List<String>, String> hashes = new HashMap<>();
            session.query(rows, row -> hashes.put(key(row.getArray(1)), row.getString(2)), arguments);
            return hashes;
        });
        Set<List<String>> different = new LinkedHashSet<>();
        both.from().forEach((key, hash) -> {
            if (!hash.equals(both.to().get(key))) {
                different.add(key);
            }
        });
        both.to().keySet().stream().filter(key -> !both.from().containsKey(key)).forEach(different::add);
        suspects.judge(new ArrayList<>(different));
    }

    /** So many rows of one side at a time, in its own order, each looked up on the other by its key. */
    private void byKeys(Range range, boolean counted) {
        PostgresSession here = range.there() ? sides.to : sides.from;
        PostgresSession there = range.there() ? sides.from : sides.to;
        Range rest = range;
        while (rest != null) {
            Map<List<String>, String> rows = new LinkedHashMap<>();
            here.query(
                    "SELECT " + table.keyTexts("t") + ", " + table.hash("t") + "::text FROM ONLY " + table.name()
                            + " AS t" + where(rest) + " ORDER BY " + table.keyList("t.") + " LIMIT " + RANGE,
                    row -> rows.put(key(row.getArray(1)), row.getString(2)),
                    arguments(rest));
            List<List<String>> keys = List.copyOf(rows.keySet());
            Map<List<String>, String> others = new HashMap<>();
            there.query(
                    "SELECT " + table.keyTexts("t") + ", " + table.hash("t") + "::text FROM " + table.keyJoin(),
                    row -> others.put(key(row.getArray(1)), row.getString(2)),
                    table.keyArguments(keys));
            if (counted && !range.there()) {
                tally.compared(keys.size());
            }
            // Rows that both sides have were compared from the followed one.
            suspects.judge(keys.stream()
                    .filter(key ->
                            range.there() ? !others.containsKey(key) : !Objects.equals(rows.get(key), others.get(key)))
                    .toList());
            alive.run();
            rest = keys.size() < RANGE ? null : new Range(range.there(), keys.getLast(), range.upTo());
        }
    }

    private String where(Range range) {
        List<String> parts = new ArrayList<>();
        if (range.after() != null) {
            parts.add(KeyColumn.after(table.key()));
        }
        if (range.upTo() != null) {
            parts.add(KeyColumn.upTo(table.key()));
        }
        return parts.isEmpty() ? "" : " WHERE " + String.join(" AND ", parts);
    }

    private Object[] arguments(Range range) {
        List<Object> all = new ArrayList<>();
        if (range.after() != null) {
            all.addAll(KeyColumn.arguments(table.key(), range.after()));
        }
        if (range.upTo() != null) {
            all.addAll(KeyColumn.arguments(table.key(), range.upTo()));
        }
        return all.toArray();
    }

    static List<String> key(java.sql.Array array) throws java.sql.SQLException {
        return List.of((String[]) array.getArray());
    }
}
