package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.Lanes;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.validation.KeyedComparison.Range;
import dev.eden.activities.postgres.validation.PostgresValidation.Next;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Compares a table with a primary key range by range, several at a time.
 *
 * @param told where to go on, whenever what is before has been counted into the total
 */
record TableComparison(TableShape table, boolean repair, Tally total, Consumer<Next> told) {
    /** Whose bounds are looked up at once: with all those of a huge table nothing would be heard for minutes. */
    private static final int RANGES = 10;

    /**
     * Where the sides sort differently, by the keys of the one and then by those of the other.
     *
     * @param from where an earlier run was cut off, in this table or another
     */
    void compare(Sides sides, SidesPool pool, @Nullable Next from, IntSupplier lanes, Pace pace) {
        Next begin = from != null && from.table().equals(table.name()) ? from : new Next(table.name(), false, null);
        boolean there = begin.there();
        List<String> after = begin.after();
        while (true) {
            List<Range> ranges = ranges(there ? sides.to : sides.from, there, after);
            compare(ranges, pool, lanes, pace);
            Range last = ranges.getLast();
            after = last.upTo();
            if (after == null) {
                if (there || !table.reordered() || last.whole()) {
                    return;
                }
                there = true;
            }
            told.accept(new Next(table.name(), there, after));
        }
    }

    private void compare(List<Range> ranges, SidesPool pool, IntSupplier lanes, Pace pace) {
        InOrder counts =
                new InOrder(ranges, total, range -> told.accept(new Next(table.name(), range.there(), range.after())));
        Lanes.run(
                IntStream.range(0, ranges.size()).boxed().toList(),
                lanes,
                next -> pool.with(lane -> {
                    for (Integer at = next.get(); at != null; at = next.get()) {
                        long begun = System.nanoTime();
                        Tally counted = new Tally(PostgresValidation.SAMPLE);
                        new KeyedComparison(lane, table, counted, repair, counts::alive).compare(ranges.get(at));
                        counts.ended(at, counted);
                        pace.rest(System.nanoTime() - begun);
                    }
                }));
    }

    /** The next ones after that key, in the order of the primary key on that side; the last of the table has no end. */
    private List<Range> ranges(PostgresSession side, boolean there, @Nullable List<String> from) {
        List<List<String>> bounds = table.rows() <= KeyedComparison.RANGE
                ? List.of()
                : side.query(
                        "SELECT " + table.keyTexts("keys") + " FROM (SELECT " + table.keyList()
                                + ", row_number() OVER (ORDER BY "
                                + table.keyList() + ") AS eden_at FROM ONLY " + table.name()
                                + (from == null ? "" : " WHERE " + KeyColumn.after(table.key()))
                                + " ORDER BY " + table.keyList() + " LIMIT " + RANGES * KeyedComparison.RANGE
                                + ") AS keys WHERE eden_at % " + KeyedComparison.RANGE
                                + " = 0 ORDER BY eden_at",
                        row -> KeyedComparison.key(row.getArray(1)),
                        from == null
                                ? new Object[0]
                                : KeyColumn.arguments(table.key(), from).toArray());
        List<Range> ranges = new ArrayList<>();
        List<String> after = from;
        for (List<String> bound : bounds) {
            ranges.add(new Range(there, after, bound));
            after = bound;
        }
        if (ranges.size() < RANGES) {
            ranges.add(new Range(there, after, null));
        }
        return ranges;
    }
}
