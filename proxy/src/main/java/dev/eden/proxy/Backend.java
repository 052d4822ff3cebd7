package dev.eden.proxy;

import org.jspecify.annotations.Nullable;

/**
 * A server that a route points to. {@code clientLogin} is how connections of clients that have not authenticated log in
 * (null: not at all); {@code edenLogin} is Eden's own proxy user there, present only while a migration runs. {@code database} is the one
 * database of a PostgreSQL endpoint (the path of its URL); null: the endpoint is the whole server. {@code openToAll}: a client that never logs in,
 * and one that is {@code clientLogin}'s user, may read everything there by the server's own rules (Redis: nothing is kept from that user, or from
 * {@code default}, which needs no password).
 */
public record Backend(
        String endpoint,
        String host,
        int port,
        boolean tls,
        @Nullable Login clientLogin,
        @Nullable Login edenLogin,
        @Nullable String database,
        boolean openToAll) {

    public record Login(String user, Secret password) {}

    public Backend(
            String endpoint,
            String host,
            int port,
            boolean tls,
            @Nullable Login clientLogin,
            @Nullable Login edenLogin,
            @Nullable String database) {
        this(endpoint, host, port, tls, clientLogin, edenLogin, database, false);
    }

    /** An endpoint that is a whole server. */
    public Backend(
            String endpoint,
            String host,
            int port,
            boolean tls,
            @Nullable Login clientLogin,
            @Nullable Login edenLogin) {
        this(endpoint, host, port, tls, clientLogin, edenLogin, null);
    }

    /** {@code host:port}, for messages. */
    public String address() {
        return host + ":" + port;
    }
}
