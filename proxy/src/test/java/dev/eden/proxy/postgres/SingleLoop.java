package dev.eden.proxy.postgres;

import dev.eden.proxy.ClientTls;
import dev.eden.proxy.InterlayUsers;
import dev.eden.proxy.PostgresProxyConfig;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.Wakefulness;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** A loop of a proxy that has no other, driven by a test. */
final class SingleLoop {
    private SingleLoop() {}

    /**
     * @param trusted users who come in without a password
     * @param servers what a connection to a server is
     * @param poolShare server connections of each pool
     */
    static PostgresLoop of(
            Set<String> trusted,
            Cancels cancels,
            PeerCancels peers,
            EventLoop eventLoop,
            Class<? extends Channel> servers,
            int poolShare) {
        PostgresProxyConfig config = PostgresProxyConfig.of(
                        new ProxyIdentity("p1", "1", "127.0.0.1", "test"),
                        "test",
                        new InetSocketAddress("127.0.0.1", 0))
                .withTrusted(trusted);
        return new PostgresLoop(
                config,
                new PostgresLoop.Shared(
                        new Accounts(config.trusted(), () -> InterlayUsers.NONE),
                        cancels,
                        peers,
                        new ClientTls(null),
                        new AtomicInteger(),
                        new Wakefulness()),
                eventLoop,
                servers,
                null,
                poolShare);
    }
}
