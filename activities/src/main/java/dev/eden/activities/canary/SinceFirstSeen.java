package dev.eden.activities.canary;

import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.proxy.TrafficReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What proxies have counted between two looks. Their totals begin with the process, long before the watch perhaps, and a proxy that is silent for a
 * moment (the store restarts) comes back with all of them: each process counts from the first sight of it, and its last totals are kept while it is
 * silent. Not thread-safe.
 */
final class SinceFirstSeen {
    /** Side-cars come and go: who has been silent for longest is forgotten. */
    private static final int MOST = 2_000;

    /** Those heard last at the end. */
    private final Map<Origin, Reported> last = new LinkedHashMap<>();

    private record Origin(String interlay, String proxy) {}

    /**
     * One proxy's totals at the look before and now.
     *
     * @param first it was not heard before, or has begun anew since
     */
    record Step(String interlay, String proxy, TrafficReport before, TrafficReport now, boolean first) {
        String origin() {
            return interlay + ":" + proxy;
        }
    }

    SinceFirstSeen(List<Reported> start) {
        next(start);
    }

    /** Of those that are heard now; one that is heard for the first time has made no step. */
    List<Step> next(List<Reported> heard) {
        List<Step> steps = new ArrayList<>();
        for (Reported one : heard) {
            Origin origin = new Origin(one.interlay(), one.proxy());
            Reported before = last.remove(origin);
            last.put(origin, one);
            boolean first = before == null || !before.incarnation().equals(one.incarnation());
            TrafficReport from = before == null || first ? one.report() : before.report();
            steps.add(new Step(one.interlay(), one.proxy(), from, one.report(), first));
        }
        while (last.size() > MOST) {
            last.remove(last.keySet().iterator().next());
        }
        return steps;
    }

    /** The last totals of each, the silent included. */
    List<Reported> last() {
        return List.copyOf(last.values());
    }
}
