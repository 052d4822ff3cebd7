package dev.eden.proxy;

import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows the route row and makes the loops obey it: the proxy's part of the cutover protocol. One virtual thread reads the row (on notice
 * and every 500 ms, every 50 ms while it is not STABLE), orders, and acknowledges what is true. It never opens by its own clock: what it
 * can't read it waits for, closed if the row it last knew says so; only an operator's word opens it then ({@link HandOpened}).
 *
 * <pre>
 *   STABLE(e) ── serve
 *   ARMED ────── serve on a lease of 2 s since the last successful read began; ack ARMED when the standby answers
 *   PREPARED ─── hold; ack DRAINED when nothing is in flight; past the deadline try to abort
 *   ABORTING ─── hold
 *   COMMITTED ── hold; leave the old side; ack CARRIED when listeners listen on the new one and the row is COMMITTED still
 *   STABLE ───── switch to the active side, send what was held; ack OPENED for the attempt
 * </pre>
 *
 * <p>Where the authority has moved and that CARRIED was never true here, others may have written while nobody listened for this proxy's
 * clients: their listening sessions end, so that they know.
 *
 * <p>A process that the store does not know as joined (an operator has removed it while it was silent) holds, joins anew, and serves from the
 * next STABLE on: an attempt that does not wait for it may be on its way. One that was replaced under its name holds for good.
 */
final class RouteFollower implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(RouteFollower.class);
    private static final Duration LEASE = Duration.ofSeconds(2);
    private static final Duration CALM = Duration.ofMillis(500);
    private static final int REHEARSALS = 25;
    private static final int REHEARSED_HOLDS = 4;
    private static final Duration BETWEEN_HOLDS = Duration.ofMillis(40);
    /** Within the coordinator's patience with proxies that do not say that they are armed. */
    private static final Duration LOG_IN = Duration.ofMillis(1_200);

    private static final Duration AT_ONCE = Duration.ofMillis(20);
    private static final Duration ORDER_PATIENCE = Duration.ofSeconds(30);
    private static final Duration ALERT = Duration.ofMillis(50);

    private final ProxyIdentity identity;
    private final String interlay;
    private final RouteStore store;
    private final DataPlane loops;
    private final Semaphore signal = new Semaphore(0);
    private final Queue<Order> orders = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private final Thread pulse;
    private final Wakefulness wakefulness;
    private final StandbyReach standby;
    private RouteStore.@Nullable Subscription subscription;
    private volatile boolean stopping;

    private volatile Route current;
    private volatile boolean storeReadable = true;
    private volatile boolean serving = true;
    private volatile @Nullable HandOpened handOpened;
    private boolean contradictionTold;
    /** Not among the interlay's proxies, or joined again and not served since; null: it is. */
    private volatile @Nullable String outside;

    final AtomicLong lateRows = new AtomicLong();
    final AtomicLong storeFailures = new AtomicLong();
    private long installedVersion = -1;
    /** {@link Route#activeTag} of the server that is served, -1 before the first. */
    private int installedTag = -1;
    /** The epoch at whose beginning this proxy's listeners had been listening on its owner before anybody wrote there. */
    private long heardFrom = -1;

    private long attempt;
    private boolean armedAcknowledged;
    private boolean drainedAcknowledged;
    private boolean openedPending;
    private boolean listeners;
    private @Nullable CompletableFuture<Void> carrying;
    private boolean abortTried;
    private long preparedAt;
    private long holdWallMicros;
    private @Nullable CompletableFuture<DataPlane.HoldReport> draining;
    private @Nullable CompletableFuture<Void> preparing;

    RouteFollower(ProxyIdentity identity, String interlay, RouteStore store, DataPlane loops, Route joined) {
        this.identity = identity;
        this.interlay = interlay;
        this.store = store;
        this.loops = loops;
        this.current = joined;
        // A thread of the system: a virtual one is woken by another that was woken before.
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("eden-route-" + identity.name())
                .unstarted(this::run);
        this.wakefulness = loops.wakefulness();
        this.standby = new StandbyReach(
                interlay,
                loops,
                (route, why) -> acknowledge(route.attempt(), RouteStore.Step.UNREACHED, "proxy.unreached", why));
        this.pulse = Thread.ofPlatform()
                .daemon()
                .name("eden-pulse-" + identity.name())
                .unstarted(this::beat);
    }

    /** Installs the joined row, which must be STABLE, and follows from then on. */
    void start() {
        loops.looked(current);
        install(current);
        subscription = store.watch(interlay, signal::release);
        thread.start();
        pulse.start();
    }

    private void beat() {
        try {
            while (!stopping) {
                if (wakefulness.beat()) {
                    signal.release();
                }
                Thread.sleep(Wakefulness.PULSE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    Health health() {
        Route route = current;
        boolean readable = storeReadable;
        HandOpened opened = handOpened;
        String away = outside;
        boolean slept = wakefulness.slept();
        boolean bound = route.active() != null;
        String detail = away != null
                ? "holds requests: " + away
                : opened != null
                        ? opened.detail()
                        : slept
                                ? "holds requests: it was stopped for a while and has not read the route since"
                                : !serving && !readable
                                        ? "holds requests: the store can't be read and an attempt is running"
                                        : !readable
                                                ? "the store can't be read; serving on the last route"
                                                : bound
                                                        ? ""
                                                        : "the interlay has no endpoint yet: every request is answered with an error";
        return new Health(serving && !slept, route.state(), route.epoch(), readable, bound, detail);
    }

    Route route() {
        return current;
    }

    /** One reading of the row: when it began, and how often the process had slept by then. */
    private record Look(long began, int sleeps) {}

    private void run() {
        while (!stopping) {
            wakefulness.beat();
            Look look = new Look(System.nanoTime(), wakefulness.sleeps(System.nanoTime()));
            try {
                Route row = store.read(identity, interlay);
                readable();
                answerOrders(false);
                boolean late = row.version() < current.version();
                if (late) {
                    lateRows.incrementAndGet();
                }
                HandOpened opened = handOpened;
                if (opened != null) {
                    if (!late) {
                        reconcile(opened, row, look);
                    }
                } else {
                    if (!late) {
                        current = row;
                        loops.looked(row);
                    }
                    follow(look);
                }
            } catch (NotJoinedException e) {
                readable();
                answerOrders(false);
                joinAgain(e);
            } catch (RouteStoreException e) {
                unreadable(e);
                answerOrders(true);
            } catch (RuntimeException e) {
                LOGGER.atError()
                        .addKeyValue("interlay", interlay)
                        .setCause(e)
                        .log("following the route failed; trying again");
            }
            await();
        }
    }

    private void await() {
        Duration pause = current.state() == RouteState.STABLE && storeReadable ? CALM : ALERT;
        try {
            if (signal.tryAcquire(pause.toNanos(), TimeUnit.NANOSECONDS)) {
                signal.drainPermits();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            stopping = true;
        }
    }

    private void joinAgain(NotJoinedException cause) {
        hold();
        if (outside == null) {
            LOGGER.atError()
                    .addKeyValue("interlay", interlay)
                    .log(
                            "holding requests: {}; {}",
                            cause.getMessage(),
                            cause.replaced() ? "end one of them" : "joining");
        }
        outside = String.valueOf(cause.getMessage());
        if (cause.replaced()) {
            return;
        }
        try {
            current = store.join(identity, interlay);
            signal.release();
        } catch (RouteStoreException e) {
            unreadable(e);
        }
    }

    private void readable() {
        if (!storeReadable) {
            storeReadable = true;
            LOGGER.atInfo().addKeyValue("interlay", interlay).log("the store can be read again");
        }
    }

    private void unreadable(RouteStoreException cause) {
        storeFailures.incrementAndGet();
        if (storeReadable) {
            storeReadable = false;
            LOGGER.atWarn()
                    .addKeyValue("interlay", interlay)
                    .addKeyValue("state", current.state())
                    .log("the store can't be read: {}", cause.getMessage());
        }
        if (current.state() == RouteState.ARMED && serving && loops.leaseLost()) {
            serving = false;
            LOGGER.atError()
                    .addKeyValue("interlay", interlay)
                    .log("the lease ran out during an attempt: holding requests until the store says STABLE");
        }
    }

    // ---- by hand

    /** See {@link InterlayProxy#forceOpen}. */
    ForcedOpening.Outcome forceOpen(ForcedOpening opening) {
        Order order = new Order(opening, new CompletableFuture<>());
        orders.add(order);
        signal.release();
        try {
            return order.answer().get(ORDER_PATIENCE.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the proxy looked at the store", e);
        } catch (TimeoutException | ExecutionException e) {
            throw new IllegalStateException(
                    "the proxy did not come to it within " + ORDER_PATIENCE.toSeconds() + " s", e);
        } finally {
            orders.remove(order);
        }
    }

    private void answerOrders(boolean away) {
        for (Order order = orders.poll(); order != null; order = orders.poll()) {
            order.answer().complete(away ? open(order.opening()) : ForcedOpening.Outcome.STORE_ANSWERS);
        }
    }

    private ForcedOpening.Outcome open(ForcedOpening opening) {
        if (serving && !wakefulness.slept()) {
            return ForcedOpening.Outcome.ALREADY_SERVING;
        }
        HandOpened before = handOpened;
        HandOpened.Answer answer = before != null && !before.holdsFor(opening.owner())
                ? new HandOpened.Answer(ForcedOpening.Outcome.CONTRADICTS_THE_ROW, null)
                : HandOpened.answer(current, opening.owner());
        Route route = answer.route();
        LOGGER.atError()
                .addKeyValue("interlay", interlay)
                .addKeyValue("epoch", current.epoch())
                .log(
                        "{} says that {} owns the writes ({}): {}",
                        opening.actor(),
                        opening.owner(),
                        opening.reason(),
                        answer.outcome().meaning());
        if (route != null) {
            handOpened = HandOpened.by(opening);
            wakefulness.read(wakefulness.sleeps(System.nanoTime()));
            install(route);
            installedVersion = -1;
        }
        return answer.outcome();
    }

    private void reconcile(HandOpened opened, Route row, Look look) {
        switch (opened.next(row)) {
            case SERVE_ON -> {}
            case TRY_TO_ABORT ->
                store.abort(
                        interlay,
                        row.epoch(),
                        row.attempt(),
                        "proxy " + identity.name() + " was opened by hand while the store was away");
            case FOLLOW_THE_ROW -> {
                store.forced(identity, interlay, opened.opening(), "the store agrees");
                handOpened = null;
                current = row;
                follow(look);
            }
            case HOLD -> {
                hold();
                if (!contradictionTold) {
                    store.forced(
                            identity, interlay, opened.opening(), "the store says that the other side owns the writes");
                    contradictionTold = true;
                    LOGGER.atError().addKeyValue("interlay", interlay).log(opened.detail());
                }
            }
        }
    }

    private record Order(ForcedOpening opening, CompletableFuture<ForcedOpening.Outcome> answer) {}

    // ---- by state

    private void follow(Look look) {
        Route route = current;
        if (outside != null) {
            if (route.state() != RouteState.STABLE) {
                hold();
                return;
            }
            // Joined again: whatever attempt there was went by without this process.
            outside = null;
            begin(route.attempt());
            openedPending = false;
            installedVersion = -1;
        }
        boolean woken = wakefulness.read(look.sleeps());
        if (woken) {
            LOGGER.atWarn()
                    .addKeyValue("interlay", interlay)
                    .addKeyValue("state", route.state())
                    .log("this process was stopped for a while; it has read its route again");
        }
        if (route.attempt() != 0 && route.attempt() != attempt) {
            begin(route.attempt());
        }
        if (route.standby() != null && route.state() != RouteState.PREPARED) {
            loops.prepareForFlip();
        }
        switch (route.state()) {
            case STABLE -> stable(route, woken);
            case ARMED -> armed(route, look.began(), woken);
            case PREPARED -> prepared(route);
            case ABORTING -> hold();
            case COMMITTED -> committed(route);
        }
    }

    private void begin(long number) {
        attempt = number;
        armedAcknowledged = false;
        standby.begin();
        drainedAcknowledged = false;
        abortTried = false;
        preparedAt = 0;
        preparing = null;
        listeners = false;
        carrying = null;
    }

    private void stable(Route route, boolean woken) {
        if (woken || route.version() != installedVersion) {
            if (attempt != 0 && openedPending) {
                Failpoints.reach("proxy.open");
            }
            install(route);
        }
        if (openedPending) {
            acknowledge(attempt, RouteStore.Step.OPENED, "proxy.opened", openedDetail());
            openedPending = false;
        }
    }

    private String openedDetail() {
        return "{\"hold_at_micros\":" + holdWallMicros + ",\"opened_at_micros\":" + wallMicros() + "}";
    }

    private void install(Route route) {
        // Not the epoch: an interlay that joins others takes theirs, and its server stays.
        if (installedTag >= 0 && route.activeTag() != installedTag && route.epoch() != heardFrom) {
            loops.endListeners();
        }
        loops.install(route);
        installedVersion = route.version();
        installedTag = route.activeTag();
        draining = null;
        if (!serving) {
            LOGGER.atInfo()
                    .addKeyValue("interlay", interlay)
                    .addKeyValue("epoch", route.epoch())
                    .log("serving");
        }
        serving = true;
    }

    private void armed(Route route, long readBegan, boolean woken) {
        openedPending = true;
        if (woken || draining != null || installedVersion < 0) {
            install(route); // an earlier attempt's end was missed, and this row says who owns writes now
        }
        loops.lease(readBegan + LEASE.toNanos());
        serving = true;
        if (!armedAcknowledged) {
            if (!standby.reached(route)) {
                return; // and look again: the attempt ends before anybody is held
            }
            List<Integer> there = loggedIn(route);
            rehearse(route);
            loops.lease(readBegan + LEASE.toNanos());
            acknowledge(
                    route.attempt(),
                    RouteStore.Step.ARMED,
                    "proxy.armed",
                    there.isEmpty() ? "{}" : "{\"backends\":" + list(there) + "}");
            armedAcknowledged = true;
        }
    }

    private List<Integer> loggedIn(Route route) {
        CompletableFuture<List<Integer>> there = loops.logIn(route);
        try {
            return there.get(LOG_IN.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            return List.of(); // those that come later find themselves ended, and clients wait for their logins
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        }
    }

    /**
     * The pause should not be the first time that this process asks so often, holds and opens: a few holds of as long as a drain takes, with
     * time between them, before it has promised anything.
     */
    private void rehearse(Route route) {
        for (int i = 0; i < REHEARSALS; i++) {
            store.read(identity, interlay);
        }
        for (int i = 0; i < REHEARSED_HOLDS; i++) {
            await(loops.hold().thenAccept(report -> {}));
            install(route);
            LockSupport.parkNanos(BETWEEN_HOLDS.toNanos());
        }
    }

    private void prepared(Route route) {
        openedPending = true;
        if (preparedAt == 0) {
            preparedAt = System.nanoTime();
            holdWallMicros = wallMicros();
            Failpoints.reach("proxy.hold");
        }
        hold();
        CompletableFuture<Void> loading = preparing;
        if (loading == null) {
            loading = loops.prepareForFlip();
            preparing = loading;
            loading.thenRun(signal::release);
        }
        CompletableFuture<DataPlane.HoldReport> future = draining;
        if (future != null && !drainedAcknowledged) {
            // Almost always there at once: another look at the row first would cost more.
            await(CompletableFuture.allOf(future, loading));
        }
        if (future != null && future.isDone() && loading.isDone() && !drainedAcknowledged) {
            DataPlane.HoldReport report = future.join();
            listeners = report.listeners() > 0;
            acknowledge(route.attempt(), RouteStore.Step.DRAINED, "proxy.drained", drainedDetail(report));
            drainedAcknowledged = true;
        }
        long late = System.nanoTime() - preparedAt - TimeUnit.MILLISECONDS.toNanos(route.deadlineMillis());
        if (late > 0 && !abortTried) {
            boolean won = store.abort(
                    route.interlay(),
                    route.epoch(),
                    route.attempt(),
                    "proxy " + identity.name() + ": deadline passed"
                            + (drainedAcknowledged ? "" : " before everything was drained"));
            abortTried = true;
            LOGGER.atWarn()
                    .addKeyValue("interlay", interlay)
                    .addKeyValue("epoch", route.epoch())
                    .log("attempt {} is past its deadline; abort {}", route.attempt(), won ? "won" : "lost");
        }
    }

    private void committed(Route route) {
        hold();
        CompletableFuture<Void> future = carrying;
        if (future == null) {
            future = loops.carryOver(route);
            carrying = future;
            future.thenRun(signal::release);
            await(future);
        }
        // What was read before they listened does not say that nobody had opened by then.
        if (listeners
                && heardFrom != route.epoch()
                && future.isDone()
                && store.read(identity, interlay).version() == route.version()) {
            heardFrom = route.epoch();
            acknowledge(route.attempt(), RouteStore.Step.CARRIED, "proxy.carried", "{}");
        }
    }

    private String drainedDetail(DataPlane.HoldReport report) {
        StringBuilder json = new StringBuilder("{\"hold_at_micros\":" + holdWallMicros
                + ",\"drain_micros\":" + report.drainMicros()
                + ",\"held\":" + report.held()
                + ",\"reissued\":" + report.reissued());
        if (!report.backends().isEmpty()) {
            json.append(",\"backends\":").append(list(report.backends()));
        }
        if (report.listeners() > 0) {
            json.append(",\"listeners\":").append(report.listeners());
        }
        if (!report.endings().isEmpty()) {
            json.append(",\"endings\":{")
                    .append(report.endings().entrySet().stream()
                            .map(one -> '"' + one.getKey() + "\":" + one.getValue())
                            .collect(Collectors.joining(",")))
                    .append('}');
        }
        return json.append('}').toString();
    }

    private static String list(List<Integer> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(",", "[", "]"));
    }

    private static void await(CompletableFuture<Void> rest) {
        try {
            rest.get(AT_ONCE.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            // The next turn looks again.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void hold() {
        serving = false;
        if (draining == null) {
            CompletableFuture<DataPlane.HoldReport> future = loops.hold();
            draining = future;
            future.thenRun(signal::release);
        }
    }

    private void acknowledge(long number, RouteStore.Step step, String failpoint, String detail) {
        Failpoints.reach(failpoint);
        store.acknowledge(identity, interlay, number, step, detail);
        Failpoints.reach(failpoint + ".acknowledged");
    }

    private static long wallMicros() {
        java.time.Instant now = java.time.Instant.now();
        return now.getEpochSecond() * 1_000_000 + now.getNano() / 1_000;
    }

    @Override
    public void close() {
        stopping = true;
        signal.release();
        pulse.interrupt();
        RouteStore.Subscription watching = subscription;
        if (watching != null) {
            watching.close();
        }
        try {
            thread.join(Duration.ofSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
