package dev.eden.activities.canary;

import dev.eden.activities.store.RouteLedger.Reported;
import dev.eden.proxy.TrafficReport;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What proxies have counted between two looks. Their totals begin with the process, long before the watch perhaps, and a proxy that is silent for a
 * moment (the store restarts) comes back with all of them: each process counts from the first sight of it, and its last totals are kept while it is
 * silent. Not thread-safe.
 */
final class SinceFirstSeen {
    private final Map<Origin, TrafficReport> last = new HashMap<>();

    private record Origin(String interlay, String proxy, String incarnation) {}

    /** One proxy's totals at the look before and now. */
    record Step(TrafficReport before, TrafficReport now) {}

    SinceFirstSeen(List<Reported> start) {
        next(start);
    }

    /** Of those that are heard now; one that is heard for the first time has made no step. */
    List<Step> next(List<Reported> heard) {
        List<Step> steps = new ArrayList<>();
        for (Reported one : heard) {
            TrafficReport before = last.put(new Origin(one.interlay(), one.proxy(), one.incarnation()), one.report());
            steps.add(new Step(before == null ? one.report() : before, one.report()));
        }
        return steps;
    }
}
