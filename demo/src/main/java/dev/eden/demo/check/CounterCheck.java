package dev.eden.demo.check;

import dev.eden.demo.history.History.Window;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.Outcome;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A counter answers each increment with its new value, so the answers are the order: no two are the same (a lost update), the
 * order of the answers is the order of time, and the values that no answer explains are at most those in doubt.
 */
final class CounterCheck {
    private final Findings findings;
    private final List<Window> sessionOnly;

    CounterCheck(Findings findings, List<Window> sessionOnly) {
        this.findings = findings;
        this.sessionOnly = sessionOnly;
    }

    void check(String cell, long base, List<Operation> operations) {
        List<Operation> increments = new ArrayList<>();
        long inDoubt = 0;
        for (Operation operation : operations) {
            if (operation.kind() == OperationKind.INCREMENT) {
                if (operation.outcome() == Outcome.OK) {
                    increments.add(operation);
                } else if (operation.outcome() == Outcome.IN_DOUBT) {
                    inDoubt++;
                }
            }
        }
        Set<Long> answers = new HashSet<>();
        long repeated = 0;
        for (Operation increment : increments) {
            if (!answers.add(increment.value())) {
                repeated++;
            }
        }
        order(cell, increments);
        long lost = repeated;
        Operation last = finalRead(operations);
        if (last != null) {
            lost = Math.max(lost, base + increments.size() - last.value());
            long unexplained = last.value() - base - answers.size();
            if (unexplained > inDoubt) {
                findings.add(
                        Anomaly.DUPLICATED,
                        cell,
                        "counter",
                        "stands at " + last.value() + ", " + (unexplained - inDoubt) + " more than was added",
                        unexplained - inDoubt);
            }
        }
        if (lost > 0) {
            findings.add(
                    Anomaly.LOST,
                    cell,
                    "counter",
                    lost + " of " + increments.size() + " acknowledged increments are missing (" + repeated
                            + " answers came twice)",
                    lost);
        }
        reads(cell, base, operations, increments);
    }

    private void order(String cell, List<Operation> increments) {
        List<Operation> byAnswer = new ArrayList<>(increments);
        byAnswer.sort(Comparator.comparingLong(Operation::value));
        Operation latest = null;
        for (Operation increment : byAnswer) {
            if (latest != null && increment.value() > latest.value() && increment.returned() < latest.invoked()) {
                findings.add(
                        Anomaly.REORDERED,
                        cell,
                        increment.value(),
                        "answer " + increment.value() + " came before " + latest.value() + " was asked for");
            }
            if (latest == null || increment.invoked() > latest.invoked()) {
                latest = increment;
            }
        }
    }

    private void reads(String cell, long base, List<Operation> operations, List<Operation> increments) {
        Floors floors = new Floors(sessionOnly);
        for (Operation increment : increments) {
            floors.told(increment.returned(), increment.value());
        }
        long[] invoked = operations.stream()
                .filter(o -> o.kind() == OperationKind.INCREMENT && o.outcome() != Outcome.FAILED)
                .mapToLong(Operation::invoked)
                .sorted()
                .toArray();
        List<Operation> inProgramOrder = new ArrayList<>(operations);
        inProgramOrder.sort(Comparator.comparingInt(Operation::client).thenComparingInt(Operation::index));
        for (Operation operation : inProgramOrder) {
            if (operation.outcome() != Outcome.OK) {
                continue;
            }
            if (operation.kind() == OperationKind.COUNT) {
                long floor = Math.max(base, floors.floor(operation));
                if (operation.value() < floor && !operation.isFinal()) {
                    findings.add(
                            Anomaly.STALE,
                            cell,
                            operation.client() + "/" + operation.index(),
                            "client " + operation.client() + " read " + operation.value() + ", " + floor
                                    + " was known");
                }
                long possible = base + countUpTo(invoked, operation.returned());
                if (operation.value() > possible && !operation.isFinal()) {
                    findings.add(
                            Anomaly.DUPLICATED,
                            cell,
                            "counter",
                            "showed " + operation.value() + " when at most " + possible + " had been asked for");
                }
            }
            if (operation.kind() == OperationKind.COUNT || operation.kind() == OperationKind.INCREMENT) {
                floors.sessionKnows(operation, operation.value());
            }
        }
    }

    private static long countUpTo(long[] sorted, long moment) {
        int low = 0;
        int high = sorted.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (sorted[middle] <= moment) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Of the final reads the smallest: where a front shows less than the server, that is what is lost. */
    private static @org.jspecify.annotations.Nullable Operation finalRead(List<Operation> operations) {
        return operations.stream()
                .filter(o -> o.isFinal() && o.kind() == OperationKind.COUNT && o.acknowledged())
                .min(Comparator.comparingLong(Operation::value))
                .orElse(null);
    }
}
