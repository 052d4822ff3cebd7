package dev.eden.proxy;

import io.netty.util.internal.PlatformDependent;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How one Redis proxy process serves one interlay.
 *
 * @param eventLoops 0 means one per processor; never more than {@code poolSize}
 * @param poolSize shared backend connections in all per login, database and protocol version, split over the loops
 * @param maxPinned exclusive backend connections in all (transactions, blocking commands, subscribers)
 * @param tls what the proxy shows to its clients, who then speak TLS and nothing else; null: they speak none
 */
public record RedisProxyConfig(
        ProxyIdentity identity,
        String interlay,
        InetSocketAddress listen,
        int eventLoops,
        int poolSize,
        int maxPinned,
        @Nullable TlsFiles tls,
        Limits limits) {

    /** Without TLS. */
    public RedisProxyConfig(
            ProxyIdentity identity,
            String interlay,
            InetSocketAddress listen,
            int eventLoops,
            int poolSize,
            int maxPinned,
            Limits limits) {
        this(identity, interlay, listen, eventLoops, poolSize, maxPinned, null, limits);
    }

    /** Sensible values for everything but the names and the address. */
    public static RedisProxyConfig of(ProxyIdentity identity, String interlay, InetSocketAddress listen) {
        return new RedisProxyConfig(identity, interlay, listen, 0, 8, 10_000, Limits.defaults());
    }

    public RedisProxyConfig withTls(@Nullable TlsFiles newTls) {
        return new RedisProxyConfig(identity, interlay, listen, eventLoops, poolSize, maxPinned, newTls, limits);
    }

    /**
     * @param maxClients connections of clients; one more gets Redis' own error
     * @param largeRequest bytes; a longer request is streamed over an exclusive connection instead of being collected
     * @param inputBytes per client: collected input above this stops reading
     * @param outputBytes per client: replies not yet taken by the client above this stop its requests; past eight times that a server waits with it
     * @param outputStall how long a client may take no byte of a paused reply before it is closed
     * @param totalBytes of all clients together, collected and not yet taken: above it nothing is read from clients
     * @param recordedBytes per transaction: queued commands kept for a flip
     * @param connectTimeout of one attempt to reach a server
     */
    public record Limits(
            int maxClients,
            int largeRequest,
            int inputBytes,
            int outputBytes,
            Duration outputStall,
            long totalBytes,
            int recordedBytes,
            Duration connectTimeout) {
        public static Limits defaults() {
            return within(PlatformDependent.maxDirectMemory());
        }

        /** @param directMemory bytes that this process may have in buffers: one client's replies get an eighth at most, what all have sent a half */
        static Limits within(long directMemory) {
            return new Limits(
                    10_000,
                    1 << 20,
                    64 << 10,
                    Math.clamp(directMemory / 64, 64 << 10, 8 << 20),
                    Duration.ofSeconds(10),
                    Math.min(directMemory / 2, 512L << 20),
                    1 << 20,
                    Duration.ofSeconds(1));
        }
    }
}
