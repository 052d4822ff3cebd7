package dev.eden.proxy.postgres;

import dev.eden.proxy.Admission;
import dev.eden.proxy.Backend;
import dev.eden.proxy.ClientTls;
import dev.eden.proxy.DataPlane;
import dev.eden.proxy.LoopSnapshot;
import dev.eden.proxy.PostgresProxyConfig;
import dev.eden.proxy.Route;
import dev.eden.proxy.RouteStore;
import dev.eden.proxy.RouteStoreException;
import dev.eden.proxy.Wakefulness;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The event loops of one PostgreSQL proxy and their listener, which deals connections out in turn. Listeners of the loops' own (SO_REUSEPORT) would
 * leave that to a hash: of a few clients, which keep their connections for hours, one loop would have most, and wait for its share of the pool.
 */
public final class PostgresLoops implements DataPlane {
    private final PostgresProxyConfig config;
    private final EventLoopGroup group;
    private final List<PostgresLoop> loops = new ArrayList<>();
    private volatile @Nullable Channel listener;
    private final boolean epoll;
    private final PeerCancels peers;
    private final ConfiguredUsers users;
    private final Wakefulness wakefulness = new Wakefulness();

    /** Throws {@link java.io.UncheckedIOException} when the proxy's certificate cannot be read, {@link RouteStoreException} when the interlay's users can't. */
    public PostgresLoops(PostgresProxyConfig config, RouteStore store) {
        this.config = config;
        int wanted = config.eventLoops() > 0
                ? config.eventLoops()
                : Runtime.getRuntime().availableProcessors();
        int count = Math.max(1, Math.min(wanted, config.poolSize()));
        epoll = Epoll.isAvailable() && !Boolean.getBoolean("eden.proxy.nio");
        ClientTls tls = new ClientTls(config.tls(), ClientStartup.PROTOCOL);
        Cancels cancels = new Cancels(config.identity().name());
        users = ConfiguredUsers.follow(store, config.interlay());
        peers = new PeerCancels(store, config.interlay(), cancels);
        PostgresLoop.Shared shared = new PostgresLoop.Shared(
                new Accounts(config.trusted(), users), cancels, peers, tls, new AtomicInteger(), wakefulness);
        IoHandlerFactory factory = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        group = new MultiThreadIoEventLoopGroup(count, new DefaultThreadFactory("eden-postgres", true), factory);
        for (int i = 0; i < count; i++) {
            int share = config.poolSize() / count + (i < config.poolSize() % count ? 1 : 0);
            loops.add(new PostgresLoop(
                    config,
                    shared,
                    group.next(),
                    epoll ? EpollSocketChannel.class : NioSocketChannel.class,
                    loops.isEmpty() ? null : loops.getFirst().standbySide,
                    share));
        }
        loops.forEach(PostgresLoop::schedulePeriodic);
    }

    @Override
    public int bind() throws IOException {
        InetSocketAddress address = config.listen();
        int output = config.limits().outputBytes();
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops.getFirst().eventLoop, group)
                .channel(
                        epoll
                                ? EpollServerSocketChannel.class.asSubclass(ServerChannel.class)
                                : NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 4096)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(output / 2, output))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        loopOf(channel).accept(channel);
                    }
                });
        ChannelFuture bound = bootstrap.bind(address).awaitUninterruptibly();
        if (bound.cause() != null) {
            throw new IOException(
                    "cannot listen on " + address + ": " + bound.cause().getMessage(), bound.cause());
        }
        listener = bound.channel();
        return ((InetSocketAddress) bound.channel().localAddress()).getPort();
    }

    private PostgresLoop loopOf(Channel channel) {
        for (PostgresLoop loop : loops) {
            if (loop.eventLoop == channel.eventLoop()) {
                return loop;
            }
        }
        throw new IllegalStateException("a channel on a foreign loop");
    }

    // ---- the follower's orders

    @Override
    public void install(Route route) {
        onEach(loop -> loop.gate.install(route));
    }

    @Override
    public void lease(long until) {
        onEach(loop -> loop.gate.lease(until));
    }

    @Override
    public CompletableFuture<HoldReport> hold() {
        List<CompletableFuture<Gate.Drained>> drained = new ArrayList<>();
        for (PostgresLoop loop : loops) {
            CompletableFuture<Gate.Drained> future = new CompletableFuture<>();
            loop.eventLoop.execute(() -> loop.gate.hold().thenAccept(future::complete));
            drained.add(future);
        }
        return CompletableFuture.allOf(drained.toArray(CompletableFuture<?>[]::new))
                .thenApply(_ -> {
                    long micros = 0;
                    long held = 0;
                    int listeners = 0;
                    List<Integer> backends = new ArrayList<>();
                    Map<String, Long> endings = new TreeMap<>();
                    for (CompletableFuture<Gate.Drained> one : drained) {
                        Gate.Drained loop = one.join();
                        micros = Math.max(micros, loop.micros());
                        held += loop.held();
                        backends.addAll(loop.backends());
                        listeners += loop.listeners();
                        loop.endings().forEach((reason, count) -> endings.merge(reason, count, Long::sum));
                    }
                    return new HoldReport(micros, held, 0, backends, listeners, endings);
                });
    }

    /** Nothing: the standby's fence lets no user in before an attempt is armed, see {@link #logIn}. */
    @Override
    public CompletableFuture<Void> prepareForFlip() {
        return CompletableFuture.completedFuture(null);
    }

    /** By Eden's own role, which the fence lets in. Once for all loops: they share the way. */
    @Override
    public CompletableFuture<Optional<String>> reach(Route armed, Duration limit) {
        Backend standby = armed.standby();
        Backend.Login login = standby == null ? null : standby.edenLogin();
        if (standby == null || login == null) {
            return CompletableFuture.completedFuture(Optional.empty());
        }
        CompletableFuture<Optional<String>> answer = new CompletableFuture<>();
        PostgresLoop loop = loops.getFirst();
        loop.eventLoop.execute(() -> loop.reach(standby, login, limit, answer));
        return answer;
    }

    @Override
    public CompletableFuture<List<Integer>> logIn(Route armed) {
        Backend standby = armed.standby();
        Backend.Login login = standby == null ? null : standby.edenLogin();
        if (standby == null || login == null || config.pooling() == PostgresProxyConfig.Pooling.SESSION) {
            return CompletableFuture.completedFuture(List.of());
        }
        String pass = Admission.pass(login.password(), armed.epoch());
        List<CompletableFuture<List<Integer>>> there = new ArrayList<>();
        for (PostgresLoop loop : loops) {
            CompletableFuture<List<Integer>> future = new CompletableFuture<>();
            loop.eventLoop.execute(() -> loop.logIn(standby, pass, future::complete));
            there.add(future);
        }
        return CompletableFuture.allOf(there.toArray(CompletableFuture<?>[]::new))
                .thenApply(
                        _ -> there.stream().flatMap(one -> one.join().stream()).toList());
    }

    @Override
    public CompletableFuture<Void> carryOver(Route committed) {
        List<CompletableFuture<Void>> carried = new ArrayList<>();
        for (PostgresLoop loop : loops) {
            CompletableFuture<Void> future = new CompletableFuture<>();
            loop.eventLoop.execute(() -> loop.gate.carryOver(committed).thenRun(() -> future.complete(null)));
            carried.add(future);
        }
        return CompletableFuture.allOf(carried.toArray(CompletableFuture<?>[]::new));
    }

    @Override
    public void endListeners() {
        onEach(loop -> List.copyOf(loop.clients).forEach(client -> client.crossing.endIfListening()));
    }

    @Override
    public boolean leaseLost() {
        return ask(loop -> loop.gate.leaseLost()).contains(true);
    }

    @Override
    public Wakefulness wakefulness() {
        return wakefulness;
    }

    @Override
    public LoopSnapshot snapshot() {
        return LoopSnapshot.sum(ask(PostgresLoop::snapshot));
    }

    private void onEach(Consumer<PostgresLoop> order) {
        ask(loop -> {
            order.accept(loop);
            return true;
        });
    }

    private <T> List<T> ask(Function<PostgresLoop, T> question) {
        List<CompletableFuture<T>> answers = new ArrayList<>();
        for (PostgresLoop loop : loops) {
            answers.add(CompletableFuture.supplyAsync(() -> question.apply(loop), loop.eventLoop));
        }
        return answers.stream().map(CompletableFuture::join).toList();
    }

    @Override
    public int clients() {
        return ask(loop -> loop.clients.size()).stream()
                .mapToInt(Integer::intValue)
                .sum();
    }

    // ---- end

    @Override
    public void stopAccepting() {
        Channel open = listener;
        if (open != null) {
            open.close().syncUninterruptibly();
            listener = null;
        }
    }

    @Override
    public void close() {
        users.close();
        peers.close();
        stopAccepting();
        onEach(PostgresLoop::close);
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
