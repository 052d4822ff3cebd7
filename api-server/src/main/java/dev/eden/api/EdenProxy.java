package dev.eden.api;

import com.sun.net.httpserver.HttpServer;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.SweepLoop;
import dev.eden.activities.migration.EndpointEngines;
import dev.eden.activities.store.RouteLedger;
import dev.eden.api.json.Json;
import dev.eden.api.metrics.ProcessMeters;
import dev.eden.api.metrics.ProxyHealth;
import dev.eden.api.problem.StartupException;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process with one proxy: bound straight to the store, it needs neither the server nor Temporal. It settles attempts that lost
 * their coordinator, so that a dead server does not leave a route held.
 */
public final class EdenProxy implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(EdenProxy.class);

    private static final Duration LOOK_AGAIN = Duration.ofMillis(100);

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private @Nullable ProxyProcess proxy;
    private @Nullable HttpServer http;
    private @Nullable ProxyHealth health;
    private Duration drain = Duration.ZERO;

    private EdenProxy() {}

    /**
     * {@code pool} and {@code metricsPort} 0: the default, a free one.
     *
     * @param drain how long {@link #close} serves on and waits for clients to leave by themselves, not being ready any more
     */
    public record Options(
            String name,
            String interlay,
            InetSocketAddress listen,
            int pool,
            String metricsHost,
            int metricsPort,
            Duration drain,
            EdenStore.Settings store,
            ProxySettings settings) {
        /** Without TLS and with the interlay's pooling. */
        public Options(
                String name,
                String interlay,
                InetSocketAddress listen,
                int pool,
                String metricsHost,
                int metricsPort,
                Duration drain,
                EdenStore.Settings store) {
            this(name, interlay, listen, pool, metricsHost, metricsPort, drain, store, ProxySettings.NONE);
        }
    }

    /** Throws {@link StartupException}. */
    public static EdenProxy start(Options options) {
        EdenProxy process = new EdenProxy();
        try {
            process.open(options);
            return process;
        } catch (RuntimeException e) {
            // One that was interrupted, too, ends what it has begun in good order.
            Thread.interrupted();
            process.close();
            throw e;
        }
    }

    public int port() {
        ProxyProcess started = proxy;
        if (started == null) {
            throw new IllegalStateException("not started");
        }
        return started.port();
    }

    public int metricsPort() {
        HttpServer started = http;
        if (started == null) {
            throw new IllegalStateException("not started");
        }
        return started.getAddress().getPort();
    }

    /** Is no longer ready, waits for its clients to leave (no longer than it was told), then ends what is in flight and signs off. */
    @Override
    public void close() {
        awaitClients();
        while (!parts.isEmpty()) {
            AutoCloseable part = parts.pop();
            try {
                part.close();
            } catch (Exception e) {
                LOGGER.atWarn()
                        .addKeyValue("part", part.getClass().getSimpleName())
                        .setCause(e)
                        .log("a part did not close");
            }
        }
    }

    private void awaitClients() {
        ProxyHealth probes = health;
        ProxyProcess serving = proxy;
        if (probes == null || serving == null) {
            return;
        }
        probes.drain();
        long end = System.nanoTime() + drain.toNanos();
        while (System.nanoTime() < end && serving.clients() > 0) {
            try {
                Thread.sleep(LOOK_AGAIN);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void open(Options options) {
        EdenStore store = EdenStore.open(options.store(), false);
        parts.push(store);
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        parts.push(registry::close);
        parts.push(new ProcessMeters(registry, Tags.of("interlay", options.interlay(), "proxy", options.name())));
        RouteLedger routes = store.routes();
        parts.push(new SweepLoop(
                routes, new AttemptSettler(routes, EndpointEngines.of(store.endpoints(), store.records())), null));
        ProxyProcess started = ProxyProcess.start(
                store,
                options.name(),
                options.interlay(),
                options.listen(),
                options.pool() > 0 ? (Integer) options.pool() : null,
                options.settings(),
                registry);
        proxy = started;
        parts.push(started);
        ProxyHealth probes = new ProxyHealth(started::health, System::nanoTime);
        HttpServer metrics = listen(
                options, registry, probes, new ForceOpenPort(store.cipher(), Map.of(options.interlay(), started)));
        http = metrics;
        health = probes;
        drain = options.drain();
        // Closed last: whoever asks hears "not ready" until the proxy has drained, rather than nothing.
        parts.addLast(() -> metrics.stop(0));
    }

    private static HttpServer listen(
            Options options, PrometheusMeterRegistry registry, ProxyHealth health, ForceOpenPort force) {
        try {
            HttpServer http =
                    HttpServer.create(new InetSocketAddress(options.metricsHost(), options.metricsPort()), 16);
            http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            http.createContext("/metrics", exchange -> {
                byte[] body = registry.scrape("text/plain").getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
                exchange.close();
            });
            http.createContext("/health", exchange -> {
                ProxyHealth.Answer answer =
                        health.answer(exchange.getRequestURI().getPath());
                byte[] body = Json.write(answer.body()).getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                exchange.sendResponseHeaders(answer.status(), body.length);
                exchange.getResponseBody().write(body);
                exchange.close();
            });
            http.createContext(ForceOpenOrder.PATH, exchange -> {
                ForceOpenPort.Answer answer = exchange.getRequestMethod().equals("POST")
                        ? force.answer(exchange.getRequestBody())
                        : new ForceOpenPort.Answer(405, "{}");
                byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                exchange.sendResponseHeaders(answer.status(), body.length);
                exchange.getResponseBody().write(body);
                exchange.close();
            });
            http.start();
            return http;
        } catch (IOException e) {
            throw new StartupException(
                    "metrics can't be served on " + options.metricsHost() + ":" + options.metricsPort(),
                    "stop what listens there, or choose with --metrics-port");
        }
    }
}
