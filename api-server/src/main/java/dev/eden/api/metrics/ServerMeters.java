package dev.eden.api.metrics;

import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.api.store.InterlayStore;
import dev.eden.api.store.InterlayStore.Interlay;
import dev.eden.api.store.MigrationStore;
import dev.eden.api.store.MigrationStore.Migration;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The figures a server shows: lag and progress of running migrations, and, where no proxy runs inside it, what the proxies of
 * each interlay have reported, under the names that a proxy itself uses.
 */
public final class ServerMeters implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ServerMeters.class);
    private static final Duration PERIOD = Duration.ofSeconds(1);
    private static final int MIGRATIONS = 1000;

    private final MeterRegistry registry;
    private final MigrationStore migrations;
    private final ReplicationLedger replication;
    private final InterlayStore interlays;
    private final TrafficWindow traffic;
    private final boolean proxies;
    private final MultiGauge lag;
    private final MultiGauge keys;
    private final MultiGauge running;
    private final MultiGauge latency;
    private final MultiGauge connections;
    private final MultiGauge throughput;
    private final Set<String> counted = new HashSet<>();
    private final ConcurrentHashMap<String, Long> errors = new ConcurrentHashMap<>();
    private final Thread thread;
    private volatile boolean closed;

    /** {@code proxies}: show what proxies have reported; false where a proxy in this process registers the same names. */
    public ServerMeters(
            MeterRegistry registry,
            MigrationStore migrations,
            ReplicationLedger replication,
            InterlayStore interlays,
            TrafficWindow traffic,
            boolean proxies) {
        this.registry = registry;
        this.migrations = migrations;
        this.replication = replication;
        this.interlays = interlays;
        this.traffic = traffic;
        this.proxies = proxies;
        this.lag =
                gauge("eden_replication_lag_ms", "age of the oldest source position not applied yet, in milliseconds");
        this.keys = gauge("eden_replication_keys_done", "keys copied by the full load");
        this.running = gauge("eden_migration_running", "1 for a migration that has been started and has not ended");
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

    private MultiGauge gauge(String name, String description) {
        return MultiGauge.builder(name).description(description).register(registry);
    }

    private void run() {
        while (!closed) {
            try {
                migrations();
                if (proxies) {
                    proxies();
                }
            } catch (RuntimeException e) {
                LOGGER.atWarn()
                        .addKeyValue("error", e.getClass().getSimpleName())
                        .log("meters can't be brought up to date; trying again");
                LOGGER.atDebug().setCause(e).log("why meters can't be brought up to date");
            }
            try {
                Thread.sleep(PERIOD);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void migrations() {
        List<MultiGauge.Row<?>> lags = new ArrayList<>();
        List<MultiGauge.Row<?>> done = new ArrayList<>();
        List<MultiGauge.Row<?>> phases = new ArrayList<>();
        for (Migration migration : migrations.list(null, null, null, "", MIGRATIONS)) {
            if (!migration.started() || migration.ended()) {
                continue;
            }
            Tags tags = Tags.of("migration", migration.id());
            phases.add(MultiGauge.Row.of(tags.and("phase", migration.phase()), 1));
            Optional<Progress> progress = replication.progress(migration.id());
            if (progress.isPresent()) {
                lags.add(MultiGauge.Row.of(tags, progress.get().lagMs()));
                done.add(MultiGauge.Row.of(tags, progress.get().keysDone()));
            }
        }
        lag.register(lags, true);
        keys.register(done, true);
        running.register(phases, true);
    }

    private void proxies() {
        List<MultiGauge.Row<?>> latencies = new ArrayList<>();
        List<MultiGauge.Row<?>> clients = new ArrayList<>();
        List<MultiGauge.Row<?>> rates = new ArrayList<>();
        for (Interlay interlay : interlays.list()) {
            TrafficWindow.Figures figures = traffic.figures(List.of(interlay.id()));
            Tags tags = Tags.of("interlay", interlay.id());
            latencies.add(MultiGauge.Row.of(tags.and("quantile", "0.5"), figures.p50Millis()));
            latencies.add(MultiGauge.Row.of(tags.and("quantile", "0.99"), figures.p99Millis()));
            clients.add(MultiGauge.Row.of(tags, figures.connections()));
            rates.add(MultiGauge.Row.of(tags, figures.operationsPerSecond()));
            errors.merge(interlay.id(), figures.errors(), Math::max);
            if (counted.add(interlay.id())) {
                FunctionCounter.builder("eden_errors_total", errors, all -> all.getOrDefault(interlay.id(), 0L))
                        .description("error replies that clients got")
                        .tags(tags)
                        .register(registry);
            }
        }
        latency.register(latencies, true);
        connections.register(clients, true);
        throughput.register(rates, true);
    }
}
