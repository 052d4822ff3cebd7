package dev.eden.activities.store;

import dev.eden.proxy.Backend;
import org.jspecify.annotations.Nullable;

/**
 * A database Eden may connect to, credentials resolved: lives in an activity's memory only.
 *
 * @param engine {@code redis} or {@code postgres}
 * @param tls with verification of the server's certificate and name
 * @param loginForClients Redis: clients that have not authenticated are given {@code login} by the proxies
 * @param database PostgreSQL: the one database that is meant; null for Redis, and for PostgreSQL's default, the user's name
 * @param link how another server verifies this one
 */
public record Endpoint(
        String id,
        String engine,
        String host,
        int port,
        boolean tls,
        Backend.@Nullable Login login,
        @Nullable String database,
        boolean loginForClients,
        LinkTls link) {

    /** Which leaves clients to their own logins. */
    public Endpoint(
            String id,
            String engine,
            String host,
            int port,
            boolean tls,
            Backend.@Nullable Login login,
            @Nullable String database) {
        this(id, engine, host, port, tls, login, database, false, new LinkTls.OfSystem());
    }

    /** Without a database. */
    public Endpoint(String id, String engine, String host, int port, boolean tls, Backend.@Nullable Login login) {
        this(id, engine, host, port, tls, login, null);
    }
}
