package dev.eden.api.store;

import dev.eden.proxy.TrafficReport;
import java.util.List;
import java.util.Map;

/** What proxies and attempts have reported to the store, for REST and metrics. */
public interface RouteReports {

    RouteReports NONE = new RouteReports() {};

    /** @param atMillis when it was reported; {@code alive}: not signed off and heard within its lease */
    record ProxyTraffic(String proxy, String listen, boolean alive, TrafficReport report, long atMillis) {}

    /** @param reportJson what the coordinator wrote: each step's duration per proxy, what was held, re-issued, ended */
    record AttemptReport(long attempt, String direction, String outcome, String reportJson, long atMillis) {}

    /** The last report of each proxy that has joined the interlay. */
    default List<ProxyTraffic> traffic(String interlay) {
        return List.of();
    }

    /** The last report of each proxy that has joined, by interlay: one statement however many there are. */
    default Map<String, List<ProxyTraffic>> traffic() {
        return Map.of();
    }

    /** All attempts of a migration, oldest first. */
    default List<AttemptReport> attempts(String migration) {
        return List.of();
    }
}
