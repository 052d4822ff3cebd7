package dev.eden.api;

import dev.eden.proxy.Secret;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * What a server is told at start.
 *
 * @param listen of the proxy inside and of interlay {@code redis_interlay}; null: there is neither
 * @param proxyName of the proxy inside; must survive restarts
 * @param proxyInside false: the interlay is made, proxies run elsewhere
 * @param apiPort,adminPort 0 asks for a free one
 * @param temporalAddress {@code host:port}
 * @param temporalUi base URI of Temporal's Web UI, for links
 * @param adminToken given from outside; null: the first start makes one and prints it
 */
public record ServerOptions(
        @Nullable InetSocketAddress listen,
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

    /** The name of the interlay that {@code --listen} makes. */
    public static final String INTERLAY = "redis_interlay";
}
