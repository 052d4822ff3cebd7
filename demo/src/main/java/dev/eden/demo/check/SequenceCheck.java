package dev.eden.demo.check;

import dev.eden.demo.history.History.Window;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.Outcome;
import dev.eden.demo.history.Tail;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A sequence only grows at its end and every element is unique, so the final content is the order of all appends: each
 * acknowledged one is there once, at the place that its answer named; elements stand in the order of time; and every tail that
 * was read is a piece of it.
 */
final class SequenceCheck {
    private final Findings findings;
    private final List<Window> sessionOnly;

    SequenceCheck(Findings findings, List<Window> sessionOnly) {
        this.findings = findings;
        this.sessionOnly = sessionOnly;
    }

    void check(String cell, long[] initial, List<Operation> operations, int number, List<FinalState> states) {
        long[] content = FinalState.truth(states, number);
        for (FinalState other : states.subList(1, states.size())) {
            long[] seen = other.elements().getOrDefault(number, new long[0]);
            if (!Arrays.equals(content, seen)) {
                findings.add(
                        Anomaly.STALE,
                        cell,
                        other.place(),
                        "has " + seen.length + " elements through " + other.place() + " and " + content.length + " in "
                                + states.getFirst().place());
            }
        }
        Map<Long, Operation> appends = new HashMap<>();
        for (Operation operation : operations) {
            if (operation.kind() == OperationKind.APPEND && operation.outcome() != Outcome.FAILED) {
                appends.put(operation.value(), operation);
            }
        }
        Map<Long, Integer> places = new HashMap<>();
        boolean sound = content(cell, initial, content, appends, places);
        for (Operation append : appends.values()) {
            if (append.acknowledged() && !places.containsKey(append.value())) {
                sound = false;
                findings.add(Anomaly.LOST, cell, append.value(), "element " + Checker.id(append.value()) + " is gone");
            }
        }
        sound &= order(cell, content, appends);
        if (sound) {
            answers(cell, appends, places);
        }
        tails(cell, content, operations, places, appends, sound);
    }

    private boolean content(
            String cell, long[] initial, long[] content, Map<Long, Operation> appends, Map<Long, Integer> places) {
        boolean sound = true;
        Map<Long, Integer> expected = new HashMap<>();
        for (int i = 0; i < initial.length; i++) {
            expected.put(initial[i], i);
        }
        for (int place = 0; place < content.length; place++) {
            long element = content[place];
            if (!expected.containsKey(element) && !appends.containsKey(element)) {
                sound = false;
                findings.add(Anomaly.WRONG, cell, element, "element " + Checker.id(element) + " was never added");
            } else if (places.putIfAbsent(element, place) != null) {
                sound = false;
                findings.add(
                        Anomaly.DUPLICATED, cell, "at " + place, "element " + Checker.id(element) + " is there twice");
            }
        }
        for (int i = 0; i < initial.length; i++) {
            Integer place = places.get(initial[i]);
            if (place == null) {
                sound = false;
                findings.add(Anomaly.LOST, cell, initial[i], "element " + Checker.id(initial[i]) + " is gone");
            } else if (place != i && sound) {
                sound = false;
                findings.add(
                        Anomaly.REORDERED,
                        cell,
                        initial[i],
                        "element " + Checker.id(initial[i]) + " moved from " + i + " to " + place);
            }
        }
        return sound;
    }

    private boolean order(String cell, long[] content, Map<Long, Operation> appends) {
        boolean sound = true;
        Operation latest = null;
        Map<Integer, Operation> lastOfClient = new HashMap<>();
        for (long element : content) {
            Operation append = appends.get(element);
            if (append == null) {
                continue;
            }
            Operation before = lastOfClient.put(append.client(), append);
            Operation later = latest != null && append.precedes(latest)
                    ? latest
                    : before != null && append.precedes(before) ? before : null;
            if (later != null) {
                sound = false;
                findings.add(
                        Anomaly.REORDERED,
                        cell,
                        element,
                        "element " + Checker.id(later.value()) + " stands before " + Checker.id(element)
                                + ", which was there first");
            }
            if (latest == null || append.invoked() > latest.invoked()) {
                latest = append;
            }
        }
        return sound;
    }

    private void answers(String cell, Map<Long, Operation> appends, Map<Long, Integer> places) {
        for (Operation append : appends.values()) {
            Integer place = places.get(append.value());
            if (append.acknowledged() && place != null && place + 1 != append.extra()) {
                findings.add(
                        Anomaly.WRONG,
                        cell,
                        "length " + append.value(),
                        "element " + Checker.id(append.value()) + " stands at " + (place + 1) + ", the answer said "
                                + append.extra());
            }
        }
    }

    private void tails(
            String cell,
            long[] content,
            List<Operation> operations,
            Map<Long, Integer> places,
            Map<Long, Operation> appends,
            boolean sound) {
        Floors floors = new Floors(sessionOnly);
        for (Operation operation : operations) {
            if (operation.outcome() == Outcome.OK
                    && (operation.kind() == OperationKind.APPEND || operation.kind() == OperationKind.TAIL)) {
                Integer place = places.get(operation.value());
                if (place != null) {
                    floors.told(operation.returned(), place + 1);
                }
            }
        }
        List<Operation> inProgramOrder = new ArrayList<>(operations);
        inProgramOrder.sort(Comparator.comparingInt(Operation::client).thenComparingInt(Operation::index));
        for (Operation operation : inProgramOrder) {
            if (operation.outcome() != Outcome.OK) {
                continue;
            }
            Integer place = operation.value() == Operation.ABSENT ? Integer.valueOf(-1) : places.get(operation.value());
            if (operation.kind() == OperationKind.TAIL) {
                String subject = operation.client() + "/" + operation.index();
                if (place == null) {
                    Anomaly anomaly = appends.containsKey(operation.value()) ? Anomaly.LOST : Anomaly.WRONG;
                    findings.add(
                            anomaly,
                            cell,
                            anomaly == Anomaly.LOST ? operation.value() : subject,
                            "element " + Checker.id(operation.value()) + " was read and is gone");
                    continue;
                }
                long floor = floors.floor(operation);
                if (place + 1 < floor) {
                    findings.add(
                            Anomaly.STALE,
                            cell,
                            subject,
                            "client " + operation.client() + " saw " + (place + 1) + " elements, " + floor
                                    + " were known");
                }
                long digest = Tail.digest(content, Math.max(0, place + 1 - Tail.LENGTH), place + 1);
                if (sound && digest != operation.extra()) {
                    findings.add(
                            Anomaly.WRONG,
                            cell,
                            subject,
                            "client " + operation.client() + " saw other elements before "
                                    + Checker.id(operation.value()) + " than stand there");
                }
            }
            if (place != null && (operation.kind() == OperationKind.TAIL || operation.kind() == OperationKind.APPEND)) {
                floors.sessionKnows(operation, place + 1);
            }
        }
    }
}
