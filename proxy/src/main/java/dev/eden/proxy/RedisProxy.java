package dev.eden.proxy;

import dev.eden.proxy.redis.LoopGroup;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * One proxy process (or the one inside a server) in front of a Redis: joins its interlay, listens, forwards, and takes part in cutovers. Needs nothing
 * but the {@link RouteStore}; outside an attempt it goes on without that too.
 */
public final class RedisProxy implements InterlayProxy {
    private final ProxyLife life;

    private RedisProxy(ProxyLife life) {
        this.life = life;
    }

    /**
     * Joins, waits for a STABLE route (an attempt that is running has to end first), then listens. Throws {@link RouteStoreException} when the
     * store can't be read, {@link java.io.UncheckedIOException} when the port is taken or the
     * certificate cannot be shown. Blocks; never call it on an event loop.
     */
    public static RedisProxy start(RedisProxyConfig config, RouteStore store, MeterRegistry registry) {
        return new RedisProxy(
                ProxyLife.start(config.identity(), config.interlay(), store, () -> new LoopGroup(config), registry));
    }

    @Override
    public int port() {
        return life.port();
    }

    @Override
    public int clients() {
        return life.clients();
    }

    @Override
    public Health health() {
        return life.health();
    }

    @Override
    public ForcedOpening.Outcome forceOpen(ForcedOpening opening) {
        return life.forceOpen(opening);
    }

    /** For tests: a process that was stopped can't be had in one that goes on. */
    Wakefulness wakefulness() {
        return life.wakefulness();
    }

    @Override
    public void close() {
        life.close();
    }
}
