package dev.eden.proxy;

import org.jspecify.annotations.Nullable;

/**
 * A server that a route points to. {@code clientLogin} is how connections of clients that have not authenticated log in
 * (null: not at all); {@code edenLogin} is Eden's own proxy user there, present only while a migration runs.
 */
public record Backend(
        String endpoint,
        String host,
        int port,
        boolean tls,
        @Nullable Login clientLogin,
        @Nullable Login edenLogin) {

    public record Login(String user, Secret password) {}

    /** {@code host:port}, for messages. */
    public String address() {
        return host + ":" + port;
    }
}
