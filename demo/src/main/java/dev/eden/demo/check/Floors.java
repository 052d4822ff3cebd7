package dev.eden.demo.check;

import dev.eden.demo.history.History.Window;
import dev.eden.demo.history.Operation;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The least that a read of a growing cell may show: what its session knew and, outside session-only windows, what anybody
 * had been told when the read was sent.
 */
final class Floors {
    private final List<Window> sessionOnly;
    private final Map<Long, Long> known = new HashMap<>();
    private long[] times = new long[16];
    private long[] levels = new long[16];
    private int size;
    private boolean sorted;

    Floors(List<Window> sessionOnly) {
        this.sessionOnly = sessionOnly;
    }

    /** Somebody was told at {@code returned} that the cell had reached {@code level}. */
    void told(long returned, long level) {
        if (size == times.length) {
            times = Arrays.copyOf(times, size * 2);
            levels = Arrays.copyOf(levels, size * 2);
        }
        times[size] = returned;
        levels[size++] = level;
        sorted = false;
    }

    /** The session of {@code operation} knows {@code level} from now on; to be called in program order per client. */
    void sessionKnows(Operation operation, long level) {
        known.merge(session(operation), level, Math::max);
    }

    /** The least that {@code read} may show, or {@link Long#MIN_VALUE}. */
    long floor(Operation read) {
        long session = known.getOrDefault(session(read), Long.MIN_VALUE);
        return strict(sessionOnly, read) ? Math.max(session, before(read.invoked())) : session;
    }

    /** True where {@code read} is held against everything that anybody had been told. */
    static boolean strict(List<Window> sessionOnly, Operation read) {
        if (read.isFinal()) {
            return true;
        }
        for (Window window : sessionOnly) {
            if (window.overlaps(read.invoked(), read.returned())) {
                return false;
            }
        }
        return true;
    }

    private static long session(Operation operation) {
        return (long) operation.client() << 32 | operation.session();
    }

    private long before(long moment) {
        if (!sorted) {
            sort();
        }
        int at = Arrays.binarySearch(times, 0, size, moment);
        int end = at >= 0 ? at : -at - 1;
        while (end > 0 && times[end - 1] >= moment) {
            end--;
        }
        return end == 0 ? Long.MIN_VALUE : levels[end - 1];
    }

    private void sort() {
        Integer[] order = new Integer[size];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Long.compare(times[a], times[b]));
        long[] sortedTimes = new long[size];
        long[] best = new long[size];
        long max = Long.MIN_VALUE;
        for (int i = 0; i < size; i++) {
            sortedTimes[i] = times[order[i]];
            max = Math.max(max, levels[order[i]]);
            best[i] = max;
        }
        System.arraycopy(sortedTimes, 0, times, 0, size);
        System.arraycopy(best, 0, levels, 0, size);
        sorted = true;
    }
}
