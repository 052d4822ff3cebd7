package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import dev.eden.proxy.ClientTls;
import dev.eden.proxy.LoopSnapshot;
import dev.eden.proxy.PostgresProxyConfig;
import dev.eden.proxy.Wakefulness;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that one event loop owns: its clients, their pools, the route it follows. Touched by that loop's thread only, so a request crosses
 * no thread and needs no lock. Writes are collected and flushed once per turn of the loop.
 */
final class PostgresLoop {
    private static final Logger LOGGER = LoggerFactory.getLogger(PostgresLoop.class);
    /** For the last words to a client that is slow. */
    private static final Duration FAREWELL = Duration.ofSeconds(30);

    private static final long UNUSED = Duration.ofMinutes(5).toNanos();
    /** A read that takes longer makes the proxy look whether the standby still speaks. */
    private static final long LONG_READ = Duration.ofSeconds(1).toNanos();

    /** For what a client's login waits for. */
    private static final Duration LOOKUP = Duration.ofSeconds(10);

    private static final long PROBE_IDLE = Duration.ofMillis(200).toNanos();

    final PostgresProxyConfig config;
    final EventLoop eventLoop;
    final Connector connector;
    final Accounts accounts;
    final Cancels cancels;
    final PeerCancels peers;
    final ClientTls tls;
    final Wakefulness wakefulness;
    final LoopCounters counters = new LoopCounters();
    final Traffic traffic = new Traffic();
    final SaltedPasswords saltedPasswords;
    final Settings.Interner settings = new Settings.Interner();
    final Prepared.Catalogue statements = new Prepared.Catalogue();
    final List<ClientSession> clients = new ArrayList<>();
    final Gate gate = new Gate(this);
    final StandbySide standbySide;
    final StandbyPools standbyPools = new StandbyPools(this);
    final ShadowReads shadowReads = new ShadowReads(this);
    long now = System.nanoTime();

    private int silencesSeen;
    /** Connections that are no clients yet. */
    private int starting;

    private final AtomicInteger clientCount;
    private final int poolShare;
    private final Map<PoolKey, ServerPool> pools = new HashMap<>();
    private final Map<EdenKey, ServerPool> edenPools = new HashMap<>();
    private final List<ServerConnection> dirtyServers = new ArrayList<>();
    private final List<ClientChannel> dirtyClients = new ArrayList<>();
    private final ArrayDeque<ClientSession> woken = new ArrayDeque<>();
    private final Runnable turn = this::endOfTurn;
    private boolean turnScheduled;
    private long turnBegan;

    private record EdenKey(PoolKey key, Backend.Login login) {}

    /** What the loops of one proxy share. */
    record Shared(
            Accounts accounts,
            Cancels cancels,
            PeerCancels peers,
            ClientTls tls,
            AtomicInteger clientCount,
            Wakefulness wakefulness) {}

    PostgresLoop(
            PostgresProxyConfig config,
            Shared shared,
            EventLoop eventLoop,
            Class<? extends Channel> channelType,
            @Nullable StandbySide standbySide,
            int poolShare) {
        this.config = config;
        this.accounts = shared.accounts();
        this.cancels = shared.cancels();
        this.peers = shared.peers();
        this.tls = shared.tls();
        this.clientCount = shared.clientCount();
        this.wakefulness = shared.wakefulness();
        this.eventLoop = eventLoop;
        this.saltedPasswords = new SaltedPasswords(eventLoop);
        this.poolShare = poolShare;
        this.standbySide = standbySide == null ? new StandbySide(this) : standbySide;
        this.connector = new Connector(
                eventLoop,
                channelType,
                config.limits().connectTimeout(),
                config.limits().outputBytes());
    }

    long tick() {
        now = System.nanoTime();
        return now;
    }

    ByteBuf buffer() {
        return ByteBufAllocator.DEFAULT.ioBuffer(128);
    }

    /** A new connection; on this loop's thread. */
    void accept(Channel channel) {
        tick();
        if (starting >= config.limits().maxClients()) {
            counters.clientsRefused++;
            channel.close(); // before anybody has said a word: each costs a buffer and a timeout
            return;
        }
        starting++;
        channel.pipeline().addLast(new ClientStartup(this, channel));
    }

    /** A connection has become a client, or is gone. */
    void started() {
        starting--;
    }

    /** Says the last words and closes; who does not take them is cut off after a while. */
    void farewell(Channel channel, ByteBuf words) {
        ChannelFuture said = channel.writeAndFlush(words).addListener(ChannelFutureListener.CLOSE);
        if (!said.isDone()) {
            Future<?> cut = eventLoop.schedule((Runnable) channel::close, FAREWELL.toSeconds(), TimeUnit.SECONDS);
            channel.closeFuture().addListener(_ -> cut.cancel(false));
        }
    }

    /** Counts a client in; false: there are too many, and it has been told. */
    boolean admit(Channel channel) {
        if (clientCount.incrementAndGet() > config.limits().maxClients()) {
            clientCount.decrementAndGet();
            counters.clientsRefused++;
            ByteBuf out = buffer();
            ErrorMessage.fatal("53300", "sorry, too many clients already").write(out);
            farewell(channel, out);
            return false;
        }
        counters.clientsAccepted++;
        return true;
    }

    void left() {
        clientCount.decrementAndGet();
    }

    // ---- pools

    ServerPool pool(PoolKey key) {
        ServerPool pool = pools.get(key);
        if (pool == null) {
            pool = new ServerPool(this, key, poolShare, null);
            pools.put(key, pool);
        }
        return pool;
    }

    /** For queries of the proxy's own; apart from the clients' pools. */
    ServerPool edenPool(Backend backend, Backend.Login login) {
        PoolKey key = edenKey(backend, login);
        return edenPools.computeIfAbsent(
                new EdenKey(key, login),
                _ -> new ServerPool(this, key, 1, new Credential.Password(login.password())).answeringWithin(LOOKUP));
    }

    /** For what the proxy asks a server about itself; the caller closes it. */
    ServerPool ownPool(Backend backend, Backend.Login login, int size) {
        return new ServerPool(this, edenKey(backend, login), size, new Credential.Password(login.password()));
    }

    /** Sessions that begin with {@code beginning}, for clients' reads on the standby; the caller closes it. */
    ServerPool standbyPool(Backend standby, Backend.Login login, String beginning) {
        return sessions(standby, login, beginning, poolShare);
    }

    /** The same on either side, {@code size} of them. */
    ServerPool sessions(Backend side, Backend.Login login, String beginning, int size) {
        return new ServerPool(this, edenKey(side, login), size, new Credential.Password(login.password()), beginning);
    }

    private static PoolKey edenKey(Backend backend, Backend.Login login) {
        String database = backend.database();
        return new PoolKey(ServerAddress.of(backend), database == null ? "postgres" : database, login.user(), Map.of());
    }

    List<ServerPool> pools() {
        return new ArrayList<>(pools.values());
    }

    List<ServerPool> allPools() {
        List<ServerPool> all = pools();
        all.addAll(edenPools.values());
        return all;
    }

    /** The clients' pools on a server, and how many connections each has. */
    Map<PoolKey, Integer> inUse(ServerAddress server) {
        Map<PoolKey, Integer> used = new HashMap<>();
        pools.forEach((key, pool) -> {
            if (key.server().equals(server) && pool.references > 0) {
                used.put(key, Math.min(pool.open(), pool.references));
            }
        });
        return used;
    }

    /**
     * Drops the pools of servers that left the route; with {@code flipped} also Eden's of the side that lost its authority. Clients' pools there
     * rest: their connections are worth keeping, because that side's fence lets no new ones in.
     */
    void dropForeign(boolean flipped) {
        pools.values().removeIf(pool -> drop(pool, false));
        edenPools.values().removeIf(pool -> drop(pool, flipped));
        if (flipped) {
            for (ServerPool pool : pools.values()) {
                if (!pool.onActive()) {
                    pool.rest();
                }
            }
        }
    }

    /** Logs in on the standby for everybody who has connections to the active side; {@code done} is told which are there. */
    void logIn(Backend standby, String admission, Consumer<List<Integer>> done) {
        tick();
        Map<PoolKey, Integer> used = gate.active() == null ? Map.of() : inUse(gate.active());
        int[] left = {used.size()};
        List<Integer> processes = new ArrayList<>();
        if (used.isEmpty()) {
            done.accept(processes);
            return;
        }
        used.forEach((key, count) -> {
            ServerPool pool = pool(key.on(standby));
            pool.tidy();
            pool.admit(count, admission, () -> {
                left[0]--;
                if (left[0] == 0) {
                    pools.values().stream()
                            .filter(one -> one.key.server().equals(ServerAddress.of(standby)))
                            .forEach(one -> processes.addAll(one.processes()));
                    done.accept(processes);
                }
            });
        });
        schedule();
    }

    /** Whether {@code server} answers; else why not. By a new connection: one that has been open for long may pass where no other gets through any more. */
    void reach(Backend server, Backend.Login login, Duration limit, CompletableFuture<Optional<String>> answer) {
        tick();
        ServerPool pool = ownPool(server, login, 1);
        Future<?> end = eventLoop.schedule(
                () -> {
                    tick();
                    answer.complete(Optional.of("no answer within " + limit.toMillis() + " ms"));
                    pool.close();
                    schedule();
                },
                limit.toNanos(),
                TimeUnit.NANOSECONDS);
        pool.exchange("SELECT 1", outcome -> {
            end.cancel(false);
            ErrorMessage error = outcome.error();
            answer.complete(
                    error == null || there(server, error)
                            ? Optional.empty()
                            : Optional.of(error.sqlState() + " " + error.message()));
            pool.close();
        });
        schedule();
    }

    /**
     * It is there. Those that are logged in ahead of the flip may have taken what was free; and where the endpoint names no database the one that is asked for
     * is a guess.
     */
    private static boolean there(Backend server, ErrorMessage error) {
        return error.sqlState().equals("53300")
                || server.database() == null
                        && Set.of("3D000", "42501", "28000").contains(error.sqlState());
    }

    private boolean drop(ServerPool pool, boolean flipped) {
        if (!gate.knows(pool.key.server()) || (flipped && !pool.onActive())) {
            pool.close();
            return true;
        }
        return false;
    }

    /** Every now and then: waits that took too long, pools nobody uses, pins that may be gone. */
    void sweep() {
        tick();
        long waitedSince = now - config.waitTimeout().toNanos();
        boolean open = gate.open();
        for (ServerPool pool : pools()) {
            if (open) {
                pool.expire(waitedSince);
            }
            if (pool.onActive()) {
                pool.trim(now - UNUSED);
            } else if (gate.afterFlip()) {
                pool.tidy();
            }
            if (pool.references == 0 && pool.open() == 0 && now - pool.unusedSince > UNUSED) {
                pools.remove(pool.key);
                pool.close();
            }
        }
        standbyPools.trim(now - UNUSED);
        boolean reading = false;
        for (ClientSession client : clients.toArray(new ClientSession[0])) {
            client.pins.probeIfIdle(now - PROBE_IDLE);
            reading |= client.standbyRead.waitsSince(now - LONG_READ) || client.canary.preparing();
        }
        sweepStandby(reading);
    }

    /** A standby that hangs keeps no client waiting, and no attempt from its drain. */
    private void sweepStandby(boolean reading) {
        if (reading) {
            standbySide.look();
        }
        int silences = standbySide.silences();
        if (silences != silencesSeen || reading && !standbySide.watching()) {
            silencesSeen = silences;
            standbyPools.hangUp();
        }
        if (standbySide.runsOn(this)) {
            standbySide.sweep();
        }
    }

    // ---- end of turn

    void flushLater(ServerConnection connection) {
        dirtyServers.add(connection);
        schedule();
    }

    void flushLater(ClientChannel client) {
        dirtyClients.add(client);
        schedule();
    }

    /** Lets a client go on when the current event is done. */
    void wake(ClientSession client) {
        woken.add(client);
        schedule();
    }

    void wakeAll() {
        woken.addAll(clients);
        schedule();
    }

    void schedule() {
        if (!turnScheduled) {
            turnScheduled = true;
            turnBegan = System.nanoTime();
            eventLoop.execute(turn);
        }
    }

    private void endOfTurn() {
        for (ClientSession client = woken.poll(); client != null; client = woken.poll()) {
            try {
                client.process();
            } catch (Throwable e) { // memory that is not there, too: the others' turn goes on
                client.failed(e);
            }
        }
        turnScheduled = false;
        for (int i = 0; i < dirtyServers.size(); i++) {
            dirtyServers.get(i).flush();
        }
        dirtyServers.clear();
        for (int i = 0; i < dirtyClients.size(); i++) {
            dirtyClients.get(i).flush();
        }
        dirtyClients.clear();
        traffic.added(System.nanoTime() - turnBegan);
        gate.turnEnded();
    }

    /** Copies the totals and begins new histograms. */
    LoopSnapshot snapshot() {
        int pinned = 0;
        for (ClientSession client : clients) {
            pinned += client.pinned() ? 1 : 0;
        }
        LoopSnapshot snapshot = new LoopSnapshot(
                clients.size(),
                counters.backendConnections,
                pinned,
                traffic.activeOperations,
                traffic.activeErrors,
                traffic.standbyOperations,
                traffic.standbyErrors,
                counters.eligibleReads,
                counters.chosenReads,
                counters.servedByStandby,
                traffic.active,
                traffic.standby,
                traffic.added,
                Map.copyOf(counters.ineligible),
                events());
        traffic.active = new long[LoopSnapshot.BUCKETS];
        traffic.standby = new long[LoopSnapshot.BUCKETS];
        traffic.added = new long[LoopSnapshot.BUCKETS];
        return snapshot;
    }

    private Map<String, Long> events() {
        Map<String, Long> events = new TreeMap<>();
        events.put("client_accepted", counters.clientsAccepted);
        events.put("client_refused", counters.clientsRefused);
        events.put("login_failed", counters.loginsFailed);
        events.put("connect_failed", counters.connectFailures);
        events.put("in_doubt_closed", counters.inDoubt);
        events.put("protocol_error", counters.protocolErrors);
        events.put("session_failed", counters.failures);
        events.put("request_held", counters.held);
        events.put("request_waited", counters.waited);
        events.put("wait_refused", counters.waitsRefused);
        events.put("cancel_forwarded", counters.cancelsForwarded);
        events.put("cancel_ignored", counters.cancelsIgnored);
        events.put("cancel_passed_on", counters.cancelsPassedOn);
        events.put("pin_probed_clean", counters.pinsProbedClean);
        events.put("shadow_compared", counters.shadowCompared);
        events.put("shadow_mismatched", counters.shadowMismatched);
        events.put("shadow_unsettled", counters.shadowUnsettled);
        events.put("read_transaction", counters.readTransactions);
        events.put("session_carried", counters.sessionsCarried);
        events.put("session_ended", counters.sessionsEnded);
        for (Pin pin : Pin.values()) {
            events.put("pin_" + pin.label(), counters.pins[pin.ordinal()]);
        }
        return events;
    }

    void close() {
        for (ClientSession client : clients.toArray(new ClientSession[0])) {
            client.end(ErrorMessage.fatal("57P01", "eden: the proxy is shutting down"));
        }
        allPools().forEach(ServerPool::close);
        standbyPools.clear();
        if (standbySide.runsOn(this)) {
            standbySide.close();
        }
    }

    void schedulePeriodic() {
        eventLoop.scheduleWithFixedDelay(
                () -> {
                    try {
                        sweep();
                    } catch (Throwable e) { // what throws is not called again
                        LOGGER.atError().setCause(e).log("a sweep failed; the next one is made all the same");
                    }
                    schedule();
                },
                100,
                100,
                TimeUnit.MILLISECONDS);
    }
}
