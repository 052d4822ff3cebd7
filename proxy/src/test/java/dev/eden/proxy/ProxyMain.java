package dev.eden.proxy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetSocketAddress;

/** A proxy in front of one server, for the benchmark script: {@code PORT HOST:PORT [loops] [pool]}. */
public final class ProxyMain {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        String[] target = arguments[1].split(":");
        Backend backend = new Backend("direct", target[0], Integer.parseInt(target[1]), false, null, null);
        RedisProxyConfig defaults = RedisProxyConfig.of(
                new ProxyIdentity("bench", "1", "", ""), "test", new InetSocketAddress("127.0.0.1", port));
        RedisProxyConfig config = new RedisProxyConfig(
                defaults.identity(),
                defaults.interlay(),
                defaults.listen(),
                arguments.length > 2 ? Integer.parseInt(arguments[2]) : 0,
                arguments.length > 3 ? Integer.parseInt(arguments[3]) : defaults.poolSize(),
                defaults.maxPinned(),
                defaults.limits());
        RedisProxy.start(
                config, new MemoryRouteStore(MemoryRouteStore.route(backend, null)), new SimpleMeterRegistry());
        Thread.currentThread().join();
    }
}
