package dev.eden.proxy.redis;

import java.util.concurrent.ConcurrentHashMap;

/**
 * Whose connection a client blocks on, so that {@code CLIENT UNBLOCK} means the client it names: numbers of clients are the proxy's, and a server would
 * take one for a connection of its own, maybe another client's. Safe for every thread.
 */
final class BlockedClients {
    private final ConcurrentHashMap<Long, BackendConnection> connections = new ConcurrentHashMap<>();

    void add(ClientConnection client, BackendConnection connection) {
        connections.put(client.id, connection);
    }

    void remove(ClientConnection client) {
        connections.remove(client.id);
    }

    /** The server's number for the connection that the client blocks on, 0 (nobody's) where it does not; nobody else will ever block on that one. */
    long aimAt(long client) {
        BackendConnection found = connections.computeIfPresent(client, (_, connection) -> {
            connection.aimedAt = true;
            return connection;
        });
        return found == null ? 0 : found.serverId;
    }
}
