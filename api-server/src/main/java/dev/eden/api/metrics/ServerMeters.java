package dev.eden.api.metrics;

import dev.eden.api.store.InterlayStore;
import dev.eden.api.store.InterlayStore.Interlay;
import dev.eden.proxy.OutageLog;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import org.jdbi.v3.core.Jdbi;
import org.slf4j.LoggerFactory;

/**
 * The figures a server shows: lag and progress of running migrations, and, where no proxy runs inside it, what the proxies of
 * each interlay have reported, under the names that a proxy itself uses.
 */
public final class ServerMeters implements AutoCloseable {
    private static final Duration PERIOD = Duration.ofSeconds(1);
    private static final Duration LOOK_AT_DEPENDENCIES = Duration.ofSeconds(5);

    private final OutageLog store = new OutageLog(
            LoggerFactory.getLogger(ServerMeters.class),
            "meters can't be brought up to date",
            "meters are brought up to date again");
    private final MeterRegistry registry;
    private final MigrationMeters migrations;
    private final InterlayStore interlays;
    private final TrafficWindow traffic;
    private final boolean proxies;
    private final TaggedGauge latency;
    private final TaggedGauge connections;
    private final TaggedGauge throughput;
    private final Set<String> counted = new HashSet<>();
    private final ConcurrentHashMap<String, Boolean> dependencies = new ConcurrentHashMap<>();
    private final Thread thread;
    private volatile boolean closed;

    /** {@code proxies}: show what proxies have reported; false where a proxy in this process registers the same names. */
    public ServerMeters(
            MeterRegistry registry, Jdbi jdbi, InterlayStore interlays, TrafficWindow traffic, boolean proxies) {
        this.registry = registry;
        this.migrations = new MigrationMeters(registry, jdbi);
        this.interlays = interlays;
        this.traffic = traffic;
        this.proxies = proxies;
        this.latency = gauge(
                "eden_proxy_latency_ms",
                "latency of requests through the slowest proxy of the interlay, in milliseconds");
        this.connections = gauge("eden_connections_active", "client connections");
        this.throughput = gauge("eden_throughput_ops", "operations per second");
        this.thread = Thread.ofVirtual().name("server-meters").start(this::run);
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    /**
     * Shows whether a dependency answers, as {@code eden_dependency_up}. Asked once in {@code 5 s} on a thread of its own: one that hangs
     * must not keep the other figures from being true.
     */
    public void dependency(String name, BooleanSupplier answers) {
        Gauge.builder("eden_dependency_up", dependencies, all -> all.getOrDefault(name, true) ? 1 : 0)
                .description("1 while the dependency answers")
                .tags("dependency", name)
                .register(registry);
        Thread.ofVirtual().name("dependency-" + name).start(() -> {
            try {
                while (!closed) {
                    dependencies.put(name, answers.getAsBoolean());
                    Thread.sleep(LOOK_AT_DEPENDENCIES);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /** Shows how many migrations have lost their workflow, as {@code eden_migrations_orphaned}. */
    public void orphans(IntSupplier count) {
        Gauge.builder("eden_migrations_orphaned", count, IntSupplier::getAsInt)
                .description("migrations that run by the store and whose workflow is gone from Temporal")
                .strongReference(true)
                .register(registry);
    }

    private TaggedGauge gauge(String name, String description) {
        return new TaggedGauge(registry, name, description);
    }

    private void run() {
        while (!closed) {
            try {
                migrations.refresh();
                if (proxies) {
                    proxies();
                }
                store.answered();
            } catch (RuntimeException e) {
                store.failed(e);
            }
            try {
                Thread.sleep(PERIOD);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void proxies() {
        Map<Tags, Number> latencies = new HashMap<>();
        Map<Tags, Number> clients = new HashMap<>();
        Map<Tags, Number> rates = new HashMap<>();
        for (Interlay interlay : interlays.list()) {
            TrafficWindow.Figures figures = traffic.figures(List.of(interlay.id()));
            Tags tags = Tags.of("interlay", interlay.id());
            latencies.put(tags.and("quantile", "0.5"), figures.p50Millis());
            latencies.put(tags.and("quantile", "0.99"), figures.p99Millis());
            clients.put(tags, figures.connections());
            rates.put(tags, figures.operationsPerSecond());
            if (counted.add(interlay.id())) {
                FunctionCounter.builder("eden_errors_total", traffic, all -> all.errors(interlay.id()))
                        .description("error replies that clients got")
                        .tags(tags)
                        .register(registry);
            }
        }
        latency.set(latencies);
        connections.set(clients);
        throughput.set(rates);
    }
}
