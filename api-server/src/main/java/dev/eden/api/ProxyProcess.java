package dev.eden.api;

import dev.eden.api.problem.StartupException;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/** One Redis proxy, bound straight to the store. */
public final class ProxyProcess implements AutoCloseable {
    private ProxyProcess() {}

    public static ProxyProcess start(
            EdenStore store,
            String name,
            String interlay,
            InetSocketAddress listen,
            @Nullable Integer poolSize,
            MeterRegistry registry) {
        throw new StartupException("the proxy is not built in yet", "start with --no-proxy");
    }

    public int port() {
        return 0;
    }

    public boolean serving() {
        return false;
    }

    @Override
    public void close() {}
}
