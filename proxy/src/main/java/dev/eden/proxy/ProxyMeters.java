package dev.eden.proxy;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** The proxy's meters: names as the product promises them. */
final class ProxyMeters implements AutoCloseable {
    /** At most this many values a second go into a distribution; counts above are thinned evenly. */
    private static final int SAMPLES = 200;

    private final MeterRegistry registry;
    private final Tags tags;
    private final List<Meter> meters = new ArrayList<>();
    private final DistributionSummary added;
    private final Map<String, AtomicLong> events = new ConcurrentHashMap<>();
    private volatile @Nullable LoopSnapshot now;
    private volatile double operationsPerSecond;
    private long operationsBefore;
    private long updatedAt = System.nanoTime();

    ProxyMeters(MeterRegistry registry, ProxyIdentity identity, String interlay, RouteFollower follower) {
        this.registry = registry;
        this.tags = Tags.of("interlay", interlay, "proxy", identity.name());
        added = DistributionSummary.builder("eden_proxy_latency_ms")
                .description(
                        "time a request and its reply spend inside the proxy, the server's time apart, in milliseconds")
                .tags(tags)
                .publishPercentiles(0.5, 0.99, 0.999)
                .register(registry);
        meters.add(added);
        gauge("eden_connections_active", "client connections", LoopSnapshot::clients);
        gauge("eden_backend_connections", "connections to servers", LoopSnapshot::backendConnections);
        gauge("eden_pinned_connections", "exclusive connections to servers", LoopSnapshot::pinnedConnections);
        meters.add(Gauge.builder("eden_throughput_ops", this, self -> self.operationsPerSecond)
                .description("operations per second")
                .tags(tags)
                .register(registry));
        counter("eden_errors_total", "error replies that clients got", s -> s.activeErrors() + s.standbyErrors());
        counter("eden_operations_total", "replies that clients got", s -> s.activeOperations() + s.standbyOperations());
        counter("eden_canary_reads_total", "reads that the standby served", LoopSnapshot::servedByStandby);
        meters.add(Gauge.builder("eden_proxy_blocked", follower, f -> f.health().serving() ? 0 : 1)
                .description("1 while requests are held")
                .tags(tags)
                .register(registry));
        meters.add(Gauge.builder("eden_route_epoch", follower, f -> f.route().epoch())
                .tags(tags)
                .register(registry));
        meters.add(FunctionCounter.builder("eden_store_failures_total", follower.storeFailures, AtomicLong::get)
                .tags(tags)
                .register(registry));
        meters.add(FunctionCounter.builder("eden_late_rows_total", follower.lateRows, AtomicLong::get)
                .tags(tags)
                .register(registry));
    }

    private void gauge(String name, String description, ToDoubleFunction<LoopSnapshot> value) {
        meters.add(Gauge.builder(name, this, self -> self.read(value))
                .description(description)
                .tags(tags)
                .register(registry));
    }

    private void counter(String name, String description, ToDoubleFunction<LoopSnapshot> value) {
        meters.add(FunctionCounter.builder(name, this, self -> self.read(value))
                .description(description)
                .tags(tags)
                .register(registry));
    }

    private double read(ToDoubleFunction<LoopSnapshot> value) {
        LoopSnapshot snapshot = now;
        return snapshot == null ? 0 : value.applyAsDouble(snapshot);
    }

    void update(LoopSnapshot snapshot, TrafficReport report) {
        now = snapshot;
        long operations = report.active().operations() + report.standby().operations();
        long time = System.nanoTime();
        operationsPerSecond = (operations - operationsBefore) * 1e9 / Math.max(1, time - updatedAt);
        operationsBefore = operations;
        updatedAt = time;
        recordAdded(snapshot.addedLatency());
        snapshot.events().forEach((name, total) -> {
            AtomicLong counter = events.computeIfAbsent(name, key -> {
                AtomicLong value = new AtomicLong();
                meters.add(FunctionCounter.builder("eden_proxy_events_total", value, AtomicLong::get)
                        .description("what happened to clients and requests, by kind")
                        .tags(tags.and("event", key))
                        .register(registry));
                return value;
            });
            counter.set(total);
        });
    }

    private void recordAdded(long[] histogram) {
        long total = 0;
        for (long count : histogram) {
            total += count;
        }
        double keep = total <= SAMPLES ? 1 : (double) SAMPLES / total;
        double owed = 0;
        for (int i = 0; i < histogram.length; i++) {
            for (owed += histogram[i] * keep; owed >= 1; owed--) {
                added.record(LoopSnapshot.bucketMillis(i));
            }
        }
    }

    @Override
    public void close() {
        meters.forEach(registry::remove);
    }
}
