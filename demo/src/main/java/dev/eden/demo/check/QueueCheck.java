package dev.eden.demo.check;

import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A queue hands every element to exactly one taker, oldest first; what was not taken is still there at the end. */
final class QueueCheck {
    private record Journey(long element, long pushed, long returned, long popInvoked, long popReturned) {}

    private final Findings findings;

    QueueCheck(Findings findings) {
        this.findings = findings;
    }

    void check(String cell, long[] initial, List<Operation> operations, int number, List<FinalState> states) {
        Map<Long, Operation> pushes = new HashMap<>();
        Map<Long, Operation> pops = new HashMap<>();
        long popsInDoubt = 0;
        for (Operation operation : operations) {
            if (operation.kind() == OperationKind.PUSH && operation.outcome() != Outcome.FAILED) {
                pushes.put(operation.value(), operation);
            } else if (operation.kind() == OperationKind.POP && operation.outcome() == Outcome.IN_DOUBT) {
                popsInDoubt++;
            }
        }
        for (Operation operation : operations) {
            if (operation.kind() != OperationKind.POP
                    || !operation.acknowledged()
                    || operation.value() == Operation.ABSENT) {
                continue;
            }
            long element = operation.value();
            if (!pushes.containsKey(element) && Arrays.stream(initial).noneMatch(i -> i == element)) {
                findings.add(Anomaly.WRONG, cell, element, "element " + Checker.id(element) + " was never put in");
            } else if (pops.putIfAbsent(element, operation) != null) {
                findings.add(
                        Anomaly.DUPLICATED,
                        cell,
                        operation.client() + "/" + operation.index(),
                        "element " + Checker.id(element) + " was handed out twice");
            }
        }
        long[] left = FinalState.truth(states, number);
        Map<Long, Integer> remaining = new HashMap<>();
        for (int i = 0; i < left.length; i++) {
            long element = left[i];
            if (pops.containsKey(element)) {
                findings.add(
                        Anomaly.RESURRECTED,
                        cell,
                        element,
                        "element " + Checker.id(element) + " was handed out and is there again");
            }
            if (remaining.put(element, i) != null) {
                findings.add(Anomaly.DUPLICATED, cell, element, "element " + Checker.id(element) + " is there twice");
            }
        }
        List<Journey> journeys = new ArrayList<>();
        List<Long> missing = new ArrayList<>();
        for (long element : initial) {
            follow(element, -1, -1, pops, remaining, journeys, missing, true);
        }
        for (Operation push : pushes.values()) {
            follow(
                    push.value(),
                    push.invoked(),
                    push.returned(),
                    pops,
                    remaining,
                    journeys,
                    missing,
                    push.acknowledged());
        }
        for (long element : missing.subList((int) Math.min(missing.size(), popsInDoubt), missing.size())) {
            findings.add(
                    Anomaly.LOST,
                    cell,
                    element,
                    "element " + Checker.id(element) + " was never handed out and is gone");
        }
        order(cell, journeys);
    }

    private static void follow(
            long element,
            long pushed,
            long returned,
            Map<Long, Operation> pops,
            Map<Long, Integer> remaining,
            List<Journey> journeys,
            List<Long> missing,
            boolean acknowledged) {
        Operation pop = pops.get(element);
        if (pop != null) {
            journeys.add(new Journey(element, pushed, returned, pop.invoked(), pop.returned()));
        } else if (remaining.containsKey(element)) {
            journeys.add(new Journey(element, pushed, returned, Operation.NEVER, Operation.NEVER));
        } else if (acknowledged) {
            missing.add(element);
        }
    }

    /** First in, first out: where a was certainly in before b, b is not certainly out before a was asked for. */
    private void order(String cell, List<Journey> journeys) {
        List<Journey> byReturn = new ArrayList<>(journeys);
        byReturn.sort(Comparator.comparingLong(Journey::returned));
        List<Journey> byPush = new ArrayList<>(journeys);
        byPush.sort(Comparator.comparingLong(Journey::pushed));
        int next = 0;
        Journey oldest = null;
        for (Journey journey : byPush) {
            while (next < byReturn.size() && byReturn.get(next).returned() < journey.pushed()) {
                Journey earlier = byReturn.get(next++);
                if (oldest == null || earlier.popInvoked() > oldest.popInvoked()) {
                    oldest = earlier;
                }
            }
            if (oldest != null && oldest.popInvoked() > journey.popReturned()) {
                findings.add(
                        Anomaly.REORDERED,
                        cell,
                        journey.element(),
                        "element " + Checker.id(journey.element()) + " was handed out before "
                                + Checker.id(oldest.element()) + ", which came first");
            }
        }
    }
}
