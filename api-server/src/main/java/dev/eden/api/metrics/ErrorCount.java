package dev.eden.api.metrics;

import dev.eden.api.store.RouteReports.ProxyTraffic;
import dev.eden.proxy.TrafficReport;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * Error replies of each interlay since this began to look. Proxies report totals since they started, and come and go: what each adds is counted,
 * so that the sum goes on where a proxy with many errors is replaced by one that has none yet.
 */
final class ErrorCount {
    private final Map<String, Map<String, Long>> seen = new HashMap<>();
    private final Map<String, Long> totals = new ConcurrentHashMap<>();
    private boolean begun;

    /** {@code all}: of one reader. What proxies have counted before the first is nobody's news. */
    void sample(Map<String, List<ProxyTraffic>> all) {
        all.forEach((interlay, proxies) -> {
            Map<String, Long> before = seen.getOrDefault(interlay, Map.of());
            for (ProxyTraffic proxy : begun ? proxies : List.<ProxyTraffic>of()) {
                long now = errors(proxy.report());
                long then = before.getOrDefault(proxy.proxy(), 0L);
                totals.merge(interlay, now < then ? now : now - then, Long::sum);
            }
        });
        begun = true;
        seen.clear();
        all.forEach((interlay, proxies) -> seen.put(
                interlay,
                proxies.stream().collect(Collectors.toMap(ProxyTraffic::proxy, proxy -> errors(proxy.report())))));
    }

    long total(String interlay) {
        return totals.getOrDefault(interlay, 0L);
    }

    private static long errors(TrafficReport report) {
        return report.active().errors() + report.standby().errors();
    }
}
