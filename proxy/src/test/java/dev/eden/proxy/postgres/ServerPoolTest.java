package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.Backend;
import dev.eden.proxy.MemoryRouteStore;
import dev.eden.proxy.PostgresProxyConfig;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.Secret;
import dev.eden.proxy.Wakefulness;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ServerPoolTest {
    /** As of the standby's when its route has changed while a read was compared. */
    @Test
    void whoAsksAPoolThatIsClosedIsToldSo() throws Exception {
        PostgresProxyConfig config = PostgresProxyConfig.of(
                new ProxyIdentity("p1", "1", "127.0.0.1", "test"), "test", new InetSocketAddress("127.0.0.1", 0));
        Cancels cancels = new Cancels("p1");
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        try (PeerCancels peers =
                new PeerCancels(new MemoryRouteStore(MemoryRouteStore.route(null, null)), "test", cancels)) {
            PostgresLoop loop = new PostgresLoop(
                    config,
                    new PostgresLoop.Shared(
                            new Accounts(config.trusted()),
                            cancels,
                            peers,
                            new ClientTls(null),
                            new AtomicInteger(),
                            new Wakefulness()),
                    group.next(),
                    NioSocketChannel.class,
                    null,
                    1);
            CompletableFuture<Exchange.Outcome> told = new CompletableFuture<>();
            loop.eventLoop.execute(() -> {
                Backend backend = MemoryRouteStore.backend("nowhere", 1);
                ServerPool pool = loop.ownPool(backend, new Backend.Login("nobody", new Secret("nothing")), 1);
                pool.close();
                pool.exchange("SELECT 1", told::complete);
            });
            assertThat(Objects.requireNonNull(told.get(5, TimeUnit.SECONDS).error())
                            .sqlState())
                    .isEqualTo("57P01");
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }
}
