package dev.eden.proxy.redis;

import dev.eden.proxy.Backend;
import dev.eden.proxy.Route;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Whether one loop serves, and under which route. The follower opens and shuts it; only the lease and a
 * {@linkplain dev.eden.proxy.Wakefulness sleep of the process} shut it by themselves, and nothing ever opens it by a clock.
 *
 * <pre>
 *            install(route)                      hold()
 *   (no route) ──────────► OPEN ◄──────────────► HELD ── everything drained ──► drained() completes
 *                           │       install(route) ▲ └── carryOver() ── every subscriber is over, or closed
 *                           └── lease ran out ─────┘   (ends by renew() or install())
 * </pre>
 */
final class Gate {
    /**
     * Whoever opens waits half a second and then does without the word of this proxy, all of whose subscribers have to be closed then. A late one is
     * given up so early that this word gets there by way of a slow store, too: it is read twice and written once meanwhile.
     */
    private static final long CARRY_PATIENCE = TimeUnit.MILLISECONDS.toNanos(200);

    /** A subscriber that takes nothing most likely never will, and all clients wait for it; one that was full for a moment takes more within this. */
    private static final long FULL_PATIENCE = TimeUnit.MILLISECONDS.toNanos(50);

    private final ProxyLoop loop;
    private @Nullable Route route;
    private @Nullable ServerAddress active;
    private @Nullable ServerAddress standby;
    private boolean held;
    private long leaseUntil = Long.MAX_VALUE;
    private boolean leaseLost;
    /** The sleeps of this process that {@link #route} is newer than. */
    private int awakeAs;

    private @Nullable CompletableFuture<Drained> draining;
    private long heldAt;
    private @Nullable CompletableFuture<Void> carrying;
    private long carryingSince;
    private boolean polling;
    private boolean canaries;
    private boolean acknowledgesBoth;
    long openedAt = Long.MIN_VALUE / 2;
    long flips;

    /** What a loop did on its way to rest. */
    record Drained(long micros, long held, long reissued, int listeners) {}

    Gate(ProxyLoop loop) {
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

    /** Which server the cursors that clients get are of. */
    int activeTag() {
        Route here = route;
        return here == null ? 0 : here.activeTag();
    }

    @Nullable
    ServerAddress standby() {
        return standby;
    }

    boolean knows(ServerAddress server) {
        return server.equals(active) || server.equals(standby);
    }

    boolean held() {
        return held;
    }

    /** True where a new request may go out now. */
    boolean open() {
        if (held || awakeAs != loop.context.wakefulness.sleeps(loop.now)) {
            return false;
        }
        if (leaseUntil != Long.MAX_VALUE && System.nanoTime() - leaseUntil > 0) {
            leaseLost = true;
            return false;
        }
        return true;
    }

    /** True where some reads may go to the standby. */
    boolean canaries() {
        return canaries;
    }

    /** True where replies wait for the standby. */
    boolean acknowledgesBoth() {
        return acknowledgesBoth;
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
        awakeAs = loop.context.wakefulness.known();
        active = nextActive == null ? null : ServerAddress.of(nextActive);
        standby = nextStandby == null ? null : ServerAddress.of(nextStandby);
        canaries = standby != null && next.canary().readShare() > 0;
        acknowledgesBoth = standby != null && next.ackBoth() && next.appliedKey() != null;
        loop.context.followed(loop, next);
        boolean flipped = before != null && !before.equals(active);
        boolean wasHeld = held;
        held = false;
        leaseUntil = Long.MAX_VALUE;
        leaseLost = false;
        draining = null;
        carrying = null;
        if (flipped) {
            flips++;
        }
        if (wasHeld || flipped) {
            openedAt = loop.now;
            loop.pools()
                    .forEach(
                            BackendPool
                                    ::forgive); // what a server refused while an attempt had changed it says nothing of
            // now
        }
        for (ClientConnection client : loop.clients.toArray(new ClientConnection[0])) {
            client.routed(flipped, wasHeld);
        }
        loop.sweep(true);
        loop.wakeAll();
        warm();
    }

    /** Serves on, but no longer than {@code until} (a {@code nanoTime}) unless renewed; without the canary, until the next route is installed. */
    void lease(long until) {
        // An attempt is near: what clients have in flight should be as little, and in one place, as can be.
        canaries = false;
        leaseUntil = until;
        if (leaseLost && until - System.nanoTime() > 0 && !held) {
            leaseLost = false;
            loop.tick();
            loop.wakeAll();
        }
        warm();
    }

    /** Lets nothing new out; the future completes when nothing is on its way any more. Again while held: the same future. */
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
        for (ClientConnection client : loop.clients.toArray(new ClientConnection[0])) {
            client.hold();
        }
        turnEnded();
        return future;
    }

    /** The authority has moved, and nobody serves yet: the future completes when no subscriber can miss what is published from then on. */
    CompletableFuture<Void> carryOver() {
        CompletableFuture<Void> running = carrying;
        if (running != null) {
            return running;
        }
        CompletableFuture<Void> future = new CompletableFuture<>();
        carrying = future;
        carryingSince = loop.tick();
        for (ClientConnection client : loop.clients) {
            client.session.crossing.carryOver();
        }
        turnEnded();
        return future;
    }

    /** Called whenever the loop has done a turn of work: maybe that was the last of it. */
    void turnEnded() {
        CompletableFuture<Drained> future = draining;
        if (future != null && !future.isDone()) {
            if (loop.inFlight == 0 && allResting()) {
                loop.tick();
                future.complete(drained());
            } else {
                lookAgain();
            }
        }
        CompletableFuture<Void> carried = carrying;
        if (carried != null && !carried.isDone()) {
            if (allCarried()) {
                carried.complete(null);
            } else {
                lookAgain();
            }
        }
    }

    private void lookAgain() {
        if (!polling) {
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

    private Drained drained() {
        int listeners = 0;
        for (ClientConnection client : loop.clients) {
            listeners += client.session.crossing.listens() ? 1 : 0;
        }
        return new Drained(
                TimeUnit.NANOSECONDS.toMicros(loop.now - heldAt),
                loop.counters.held,
                loop.counters.reissued,
                listeners);
    }

    private boolean allCarried() {
        long waited = System.nanoTime() - carryingSince;
        boolean all = true;
        for (int i = loop.clients.size() - 1; i >= 0; i--) { // one that is closed gives its place to the last
            all &= !loop.clients.get(i).session.crossing.toBeCarried(waited > CARRY_PATIENCE, waited > FULL_PATIENCE);
        }
        return all;
    }

    private boolean allResting() {
        for (ClientConnection client : loop.clients) {
            if (!client.resting()) {
                return false;
            }
        }
        return true;
    }

    /** Opens a connection to the standby for every login in use, so that a flip meets warm pools. */
    void warm() {
        ServerAddress other = standby;
        if (other == null) {
            return;
        }
        for (BackendPool pool : loop.pools()) {
            if (pool.key.server().equals(active) && pool.references > 0) {
                loop.pool(pool.key.on(other)).warm();
            }
        }
        loop.pool(new PoolKey(other, Identity.EDEN, 0, 2)).warm();
        ServerAddress here = active;
        if (here != null) {
            loop.pool(new PoolKey(here, Identity.EDEN, 0, 2)).warm();
        }
    }

    void backendOpened(BackendPool pool) {
        if (pool.onActive()) {
            loop.context.learnCommands(pool);
        }
    }
}
