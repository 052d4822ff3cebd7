package dev.eden.proxy;

import dev.eden.proxy.redis.LoopGroup;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One proxy process (or the one inside a server) in front of a Redis: joins its interlay, listens, forwards, and takes part in cutovers. Needs nothing
 * but the {@link RouteStore}; outside an attempt it goes on without that too.
 */
public final class RedisProxy implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(RedisProxy.class);
    private static final Duration STABLE_PATIENCE = Duration.ofSeconds(60);
    private static final Duration DRAIN_PATIENCE = Duration.ofSeconds(5);

    private final RedisProxyConfig config;
    private final RouteStore store;
    private final LoopGroup loops;
    private final RouteFollower follower;
    private final TrafficReporter reporter;
    private final int port;

    private RedisProxy(
            RedisProxyConfig config,
            RouteStore store,
            LoopGroup loops,
            RouteFollower follower,
            TrafficReporter reporter,
            int port) {
        this.config = config;
        this.store = store;
        this.loops = loops;
        this.follower = follower;
        this.reporter = reporter;
        this.port = port;
    }

    /**
     * Joins, waits for a STABLE route (an attempt that is running has to end first), then listens. Throws {@link RouteStoreException} when the
     * store can't be read, {@link UncheckedIOException} when the port is taken. Blocks; never call it on an event loop.
     */
    public static RedisProxy start(RedisProxyConfig config, RouteStore store, MeterRegistry registry) {
        Route route = joinStable(config, store);
        LoopGroup loops = new LoopGroup(config);
        RouteFollower follower = new RouteFollower(config, store, loops, route);
        try {
            follower.start();
            int port = loops.bind();
            TrafficReporter reporter = new TrafficReporter(config, store, loops, follower, registry);
            reporter.start();
            LOGGER.atInfo()
                    .addKeyValue("interlay", config.interlay())
                    .addKeyValue("proxy", config.identity().name())
                    .addKeyValue("epoch", route.epoch())
                    .log("listening on port {}", port);
            return new RedisProxy(config, store, loops, follower, reporter, port);
        } catch (IOException e) {
            abandon(config, store, loops, follower);
            throw new UncheckedIOException(e.getMessage(), e);
        } catch (RuntimeException e) {
            abandon(config, store, loops, follower);
            throw e;
        }
    }

    private static void abandon(RedisProxyConfig config, RouteStore store, LoopGroup loops, RouteFollower follower) {
        follower.close();
        loops.close();
        try {
            store.leave(config.identity(), config.interlay());
        } catch (RouteStoreException e) {
            LOGGER.atWarn().log("could not sign off: {}", e.getMessage());
        }
    }

    private static Route joinStable(RedisProxyConfig config, RouteStore store) {
        Route route = store.join(config.identity(), config.interlay());
        long patience = System.nanoTime() + STABLE_PATIENCE.toNanos();
        while (route.state() != RouteState.STABLE) {
            if (System.nanoTime() - patience > 0) {
                throw new IllegalStateException("interlay " + config.interlay() + " has been " + route.state() + " for "
                        + STABLE_PATIENCE.toSeconds() + " s; a proxy only starts on a stable route");
            }
            try {
                TimeUnit.MILLISECONDS.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for a stable route", e);
            }
            route = store.read(config.identity(), config.interlay());
        }
        return route;
    }

    /** The port it listens on. */
    public int port() {
        return port;
    }

    public Health health() {
        return follower.health();
    }

    /** Stops accepting, lets what is in flight end (5 s at most), closes, signs off. */
    @Override
    public void close() {
        loops.stopAccepting();
        follower.close();
        try {
            loops.hold().get(DRAIN_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOGGER.atWarn().addKeyValue("interlay", config.interlay()).log("closing with requests in flight");
        }
        reporter.close();
        loops.close();
        try {
            store.leave(config.identity(), config.interlay());
        } catch (RouteStoreException e) {
            LOGGER.atWarn().addKeyValue("interlay", config.interlay()).log("could not sign off: {}", e.getMessage());
        }
    }
}
