package dev.eden.proxy.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RedisProxyConfig;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BackendConnectionTest {
    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

    @AfterEach
    void end() {
        group.shutdownGracefully();
    }

    /** The pool was closed, or its request given up, while the connect was under way: no socket may stay behind that nobody knows. */
    @Test
    void aConnectThatCompletesTooLateIsClosed() {
        BackendConnection connection = new BackendConnection(pool());
        connection.close();
        EmbeddedChannel late = new EmbeddedChannel(connection);
        assertThat(late.isOpen()).isFalse();
    }

    private BackendPool pool() {
        EventLoop eventLoop = group.next();
        RedisProxyConfig config = RedisProxyConfig.of(
                new ProxyIdentity("p1", "1", "127.0.0.1", "test"), "test", new InetSocketAddress("127.0.0.1", 0));
        ProxyLoop loop = new ProxyLoop(new ProxyContext(config, 1), eventLoop, NioSocketChannel.class);
        return loop.pool(new PoolKey(new ServerAddress("source", "127.0.0.1", 1, false), Identity.ANONYMOUS, 0, 2));
    }
}
