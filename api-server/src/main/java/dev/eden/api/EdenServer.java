package dev.eden.api;

import dev.eden.activities.migration.ProxyConnections;
import dev.eden.api.metrics.HealthServlet;
import dev.eden.api.metrics.MetricsServlet;
import dev.eden.api.metrics.ProcessMeters;
import dev.eden.api.metrics.ProxyPresence;
import dev.eden.api.metrics.ServerMeters;
import dev.eden.api.metrics.TrafficWindow;
import dev.eden.api.notify.Notifier;
import dev.eden.api.rest.ApiServer;
import dev.eden.api.rest.AuditResource;
import dev.eden.api.rest.CodecResource;
import dev.eden.api.rest.EndpointHealth;
import dev.eden.api.rest.EndpointResource;
import dev.eden.api.rest.InterlayResource;
import dev.eden.api.rest.InterlayUserResource;
import dev.eden.api.rest.MigrationCommands;
import dev.eden.api.rest.MigrationEventsResource;
import dev.eden.api.rest.MigrationRecovery;
import dev.eden.api.rest.MigrationReport;
import dev.eden.api.rest.MigrationResource;
import dev.eden.api.rest.MigrationStatus;
import dev.eden.api.rest.ProxyRemoval;
import dev.eden.api.rest.ProxyResource;
import dev.eden.api.rest.ReceiverResource;
import dev.eden.api.rest.Security;
import dev.eden.api.rest.TokenResource;
import dev.eden.api.store.AuditChain;
import dev.eden.api.store.ForecastStore;
import dev.eden.api.store.ForgottenMigrations;
import dev.eden.api.store.IdempotencyStore;
import dev.eden.api.store.InterlayStore;
import dev.eden.api.store.MigrationLabels;
import dev.eden.api.store.MigrationStarts;
import dev.eden.api.store.MigrationStore;
import dev.eden.api.store.NotificationStore;
import dev.eden.api.store.ProxyStore;
import dev.eden.api.store.StatusStore;
import dev.eden.api.store.StoredValidationReports;
import dev.eden.api.store.TokenStore;
import dev.eden.api.temporal.LiveViews;
import dev.eden.api.temporal.Orchestrator;
import dev.eden.api.temporal.Orphans;
import dev.eden.api.temporal.PayloadEncryption;
import dev.eden.api.temporal.TemporalArrival;
import dev.eden.api.temporal.TemporalConnection;
import dev.eden.api.temporal.WebUi;
import dev.eden.api.trace.ActivityTracing;
import dev.eden.api.trace.FlipSpans;
import dev.eden.api.trace.RequestIdFilter;
import dev.eden.api.trace.Traces;
import dev.eden.proxy.Secret;
import dev.eden.workflows.activity.CutoverActivities.AttemptRequest;
import dev.eden.workflows.worker.MigrationActivities;
import dev.eden.workflows.worker.MigrationWorkers;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerFactoryOptions;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control plane, put together: store, Temporal client and workers, REST, metrics and, where asked for, a proxy inside. It may
 * die at any moment: proxies go on, and another one takes up where it was.
 */
public final class EdenServer implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(EdenServer.class);
    private static final Duration TEMPORAL_PATIENCE = Duration.ofSeconds(30);
    private static final Duration COMMAND_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration VIEW_TIMEOUT = Duration.ofSeconds(1);

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private @Nullable ApiServer api;
    private final Map<String, ProxyProcess> proxies = new LinkedHashMap<>();
    private @Nullable String firstToken;
    private @Nullable Orphans orphans;

    private EdenServer() {}

    /** Starts with the activities of this version. Throws {@link dev.eden.api.problem.StartupException}. */
    public static EdenServer start(ServerOptions options) {
        return start(options, ActivitySet::open);
    }

    /** What runs a migration's steps, made from the store; tests bring their own. */
    public interface Activities {
        Opened open(EdenStore store, ServerOptions options);

        /** @param background what runs besides and is closed first */
        record Opened(MigrationActivities activities, List<AutoCloseable> background) {}
    }

    /** Starts; what was started is closed again when a later part can't be. */
    public static EdenServer start(ServerOptions options, Activities activities) {
        return start(options, activities, TEMPORAL_PATIENCE);
    }

    /** {@code temporalPatience}: after which a server without a proxy inside gives up, and one with a proxy serves without Temporal. */
    static EdenServer start(ServerOptions options, Activities activities, Duration temporalPatience) {
        EdenServer server = new EdenServer();
        try {
            server.open(options, activities, temporalPatience);
            return server;
        } catch (RuntimeException e) {
            // One that was interrupted, too, ends what it has begun in good order.
            Thread.interrupted();
            server.close();
            throw e;
        }
    }

    /** The API's port. */
    public int apiPort() {
        return running().apiPort();
    }

    /** The port of {@code /metrics} and {@code /health}. */
    public int adminPort() {
        return running().adminPort();
    }

    /** The ports of the proxies inside, by interlay. */
    public Map<String, Integer> proxyPorts() {
        Map<String, Integer> ports = new LinkedHashMap<>();
        proxies.forEach((interlay, proxy) -> ports.put(interlay, proxy.port()));
        return ports;
    }

    /** The admin token that this start has made; shown once. */
    public Optional<Secret> firstToken() {
        return Optional.ofNullable(firstToken).map(Secret::new);
    }

    /** Looks for migrations without a workflow now, not at the next minute. */
    void lookForOrphans() {
        java.util.Objects.requireNonNull(orphans, "not started").look();
    }

    @Override
    public void close() {
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

    private <T extends AutoCloseable> T opened(T part) {
        parts.push(part);
        return part;
    }

    private void open(ServerOptions options, Activities activities, Duration temporalPatience) {
        EdenStore store = opened(EdenStore.open(options.store(), true));
        List<String> unreadable = store.keys().unreadable();
        if (!unreadable.isEmpty()) {
            LOGGER.atError()
                    .addKeyValue("values", unreadable)
                    .log("values of the store can't be opened with the keys given; a former key is missing");
        }
        var jdbi = store.database().jdbi();
        TokenStore tokens = new TokenStore(jdbi, store.audit());
        Secret given = options.adminToken();
        if (given != null) {
            tokens.adminFromEnvironment(given.reveal());
        }
        InterlayStore interlays = new InterlayStore(jdbi, store.audit(), store.routeRows());
        for (ServerOptions.Front front : options.fronts()) {
            String address =
                    front.listen().getHostString() + ":" + front.listen().getPort();
            interlays.ensure(front.interlay(), front.engine(), address, "system");
        }

        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        opened(registry::close);
        opened(new ProcessMeters(registry, Tags.empty()));
        if (options.proxyInside()) {
            for (ServerOptions.Front front : options.fronts()) {
                proxies.put(
                        front.interlay(),
                        opened(ProxyProcess.start(
                                store,
                                options.proxyName(),
                                front.interlay(),
                                front.listen(),
                                null,
                                options.proxies(),
                                registry)));
            }
        }

        PayloadEncryption payloads = new PayloadEncryption(
                store.payloadKeys(), options.orchestration().encryptPayloads());
        TemporalConnection temporal = opened(
                TemporalConnection.to(options.temporalAddress(), options.temporalNamespace(), payloads.converter()));
        Activities.Opened made = activities.open(store, options);
        made.background().forEach(this::opened);
        Traces traces = opened(Traces.of(options.traces(), "eden-server"));
        FlipSpans flips = new FlipSpans(traces, store.routeRows()::attemptReport);
        WorkerFactory workers = WorkerFactory.newInstance(temporal.client(), workerOptions(traces, flips));
        MigrationWorkers.register(
                workers, made.activities(), options.orchestration().version());
        opened(TemporalArrival.await(temporal, workers, temporalPatience, !proxies.isEmpty()));

        MigrationStore migrations = new MigrationStore(jdbi, store.audit(), store.recorded());
        TrafficWindow traffic = opened(new TrafficWindow(store.routeRows()));
        ServerMeters meters = opened(new ServerMeters(registry, jdbi, interlays, traffic, proxies.isEmpty()));
        meters.dependency("store", () -> answers(store));
        meters.dependency("temporal", temporal::healthy);
        Orchestrator orchestrator =
                new Orchestrator(temporal.client(), temporal::searchAttributes, COMMAND_TIMEOUT, VIEW_TIMEOUT);
        Orphans lost = opened(new Orphans(migrations, orchestrator));
        orphans = lost;
        meters.orphans(lost::count);
        lost.start(options.orchestration().orphanCheck());
        WebUi ui = WebUi.of(options.temporalUi(), options.temporalNamespace());
        Notifier notifier = opened(Notifier.start(
                options.receivers(),
                new NotificationStore(jdbi, store.audit()),
                store.audit(),
                options.publicUrl(),
                ui,
                registry,
                Notifier.Terms.DEFAULT));
        MigrationStatus status = new MigrationStatus(
                new LiveViews(orchestrator::view),
                lost,
                store.routes(),
                new StatusStore(jdbi),
                store.routeRows(),
                traffic,
                new EndpointHealth(store.endpoints(), store.records()::controlLogin),
                ui);
        BackupAcknowledgement backup = BackupAcknowledgement.of(migrations, options.requireBackup());
        InterlayCoverage coverage = InterlayCoverage.of(interlays);
        MigrationCommands commands = new MigrationCommands(
                migrations,
                new MigrationStarts(jdbi, store.audit()),
                store.tunings(),
                new MigrationLabels(jdbi, store.audit()),
                orchestrator,
                status,
                new ForecastStore(jdbi),
                new MigrationCommands.Steps(
                        spec -> backup.check(
                                spec, it -> coverage.check(it, made.activities().preparation()::preflight)),
                        made.activities().preparation()::forecast,
                        spec -> made.activities().cutover().awaitReadiness(new AttemptRequest(spec, true, 0, "", null)),
                        spec -> flips.rehearsed(
                                () -> made.activities().cutover().rehearse(spec))),
                new MigrationRecovery(orchestrator, store.routes()));
        ForgottenMigrations forgotten = new ForgottenMigrations(jdbi, store.audit());
        opened(Retention.start(forgotten, options.retention()));
        MigrationEventsResource events = new MigrationEventsResource(migrations, store.audit(), tokens::good);

        StoredValidationReports validations = new StoredValidationReports(jdbi);
        List<Object> components = new ArrayList<>(Security.filters(
                tokens, new IdempotencyStore(jdbi), options.limits(), options.temporalUi(), options.trustedProxies()));
        components.add(new RequestIdFilter(traces));
        components.add(new EndpointResource(store.endpoints(), EndpointCheck::of));
        components.add(new InterlayResource(interlays, store.routeRows()));
        components.add(new InterlayUserResource(store.users()));
        ProxyStore proxyStore = new ProxyStore(jdbi, store.audit());
        components.add(new ProxyResource(
                proxyStore,
                new ProxyRemoval(proxyStore, new ProxyConnections(store.endpoints(), store.records())::count)));
        components.add(new MigrationResource(
                migrations,
                forgotten,
                commands,
                status,
                validations,
                new MigrationReport(status, store.audit(), validations, new ForecastStore(jdbi)),
                notifier));
        components.add(new ReceiverResource(notifier));
        components.add(events);
        components.add(new TokenResource(tokens));
        components.add(new CodecResource(payloads));
        components.add(new AuditResource(new AuditChain(jdbi), store.audit()));
        Map<String, HealthServlet.Check> checks = new LinkedHashMap<>();
        checks.put("store", HealthServlet.Check.of(() -> answers(store)));
        checks.put("temporal", HealthServlet.Check.of(temporal::healthy));
        checks.put("proxies", new ProxyPresence(store.routeRows()).check());
        api = opened(ApiServer.start(
                new ApiServer.Listen(
                        options.apiHost(), options.apiPort(), options.tls(), options.adminHost(), options.adminPort()),
                new ApiServer.Parts(
                        components,
                        Map.of(
                                "/metrics",
                                new MetricsServlet(registry),
                                "/health/*",
                                new HealthServlet(checks),
                                ForceOpenOrder.PATH,
                                new ForceOpenPort(store.cipher(), proxies).servlet()),
                        List.of(events),
                        registry)));
        if (given == null) {
            // Last: one that is made by a start that fails is never shown, and the next start makes no other.
            firstToken = tokens.firstAdmin().orElse(null);
        }
        LOGGER.atInfo()
                .addKeyValue("api_port", apiPort())
                .addKeyValue("admin_port", adminPort())
                .log("Eden serves");
    }

    private static WorkerFactoryOptions workerOptions(Traces traces, FlipSpans flips) {
        WorkerFactoryOptions options = MigrationWorkers.factoryOptions();
        if (!traces.on()) {
            return options;
        }
        return WorkerFactoryOptions.newBuilder(options)
                .setWorkerInterceptors(new ActivityTracing(traces, flips))
                .build();
    }

    private ApiServer running() {
        ApiServer started = api;
        if (started == null) {
            throw new IllegalStateException("not started");
        }
        return started;
    }

    private static boolean answers(EdenStore store) {
        try {
            return store.database()
                            .jdbi()
                            .withHandle(h -> h.createQuery("SELECT 1")
                                    .mapTo(Integer.class)
                                    .one())
                    == 1;
        } catch (RuntimeException e) {
            LOGGER.atDebug().setCause(e).log("the store does not answer");
            return false;
        }
    }
}
