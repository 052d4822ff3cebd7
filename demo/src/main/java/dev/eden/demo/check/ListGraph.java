package dev.eden.demo.check;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Dependencies of transactions and their cycles, by Adya's definitions ("Weak Consistency", 1999): a transaction depends on the one
 * whose version it overwrote (ww) or read (wr), and goes before the one that overwrote what it read (rw). A serial order exists only
 * where no cycle does.
 */
final class ListGraph {
    enum Edge {
        WW,
        WR,
        RW
    }

    /** A cycle; the last edge leads back to the first transaction. {@code name} is Adya's. */
    record Cycle(String name, List<Integer> transactions, List<Edge> edges) {}

    /** In a history that is broken throughout, any cycle will do. */
    private static final int STARTS = 500;

    private record Step(int from, Edge edge) {}

    private final List<Map<Integer, Set<Edge>>> next = new ArrayList<>();

    ListGraph(int transactions) {
        for (int i = 0; i < transactions; i++) {
            next.add(new HashMap<>());
        }
    }

    void add(int from, int to, Edge edge) {
        if (from != to) {
            next.get(from).computeIfAbsent(to, _ -> EnumSet.noneOf(Edge.class)).add(edge);
        }
    }

    /** One cycle, the worst and among those a shortest, for each group of transactions that depend on each other. */
    List<Cycle> cycles() {
        List<Cycle> found = new ArrayList<>();
        int[] component = components();
        Map<Integer, List<Integer>> members = new HashMap<>();
        for (int i = 0; i < component.length; i++) {
            members.computeIfAbsent(component[i], _ -> new ArrayList<>()).add(i);
        }
        for (List<Integer> group : members.values()) {
            if (group.size() > 1) {
                found.add(worst(group, component));
            }
        }
        return found;
    }

    private Cycle worst(List<Integer> group, int[] component) {
        List<IntFunction<@Nullable Cycle>> searches = List.of(
                start -> shortest(start, start, EnumSet.of(Edge.WW), component),
                start -> shortest(start, start, EnumSet.of(Edge.WW, Edge.WR), component),
                start -> throughOneAntiDependency(start, component),
                start -> shortest(start, start, EnumSet.allOf(Edge.class), component));
        for (IntFunction<@Nullable Cycle> search : searches) {
            Cycle best = null;
            for (int start : group.subList(0, Math.min(group.size(), STARTS))) {
                Cycle cycle = search.apply(start);
                if (cycle != null
                        && (best == null
                                || cycle.transactions().size()
                                        < best.transactions().size())) {
                    best = cycle;
                }
            }
            if (best != null) {
                return best;
            }
        }
        throw new IllegalStateException("a group without a cycle");
    }

    /** From {@code start} by rw to somewhere, from there back by ww and wr alone. */
    private @Nullable Cycle throughOneAntiDependency(int start, int[] component) {
        Cycle best = null;
        for (Map.Entry<Integer, Set<Edge>> first : next.get(start).entrySet()) {
            if (!first.getValue().contains(Edge.RW) || component[first.getKey()] != component[start]) {
                continue;
            }
            Cycle back = shortest(first.getKey(), start, EnumSet.of(Edge.WW, Edge.WR), component);
            if (back != null
                    && (best == null
                            || back.transactions().size() + 1
                                    < best.transactions().size())) {
                List<Integer> transactions = new ArrayList<>(List.of(start));
                transactions.addAll(back.transactions());
                List<Edge> edges = new ArrayList<>(List.of(Edge.RW));
                edges.addAll(back.edges());
                best = new Cycle("G-single", transactions, edges);
            }
        }
        return best;
    }

    /** A shortest path of at least one edge; {@code to} is left out of its transactions. */
    private @Nullable Cycle shortest(int from, int to, Set<Edge> allowed, int[] component) {
        Map<Integer, Step> cameBy = new HashMap<>();
        Deque<Integer> queue = new ArrayDeque<>(List.of(from));
        while (!queue.isEmpty()) {
            int at = queue.poll();
            for (Map.Entry<Integer, Set<Edge>> step : next.get(at).entrySet()) {
                int there = step.getKey();
                Edge edge = step.getValue().stream()
                        .filter(allowed::contains)
                        .findFirst()
                        .orElse(null);
                if (edge == null || component[there] != component[from] || cameBy.containsKey(there)) {
                    continue;
                }
                cameBy.put(there, new Step(at, edge));
                if (there == to) {
                    return path(from, to, cameBy);
                }
                queue.add(there);
            }
        }
        return null;
    }

    private static Cycle path(int from, int to, Map<Integer, Step> cameBy) {
        List<Integer> transactions = new ArrayList<>();
        List<Edge> edges = new ArrayList<>();
        int at = to;
        do {
            Step step = cameBy.get(at);
            if (step == null) {
                throw new IllegalStateException("a path without a beginning");
            }
            transactions.addFirst(step.from());
            edges.addFirst(step.edge());
            at = step.from();
        } while (at != from);
        String name = edges.contains(Edge.RW) ? "G2" : edges.contains(Edge.WR) ? "G1c" : "G0";
        return new Cycle(name, transactions, edges);
    }

    /** Tarjan's strongly connected components, without recursion; equal numbers belong together. */
    private int[] components() {
        int size = next.size();
        int[] order = new int[size];
        int[] low = new int[size];
        int[] component = new int[size];
        Arrays.fill(component, -1);
        int[] time = {0};
        int[] groups = {0};
        Deque<Integer> open = new ArrayDeque<>();
        for (int root = 0; root < size; root++) {
            if (order[root] != 0) {
                continue;
            }
            Deque<Integer> path = new ArrayDeque<>();
            Deque<java.util.Iterator<Integer>> ways = new ArrayDeque<>();
            enter(root, order, low, time, open, path, ways);
            while (!path.isEmpty()) {
                int at = path.peek();
                java.util.Iterator<Integer> way = ways.element();
                if (way.hasNext()) {
                    int there = way.next();
                    if (order[there] == 0) {
                        enter(there, order, low, time, open, path, ways);
                    } else if (component[there] < 0) {
                        low[at] = Math.min(low[at], order[there]);
                    }
                    continue;
                }
                path.pop();
                ways.pop();
                if (!path.isEmpty()) {
                    int above = path.peek();
                    low[above] = Math.min(low[above], low[at]);
                }
                if (low[at] == order[at]) {
                    int member;
                    do {
                        member = open.pop();
                        component[member] = groups[0];
                    } while (member != at);
                    groups[0]++;
                }
            }
        }
        return component;
    }

    private void enter(
            int node,
            int[] order,
            int[] low,
            int[] time,
            Deque<Integer> open,
            Deque<Integer> path,
            Deque<java.util.Iterator<Integer>> ways) {
        order[node] = low[node] = ++time[0];
        open.push(node);
        path.push(node);
        ways.push(next.get(node).keySet().iterator());
    }
}
