package dev.eden.demo.check;

import dev.eden.demo.history.History.Window;
import dev.eden.demo.history.Journal.Append;
import dev.eden.demo.history.Journal.ListStep;
import dev.eden.demo.history.Journal.ListTransaction;
import dev.eden.demo.history.Journal.Read;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Serializable transactions on lists that only grow (the method of Kingsbury and Alvaro, "Elle", 2020): the content at the end is the
 * order of all versions, so every read says which version it saw, and with that who must stand before whom.
 */
final class ListCheck {
    private final Findings findings;
    private final List<Window> sessionOnly;

    ListCheck(Findings findings, List<Window> sessionOnly) {
        this.findings = findings;
        this.sessionOnly = sessionOnly;
    }

    /** Who appended an element, and whether it was that transaction's last one to that list. */
    private record Origin(int transaction, int step, boolean last) {}

    private record Place(int key, int at) {}

    void check(List<ListTransaction> transactions, Map<Integer, long[]> lists) {
        Map<Long, Origin> origins = new HashMap<>();
        for (int t = 0; t < transactions.size(); t++) {
            Map<Integer, Integer> lastStep = new HashMap<>();
            List<ListStep> steps = transactions.get(t).steps();
            for (int s = 0; s < steps.size(); s++) {
                lastStep.put(steps.get(s) instanceof Append ? steps.get(s).key() : -1, s);
            }
            for (int s = 0; s < steps.size(); s++) {
                if (steps.get(s) instanceof Append append) {
                    origins.put(append.element(), new Origin(t, s, lastStep.getOrDefault(append.key(), -1) == s));
                }
            }
        }
        Map<Long, Place> places = new HashMap<>();
        new TreeMap<>(lists).forEach((key, list) -> content(key, list, transactions, origins, places));
        acknowledged(transactions, places);
        reads(transactions, lists, origins, places);
        stale(transactions, lists, places);
        cycles(transactions, lists, origins, places);
    }

    private static String name(int key) {
        return "serial list " + key;
    }

    private void content(
            int key,
            long[] list,
            List<ListTransaction> transactions,
            Map<Long, Origin> origins,
            Map<Long, Place> places) {
        ListTransaction latest = null;
        Map<Integer, ListTransaction> lastOfClient = new HashMap<>();
        for (int at = 0; at < list.length; at++) {
            long element = list[at];
            Origin origin = origins.get(element);
            if (origin == null) {
                findings.add(Anomaly.WRONG, name(key), element, "element " + Checker.id(element) + " was never added");
                continue;
            }
            ListTransaction writer = transactions.get(origin.transaction());
            if (writer.outcome() == Outcome.FAILED) {
                findings.add(
                        Anomaly.WRONG,
                        name(key),
                        element,
                        "element " + Checker.id(element) + " is of a transaction that was rolled back");
                continue;
            }
            if (writer.steps().get(origin.step()).key() != key) {
                findings.add(
                        Anomaly.WRONG, name(key), element, "element " + Checker.id(element) + " is of another list");
                continue;
            }
            if (places.putIfAbsent(element, new Place(key, at)) != null) {
                findings.add(
                        Anomaly.DUPLICATED,
                        name(key),
                        "at " + at,
                        "element " + Checker.id(element) + " is there twice");
                continue;
            }
            ListTransaction before = lastOfClient.put(writer.client(), writer);
            ListTransaction later = latest != null && precedes(writer, latest)
                    ? latest
                    : before != null && precedes(writer, before) ? before : null;
            if (later != null) {
                findings.add(
                        Anomaly.REORDERED,
                        name(key),
                        element,
                        "element " + Checker.id(element) + " stands behind one of " + words(later)
                                + ", which began later");
            }
            if (latest == null || writer.begun() > latest.begun()) {
                latest = writer;
            }
        }
    }

    private static boolean precedes(ListTransaction one, ListTransaction other) {
        return one.returned() < other.begun()
                || (one.returned() != Operation.NEVER && one.client() == other.client() && one.index() < other.index());
    }

    private void acknowledged(List<ListTransaction> transactions, Map<Long, Place> places) {
        for (ListTransaction transaction : transactions) {
            int there = 0;
            int appends = 0;
            for (ListStep step : transaction.steps()) {
                if (step instanceof Append append) {
                    appends++;
                    if (places.containsKey(append.element())) {
                        there++;
                    } else if (transaction.outcome() == Outcome.OK) {
                        findings.add(
                                Anomaly.LOST,
                                name(append.key()),
                                append.element(),
                                "element " + Checker.id(append.element()) + " is gone");
                    }
                }
            }
            if (transaction.outcome() == Outcome.IN_DOUBT && there > 0 && there < appends) {
                findings.add(
                        Anomaly.TORN,
                        "serial lists",
                        transaction.client() + "/" + transaction.index(),
                        "of " + words(transaction) + " " + there + " of " + appends + " elements are there");
            }
        }
    }

    private void reads(
            List<ListTransaction> transactions,
            Map<Integer, long[]> lists,
            Map<Long, Origin> origins,
            Map<Long, Place> places) {
        for (int t = 0; t < transactions.size(); t++) {
            ListTransaction transaction = transactions.get(t);
            if (transaction.outcome() != Outcome.OK) {
                continue;
            }
            for (ListStep step : transaction.steps()) {
                if (!(step instanceof Read read)) {
                    continue;
                }
                long[] list = lists.getOrDefault(read.key(), new long[0]);
                int same = common(read.seen(), list);
                if (same < read.seen().length) {
                    differs(transaction, read, same, transactions, origins, places);
                } else if (same > 0) {
                    Origin origin = origins.get(list[same - 1]);
                    if (origin != null && origin.transaction() != t && !origin.last()) {
                        findings.add(
                                Anomaly.TORN,
                                name(read.key()),
                                transaction.client() + "/" + transaction.index(),
                                words(transaction) + " saw half of " + words(transactions.get(origin.transaction())));
                    }
                }
            }
        }
    }

    private static int common(long[] seen, long[] list) {
        int mismatch = Arrays.mismatch(seen, 0, seen.length, list, 0, list.length);
        return mismatch < 0 ? seen.length : mismatch;
    }

    private void differs(
            ListTransaction reader,
            Read read,
            int same,
            List<ListTransaction> transactions,
            Map<Long, Origin> origins,
            Map<Long, Place> places) {
        long element = read.seen()[same];
        Origin origin = origins.get(element);
        String subject = reader.client() + "/" + reader.index();
        String what = words(reader) + " read element " + Checker.id(element);
        if (origin == null) {
            findings.add(Anomaly.WRONG, name(read.key()), subject, what + ", which was never added");
        } else if (transactions.get(origin.transaction()).outcome() == Outcome.FAILED) {
            findings.add(Anomaly.WRONG, name(read.key()), subject, what + ", which was rolled back");
        } else if (!places.containsKey(element)) {
            findings.add(Anomaly.LOST, name(read.key()), element, what + ", which is gone");
        } else {
            findings.add(
                    Anomaly.REORDERED, name(read.key()), subject, what + " at place " + same + ", where it is not");
        }
    }

    private void stale(List<ListTransaction> transactions, Map<Integer, long[]> lists, Map<Long, Place> places) {
        Map<Integer, Floors> floors = new HashMap<>();
        for (ListTransaction transaction : transactions) {
            if (transaction.outcome() == Outcome.OK) {
                for (ListStep step : transaction.steps()) {
                    Floors ofKey = floors.computeIfAbsent(step.key(), _ -> new Floors(sessionOnly));
                    ofKey.told(transaction.returned(), level(step, lists, places));
                }
            }
        }
        List<ListTransaction> inProgramOrder = new ArrayList<>(transactions);
        inProgramOrder.sort(Comparator.comparingInt(ListTransaction::client).thenComparingInt(ListTransaction::index));
        for (ListTransaction transaction : inProgramOrder) {
            if (transaction.outcome() != Outcome.OK) {
                continue;
            }
            for (ListStep step : transaction.steps()) {
                Floors ofKey = floors.computeIfAbsent(step.key(), _ -> new Floors(sessionOnly));
                Operation asked = asked(transaction);
                if (step instanceof Read read) {
                    long floor = ofKey.floor(asked);
                    if (read.seen().length < floor) {
                        findings.add(
                                Anomaly.STALE,
                                name(read.key()),
                                transaction.client() + "/" + transaction.index(),
                                words(transaction) + " saw " + read.seen().length + " elements, " + floor
                                        + " were known");
                    }
                }
                ofKey.sessionKnows(asked, level(step, lists, places));
            }
        }
    }

    /** A transaction's snapshot is taken after its beginning was sent. */
    private static Operation asked(ListTransaction transaction) {
        return new Operation(
                transaction.client(),
                transaction.session(),
                transaction.index(),
                OperationKind.TAIL,
                Outcome.OK,
                0,
                0,
                0,
                transaction.begun(),
                transaction.returned());
    }

    private static long level(ListStep step, Map<Integer, long[]> lists, Map<Long, Place> places) {
        return switch (step) {
            case Append append -> {
                Place place = places.get(append.element());
                yield place == null ? Long.MIN_VALUE : place.at() + 1;
            }
            case Read read ->
                common(read.seen(), lists.getOrDefault(read.key(), new long[0])) == read.seen().length
                        ? read.seen().length
                        : Long.MIN_VALUE;
        };
    }

    private void cycles(
            List<ListTransaction> transactions,
            Map<Integer, long[]> lists,
            Map<Long, Origin> origins,
            Map<Long, Place> places) {
        ListGraph graph = new ListGraph(transactions.size());
        lists.forEach((key, list) -> {
            int before = -1;
            for (int at = 0; at < list.length; at++) {
                Integer writer = writer(list[at], transactions, origins);
                // What is there twice is said already; it would also make a cycle.
                if (writer != null && new Place(key, at).equals(places.get(list[at]))) {
                    if (before >= 0) {
                        graph.add(before, writer, ListGraph.Edge.WW);
                    }
                    before = writer;
                }
            }
        });
        for (int t = 0; t < transactions.size(); t++) {
            if (transactions.get(t).outcome() != Outcome.OK) {
                continue;
            }
            for (ListStep step : transactions.get(t).steps()) {
                if (step instanceof Read read) {
                    readEdges(graph, t, read, lists, transactions, origins, places);
                }
            }
        }
        for (ListGraph.Cycle cycle : graph.cycles()) {
            StringBuilder words = new StringBuilder(cycle.name());
            for (int i = 0; i < cycle.transactions().size() && i < 8; i++) {
                words.append(i == 0 ? ": " : "")
                        .append(words(transactions.get(cycle.transactions().get(i))))
                        .append(" -")
                        .append(cycle.edges().get(i))
                        .append("> ");
            }
            findings.add(Anomaly.CYCLE, "serial lists", cycle.transactions().getFirst(), words + "the first");
        }
    }

    private void readEdges(
            ListGraph graph,
            int reader,
            Read read,
            Map<Integer, long[]> lists,
            List<ListTransaction> transactions,
            Map<Long, Origin> origins,
            Map<Long, Place> places) {
        long[] list = lists.getOrDefault(read.key(), new long[0]);
        long[] seen = read.seen();
        // By the last element, not by the length: where elements were lost, the rest still says something.
        int at = 0;
        if (seen.length > 0) {
            Place place = places.get(seen[seen.length - 1]);
            Integer writer = writer(seen[seen.length - 1], transactions, origins);
            if (place == null || writer == null || place.key() != read.key()) {
                return;
            }
            graph.add(writer, reader, ListGraph.Edge.WR);
            at = place.at() + 1;
        }
        if (at < list.length) {
            Integer overwriter = writer(list[at], transactions, origins);
            if (overwriter != null) {
                graph.add(reader, overwriter, ListGraph.Edge.RW);
            }
        }
    }

    private static @Nullable Integer writer(
            long element, List<ListTransaction> transactions, Map<Long, Origin> origins) {
        Origin origin = origins.get(element);
        return origin == null || transactions.get(origin.transaction()).outcome() == Outcome.FAILED
                ? null
                : Integer.valueOf(origin.transaction());
    }

    private static String words(ListTransaction transaction) {
        return "client " + transaction.client() + "'s transaction " + transaction.index();
    }
}
