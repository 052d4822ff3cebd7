package dev.eden.activities.postgres.validation;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Counts of a table's ranges, taken in the order of the ranges though several lanes end them in any: what is told is the table's beginning without a gap, so
 * that a comparison that is cut off goes on there and counts nothing twice. Thread-safe.
 */
final class InOrder {
    private final List<KeyedComparison.Range> ranges;
    private final Tally total;
    private final Told told;
    private final Map<Integer, Tally> early = new HashMap<>();
    private int next;

    InOrder(List<KeyedComparison.Range> ranges, Tally total, Told told) {
        this.ranges = ranges;
        this.total = total;
        this.told = told;
    }

    /** Is told, one call after the other, what comes after what is counted; not when that is all. */
    @FunctionalInterface
    interface Told {
        void next(KeyedComparison.Range range);
    }

    synchronized void ended(int range, Tally counted) {
        early.put(range, counted);
        for (Tally one = early.remove(next); one != null; one = early.remove(next)) {
            total.add(one);
            next++;
        }
        alive();
    }

    /** Tells once more where it stands: who is not heard of for seconds is taken for dead. */
    synchronized void alive() {
        if (next < ranges.size()) {
            told.next(ranges.get(next));
        }
    }
}
