package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import dev.eden.proxy.Route;
import dev.eden.proxy.RouteState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Whether one loop begins new transactions, and under which route. The follower opens and shuts it; only the lease shuts it by itself, and nothing
 * ever opens it by a clock. What an open transaction still asks passes until it ends.
 *
 * <pre>
 *            install(route)                      hold()
 *   (no route) ──────────► OPEN ◄──────────────► HELD ── every connection idle ──► drained() completes
 *                           │       install(route) ▲
 *                           └── lease ran out ─────┘   (ends by lease() or install())
 * </pre>
 */
final class Gate {
    /** How long after a flip the new side's fence may still refuse logins. */
    private static final long FENCE_PATIENCE = Duration.ofSeconds(30).toNanos();

    private final PostgresLoop loop;
    private @Nullable Route route;
    private @Nullable ServerAddress active;
    private @Nullable ServerAddress standby;
    private boolean held;
    private long leaseUntil = Long.MAX_VALUE;
    private boolean leaseLost;
    private @Nullable CompletableFuture<Drained> draining;
    private long heldAt;
    private boolean polling;
    private long flippedAt = Long.MIN_VALUE / 2;

    /** What a loop did on its way to rest. */
    record Drained(long micros, long held, List<Integer> backends, Map<String, Long> endings) {}

    Gate(PostgresLoop loop) {
        this.loop = loop;
    }

    @Nullable
    Route route() {
        return route;
    }

    @Nullable
    ServerAddress active() {
        return active;
    }

    @Nullable
    Backend activeBackend() {
        Route here = route;
        return here == null ? null : here.active();
    }

    boolean knows(ServerAddress server) {
        return server.equals(active) || server.equals(standby);
    }

    boolean held() {
        return held;
    }

    boolean justFlipped() {
        return loop.now - flippedAt < FENCE_PATIENCE;
    }

    /** True outside attempts, and when the last one's end is a while ago. */
    boolean calm() {
        Route here = route;
        return !held
                && here != null
                && here.state() == RouteState.STABLE
                && leaseUntil == Long.MAX_VALUE
                && !justFlipped();
    }

    /** True where a new transaction may begin now. */
    boolean open() {
        if (held || route == null) {
            return false;
        }
        if (leaseUntil != Long.MAX_VALUE && System.nanoTime() - leaseUntil > 0) {
            leaseLost = true;
            return false;
        }
        return true;
    }

    /** True where the lease ran out and was not renewed. */
    boolean leaseLost() {
        return leaseLost || (leaseUntil != Long.MAX_VALUE && System.nanoTime() - leaseUntil > 0);
    }

    /** Serves under this route from now on. */
    void install(Route next) {
        loop.tick();
        ServerAddress before = active;
        Backend nextActive = next.active();
        Backend nextStandby = next.standby();
        route = next;
        active = nextActive == null ? null : ServerAddress.of(nextActive);
        standby = nextStandby == null ? null : ServerAddress.of(nextStandby);
        boolean flipped = before != null && !before.equals(active);
        held = false;
        leaseUntil = Long.MAX_VALUE;
        leaseLost = false;
        draining = null;
        if (flipped) {
            flippedAt = loop.now;
            for (ClientSession client : loop.clients.toArray(new ClientSession[0])) {
                client.flipped();
            }
        }
        loop.dropForeign(flipped);
        loop.wakeAll();
    }

    /** Serves on, but no longer than {@code until} (a {@code nanoTime}) unless renewed. */
    void lease(long until) {
        leaseUntil = until;
        if (leaseLost && until - System.nanoTime() > 0 && !held) {
            leaseLost = false;
            loop.tick();
            loop.pools().forEach(ServerPool::emptyLine); // nobody was served meanwhile: stand in line again
            loop.wakeAll();
        }
    }

    /** Lets no new transaction begin; the future completes when every connection rests. Again while held: the same future. */
    CompletableFuture<Drained> hold() {
        CompletableFuture<Drained> running = draining;
        if (running != null) {
            return running;
        }
        CompletableFuture<Drained> future = new CompletableFuture<>();
        draining = future;
        loop.tick();
        held = true;
        heldAt = loop.now;
        loop.pools().forEach(ServerPool::emptyLine);
        for (ClientSession client : loop.clients.toArray(new ClientSession[0])) {
            client.hold();
        }
        loop.schedule();
        return future;
    }

    /** Called whenever the loop has done a turn of work: maybe that was the last of it. */
    void turnEnded() {
        CompletableFuture<Drained> future = draining;
        if (future == null || future.isDone()) {
            return;
        }
        if (resting()) {
            loop.tick();
            future.complete(drained());
        } else if (!polling) {
            polling = true;
            loop.eventLoop.schedule(
                    () -> {
                        polling = false;
                        turnEnded();
                    },
                    1,
                    TimeUnit.MILLISECONDS);
        }
    }

    private boolean resting() {
        boolean[] busy = new boolean[1];
        for (ServerPool pool : loop.pools()) {
            pool.each(connection -> busy[0] |= connection.busy());
        }
        if (busy[0]) {
            return false;
        }
        for (ClientSession client : loop.clients) {
            if (!client.resting()) {
                return false;
            }
        }
        return true;
    }

    private Drained drained() {
        List<Integer> backends = new ArrayList<>();
        for (ServerPool pool : loop.allPools()) {
            if (pool.onActive()) {
                pool.each(connection -> {
                    if (connection.usable()) {
                        backends.add(connection.pid);
                    }
                });
            }
        }
        Map<String, Long> endings = new TreeMap<>();
        for (ClientSession client : loop.clients) {
            String reason = client.cannotBeCarried();
            if (reason != null) {
                endings.merge(reason, 1L, Long::sum);
            }
        }
        return new Drained(TimeUnit.NANOSECONDS.toMicros(loop.now - heldAt), loop.counters.held, backends, endings);
    }

    /** Opens connections to the standby for every pool in use, so that a flip meets them logged in. */
    void warm() {
        ServerAddress here = active;
        Route now = route;
        if (here == null || now == null || now.standby() == null) {
            return;
        }
        loop.tick();
        for (ServerPool pool : loop.pools()) {
            if (pool.key.server().equals(here) && pool.references > 0) {
                loop.pool(pool.key.on(now.standby())).warm(Math.min(pool.open(), pool.references));
            }
        }
    }
}
