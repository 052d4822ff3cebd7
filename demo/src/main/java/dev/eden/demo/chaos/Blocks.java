package dev.eden.demo.chaos;

import dev.eden.demo.history.History;
import dev.eden.demo.history.History.Window;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.OperationLog;
import dev.eden.demo.history.Outcome;
import java.util.function.IntPredicate;

/** How long clients had no answer, by their own clocks. */
final class Blocks {
    private Blocks() {}

    /**
     * The longest time between two answers that one client got one after the other, where that time touches {@code window};
     * it counts a lost connection's repair, and the client's own idle time (milliseconds). Blocking takes are left out.
     */
    static double longestMillis(History history, Window window, IntPredicate clients) {
        long longest = 0;
        for (OperationLog log : history.logs()) {
            if (log.client() >= Operation.FIRST_FINAL_CLIENT || !clients.test(log.client())) {
                continue;
            }
            long last = -1;
            for (int i = 0; i < log.size(); i++) {
                Operation operation = log.get(i);
                if (operation.kind() == OperationKind.POP || operation.outcome() != Outcome.OK) {
                    continue;
                }
                long answered = operation.returned();
                if (last >= 0 && window.overlaps(last, answered)) {
                    longest = Math.max(longest, answered - last);
                }
                last = answered;
                if (last > window.to()) {
                    break;
                }
            }
        }
        return longest / 1000.0;
    }
}
