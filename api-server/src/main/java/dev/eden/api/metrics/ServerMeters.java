package dev.eden.api.metrics;

import dev.eden.api.store.InterlayStore;
import dev.eden.api.store.InterlayStore.Interlay;
import dev.eden.proxy.OutageLog;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;
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
    private final MigrationFigures figures;
    private final InterlayStore interlays;
    private final TrafficWindow traffic;
    private final boolean proxies;
    private final MultiGauge lag;
    private final MultiGauge streaming;
    private final MultiGauge keys;
    private final MultiGauge rate;
    private final MultiGauge consistency;
    private final MultiGauge running;
    private final MultiGauge paused;
    private final MultiGauge failed;
    private final MultiGauge cleaning;
    private final MultiGauge differences;
    private final MultiGauge attempts;
    private final MultiGauge pause;
    private final MultiGauge all;
    private final MultiGauge presence;
    private final MultiGauge latency;
    private final MultiGauge connections;
    private final MultiGauge throughput;
    private final Set<String> counted = new HashSet<>();
    private final ConcurrentHashMap<String, Boolean> dependencies = new ConcurrentHashMap<>();
    private final Thread thread;
    private volatile boolean closed;

    /** {@code proxies}: show what proxies have reported; false where a proxy in this process registers the same names. */
    public ServerMeters(
            MeterRegistry registry, Jdbi jdbi, InterlayStore interlays, TrafficWindow traffic, boolean proxies) {
        this.registry = registry;
        this.figures = new MigrationFigures(jdbi);
        this.interlays = interlays;
        this.traffic = traffic;
        this.proxies = proxies;
        this.lag =
                gauge("eden_replication_lag_ms", "age of the oldest source position not applied yet, in milliseconds");
        this.streaming = gauge("eden_replication_streaming", "1 while replication keeps the standby current");
        this.keys = gauge("eden_replication_keys_done", "keys copied by the full load");
        this.rate = gauge("eden_replication_rate", "keys or rows a second that the full load copies");
        this.consistency = gauge(
                "eden_data_consistency_percent", "of what the last comparison compared, what is equal, in percent");
        this.running = gauge("eden_migration_running", "1 for a migration that has been started and has not ended");
        this.paused = gauge("eden_migration_paused", "1 for a running migration that is paused");
        this.failed =
                gauge("eden_migration_failed", "1 for a running migration that is paused because a step has failed");
        this.cleaning = gauge(
                "eden_migration_cleaning_up",
                "1 for a running migration of which nothing is left to do but to clean up its two servers");
        this.differences = gauge("eden_validation_differences", "differences that the last comparison has left");
        this.attempts = gauge("eden_cutover_attempts", "attempts to flip, by direction and outcome");
        this.pause = gauge("eden_cutover_pause_ms", "pause of the last committed flip, in milliseconds");
        this.all = gauge("eden_migrations", "migrations by phase, ended ones too");
        this.presence = gauge("eden_proxies", "proxies that have joined; silent ones stand in the way of a cutover");
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

    private void migrations() {
        List<MultiGauge.Row<?>> lags = new ArrayList<>();
        List<MultiGauge.Row<?>> done = new ArrayList<>();
        List<MultiGauge.Row<?>> phases = new ArrayList<>();
        List<MultiGauge.Row<?>> left = new ArrayList<>();
        List<MultiGauge.Row<?>> pauses = new ArrayList<>();
        List<MultiGauge.Row<?>> failures = new ArrayList<>();
        List<MultiGauge.Row<?>> current = new ArrayList<>();
        List<MultiGauge.Row<?>> ending = new ArrayList<>();
        List<MultiGauge.Row<?>> copying = new ArrayList<>();
        List<MultiGauge.Row<?>> equal = new ArrayList<>();
        for (MigrationFigures.Running migration : figures.running()) {
            Tags tags = Tags.of("migration", migration.migration());
            phases.add(MultiGauge.Row.of(tags.and("phase", migration.phase()), 1));
            pauses.add(MultiGauge.Row.of(tags, migration.paused() ? 1 : 0));
            failures.add(MultiGauge.Row.of(tags, migration.failed() ? 1 : 0));
            ending.add(MultiGauge.Row.of(tags, migration.cleaning() ? 1 : 0));
            if (!migration.cleaning()) {
                current.add(MultiGauge.Row.of(tags, migration.streaming() ? 1 : 0));
            }
            add(lags, tags, migration.lagMillis());
            add(done, tags, migration.keysDone());
            add(left, tags, migration.differences());
            add(copying, tags, migration.rate());
            add(equal, tags, migration.consistency());
        }
        lag.register(lags, true);
        keys.register(done, true);
        running.register(phases, true);
        paused.register(pauses, true);
        failed.register(failures, true);
        cleaning.register(ending, true);
        streaming.register(current, true);
        differences.register(left, true);
        rate.register(copying, true);
        consistency.register(equal, true);
        attempts.register(
                figures.attempts().stream()
                        .map(one -> MultiGauge.Row.of(
                                Tags.of(
                                        "migration", one.migration(),
                                        "direction", one.direction(),
                                        "outcome", one.outcome()),
                                one.count()))
                        .collect(Collectors.toList()),
                true);
        pause.register(
                figures.pauses().stream()
                        .map(one -> MultiGauge.Row.of(
                                Tags.of("migration", one.migration(), "direction", one.direction()), one.millis()))
                        .collect(Collectors.toList()),
                true);
        all.register(
                figures.phases().stream()
                        .map(one -> MultiGauge.Row.of(Tags.of("phase", one.phase()), one.migrations()))
                        .collect(Collectors.toList()),
                true);
        List<MultiGauge.Row<?>> joined = new ArrayList<>();
        for (MigrationFigures.Proxies one : figures.proxies()) {
            Tags tags = Tags.of("interlay", one.interlay());
            joined.add(MultiGauge.Row.of(tags.and("state", "alive"), one.alive()));
            joined.add(MultiGauge.Row.of(tags.and("state", "silent"), one.silent()));
        }
        presence.register(joined, true);
    }

    private static void add(List<MultiGauge.Row<?>> rows, Tags tags, @Nullable Number value) {
        if (value != null) {
            rows.add(MultiGauge.Row.of(tags, value));
        }
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
            if (counted.add(interlay.id())) {
                FunctionCounter.builder("eden_errors_total", traffic, all -> all.errors(interlay.id()))
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
