package dev.eden.proxy;

import dev.eden.proxy.postgres.PostgresLoops;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * One proxy process (or the one inside a server) in front of a PostgreSQL: joins its interlay, listens, forwards, and takes part in cutovers. Needs nothing
 * but the {@link RouteStore}; outside an attempt it goes on without that too.
 */
public final class PostgresProxy implements InterlayProxy {
    private final ProxyLife life;

    private PostgresProxy(ProxyLife life) {
        this.life = life;
    }

    /**
     * Joins, waits for a STABLE route (an attempt that is running has to end first), then listens. Throws {@link RouteStoreException} when the
     * store can't be read, {@link java.io.UncheckedIOException} when the port is taken. Blocks; never call it on an event loop.
     */
    public static PostgresProxy start(PostgresProxyConfig config, RouteStore store, MeterRegistry registry) {
        return new PostgresProxy(ProxyLife.start(
                config.identity(), config.interlay(), store, () -> new PostgresLoops(config, store), registry));
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

    @Override
    public void close() {
        life.close();
    }
}
