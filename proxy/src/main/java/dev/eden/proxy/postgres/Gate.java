package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import dev.eden.proxy.Route;
import dev.eden.proxy.RouteState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Whether one loop begins new transactions, and under which route. The follower opens and shuts it; only the lease and a
 * {@linkplain dev.eden.proxy.Wakefulness sleep of the process} shut it by themselves, and nothing ever opens it by a clock. What an open transaction still asks passes until it ends.
 *
 * <pre>
 *            install(route)                      hold()
 *   (no route) ──────────► OPEN ◄──────────────► HELD ── every connection idle ──► drained() completes
 *                           ▲│      install(route) ▲ │ carryOver(route)
 *                           │└── lease ran out ─────┘ ▼  (the lease's end: by lease() or install())
 *                           └── install(route) ─── TURNED: the new side's pools connect, listeners listen there; nobody else begins
 * </pre>
 */
final class Gate {
    /** How long after a flip the new side's fence may still refuse logins. */
    private static final long FENCE_PATIENCE = Duration.ofSeconds(30).toNanos();

    private static final long AFTER_FLIP = Duration.ofSeconds(1).toNanos();

    private final PostgresLoop loop;
    private @Nullable Route route;
    private @Nullable ServerAddress active;
    private @Nullable ServerAddress standby;
    private boolean held;
    private boolean turned;
    private @Nullable CompletableFuture<Void> carrying;
    private int hearingOut;
    private long leaseUntil = Long.MAX_VALUE;
    private boolean leaseLost;
    /** The sleeps of this process that {@link #route} is newer than. */
    private int awakeAs;

    private @Nullable CompletableFuture<Drained> draining;
    private long heldAt;
    private boolean polling;
    private long flippedAt = Long.MIN_VALUE / 2;

    /** What a loop did on its way to rest. */
    record Drained(long micros, long held, List<Integer> backends, int listeners, Map<String, Long> endings) {}

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

    /** True when a flip's clients have been served for a while: what can wait has waited. */
    boolean afterFlip() {
        return !held && loop.now - flippedAt > AFTER_FLIP;
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
        if (held || route == null || awakeAs != loop.wakefulness.sleeps(loop.now)) {
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

    /** True between the commit and the opening, when only sessions that listen get connections. */
    boolean turned() {
        return turned;
    }

    /** Serves under this route from now on. */
    void install(Route next) {
        loop.tick();
        boolean shut = !open() && !turned;
        turn(next);
        if (turned) {
            loop.pools().forEach(ServerPool::connectExpected);
        }
        if (shut) {
            loop.pools()
                    .forEach(
                            ServerPool::emptyLine); // what came back meanwhile was given to nobody: stand in line again
        }
        awakeAs = loop.wakefulness.known();
        held = false;
        turned = false;
        carrying = null;
        leaseUntil = Long.MAX_VALUE;
        leaseLost = false;
        draining = null;
        loop.wakeAll();
    }

    /** Sessions leave the old side while everything is held; the future completes when those that listen do so on the new one. */
    CompletableFuture<Void> carryOver(Route committed) {
        CompletableFuture<Void> running = carrying;
        if (running != null) {
            return running;
        }
        CompletableFuture<Void> future = new CompletableFuture<>();
        carrying = future;
        loop.tick();
        held = true;
        turned = true;
        turn(committed);
        loop.wakeAll();
        return future;
    }

    /** A session left on the old side is asked for what it has heard; {@link #heardOut} follows. */
    void hearsOut() {
        hearingOut++;
    }

    void heardOut() {
        hearingOut--;
        loop.schedule();
    }

    private void turn(Route next) {
        ServerAddress before = active;
        Route routeBefore = route;
        Backend nextActive = next.active();
        Backend nextStandby = next.standby();
        route = next;
        active = nextActive == null ? null : ServerAddress.of(nextActive);
        standby = nextStandby == null ? null : ServerAddress.of(nextStandby);
        if (loop.standbySide.runsOn(loop)) {
            loop.standbySide.follow(next);
        }
        if (routeBefore != null
                && (!Objects.equals(routeBefore.standby(), nextStandby)
                        || !Objects.equals(routeBefore.active(), nextActive))) {
            loop.standbyPools.clear(); // another server, or another login there
        }
        if (before == null || before.equals(active)) {
            loop.dropForeign(false);
            return;
        }
        Map<PoolKey, Integer> used = loop.inUse(before);
        flippedAt = loop.now;
        for (ClientSession client : loop.clients.toArray(new ClientSession[0])) {
            client.crossing.flipped();
        }
        loop.dropForeign(true);
        if (nextActive != null) {
            used.forEach((key, connections) -> {
                ServerPool pool = loop.pool(key.on(nextActive));
                pool.tidy();
                pool.expect(connections);
                if (!turned) {
                    pool.connectExpected(); // else that side's fence is still up
                }
            });
        }
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
            client.crossing.hold();
        }
        loop.schedule();
        return future;
    }

    /** Called whenever the loop has done a turn of work: maybe that was the last of it. */
    void turnEnded() {
        CompletableFuture<Drained> future = draining;
        if (future != null && !future.isDone()) {
            if (resting()) {
                loop.tick();
                future.complete(drained());
            } else {
                lookAgain();
            }
        }
        CompletableFuture<Void> carried = carrying;
        if (carried != null && !carried.isDone()) {
            if (hearingOut == 0 && loop.clients.stream().noneMatch(client -> client.crossing.toListen())) {
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

    private boolean resting() {
        boolean[] busy = new boolean[1];
        for (ServerPool pool : loop.pools()) {
            // On the other side the proxy is at its own business; what a client reads there is its session's, below.
            if (pool.onActive()) {
                pool.each(connection -> busy[0] |= connection.busy());
            }
        }
        if (busy[0]) {
            return false;
        }
        for (ClientSession client : loop.clients) {
            if (!client.crossing.resting()) {
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
        int listeners = 0;
        Map<String, Long> endings = new TreeMap<>();
        for (ClientSession client : loop.clients) {
            listeners += client.crossing.listens() ? 1 : 0;
            String reason = client.crossing.cannotBeCarried();
            if (reason != null) {
                endings.merge(reason, 1L, Long::sum);
            }
        }
        return new Drained(
                TimeUnit.NANOSECONDS.toMicros(loop.now - heldAt), loop.counters.held, backends, listeners, endings);
    }
}
