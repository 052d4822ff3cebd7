package dev.eden.proxy.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RedisProxyConfig;
import java.net.InetSocketAddress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A loop has at least one connection to the server: on a machine with many processors the pool's size says how many loops there are. */
class LoopGroupTest {
    @ParameterizedTest
    @CsvSource({"16, 2, 2", "2, 8, 2", "1, 0, 1"})
    void thereAreNoMoreLoopsThanConnections(int wanted, int pool, int loops) {
        RedisProxyConfig usual = RedisProxyConfig.of(
                new ProxyIdentity("p1", "1", "127.0.0.1", "test"), "test", new InetSocketAddress("127.0.0.1", 0));
        LoopGroup group = new LoopGroup(new RedisProxyConfig(
                usual.identity(), usual.interlay(), usual.listen(), wanted, pool, 10, usual.limits()));
        try {
            assertThat(group.ask(loop -> loop.eventLoop)).hasSize(loops);
        } finally {
            group.close();
        }
    }
}
