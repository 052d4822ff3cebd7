package dev.eden.api;

import dev.eden.api.problem.StartupException;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RedisProxy;
import dev.eden.proxy.RedisProxyConfig;
import dev.eden.proxy.RouteStoreException;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetSocketAddress;
import java.util.NoSuchElementException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One Redis proxy, bound straight to the store. */
public final class ProxyProcess implements AutoCloseable {
    private static final String VERSION = "1";

    private final RedisProxy proxy;

    private ProxyProcess(RedisProxy proxy) {
        this.proxy = proxy;
    }

    /** Joins under {@code name}, which survives restarts, and listens. Throws {@link StartupException}. */
    public static ProxyProcess start(
            EdenStore store,
            String name,
            String interlay,
            InetSocketAddress listen,
            @Nullable Integer poolSize,
            MeterRegistry registry) {
        ProxyIdentity identity = new ProxyIdentity(
                name, UUID.randomUUID().toString(), listen.getHostString() + ":" + listen.getPort(), VERSION);
        RedisProxyConfig config = RedisProxyConfig.of(identity, interlay, listen);
        if (poolSize != null) {
            config = config.withPoolSize(poolSize);
        }
        try {
            return new ProxyProcess(RedisProxy.start(config, store.routeStore(), registry));
        } catch (NoSuchElementException e) {
            throw new StartupException(
                    "there is no interlay " + interlay, "create it with POST /api/v1/interlays, or correct --interlay");
        } catch (RouteStoreException e) {
            throw new StartupException(
                    "the route of interlay " + interlay + " cannot be read", "see that Eden's database answers");
        } catch (RuntimeException e) {
            if (e.getCause() instanceof java.net.BindException || e.getCause() instanceof java.io.IOException) {
                throw new StartupException(
                        "the proxy can't listen on " + listen.getHostString() + ":" + listen.getPort(),
                        "stop what listens there, or choose with --listen");
            }
            throw e;
        }
    }

    public int port() {
        return proxy.port();
    }

    public boolean serving() {
        return proxy.health().serving();
    }

    @Override
    public void close() {
        proxy.close();
    }
}
