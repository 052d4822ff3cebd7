package dev.eden.proxy.postgres;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.NoopAddressResolverGroup;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/** Opens connections to servers on one event loop. Host names are resolved off it. */
final class Connector {
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
        bootstrap.clone().handler(connection).connect(address).addListener(future -> {
            if (!future.isSuccess()) {
                Throwable cause = future.cause();
                failed.accept(cause == null ? "cancelled" : reason(cause));
            }
        });
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
