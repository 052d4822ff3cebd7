package dev.eden.proxy.redis;

import dev.eden.proxy.DataPlane;
import dev.eden.proxy.LoopSnapshot;
import dev.eden.proxy.RedisProxyConfig;
import dev.eden.proxy.Route;
import dev.eden.proxy.Wakefulness;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The event loops of one proxy and their listeners. With native epoll every loop listens on the port by itself (SO_REUSEPORT) and keeps what it
 * accepts; without, one listener deals connections out.
 */
public final class LoopGroup implements DataPlane {
    private static final Logger LOGGER = LoggerFactory.getLogger(LoopGroup.class);

    private final ProxyContext context;
    private final EventLoopGroup group;
    private final List<ProxyLoop> loops = new ArrayList<>();
    private final List<Channel> listeners = new ArrayList<>();
    private final boolean epoll;

    /** Throws {@link java.io.UncheckedIOException} when the proxy's certificate cannot be shown. */
    public LoopGroup(RedisProxyConfig config) {
        int wanted = config.eventLoops() > 0
                ? config.eventLoops()
                : Runtime.getRuntime().availableProcessors();
        // Each loop has a connection of its own: more loops than the pool has would be more connections than asked for.
        int count = Math.max(1, Math.min(wanted, config.poolSize()));
        epoll = Epoll.isAvailable() && !Boolean.getBoolean("eden.proxy.nio");
        IoHandlerFactory factory = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        context = new ProxyContext(config, count);
        group = new MultiThreadIoEventLoopGroup(count, new DefaultThreadFactory("eden-proxy", true), factory);
        for (int i = 0; i < count; i++) {
            EventLoop eventLoop = group.next();
            loops.add(new ProxyLoop(context, eventLoop, epoll ? EpollSocketChannel.class : NioSocketChannel.class));
        }
        context.started(loops);
        for (ProxyLoop loop : loops) {
            loop.eventLoop.scheduleWithFixedDelay(() -> loop.sweep(false), 5, 5, TimeUnit.SECONDS);
        }
    }

    @Override
    public int bind() throws IOException {
        InetSocketAddress address = context.config.listen();
        int port = address.getPort();
        if (port != 0 && epoll) {
            // with SO_REUSEPORT the kernel would let two proxies share a port without a word
            try (ServerSocket probe = new ServerSocket()) {
                probe.setReuseAddress(true);
                probe.bind(address);
            } catch (IOException e) {
                throw new IOException("cannot listen on " + address + ": " + e.getMessage(), e);
            }
        }
        int count = epoll ? loops.size() : 1;
        for (int i = 0; i < count; i++) {
            try {
                Channel listener = bind(loops.get(i), new InetSocketAddress(address.getAddress(), port));
                listeners.add(listener);
                port = ((InetSocketAddress) listener.localAddress()).getPort();
            } catch (Exception e) {
                throw new IOException("cannot listen on " + address + ": " + e.getMessage(), e);
            }
        }
        return port;
    }

    private Channel bind(ProxyLoop loop, InetSocketAddress address) {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loop.eventLoop, epoll ? loop.eventLoop : group)
                .channel(
                        epoll
                                ? EpollServerSocketChannel.class.asSubclass(ServerChannel.class)
                                : NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 4096)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(
                                context.config.limits().outputBytes() / 2,
                                context.config.limits().outputBytes()))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        loopOf(channel).accept(channel);
                    }
                });
        if (epoll) {
            bootstrap.option(EpollChannelOption.SO_REUSEPORT, true);
        }
        return bootstrap.bind(address).syncUninterruptibly().channel();
    }

    private ProxyLoop loopOf(Channel channel) {
        for (ProxyLoop loop : loops) {
            if (loop.eventLoop == channel.eventLoop()) {
                return loop;
            }
        }
        throw new IllegalStateException("a channel on a foreign loop");
    }

    // ---- the follower's orders; blocking is allowed, every loop has obeyed when they return

    @Override
    public void install(Route route) {
        onEach(loop -> loop.gate.install(route));
    }

    @Override
    public void looked(Route row) {
        context.looked(row);
    }

    @Override
    public void lease(long until) {
        onEach(loop -> loop.gate.lease(until));
    }

    @Override
    public CompletableFuture<HoldReport> hold() {
        List<CompletableFuture<Gate.Drained>> drained = new ArrayList<>();
        for (ProxyLoop loop : loops) {
            CompletableFuture<Gate.Drained> future = new CompletableFuture<>();
            loop.eventLoop.execute(() -> loop.gate.hold().thenAccept(future::complete));
            drained.add(future);
        }
        return CompletableFuture.allOf(drained.toArray(CompletableFuture<?>[]::new))
                .thenApply(_ -> {
                    long micros = 0;
                    long held = 0;
                    long reissued = 0;
                    int listening = 0;
                    for (CompletableFuture<Gate.Drained> one : drained) {
                        Gate.Drained loop = one.join();
                        micros = Math.max(micros, loop.micros());
                        held += loop.held();
                        reissued += loop.reissued();
                        listening += loop.listeners();
                    }
                    return new HoldReport(micros, held, reissued, List.of(), listening, Map.of());
                });
    }

    @Override
    public CompletableFuture<Void> carryOver(Route committed) {
        List<CompletableFuture<Void>> carried = new ArrayList<>();
        for (ProxyLoop loop : loops) {
            CompletableFuture<Void> future = new CompletableFuture<>();
            loop.eventLoop.execute(() -> loop.gate.carryOver().thenRun(() -> future.complete(null)));
            carried.add(future);
        }
        return CompletableFuture.allOf(carried.toArray(CompletableFuture<?>[]::new));
    }

    @Override
    public void endListeners() {
        long ended = ask(loop -> List.copyOf(loop.clients).stream()
                        .filter(client -> client.session.crossing.endIfListening())
                        .count())
                .stream()
                .mapToLong(Long::longValue)
                .sum();
        if (ended > 0) {
            LOGGER.warn("this proxy was late: {} subscribers that may have missed messages are closed", ended);
        }
    }

    /**
     * Loads the scripts that clients have sent on the standby, as far as it has not got them; completes when the standby has answered. A refusal is
     * logged and does not fail: clients of a server without their script get NOSCRIPT and send it again.
     */
    @Override
    public CompletableFuture<Void> prepareForFlip() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        ProxyLoop first = loops.getFirst();
        first.eventLoop.execute(() -> context.scriptLoader().load(done));
        return done;
    }

    @Override
    public boolean leaseLost() {
        return ask(loop -> loop.gate.leaseLost()).contains(true);
    }

    @Override
    public Wakefulness wakefulness() {
        return context.wakefulness;
    }

    @Override
    public LoopSnapshot snapshot() {
        return LoopSnapshot.sum(ask(Snapshots::of));
    }

    private void onEach(Consumer<ProxyLoop> order) {
        ask(loop -> {
            order.accept(loop);
            return true;
        });
    }

    <T> List<T> ask(Function<ProxyLoop, T> question) {
        List<CompletableFuture<T>> answers = new ArrayList<>();
        for (ProxyLoop loop : loops) {
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
        listeners.forEach(listener -> listener.close().syncUninterruptibly());
        listeners.clear();
    }

    @Override
    public void close() {
        stopAccepting();
        onEach(loop -> {
            for (ClientConnection client : loop.clients.toArray(new ClientConnection[0])) {
                client.close();
            }
            loop.pools().forEach(BackendPool::close);
        });
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
