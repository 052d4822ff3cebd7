package dev.eden.api;

import dev.eden.api.config.Networks;
import dev.eden.api.config.Receiver;
import dev.eden.api.rest.ApiTls;
import dev.eden.api.rest.Security;
import dev.eden.proxy.Secret;
import dev.eden.workflows.worker.WorkerVersion;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a server is told at start.
 *
 * @param fronts interlays to make where they are not there yet
 * @param proxyName of the proxies inside; must survive restarts
 * @param proxyInside false: the interlays are made, proxies run elsewhere
 * @param apiPort,adminPort 0 asks for a free one
 * @param temporalAddress {@code host:port}
 * @param temporalUi base URI of Temporal's Web UI: for links, and its pages may ask the codec
 * @param adminToken given from outside; null: the first start makes one and prints it
 * @param retention after which finished migrations are forgotten; zero: never
 * @param policy what most servers leave as it is
 */
public record ServerOptions(
        List<Front> fronts,
        String proxyName,
        boolean proxyInside,
        String apiHost,
        int apiPort,
        String adminHost,
        int adminPort,
        EdenStore.Settings store,
        String temporalAddress,
        String temporalNamespace,
        @Nullable String temporalUi,
        @Nullable Secret adminToken,
        Duration retention,
        Policy policy) {

    /**
     * What a server is strict about and how it speaks.
     *
     * @param tls null: the API is plain HTTP
     * @param requireBackup refuses a migration whose source's backup nobody has acknowledged
     * @param traces base URI of a collector of spans; null: none are made
     * @param publicUrl base URI of the API as people reach it, for links from elsewhere; null: there are none
     * @param trustedProxies balancers before the API, which say whom they speak for
     * @param proxies of the proxies inside
     * @param maxValueBytes a Redis value that is larger, serialised, stops the load
     * @param receivers who may be told of migrations
     */
    public record Policy(
            @Nullable ApiTls tls,
            Security.Limits limits,
            Orchestration orchestration,
            boolean requireBackup,
            @Nullable String traces,
            @Nullable String publicUrl,
            Networks trustedProxies,
            ProxySettings proxies,
            int maxValueBytes,
            List<Receiver> receivers) {
        /** Without TLS and traces, and with the limits of every server. */
        public static final Policy DEFAULT = new Policy(
                null,
                Security.Limits.DEFAULT,
                Orchestration.DEFAULT,
                false,
                null,
                null,
                Networks.NONE,
                ProxySettings.NONE,
                64 << 20,
                List.of());
    }

    /**
     * How Temporal is used.
     *
     * @param encryptPayloads what it keeps is encrypted; what was encrypted is always read
     * @param version null: workers without a version
     * @param orphanCheck how often to look for migrations whose workflow is gone; zero: only at the start
     */
    public record Orchestration(
            boolean encryptPayloads, @Nullable WorkerVersion version, Duration orphanCheck) {
        public static final Orchestration DEFAULT = new Orchestration(false, null);

        /** Looks for orphans every minute. */
        public Orchestration(boolean encryptPayloads, @Nullable WorkerVersion version) {
            this(encryptPayloads, version, Duration.ofMinutes(1));
        }
    }

    /** Without TLS and traces, and with the limits of every server. */
    public ServerOptions(
            List<Front> fronts,
            String proxyName,
            boolean proxyInside,
            String apiHost,
            int apiPort,
            String adminHost,
            int adminPort,
            EdenStore.Settings store,
            String temporalAddress,
            String temporalNamespace,
            @Nullable String temporalUi,
            @Nullable Secret adminToken,
            Duration retention) {
        this(
                fronts,
                proxyName,
                proxyInside,
                apiHost,
                apiPort,
                adminHost,
                adminPort,
                store,
                temporalAddress,
                temporalNamespace,
                temporalUi,
                adminToken,
                retention,
                Policy.DEFAULT);
    }

    public @Nullable ApiTls tls() {
        return policy.tls();
    }

    public Security.Limits limits() {
        return policy.limits();
    }

    public Orchestration orchestration() {
        return policy.orchestration();
    }

    public boolean requireBackup() {
        return policy.requireBackup();
    }

    public @Nullable String traces() {
        return policy.traces();
    }

    public @Nullable String publicUrl() {
        return policy.publicUrl();
    }

    public Networks trustedProxies() {
        return policy.trustedProxies();
    }

    public int maxValueBytes() {
        return policy.maxValueBytes();
    }

    public ProxySettings proxies() {
        return policy.proxies();
    }

    public List<Receiver> receivers() {
        return policy.receivers();
    }

    /** The same with another certificate, or none. */
    public ServerOptions withTls(@Nullable ApiTls other) {
        return with(new Policy(
                other,
                limits(),
                orchestration(),
                requireBackup(),
                traces(),
                publicUrl(),
                trustedProxies(),
                proxies(),
                maxValueBytes(),
                receivers()));
    }

    /** The same under other limits. */
    public ServerOptions withLimits(Security.Limits other) {
        return with(new Policy(
                tls(),
                other,
                orchestration(),
                requireBackup(),
                traces(),
                publicUrl(),
                trustedProxies(),
                proxies(),
                maxValueBytes(),
                receivers()));
    }

    /** The same with another use of Temporal. */
    public ServerOptions withOrchestration(Orchestration other) {
        return with(new Policy(
                tls(),
                limits(),
                other,
                requireBackup(),
                traces(),
                publicUrl(),
                trustedProxies(),
                proxies(),
                maxValueBytes(),
                receivers()));
    }

    /** The same, stricter about backups or not. */
    public ServerOptions withRequireBackup(boolean other) {
        return with(new Policy(
                tls(),
                limits(),
                orchestration(),
                other,
                traces(),
                publicUrl(),
                trustedProxies(),
                proxies(),
                maxValueBytes(),
                receivers()));
    }

    /** The same with another collector of spans, or none. */
    public ServerOptions withTraces(@Nullable String other) {
        return with(new Policy(
                tls(),
                limits(),
                orchestration(),
                requireBackup(),
                other,
                publicUrl(),
                trustedProxies(),
                proxies(),
                maxValueBytes(),
                receivers()));
    }

    /** The same, reached elsewhere. */
    public ServerOptions withPublicUrl(@Nullable String other) {
        return with(new Policy(
                tls(),
                limits(),
                orchestration(),
                requireBackup(),
                traces(),
                other,
                trustedProxies(),
                proxies(),
                maxValueBytes(),
                receivers()));
    }

    /** The same behind other balancers. */
    public ServerOptions withTrustedProxies(Networks other) {
        return with(new Policy(
                tls(),
                limits(),
                orchestration(),
                requireBackup(),
                traces(),
                publicUrl(),
                other,
                proxies(),
                maxValueBytes(),
                receivers()));
    }

    /** The same with other proxies inside. */
    public ServerOptions withProxies(ProxySettings other) {
        return with(new Policy(
                tls(),
                limits(),
                orchestration(),
                requireBackup(),
                traces(),
                publicUrl(),
                trustedProxies(),
                other,
                maxValueBytes(),
                receivers()));
    }

    /** The same with another limit of one value. */
    public ServerOptions withMaxValueBytes(int other) {
        return with(new Policy(
                tls(),
                limits(),
                orchestration(),
                requireBackup(),
                traces(),
                publicUrl(),
                trustedProxies(),
                proxies(),
                other,
                receivers()));
    }

    /** The same with others who may be told. */
    public ServerOptions withReceivers(List<Receiver> others) {
        return with(new Policy(
                tls(),
                limits(),
                orchestration(),
                requireBackup(),
                traces(),
                publicUrl(),
                trustedProxies(),
                proxies(),
                maxValueBytes(),
                others));
    }

    private ServerOptions with(Policy other) {
        return new ServerOptions(
                fronts,
                proxyName,
                proxyInside,
                apiHost,
                apiPort,
                adminHost,
                adminPort,
                store,
                temporalAddress,
                temporalNamespace,
                temporalUi,
                adminToken,
                retention,
                other);
    }

    public ServerOptions {
        fronts = List.copyOf(fronts);
    }

    /** Forgets nothing. */
    public ServerOptions(
            List<Front> fronts,
            String proxyName,
            boolean proxyInside,
            String apiHost,
            int apiPort,
            String adminHost,
            int adminPort,
            EdenStore.Settings store,
            String temporalAddress,
            String temporalNamespace,
            @Nullable String temporalUi,
            @Nullable Secret adminToken) {
        this(
                fronts,
                proxyName,
                proxyInside,
                apiHost,
                apiPort,
                adminHost,
                adminPort,
                store,
                temporalAddress,
                temporalNamespace,
                temporalUi,
                adminToken,
                Duration.ZERO);
    }

    /** An interlay, the engine it speaks and where it is listened for its clients. */
    public record Front(String interlay, String engine, InetSocketAddress listen) {

        /** What {@code --listen} makes. */
        public static Front redis(InetSocketAddress listen) {
            return new Front("redis_interlay", "redis", listen);
        }

        /** What {@code --listen-postgres} makes. */
        public static Front postgres(InetSocketAddress listen) {
            return new Front("postgres_interlay", "postgres", listen);
        }
    }
}
