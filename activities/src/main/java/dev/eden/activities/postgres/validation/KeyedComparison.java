package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.schema.Unvalidated;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Compares a range of a table's primary key while both sides live. A checksum first; where it differs, row by row; and what differs then is
 * only believed when the row did not change on the followed side while the written one came to a position after it. A row that
 * always changes is held for those milliseconds.
 */
final class KeyedComparison {
    private static final int BATCH = 500;
    private static final int LOOKS = 3;
    private static final int HELD_LOOKS = 20;
    private static final long LET_GO_MILLIS = 100;

    private final Sides sides;
    private final TableShape table;
    private final Tally tally;
    private final boolean repair;

    KeyedComparison(Sides sides, TableShape table, Tally tally, boolean repair) {
        this.sides = sides;
        this.table = table;
        this.tally = tally;
        this.repair = repair;
    }

    /** Keys after {@code after} up to {@code upTo}; null: no bound. */
    record Range(@Nullable List<String> after, @Nullable List<String> upTo) {}

    private record Sum(long rows, String sum) {}

    /** {@code version}: of the row on the followed side, changes with every update. */
    private record Seen(String hash, String version) {}

    void compare(Range range) {
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
        tally.suspicious(suspects.size());
        List<List<String>> all = new ArrayList<>(suspects);
        for (int i = 0; i < all.size(); i += BATCH) {
            confirm(all.subList(i, Math.min(all.size(), i + BATCH)));
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
            open = look < LOOKS ? look(now, false) : sides.from.transaction(() -> look(hold(now), true));
        }
    }

    /** Keeps writers away from the rows until the transaction ends. */
    private List<List<String>> hold(List<List<String>> keys) {
        sides.from.query(
                "SELECT 1 FROM " + table.keyJoin() + " ORDER BY " + TableShape.qualified("t", table.key())
                        + " FOR SHARE OF t",
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
        RowRepair rows = new RowRepair(sides, table);
        if (held) {
            rows.repair(keys);
        } else {
            sides.from.transaction(() -> rows.repair(keys));
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
            parts.add(table.keyBound(">"));
        }
        if (range.upTo() != null) {
            parts.add(table.keyBound("<="));
        }
        return parts.isEmpty() ? "" : " WHERE " + String.join(" AND ", parts);
    }

    private static Object[] arguments(Range range) {
        List<Object> all = new ArrayList<>();
        if (range.after() != null) {
            all.addAll(range.after());
        }
        if (range.upTo() != null) {
            all.addAll(range.upTo());
        }
        return all.toArray();
    }

    static List<String> key(java.sql.Array array) throws java.sql.SQLException {
        return List.of((String[]) array.getArray());
    }
}
