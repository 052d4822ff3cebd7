package dev.eden.proxy;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How one PostgreSQL proxy process serves one interlay.
 *
 * @param eventLoops 0 means one per processor
 * @param poolSize connections to a server in all per database, user and startup options, split over the loops (at least one each)
 * @param waitTimeout how long a client waits for a connection before it gets SQLSTATE 53300; time under a hold does not count
 * @param maxWaiting clients that may wait per pool and loop; one more is refused at once
 * @param tls what the proxy shows to its clients; null: SSLRequest is answered {@code N}
 * @param trusted users that clients become without a password; the servers must let them in without one too
 */
public record PostgresProxyConfig(
        ProxyIdentity identity,
        String interlay,
        InetSocketAddress listen,
        int eventLoops,
        Pooling pooling,
        int poolSize,
        Duration waitTimeout,
        int maxWaiting,
        @Nullable TlsFiles tls,
        Set<String> trusted,
        Limits limits) {

    /** Sensible values for everything but the names and the address. */
    public static PostgresProxyConfig of(ProxyIdentity identity, String interlay, InetSocketAddress listen) {
        return new PostgresProxyConfig(
                identity,
                interlay,
                listen,
                0,
                Pooling.TRANSACTION,
                20,
                Duration.ofSeconds(30),
                10_000,
                null,
                Set.of(),
                Limits.defaults());
    }

    public PostgresProxyConfig withPool(Pooling newPooling, int newPoolSize) {
        return new PostgresProxyConfig(
                identity,
                interlay,
                listen,
                eventLoops,
                newPooling,
                newPoolSize,
                waitTimeout,
                maxWaiting,
                tls,
                trusted,
                limits);
    }

    public PostgresProxyConfig withEventLoops(int loops) {
        return new PostgresProxyConfig(
                identity, interlay, listen, loops, pooling, poolSize, waitTimeout, maxWaiting, tls, trusted, limits);
    }

    public PostgresProxyConfig withWaiting(Duration newWaitTimeout, int newMaxWaiting) {
        return new PostgresProxyConfig(
                identity,
                interlay,
                listen,
                eventLoops,
                pooling,
                poolSize,
                newWaitTimeout,
                newMaxWaiting,
                tls,
                trusted,
                limits);
    }

    public PostgresProxyConfig withTls(@Nullable TlsFiles newTls) {
        return new PostgresProxyConfig(
                identity,
                interlay,
                listen,
                eventLoops,
                pooling,
                poolSize,
                waitTimeout,
                maxWaiting,
                newTls,
                trusted,
                limits);
    }

    public PostgresProxyConfig withTrusted(Set<String> users) {
        return new PostgresProxyConfig(
                identity,
                interlay,
                listen,
                eventLoops,
                pooling,
                poolSize,
                waitTimeout,
                maxWaiting,
                tls,
                Set.copyOf(users),
                limits);
    }

    /** For how long a client keeps a connection to a server. */
    public enum Pooling {
        /** A transaction; longer while the session has state that others must not see. */
        TRANSACTION,
        /** As long as the client is connected. */
        SESSION
    }

    /**
     * @param maxClients connections of clients; one more gets SQLSTATE 53300
     * @param collectBytes a message up to this size is collected before it is sent on, a larger one is streamed
     * @param inputBytes per client: input above this that cannot be sent yet stops reading
     * @param outputBytes per connection: what the other side has not taken above this stops reading
     * @param preparedPerServer named statements kept on one connection to a server; the one unused for longest goes first
     * @param connectTimeout of one attempt to reach a server
     * @param loginTimeout from a client's connect to its login
     */
    public record Limits(
            int maxClients,
            int collectBytes,
            int inputBytes,
            int outputBytes,
            int preparedPerServer,
            Duration connectTimeout,
            Duration loginTimeout) {
        public static Limits defaults() {
            return new Limits(10_000, 1 << 20, 64 << 10, 1 << 20, 500, Duration.ofSeconds(1), Duration.ofSeconds(60));
        }
    }
}
