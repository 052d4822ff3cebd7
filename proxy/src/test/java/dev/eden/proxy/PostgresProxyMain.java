package dev.eden.proxy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetSocketAddress;

/** A proxy in front of one server, for benchmarks: {@code PORT HOST:PORT USER PASSWORD DATABASE [loops] [pool] [session]}, database {@code *} for all; the user reads pg_authid. */
public final class PostgresProxyMain {
    public static void main(String[] arguments) throws Exception {
        String[] target = arguments[1].split(":");
        Backend backend = new Backend(
                "direct",
                target[0],
                Integer.parseInt(target[1]),
                false,
                null,
                new Backend.Login(arguments[2], new Secret(arguments[3])),
                arguments[4].equals("*") ? null : arguments[4]);
        PostgresProxyConfig config = PostgresProxyConfig.of(
                        new ProxyIdentity("bench", "1", "", ""),
                        "test",
                        new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])))
                .withEventLoops(arguments.length > 5 ? Integer.parseInt(arguments[5]) : 0)
                .withPool(
                        arguments.length > 7
                                ? PostgresProxyConfig.Pooling.SESSION
                                : PostgresProxyConfig.Pooling.TRANSACTION,
                        arguments.length > 6 ? Integer.parseInt(arguments[6]) : 20);
        PostgresProxy.start(
                config, new MemoryRouteStore(MemoryRouteStore.route(backend, null)), new SimpleMeterRegistry());
        Thread.currentThread().join();
    }
}
