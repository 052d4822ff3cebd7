package dev.eden.demo.check;

import dev.eden.demo.history.History;
import dev.eden.demo.history.History.Window;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.OperationLog;
import java.util.ArrayList;
import java.util.List;

/** How long clients waited around a moment, by their own clocks. */
public final class Pauses {
    private Pauses() {}

    /**
     * How long requests took.
     *
     * @param millis one for each request, the shortest first
     */
    public record Pause(List<Double> millis) {
        public Pause {
            millis = List.copyOf(millis);
        }

        public int requests() {
            return millis.size();
        }

        /** Zero where there was no request. */
        public double maxMillis() {
            return millis.isEmpty() ? 0 : millis.getLast();
        }

        /** Zero where there was no request. */
        public double p99Millis() {
            return millis.isEmpty() ? 0 : millis.get((int) Math.ceil(millis.size() * 0.99) - 1);
        }
    }

    /** The latency of every request that overlaps {@code window}; blocking takes wait by design and are left out. */
    public static Pause overlapping(History history, Window window) {
        List<Double> latencies = new ArrayList<>();
        for (OperationLog log : history.logs()) {
            if (log.client() >= Operation.FIRST_FINAL_CLIENT) {
                continue;
            }
            for (int i = firstNear(log, window.from()); i < log.size(); i++) {
                if (log.invokedAt(i) > window.to()) {
                    break;
                }
                boolean sameRequest =
                        i > 0 && log.invokedAt(i) == log.invokedAt(i - 1) && log.durationAt(i) == log.durationAt(i - 1);
                if (sameRequest
                        || log.kindAt(i) == OperationKind.POP
                        || !window.overlaps(log.invokedAt(i), log.invokedAt(i) + log.durationAt(i))) {
                    continue;
                }
                latencies.add(log.durationAt(i) / 1000.0);
            }
        }
        latencies.sort(null);
        return new Pause(latencies);
    }

    /** The longest request that was sent in {@code window}, as a window of its own. */
    public static Window slowest(History history, Window window) {
        Window slowest = new Window(window.from(), window.from());
        for (OperationLog log : history.logs()) {
            if (log.client() >= Operation.FIRST_FINAL_CLIENT) {
                continue;
            }
            for (int i = firstNear(log, window.from()); i < log.size() && log.invokedAt(i) <= window.to(); i++) {
                if (log.kindAt(i) != OperationKind.POP && log.durationAt(i) > slowest.to() - slowest.from()) {
                    slowest = new Window(log.invokedAt(i), log.invokedAt(i) + log.durationAt(i));
                }
            }
        }
        return slowest;
    }

    /** A client's requests do not overlap each other: the one before the first that began at {@code moment} is far enough. */
    private static int firstNear(OperationLog log, long moment) {
        int low = 0;
        int high = log.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (log.invokedAt(middle) < moment) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        int first = Math.max(0, low - 1);
        while (first > 0 && log.invokedAt(first - 1) == log.invokedAt(first)) {
            first--;
        }
        return first;
    }
}
