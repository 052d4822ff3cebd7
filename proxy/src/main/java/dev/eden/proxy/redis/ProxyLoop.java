package dev.eden.proxy.redis;

import dev.eden.proxy.Backend;
import dev.eden.proxy.ClientTls;
import dev.eden.proxy.Route;
import dev.eden.proxy.resp.RespWriter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.EventLoop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Everything that one event loop owns: its clients, their backend pools, the route it follows. Touched by that loop's thread only, so a
 * request crosses no thread and needs no lock. Writes are collected and flushed once per turn of the loop, which is what makes
 * batches of many clients' requests.
 */
final class ProxyLoop {
    private static final long UNUSED_POOL_NANOS = TimeUnit.SECONDS.toNanos(30);

    final ProxyContext context;
    final EventLoop eventLoop;
    final Connector connector;
    final LoopCounters counters = new LoopCounters();
    final List<ClientConnection> clients = new ArrayList<>();
    final Traffic traffic = new Traffic();
    final Gate gate = new Gate(this);
    final Patience patience = new Patience(this);
    CommandIndex commands = new CommandIndex(CommandTable.bundled());
    /** The active server, once it has admitted a connection for clients that have not authenticated. */
    @Nullable
    ServerAddress servesStrangers;

    long now = System.nanoTime();
    int inFlight;

    private final Map<PoolKey, BackendPool> pools = new HashMap<>();
    private final List<BackendConnection> dirtyBackends = new ArrayList<>();
    private final List<ClientConnection> dirtyClients = new ArrayList<>();
    private final ArrayDeque<ClientConnection> woken = new ArrayDeque<>();
    private boolean turnScheduled;
    private long turnBegan;
    private final Runnable turn = this::endOfTurn;

    ProxyLoop(ProxyContext context, EventLoop eventLoop, Class<? extends Channel> channelType) {
        this.context = context;
        this.eventLoop = eventLoop;
        this.connector =
                new Connector(eventLoop, channelType, context.config.limits().connectTimeout());
    }

    /** Reads the clock once per event; {@link #now} serves the rest of it. */
    long tick() {
        now = System.nanoTime();
        return now;
    }

    ByteBuf buffer() {
        return ByteBufAllocator.DEFAULT.ioBuffer(128);
    }

    /** A new client; on this loop's thread. */
    void accept(Channel channel) {
        tick();
        ClientTls.Loaded tls = context.tls.current();
        if (context.clients.incrementAndGet() > context.config.limits().maxClients()) {
            context.clients.decrementAndGet();
            counters.clientsRefused++;
            if (tls != null) {
                channel.close(); // as a server does: nothing can be said before the handshake
                return;
            }
            ByteBuf out = buffer();
            RespWriter.error(out, "ERR max number of clients reached");
            channel.writeAndFlush(out).addListener(ChannelFutureListener.CLOSE);
            return;
        }
        counters.clientsAccepted++;
        ClientConnection client = new ClientConnection(this, channel, context.clientIds.incrementAndGet());
        client.index = clients.size();
        clients.add(client);
        if (tls != null) {
            channel.pipeline().addLast(new TlsOnly(this), context.tls.handler(tls, channel));
        }
        channel.pipeline().addLast(client);
    }

    // ---- route

    @Nullable
    Route route() {
        return gate.route();
    }

    @Nullable
    ServerAddress activeServer() {
        return gate.active();
    }

    /** The login for Eden's own or for unauthenticated clients' connections to a server of the route; null where there is none. */
    Backend.@Nullable Login login(ServerAddress server, boolean eden) {
        Route route = gate.route();
        if (route == null) {
            return null;
        }
        for (Backend backend : new Backend[] {route.active(), route.standby()}) {
            if (backend != null && ServerAddress.of(backend).equals(server)) {
                Backend.Login login = eden ? backend.edenLogin() : backend.clientLogin();
                return login == null && eden ? backend.clientLogin() : login;
            }
        }
        return null;
    }

    // ---- pools

    BackendPool pool(PoolKey key) {
        BackendPool pool = pools.get(key);
        if (pool == null) {
            int loops = Math.max(1, context.loops);
            pool = new BackendPool(this, key, Math.max(1, context.config.poolSize() / loops));
            pool.unusedSince = now;
            pools.put(key, pool);
        }
        return pool;
    }

    List<BackendPool> pools() {
        return new ArrayList<>(pools.values());
    }

    /** Drops pools nobody uses any more and those of servers that left the route. */
    void sweep(boolean onlyForeign) {
        for (BackendPool pool : pools()) {
            boolean foreign = !gate.knows(pool.key.server());
            boolean unused = pool.references == 0 && !onlyForeign && now - pool.unusedSince > UNUSED_POOL_NANOS;
            if (foreign || (unused && !(pool.key.identity() instanceof Identity.Eden))) {
                pools.remove(pool.key);
                pool.close();
            } else if (!onlyForeign) {
                pool.trim(now - UNUSED_POOL_NANOS);
            }
        }
    }

    void backendOpened(BackendPool pool) {
        counters.backendConnections++;
        gate.backendOpened(pool);
    }

    void backendClosed() {
        counters.backendConnections--;
    }

    // ---- end of turn

    void flushLater(BackendConnection connection) {
        dirtyBackends.add(connection);
        schedule();
    }

    void flushLater(ClientConnection client) {
        dirtyClients.add(client);
        schedule();
    }

    /** Lets a client go on with its requests when the current event is done. */
    void wake(ClientConnection client) {
        woken.add(client);
        schedule();
    }

    void wakeAll() {
        woken.addAll(clients);
        schedule();
    }

    private void schedule() {
        if (!turnScheduled) {
            turnScheduled = true;
            turnBegan = System.nanoTime();
            eventLoop.execute(turn);
        }
    }

    private void endOfTurn() {
        turnScheduled = false;
        for (ClientConnection client = woken.poll(); client != null; client = woken.poll()) {
            client.woken();
        }
        for (int i = 0; i < dirtyBackends.size(); i++) {
            dirtyBackends.get(i).flush();
        }
        dirtyBackends.clear();
        for (int i = 0; i < dirtyClients.size(); i++) {
            dirtyClients.get(i).flush();
        }
        dirtyClients.clear();
        traffic.added(System.nanoTime() - turnBegan);
        gate.turnEnded();
    }
}
