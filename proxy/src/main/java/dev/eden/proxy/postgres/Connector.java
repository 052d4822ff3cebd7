package dev.eden.proxy.postgres;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.epoll.EpollTcpInfo;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.NoopAddressResolverGroup;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens connections to servers on one event loop. Host names are resolved off it. */
final class Connector {
    private static final Logger LOGGER = LoggerFactory.getLogger(Connector.class);

    /** A host that has confirmed nothing of what it was sent for so long is cut off; TCP by itself says so after a quarter of an hour. */
    private static final Duration UNHEARD = Duration.ofSeconds(60);

    private static final Duration LOOK = Duration.ofSeconds(10);
    private static final int KEEPALIVE_IDLE_SECONDS = 20;
    private static final int KEEPALIVE_INTERVAL_SECONDS = 10;
    private static final int KEEPALIVE_PROBES = 4;

    private final Bootstrap bootstrap;
    private final EventLoop eventLoop;
    private @Nullable SslContext tls;

    Connector(EventLoop eventLoop, Class<? extends Channel> channelType, Duration timeout, int outputBytes) {
        this.eventLoop = eventLoop;
        this.bootstrap = new Bootstrap()
                .group(eventLoop)
                .channel(channelType)
                .resolver(NoopAddressResolverGroup.INSTANCE)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(outputBytes / 2, outputBytes))
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(timeout.toMillis()));
        if (EpollSocketChannel.class.isAssignableFrom(channelType)) {
            bootstrap
                    .option(EpollChannelOption.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS)
                    .option(EpollChannelOption.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SECONDS)
                    .option(EpollChannelOption.TCP_KEEPCNT, KEEPALIVE_PROBES);
        }
    }

    /** {@code failed} is called on the event loop with a short reason; success shows as {@code channelActive}. */
    void connect(ServerAddress server, ChannelHandler connection, Consumer<String> failed) {
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(server.host());
        if (literal != null) {
            try {
                open(new InetSocketAddress(InetAddress.getByAddress(literal), server.port()), connection, failed);
            } catch (UnknownHostException e) {
                throw new IllegalStateException(e); // only for illegal lengths
            }
            return;
        }
        Thread.ofVirtual().name("eden-resolve").start(() -> {
            try {
                InetSocketAddress address = new InetSocketAddress(InetAddress.getByName(server.host()), server.port());
                eventLoop.execute(() -> open(address, connection, failed));
            } catch (UnknownHostException e) {
                eventLoop.execute(() -> failed.accept("unknown host " + server.host()));
            }
        });
    }

    private void open(InetSocketAddress address, ChannelHandler connection, Consumer<String> failed) {
        ChannelFuture opened = bootstrap.clone().handler(connection).connect(address);
        opened.addListener(future -> {
            if (future.isSuccess()) {
                watch(opened.channel());
            } else {
                Throwable cause = future.cause();
                failed.accept(cause == null ? "cancelled" : reason(cause));
            }
        });
    }

    /**
     * Keepalive tells of a host that is gone while nothing is on its way to it, this of one that takes nothing any more. Not TCP_USER_TIMEOUT: that also ends connections to a server that is there and
     * does not read, as in a COPY that waits for a lock.
     */
    private void watch(Channel channel) {
        if (channel instanceof EpollSocketChannel socket) {
            Future<?> watch = eventLoop.scheduleWithFixedDelay(
                    () -> {
                        if (unheardMillis(socket) >= UNHEARD.toMillis()) {
                            LOGGER.atWarn()
                                    .addKeyValue("server", socket.remoteAddress())
                                    .log(
                                            "closing a connection: the server's host has confirmed nothing for {} s",
                                            UNHEARD.toSeconds());
                            socket.close();
                        }
                    },
                    LOOK.toMillis(),
                    LOOK.toMillis(),
                    TimeUnit.MILLISECONDS);
            socket.closeFuture().addListener(_ -> watch.cancel(false));
        }
    }

    /**
     * For how long the other host has sent nothing, and confirmed nothing, although something is on its way; 0: nothing is. Data count by themselves: while they come in one stream, Linux does not
     * note that they confirm, too.
     */
    static long unheardMillis(EpollSocketChannel socket) {
        if (!socket.isActive()) {
            return 0;
        }
        EpollTcpInfo info = socket.tcpInfo();
        return info.unacked() == 0 ? 0 : Math.min(info.lastAckRecv(), info.lastDataRecv());
    }

    private static String reason(Throwable cause) {
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    /** The handler for a server that has agreed to TLS: its certificate must be trusted and for its host ({@code verify-full}). */
    SslHandler tls(Channel channel, ServerAddress server) throws SSLException {
        SslContext context = tls;
        if (context == null) {
            context = SslContextBuilder.forClient().build();
            tls = context;
        }
        SslHandler handler = context.newHandler(channel.alloc(), server.host(), server.port());
        SSLParameters parameters = handler.engine().getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        handler.engine().setSSLParameters(parameters);
        return handler;
    }
}
