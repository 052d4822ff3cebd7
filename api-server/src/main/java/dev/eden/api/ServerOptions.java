package dev.eden.api;

import dev.eden.proxy.Secret;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a server is told at start.
 *
 * @param fronts interlays to make where they are not there yet
 * @param proxyName of the proxies inside; must survive restarts
 * @param proxyInside false: the interlays are made, proxies run elsewhere
 * @param apiPort,adminPort 0 asks for a free one
 * @param temporalAddress {@code host:port}
 * @param temporalUi base URI of Temporal's Web UI, for links
 * @param adminToken given from outside; null: the first start makes one and prints it
 * @param retention after which finished migrations are forgotten; zero: never
 */
public record ServerOptions(
        List<Front> fronts,
        String proxyName,
        boolean proxyInside,
        String apiHost,
        int apiPort,
        String adminHost,
        int adminPort,
        EdenStore.Settings store,
        String temporalAddress,
        String temporalNamespace,
        @Nullable String temporalUi,
        @Nullable Secret adminToken,
        Duration retention) {

    public ServerOptions {
        fronts = List.copyOf(fronts);
    }

    /** Forgets nothing. */
    public ServerOptions(
            List<Front> fronts,
            String proxyName,
            boolean proxyInside,
            String apiHost,
            int apiPort,
            String adminHost,
            int adminPort,
            EdenStore.Settings store,
            String temporalAddress,
            String temporalNamespace,
            @Nullable String temporalUi,
            @Nullable Secret adminToken) {
        this(
                fronts,
                proxyName,
                proxyInside,
                apiHost,
                apiPort,
                adminHost,
                adminPort,
                store,
                temporalAddress,
                temporalNamespace,
                temporalUi,
                adminToken,
                Duration.ZERO);
    }

    /** An interlay, the engine it speaks and where it is listened for its clients. */
    public record Front(String interlay, String engine, InetSocketAddress listen) {

        /** What {@code --listen} makes. */
        public static Front redis(InetSocketAddress listen) {
            return new Front("redis_interlay", "redis", listen);
        }

        /** What {@code --listen-postgres} makes. */
        public static Front postgres(InetSocketAddress listen) {
            return new Front("postgres_interlay", "postgres", listen);
        }
    }
}
