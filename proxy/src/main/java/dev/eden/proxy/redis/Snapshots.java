package dev.eden.proxy.redis;

import dev.eden.proxy.LoopSnapshot;
import java.util.Map;
import java.util.TreeMap;

/** Copies loops' counters, on their threads. */
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
        traffic.active = new long[LoopSnapshot.BUCKETS];
        traffic.standby = new long[LoopSnapshot.BUCKETS];
        traffic.added = new long[LoopSnapshot.BUCKETS];
        return snapshot;
    }

    private static Map<String, Long> events(LoopCounters counters) {
        Map<String, Long> events = new TreeMap<>();
        events.put("client_accepted", counters.clientsAccepted);
        events.put("client_refused", counters.clientsRefused);
        events.put("tls_failed", counters.tlsFailures);
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
        events.put("acknowledged_alone", counters.acknowledgedAlone);
        return events;
    }
}
