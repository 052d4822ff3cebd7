package dev.eden.proxy.redis;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Copies loops' counters, on their threads, and sums them up. */
final class Snapshots {
    private Snapshots() {}

    /** On the loop's thread: copies the totals and begins new histograms. */
    static LoopSnapshot of(ProxyLoop loop) {
        Traffic traffic = loop.traffic;
        LoopCounters counters = loop.counters;
        LoopSnapshot snapshot = new LoopSnapshot(
                loop.clients.size(),
                counters.backendConnections,
                counters.exclusiveConnections,
                traffic.activeOperations,
                traffic.activeErrors,
                traffic.standbyOperations,
                traffic.standbyErrors,
                counters.eligibleReads,
                counters.chosenReads,
                counters.servedByStandby,
                traffic.active,
                traffic.standby,
                traffic.added,
                Map.copyOf(traffic.ineligible),
                events(counters));
        traffic.active = new long[Traffic.BUCKETS];
        traffic.standby = new long[Traffic.BUCKETS];
        traffic.added = new long[Traffic.BUCKETS];
        return snapshot;
    }

    private static Map<String, Long> events(LoopCounters counters) {
        Map<String, Long> events = new TreeMap<>();
        events.put("client_accepted", counters.clientsAccepted);
        events.put("client_refused", counters.clientsRefused);
        events.put("connect_failed", counters.connectFailures);
        events.put("in_doubt_closed", counters.inDoubt);
        events.put("slow_client_closed", counters.slowClosed);
        events.put("protocol_error", counters.protocolErrors);
        events.put("request_held", counters.held);
        events.put("blocking_reissued", counters.reissued);
        events.put("transaction_replayed", counters.replayed);
        events.put("watch_broken", counters.watchesBroken);
        events.put("subscriber_carried", counters.carriedSubscribers);
        events.put("fenced_retry", counters.fencedRetries);
        return events;
    }

    static LoopSnapshot sum(List<LoopSnapshot> loops) {
        long[] totals = new long[10];
        long[] active = new long[Traffic.BUCKETS];
        long[] standby = new long[Traffic.BUCKETS];
        long[] added = new long[Traffic.BUCKETS];
        Map<String, Long> ineligible = new TreeMap<>();
        Map<String, Long> events = new TreeMap<>();
        for (LoopSnapshot one : loops) {
            long[] values = {
                one.clients(),
                one.backendConnections(),
                one.pinnedConnections(),
                one.activeOperations(),
                one.activeErrors(),
                one.standbyOperations(),
                one.standbyErrors(),
                one.eligibleReads(),
                one.chosenReads(),
                one.servedByStandby()
            };
            for (int i = 0; i < totals.length; i++) {
                totals[i] += values[i];
            }
            for (int i = 0; i < Traffic.BUCKETS; i++) {
                active[i] += one.activeLatency()[i];
                standby[i] += one.standbyLatency()[i];
                added[i] += one.addedLatency()[i];
            }
            one.ineligible().forEach((reason, count) -> ineligible.merge(reason, count, Long::sum));
            one.events().forEach((event, count) -> events.merge(event, count, Long::sum));
        }
        return new LoopSnapshot(
                totals[0],
                totals[1],
                totals[2],
                totals[3],
                totals[4],
                totals[5],
                totals[6],
                totals[7],
                totals[8],
                totals[9],
                active,
                standby,
                added,
                ineligible,
                events);
    }
}
