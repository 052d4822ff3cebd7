package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.schema.Unvalidated;
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
 * only believed when the row did not change on the followed side while the written one came to a position after it. A row that
 * always changes is held for those milliseconds: let go and held again where they are too many.
 */
final class KeyedComparison {
    /** Keys that are in memory at a time. */
    static final int RANGE = 50_000;

    /** A range that has so many times more is not fetched whole, on either side. */
    private static final int TIMES = 4;

    private static final int MOST_ROWS = 500;
    /** What is held is copied through this process, and nobody waits long for it. */
    private static final long MOST_BYTES = 8L << 20;

    private static final int LOOKS = 3;
    private static final int HELD_LOOKS = 20;
    private static final long LET_GO_MILLIS = 100;

    private final Sides sides;
    private final TableShape table;
    private final Tally tally;
    private final boolean repair;
    private final Runnable alive;

    /** @param alive is told now and then in a range that takes long */
    KeyedComparison(Sides sides, TableShape table, Tally tally, boolean repair, Runnable alive) {
        this.sides = sides;
        this.table = table;
        this.tally = tally;
        this.repair = repair;
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

    /** {@code version}: of the row on the followed side, changes with every update. */
    private record Seen(String hash, String version) {}

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
        Set<List<String>> suspects = new LinkedHashSet<>();
        both.from().forEach((key, hash) -> {
            if (!hash.equals(both.to().get(key))) {
                suspects.add(key);
            }
        });
        both.to().keySet().stream().filter(key -> !both.from().containsKey(key)).forEach(suspects::add);
        suspect(new ArrayList<>(suspects));
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
            suspect(keys.stream()
                    .filter(key ->
                            range.there() ? !others.containsKey(key) : !Objects.equals(rows.get(key), others.get(key)))
                    .toList());
            alive.run();
            rest = keys.size() < RANGE ? null : new Range(range.there(), keys.getLast(), range.upTo());
        }
    }

    private void suspect(List<List<String>> keys) {
        tally.suspicious(keys.size());
        int batch = (int) Math.clamp(MOST_BYTES / Math.max(1, table.width()), 1, MOST_ROWS);
        for (int i = 0; i < keys.size(); i += batch) {
            confirm(keys.subList(i, Math.min(keys.size(), i + batch)));
            alive.run();
        }
    }

    private void confirm(List<List<String>> suspects) {
        List<List<String>> open = new ArrayList<>(suspects);
        for (int look = 0; !open.isEmpty(); look++) {
            if (look == LOOKS + HELD_LOOKS) {
                throw new UnsettledException(
                        table.name() + ": " + open.size() + " rows could not be held to be compared, or mended");
            }
            if (look > LOOKS) {
                Sides.pause(LET_GO_MILLIS); // applications that waited for the rows come first
            }
            List<List<String>> now = open;
            open = look < LOOKS ? look(now, false) : lookHeld(now);
            alive.run();
        }
    }

    private List<List<String>> lookHeld(List<List<String>> keys) {
        try {
            return sides.holding(() -> look(hold(keys), true));
        } catch (LetGoException e) {
            return keys;
        }
    }

    /** Keeps writers away from the rows until the transaction ends. */
    private List<List<String>> hold(List<List<String>> keys) {
        sides.from.query(
                "SELECT 1 FROM " + table.keyJoin() + " ORDER BY " + table.keyList("t.") + " FOR SHARE OF t",
                row -> true,
                table.keyArguments(keys));
        return keys;
    }

    /** Those that changed meanwhile and have to be looked at again. */
    private List<List<String>> look(List<List<String>> keys, boolean held) {
        Map<List<String>, Seen> before = seen(sides.from, keys);
        sides.awaitApplied();
        Map<List<String>, Seen> there = seen(sides.to, keys);
        Map<List<String>, Seen> after = held ? before : seen(sides.from, keys);
        List<List<String>> again = new ArrayList<>();
        List<List<String>> different = new ArrayList<>();
        for (List<String> key : keys) {
            Seen here = before.get(key);
            if (same(here, there.get(key))) {
                continue;
            }
            // A row that is absent cannot be held; one that appears shows in the second look.
            Seen now = held && here == null ? seen(sides.from, List.of(key)).get(key) : after.get(key);
            if (Objects.equals(here, now)) {
                different.add(key);
            } else {
                again.add(key);
            }
        }
        if (!different.isEmpty()) {
            boolean mended;
            try {
                mended = repair && mend(different, held);
            } catch (PostgresException e) {
                if (!Unvalidated.busy(e)) {
                    throw e;
                }
                again.addAll(different);
                return again;
            } catch (LetGoException e) {
                if (held) {
                    throw e;
                }
                again.addAll(different);
                return again;
            }
            for (List<String> key : different) {
                Seen here = before.get(key);
                Seen other = there.get(key);
                String kind = here == null ? "extra" : other == null ? "missing" : "value";
                tally.different(table.shown(key), kind, "", mended);
            }
        }
        return again;
    }

    private boolean mend(List<List<String>> keys, boolean held) {
        RowRepair rows = new RowRepair(sides, table, alive);
        if (held) {
            rows.repair(keys);
        } else {
            sides.holding(() -> {
                rows.repair(keys);
                return true;
            });
        }
        // Looked at again as anything suspicious: a repair that did not hold shows.
        Map<List<String>, Seen> here = seen(sides.from, keys);
        sides.awaitApplied();
        Map<List<String>, Seen> there = seen(sides.to, keys);
        Map<List<String>, Seen> after = seen(sides.from, keys);
        return keys.stream()
                .allMatch(key -> same(here.get(key), there.get(key)) || !Objects.equals(here.get(key), after.get(key)));
    }

    private static boolean same(@Nullable Seen here, @Nullable Seen there) {
        return here == null ? there == null : there != null && here.hash().equals(there.hash());
    }

    private Map<List<String>, Seen> seen(PostgresSession session, List<List<String>> keys) {
        Map<List<String>, Seen> seen = new HashMap<>();
        session.query(
                "SELECT " + table.keyTexts("t") + ", " + table.hash("t")
                        + "::text, t.xmin::text || ' ' || t.ctid::text FROM " + table.keyJoin(),
                row -> seen.put(key(row.getArray(1)), new Seen(row.getString(2), row.getString(3))),
                table.keyArguments(keys));
        return seen;
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
