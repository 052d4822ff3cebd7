package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import java.util.Map;

/** What connections to a server must have in common to be exchangeable between clients; {@code options}: startup parameters that are not tracked. */
record PoolKey(ServerAddress server, String database, String user, Map<String, String> options) {

    /** The same on another server, in the database that is that endpoint's. */
    PoolKey on(Backend backend) {
        String name = backend.database();
        return new PoolKey(ServerAddress.of(backend), name == null ? database : name, user, options);
    }
}
