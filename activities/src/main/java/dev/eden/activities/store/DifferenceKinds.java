package dev.eden.activities.store;

import java.util.Map;
import java.util.TreeMap;

/** How many differences of each kind a validation has found and repaired. */
public record DifferenceKinds(Map<String, Count> counts) {
    public static final DifferenceKinds NONE = new DifferenceKinds(Map.of());

    public DifferenceKinds {
        counts = Map.copyOf(counts);
    }

    public record Count(long found, long repaired) {
        static final Count NONE = new Count(0, 0);

        Count plus(Count other) {
            return new Count(found + other.found, repaired + other.repaired);
        }
    }

    public DifferenceKinds plus(String kind, boolean mended) {
        Map<String, Count> more = new TreeMap<>(counts);
        more.merge(kind, new Count(1, mended ? 1 : 0), Count::plus);
        return new DifferenceKinds(more);
    }

    public DifferenceKinds plus(DifferenceKinds others) {
        Map<String, Count> more = new TreeMap<>(counts);
        others.counts.forEach((kind, count) -> more.merge(kind, count, Count::plus));
        return new DifferenceKinds(more);
    }

    /** Of several kinds together. */
    public Count of(String... kinds) {
        Count sum = Count.NONE;
        for (String kind : kinds) {
            sum = sum.plus(counts.getOrDefault(kind, Count.NONE));
        }
        return sum;
    }
}
