package dev.eden.proxy.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RedisProxyConfig;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
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
        writable(false);
        assertThat(former.paused()).isTrue();
        client.session.connections.adopt(next);
        client.send(next, Unpooled.EMPTY_BUFFER, BackendConnection.nobody());
        assertThat(former.paused()).isFalse();
        client.output(Unpooled.copiedBuffer(new byte[] {'+'}));
        assertThat(next.paused()).isTrue();
    }

    /** It was as good as any a moment ago. */
    @Test
    void aSubscriberThatIsFullForAMomentIsCarriedOver() {
        ClientConnection client = new ClientConnection(loop, outside, 1);
        BackendConnection own = fullSubscription(client);
        CompletableFuture<Void> carried = loop.gate.carryOver();
        assertThat(client.isClosed()).isFalse();
        assertThat(carried).isNotDone();
        writable(true);
        assertThat(own.paused()).isFalse();
        while (own.pending() > 0) {
            own.answerOldest();
        }
        loop.gate.turnEnded();
        assertThat(carried).isDone();
        assertThat(client.isClosed()).isFalse();
    }

    @Test
    void aSubscriberThatStaysFullIsNotWaitedForLong() {
        ClientConnection client = new ClientConnection(loop, outside, 1);
        fullSubscription(client);
        CompletableFuture<Void> carried = loop.gate.carryOver();
        await().atMost(Duration.ofSeconds(5)).until(() -> {
            loop.gate.turnEnded();
            return carried.isDone();
        });
        assertThat(client.isClosed()).isTrue();
    }

    /** The client listens to a channel and takes no more at present. */
    private BackendConnection fullSubscription(ClientConnection client) {
        outside.pipeline().addLast(client);
        loop.clients.add(client);
        BackendConnection own = connection();
        client.session.connections.adopt(own);
        client.send(own, Unpooled.EMPTY_BUFFER, BackendConnection.nobody());
        client.session.listening.frame(
                Unpooled.copiedBuffer("*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", StandardCharsets.US_ASCII),
                (byte) '*');
        writable(false);
        assertThat(own.paused()).isTrue();
        return own;
    }

    private void writable(boolean value) {
        Objects.requireNonNull(outside.unsafe().outboundBuffer()).setUserDefinedWritability(1, value);
        outside.runPendingTasks();
    }

    private BackendConnection connection() {
        return new BackendConnection(
                loop.pool(new PoolKey(new ServerAddress("source", "127.0.0.1", 1, false), Identity.ANONYMOUS, 0, 2)));
    }
}
