package dev.eden.api.metrics;

import dev.eden.api.metrics.HealthServlet.Part;
import dev.eden.api.metrics.HealthServlet.State;
import dev.eden.api.store.RouteReports;
import dev.eden.api.store.RouteReports.ProxyTraffic;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Proxies that have joined, have not signed off and are not heard: each of them stands in the way of every cutover of its interlay. */
public final class ProxyPresence {
    private static final Logger LOGGER = LoggerFactory.getLogger(ProxyPresence.class);

    private final RouteReports reports;

    public ProxyPresence(RouteReports reports) {
        this.reports = reports;
    }

    /** Degraded where a proxy is silent; their names by interlay. Where the store is away nobody knows. */
    public HealthServlet.Check check() {
        return new HealthServlet.Check(this::look, Part.unknown());
    }

    private Part look() {
        try {
            Map<String, Object> silent = new LinkedHashMap<>();
            new TreeMap<>(reports.traffic()).forEach((interlay, proxies) -> {
                List<String> names = proxies.stream()
                        .filter(proxy -> !proxy.alive())
                        .map(ProxyTraffic::proxy)
                        .toList();
                if (!names.isEmpty()) {
                    silent.put(interlay, names);
                }
            });
            return silent.isEmpty() ? Part.of(true) : new Part(State.DEGRADED, silent);
        } catch (RuntimeException e) {
            LOGGER.atDebug().setCause(e).log("the proxies can't be looked up");
            return Part.unknown();
        }
    }
}
