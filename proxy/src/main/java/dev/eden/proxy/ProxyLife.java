package dev.eden.proxy;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The life of one proxy process whatever its engine: join, wait for a stable route, listen, follow, drain, sign off. */
final class ProxyLife implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(ProxyLife.class);
    private static final Duration STABLE_PATIENCE = Duration.ofSeconds(60);
    private static final Duration DRAIN_PATIENCE = Duration.ofSeconds(5);
    /** An attempt that has counted on this proxy aborts without it; most end sooner than this. */
    private static final Duration ATTEMPT_PATIENCE = Duration.ofSeconds(5);

    private final ProxyIdentity identity;
    private final String interlay;
    private final RouteStore store;
    private final DataPlane loops;
    private final RouteFollower follower;
    private final TrafficReporter reporter;
    private final int port;
    private final AtomicBoolean closed = new AtomicBoolean();

    private ProxyLife(
            ProxyIdentity identity,
            String interlay,
            RouteStore store,
            DataPlane loops,
            RouteFollower follower,
            TrafficReporter reporter,
            int port) {
        this.identity = identity;
        this.interlay = interlay;
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
    static ProxyLife start(
            ProxyIdentity identity,
            String interlay,
            RouteStore store,
            Supplier<DataPlane> engine,
            MeterRegistry registry) {
        try {
            Route route = joinStable(identity, interlay, store);
            return serving(identity, interlay, store, engine.get(), registry, route);
        } catch (RuntimeException e) {
            // Also where joining itself failed: it may have been in vain only after the store knew of it.
            signOff(identity, interlay, store);
            throw e;
        }
    }

    private static ProxyLife serving(
            ProxyIdentity identity,
            String interlay,
            RouteStore store,
            DataPlane loops,
            MeterRegistry registry,
            Route route) {
        RouteFollower follower = new RouteFollower(identity, interlay, store, loops, route);
        try {
            follower.start();
            int port = loops.bind();
            TrafficReporter reporter =
                    new TrafficReporter(identity.listeningOn(port), interlay, store, loops, follower, registry);
            reporter.start();
            LOGGER.atInfo()
                    .addKeyValue("interlay", interlay)
                    .addKeyValue("proxy", identity.name())
                    .addKeyValue("epoch", route.epoch())
                    .log("listening on port {}", port);
            return new ProxyLife(identity, interlay, store, loops, follower, reporter, port);
        } catch (IOException e) {
            abandon(follower, loops);
            throw new UncheckedIOException(e.getMessage(), e);
        } catch (RuntimeException e) {
            abandon(follower, loops);
            throw e;
        }
    }

    private static void abandon(RouteFollower follower, DataPlane loops) {
        follower.close();
        loops.close();
    }

    /** A name that stays behind is silent, and no attempt starts. Also for a thread that was interrupted, whose connections to the store fail. */
    private static void signOff(ProxyIdentity identity, String interlay, RouteStore store) {
        boolean interrupted = Thread.interrupted();
        try {
            store.leave(identity, interlay);
        } catch (RouteStoreException e) {
            LOGGER.atWarn().addKeyValue("interlay", interlay).log("could not sign off: {}", e.getMessage());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void awaitStable() {
        long patience = System.nanoTime() + ATTEMPT_PATIENCE.toNanos();
        try {
            while (follower.health().state() != RouteState.STABLE
                    && follower.health().storeReadable()
                    && System.nanoTime() - patience < 0) {
                TimeUnit.MILLISECONDS.sleep(5);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Route joinStable(ProxyIdentity identity, String interlay, RouteStore store) {
        Route route = store.join(identity, interlay);
        long patience = System.nanoTime() + STABLE_PATIENCE.toNanos();
        while (route.state() != RouteState.STABLE) {
            if (System.nanoTime() - patience > 0) {
                throw new IllegalStateException("interlay " + interlay + " has been " + route.state() + " for "
                        + STABLE_PATIENCE.toSeconds() + " s; a proxy only starts on a stable route");
            }
            try {
                TimeUnit.MILLISECONDS.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for a stable route", e);
            }
            route = store.read(identity, interlay);
        }
        return route;
    }

    int port() {
        return port;
    }

    int clients() {
        return loops.clients();
    }

    Health health() {
        return follower.health();
    }

    Wakefulness wakefulness() {
        return loops.wakefulness();
    }

    ForcedOpening.Outcome forceOpen(ForcedOpening opening) {
        return follower.forceOpen(opening);
    }

    /** Stops accepting, takes part in a running attempt to its end, lets what is in flight end (5 s at most each), closes, signs off. */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        loops.stopAccepting();
        awaitStable();
        follower.close();
        try {
            loops.hold().get(DRAIN_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOGGER.atWarn().addKeyValue("interlay", interlay).log("closing with requests in flight");
        }
        reporter.close();
        loops.close();
        signOff(identity, interlay, store);
    }
}
