package dev.eden.api;

import dev.eden.api.problem.StartupException;
import dev.eden.proxy.Health;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RedisProxy;
import dev.eden.proxy.RedisProxyConfig;
import dev.eden.proxy.RouteStoreException;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/** One Redis proxy, bound straight to the store. */
public final class ProxyProcess implements AutoCloseable {
    private static final String VERSION = "0.1.0";

    private final RedisProxy proxy;

    private ProxyProcess(RedisProxy proxy) {
        this.proxy = proxy;
    }

    /** {@code poolSize} null: the interlay's, else the proxy's default. Throws {@link StartupException}. */
    public static ProxyProcess start(
            EdenStore store,
            String name,
            String interlay,
            InetSocketAddress listen,
            @Nullable Integer poolSize,
            MeterRegistry registry) {
        @Nullable Integer configured = store.database().jdbi().withHandle(handle -> pool(handle, interlay));
        ProxyIdentity identity = new ProxyIdentity(
                name, UUID.randomUUID().toString(), listen.getHostString() + ":" + listen.getPort(), VERSION);
        RedisProxyConfig base = RedisProxyConfig.of(identity, interlay, listen);
        @Nullable Integer pool = poolSize == null ? configured : poolSize;
        RedisProxyConfig config = pool == null
                ? base
                : new RedisProxyConfig(
                        identity, interlay, listen, base.eventLoops(), pool, base.maxPinned(), base.limits());
        try {
            return new ProxyProcess(RedisProxy.start(config, store.routeStore(), registry));
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

    public Health health() {
        return proxy.health();
    }

    @Override
    public void close() {
        proxy.close();
    }

    private static @Nullable Integer pool(Handle handle, String interlay) {
        return handle.createQuery("SELECT pool FROM interlay WHERE id = :id")
                .bind("id", interlay)
                .map((row, _) -> java.util.Optional.ofNullable(row.getObject("pool", Integer.class)))
                .findOne()
                .orElseThrow(() -> new StartupException(
                        "there is no interlay " + interlay,
                        "create it first: POST /api/v1/interlays, or eden server --listen"))
                .orElse(null);
    }
}
