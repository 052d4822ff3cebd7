package dev.eden.api;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.StartupException;
import dev.eden.proxy.ForcedOpening;
import dev.eden.proxy.Health;
import dev.eden.proxy.InterlayProxy;
import dev.eden.proxy.PostgresProxy;
import dev.eden.proxy.PostgresProxyConfig;
import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RedisProxy;
import dev.eden.proxy.RedisProxyConfig;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.RouteStoreException;
import dev.eden.proxy.WireRefusedException;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/** One proxy of whatever engine its interlay speaks, bound straight to the store. */
public final class ProxyProcess implements AutoCloseable {
    private final InterlayProxy proxy;

    private ProxyProcess(InterlayProxy proxy) {
        this.proxy = proxy;
    }

    /** {@code poolSize} null: the interlay's, else the proxy's default. Throws {@link StartupException}. */
    public static ProxyProcess start(
            EdenStore store,
            String name,
            String interlay,
            InetSocketAddress listen,
            @Nullable Integer poolSize,
            ProxySettings settings,
            MeterRegistry registry) {
        Front front = store.database().jdbi().withHandle(handle -> front(handle, interlay));
        ProxyIdentity identity = new ProxyIdentity(
                name, UUID.randomUUID().toString(), listen.getHostString() + ":" + listen.getPort(), Version.EDEN);
        @Nullable Integer pool = poolSize == null ? front.pool() : poolSize;
        if (front.tls() && settings.tls() == null) {
            throw new StartupException(
                    "interlay " + interlay + " is served with TLS, and proxy " + name + " has no certificate",
                    "name one: proxy.tls_cert_file (PEM chain) and proxy.tls_key_file (PEM, PKCS #8)");
        }
        settings.checkCertificate();
        RouteStore routes = store.routeStore();
        try {
            return new ProxyProcess(
                    switch (front.engine()) {
                        case "redis" ->
                            RedisProxy.start(settings.on(redis(identity, interlay, listen, pool)), routes, registry);
                        case "postgres" ->
                            PostgresProxy.start(
                                    settings.on(postgres(identity, interlay, listen, pool, front.pooling())),
                                    routes,
                                    registry);
                        default ->
                            throw new StartupException(
                                    "interlay " + interlay + " speaks " + front.engine(),
                                    "use a newer version of Eden");
                    });
        } catch (WireRefusedException e) {
            throw new StartupException(
                    "proxy " + name + " can't join interlay " + interlay + " (" + ErrorCode.WIRE_UNSUPPORTED.slug()
                            + "): " + e.getMessage(),
                    e.proxyIsOlder() ? "start a proxy of the servers' version" : "upgrade the servers first");
        } catch (UncheckedIOException e) {
            throw new StartupException(
                    "the proxy can't listen on " + identity.listen() + " (" + e.getMessage() + ")",
                    "stop what listens there, or choose with --listen");
        } catch (RouteStoreException e) {
            throw new StartupException(
                    "proxy " + name + " can't join interlay " + interlay + ": the store does not answer",
                    "see the database's log, then start the proxy again");
        } catch (IllegalStateException e) {
            throw new StartupException(
                    "proxy " + name + " can't start: " + e.getMessage(),
                    "wait for the attempt to end, or see the server's log");
        }
    }

    public int port() {
        return proxy.port();
    }

    public int clients() {
        return proxy.clients();
    }

    public Health health() {
        return proxy.health();
    }

    /** See {@link InterlayProxy#forceOpen}. */
    ForcedOpening.Outcome forceOpen(ForcedOpening opening) {
        return proxy.forceOpen(opening);
    }

    @Override
    public void close() {
        proxy.close();
    }

    private static RedisProxyConfig redis(
            ProxyIdentity identity, String interlay, InetSocketAddress listen, @Nullable Integer pool) {
        RedisProxyConfig base = RedisProxyConfig.of(identity, interlay, listen);
        return pool == null
                ? base
                : new RedisProxyConfig(
                        identity, interlay, listen, base.eventLoops(), pool, base.maxPinned(), base.limits());
    }

    private static PostgresProxyConfig postgres(
            ProxyIdentity identity,
            String interlay,
            InetSocketAddress listen,
            @Nullable Integer pool,
            Pooling pooling) {
        PostgresProxyConfig base = PostgresProxyConfig.of(identity, interlay, listen);
        return base.withPool(pooling, pool == null ? base.poolSize() : pool);
    }

    /** What its interlay says of a proxy. */
    private record Front(
            String engine, boolean tls, @Nullable Integer pool, Pooling pooling) {}

    private static Front front(Handle handle, String interlay) {
        // A proxy may be upgraded before the servers: their table has no pooling yet.
        return handle.createQuery("""
                        SELECT engine, tls, pool, to_jsonb(interlay) ->> 'pooling' AS pooling
                        FROM interlay WHERE id = :id""")
                .bind("id", interlay)
                .map((row, _) -> new Front(
                        row.getString("engine"),
                        row.getBoolean("tls"),
                        row.getObject("pool", Integer.class),
                        "session".equals(row.getString("pooling")) ? Pooling.SESSION : Pooling.TRANSACTION))
                .findOne()
                .orElseThrow(() -> new StartupException(
                        "there is no interlay " + interlay,
                        "create it first: POST /api/v1/interlays, or eden server --listen"));
    }
}
