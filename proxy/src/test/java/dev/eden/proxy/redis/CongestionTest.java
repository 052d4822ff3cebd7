package dev.eden.proxy.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RedisProxyConfig;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class CongestionTest {
    private final EmbeddedChannel outside = new EmbeddedChannel();
    private final ProxyLoop loop = new ProxyLoop(
            new ProxyContext(
                    RedisProxyConfig.of(
                            new ProxyIdentity("p1", "1", "127.0.0.1", "test"),
                            "test",
                            new InetSocketAddress("127.0.0.1", 0)),
                    1),
            outside.eventLoop(),
            NioSocketChannel.class);

    @Test
    void whoTakesNothingIsHeldBackOnItsNextConnectionToo() {
        ClientConnection client = new ClientConnection(loop, outside, 1);
        outside.pipeline().addLast(client);
        loop.clients.add(client);
        BackendConnection former = connection();
        BackendConnection next = connection();
        client.session.connections.adopt(former);
        client.send(former, Unpooled.EMPTY_BUFFER, BackendConnection.nobody());
        Objects.requireNonNull(outside.unsafe().outboundBuffer()).setUserDefinedWritability(1, false);
        outside.runPendingTasks();
        assertThat(former.paused()).isTrue();
        client.session.connections.adopt(next);
        client.send(next, Unpooled.EMPTY_BUFFER, BackendConnection.nobody());
        assertThat(former.paused()).isFalse();
        client.output(Unpooled.copiedBuffer(new byte[] {'+'}));
        assertThat(next.paused()).isTrue();
    }

    private BackendConnection connection() {
        return new BackendConnection(
                loop.pool(new PoolKey(new ServerAddress("source", "127.0.0.1", 1, false), Identity.ANONYMOUS, 0, 2)));
    }
}
