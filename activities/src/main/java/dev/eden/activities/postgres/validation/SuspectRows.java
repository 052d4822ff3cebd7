package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Rows that seemed to differ. That is only believed of a row that did not change on the followed side while the written one came to a position after it. Rows
 * that always change are held for that: a few at a time, for milliseconds, and where those do not suffice again later.
 */
final class SuspectRows {
    /** Looked at, and where that works mended, at a time. */
    private static final int BATCH = 500;

    private static final int LOOKS = 3;
    /** Of those that always change, or could not be mended, held at a time; with each time that took too long half as many. */
    private static final int HELD = 64;

    private static final int TRIES = 20;
    private static final long LET_GO_MILLIS = 100;

    private final Sides sides;
    private final TableShape table;
    private final Tally tally;
    private final boolean repair;
    private final Runnable alive;

    SuspectRows(Sides sides, TableShape table, Tally tally, boolean repair, Runnable alive) {
        this.sides = sides;
        this.table = table;
        this.tally = tally;
        this.repair = repair;
        this.alive = alive;
    }

    /** {@code version}: of the row on the followed side, changes with every update. */
    private record Seen(String hash, String version) {}

    private record Different(List<String> key, String kind) {}

    /** @param changed while they were looked at */
    private record Looked(List<List<String>> changed, List<Different> different) {}

    void judge(List<List<String>> keys) {
        tally.suspicious(keys.size());
        for (List<List<String>> batch : parts(keys, BATCH)) {
            List<List<String>> open = batch;
            for (int look = 0; look < LOOKS && !open.isEmpty(); look++) {
                Looked looked = look(open);
                open = new ArrayList<>(looked.changed());
                open.addAll(count(looked.different(), look == 0 ? BATCH : HELD));
                alive.run();
            }
            held(open);
        }
    }

    private void held(List<List<String>> keys) {
        Deque<List<String>> open = new ArrayDeque<>(keys);
        int many = HELD;
        for (int tries = 1; !open.isEmpty(); tries++) {
            List<List<String>> part = new ArrayList<>();
            while (part.size() < many && !open.isEmpty()) {
                part.add(open.poll());
            }
            List<List<String>> again = heldOnce(part, many);
            if (again.size() < part.size()) {
                tries = 0;
            } else if (tries == TRIES) {
                throw new UnsettledException(table.name() + ": " + (again.size() + open.size())
                        + " rows could not be held to be compared, or mended");
            }
            if (!again.isEmpty()) {
                open.addAll(again);
                many = Math.max(1, many / 2);
                Sides.pause(LET_GO_MILLIS); // applications that waited for the rows come first
            }
            alive.run();
        }
    }

    /** Those of which nothing can be said yet. */
    private List<List<String>> heldOnce(List<List<String>> keys, int many) {
        Looked looked;
        try {
            looked = sides.holding(() -> {
                sides.from.query(
                        "SELECT 1 FROM " + table.keyJoin() + " ORDER BY " + table.keyList("t.") + " FOR SHARE OF t",
                        row -> true,
                        table.keyArguments(keys));
                return look(keys);
            });
        } catch (LetGoException e) {
            return keys;
        }
        List<List<String>> again = new ArrayList<>(looked.changed());
        again.addAll(count(looked.different(), many));
        return again;
    }

    /** Of rows that are held too: those that are absent cannot be, and one that appears shows in the second look. */
    private Looked look(List<List<String>> keys) {
        Map<List<String>, Seen> before = seen(sides.from, keys);
        sides.awaitApplied();
        Map<List<String>, Seen> there = seen(sides.to, keys);
        Map<List<String>, Seen> after = seen(sides.from, keys);
        List<List<String>> changed = new ArrayList<>();
        List<Different> different = new ArrayList<>();
        for (List<String> key : keys) {
            Seen here = before.get(key);
            Seen other = there.get(key);
            if (same(here, other)) {
                continue;
            }
            if (Objects.equals(here, after.get(key))) {
                different.add(new Different(key, here == null ? "extra" : other == null ? "missing" : "value"));
            } else {
                changed.add(key);
            }
        }
        return new Looked(changed, different);
    }

    /** Mends them first, where that is wanted; those that could not be held for it are not counted yet. */
    private List<List<String>> count(List<Different> different, int many) {
        List<List<String>> again = new ArrayList<>();
        for (List<Different> part : parts(different, many)) {
            List<List<String>> keys = part.stream().map(Different::key).toList();
            boolean mended;
            try {
                mended = repair && mend(keys);
            } catch (LetGoException e) {
                again.addAll(keys);
                continue;
            }
            part.forEach(one -> tally.different(table.shown(one.key()), one.kind(), "", mended));
        }
        return again;
    }

    private boolean mend(List<List<String>> keys) {
        sides.holding(() -> {
            new RowRepair(sides, table).repair(keys);
            return true;
        });
        // Looked at again as anything suspicious: a repair that did not hold shows.
        return look(keys).different().isEmpty();
    }

    private static boolean same(@Nullable Seen here, @Nullable Seen there) {
        return here == null ? there == null : there != null && here.hash().equals(there.hash());
    }

    private Map<List<String>, Seen> seen(PostgresSession session, List<List<String>> keys) {
        Map<List<String>, Seen> seen = new HashMap<>();
        session.query(
                "SELECT " + table.keyTexts("t") + ", " + table.hash("t")
                        + "::text, t.xmin::text || ' ' || t.ctid::text FROM " + table.keyJoin(),
                row -> seen.put(KeyedComparison.key(row.getArray(1)), new Seen(row.getString(2), row.getString(3))),
                table.keyArguments(keys));
        return seen;
    }

    private static <T> List<List<T>> parts(List<T> all, int size) {
        List<List<T>> parts = new ArrayList<>();
        for (int i = 0; i < all.size(); i += size) {
            parts.add(all.subList(i, Math.min(all.size(), i + size)));
        }
        return parts;
    }
}
