package dev.eden.api.metrics;

import dev.eden.api.store.RouteReports;
import dev.eden.api.store.RouteReports.ProxyTraffic;
import dev.eden.proxy.TrafficReport;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Rates over the last seconds from the totals that proxies report, read once a second however many ask. Totals restart with a
 * proxy: a step backwards begins its window anew.
 */
public final class TrafficWindow implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(TrafficWindow.class);
    private static final Duration PERIOD = Duration.ofSeconds(1);
    private static final int SAMPLES = 6;

    private final RouteReports reports;
    private final Map<String, Map<String, Deque<ProxyTraffic>>> windows = new HashMap<>();
    private final ErrorCount errors = new ErrorCount();
    private final Thread thread;
    private volatile boolean closed;

    /** Starts reading at once; survives an absent store. */
    public TrafficWindow(RouteReports reports) {
        this.reports = reports;
        this.thread = Thread.ofVirtual().name("traffic-window").start(this::run);
    }

    /**
     * Sums over the live proxies of some interlays. Shares are of eligible reads in the window, 0 where there were none.
     *
     * @param operationsPerSecond requests of clients, both sides
     * @param p50Millis,p99Millis of the slowest proxy's active side
     */
    public record Figures(
            int proxies,
            long connections,
            double operationsPerSecond,
            double p50Millis,
            double p99Millis,
            double chosenShare,
            double servedShare,
            Map<String, Long> ineligible) {}

    public Figures figures(List<String> interlayIds) {
        List<Deque<ProxyTraffic>> all;
        synchronized (windows) {
            all = interlayIds.stream()
                    .flatMap(id -> windows.getOrDefault(id, Map.of()).values().stream())
                    .map(samples -> (Deque<ProxyTraffic>) new ArrayDeque<>(samples))
                    .toList();
        }
        Sum sum = new Sum();
        all.forEach(sum::add);
        return sum.figures();
    }

    /** Error replies that clients of an interlay got since this server started. */
    public long errors(String interlayId) {
        return errors.total(interlayId);
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    private void run() {
        while (!closed) {
            try {
                sample();
            } catch (RuntimeException e) {
                LOGGER.atDebug().setCause(e).log("traffic can't be read; trying again");
            }
            try {
                Thread.sleep(PERIOD);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void sample() {
        Map<String, List<ProxyTraffic>> all = reports.traffic();
        errors.sample(all);
        synchronized (windows) {
            windows.keySet().retainAll(all.keySet());
            all.forEach((interlay, now) -> {
                Map<String, Deque<ProxyTraffic>> proxies = windows.computeIfAbsent(interlay, _ -> new HashMap<>());
                proxies.keySet().retainAll(now.stream().map(ProxyTraffic::proxy).toList());
                for (ProxyTraffic traffic : now) {
                    append(proxies.computeIfAbsent(traffic.proxy(), _ -> new ArrayDeque<>()), traffic);
                }
            });
        }
    }

    private static void append(Deque<ProxyTraffic> samples, ProxyTraffic traffic) {
        ProxyTraffic last = samples.peekLast();
        if (last != null && operations(traffic.report()) < operations(last.report())) {
            samples.clear();
        } else if (last != null && last.atMillis() == traffic.atMillis()) {
            samples.removeLast();
        }
        samples.addLast(traffic);
        if (samples.size() > SAMPLES) {
            samples.removeFirst();
        }
    }

    private static long operations(TrafficReport report) {
        return report.active().operations() + report.standby().operations();
    }

    private static final class Sum {
        private int proxies;
        private long connections;
        private double perSecond;
        private double p50;
        private double p99;
        private long eligible;
        private long chosen;
        private long served;
        private final Map<String, Long> ineligible = new HashMap<>();

        void add(Deque<ProxyTraffic> samples) {
            ProxyTraffic first = samples.peekFirst();
            ProxyTraffic last = samples.peekLast();
            if (first == null || last == null || !last.alive()) {
                return;
            }
            TrafficReport now = last.report();
            TrafficReport then = first.report();
            proxies++;
            connections += now.connections();
            p50 = Math.max(p50, now.active().p50Millis());
            p99 = Math.max(p99, now.active().p99Millis());
            long millis = last.atMillis() - first.atMillis();
            if (millis > 0) {
                perSecond += (operations(now) - operations(then)) * 1000.0 / millis;
            }
            eligible += now.eligibleReads() - then.eligibleReads();
            chosen += now.chosenReads() - then.chosenReads();
            served += now.servedByStandby() - then.servedByStandby();
            now.ineligible()
                    .forEach((reason, count) -> ineligible.merge(
                            reason, Math.max(0, count - then.ineligible().getOrDefault(reason, 0L)), Long::sum));
        }

        Figures figures() {
            return new Figures(
                    proxies,
                    connections,
                    perSecond,
                    p50,
                    p99,
                    share(chosen, eligible),
                    share(served, eligible),
                    Map.copyOf(ineligible));
        }

        private static double share(long part, long whole) {
            return whole <= 0 ? 0 : (double) part / whole;
        }
    }
}
