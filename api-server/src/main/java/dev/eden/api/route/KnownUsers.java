package dev.eden.api.route;

import dev.eden.api.store.InterlayUserStore;
import dev.eden.proxy.InterlayUsers;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jdbi.v3.core.Handle;

/** The users of interlays as proxies ask for them, each second: nothing is opened again while nothing has changed. Thread-safe. */
final class KnownUsers {
    private final InterlayUserStore users;
    private final Map<String, Known> known = new ConcurrentHashMap<>();
    private volatile boolean kept;

    KnownUsers(InterlayUserStore users) {
        this.users = users;
    }

    private record Known(long version, InterlayUsers users) {}

    InterlayUsers of(Handle handle, String interlay) {
        // A store from before the tables: proxies may be upgraded before the servers.
        if (!kept) {
            kept = handle.createQuery("SELECT to_regclass('interlay_login') IS NOT NULL")
                    .mapTo(Boolean.class)
                    .one();
        }
        if (!kept) {
            return InterlayUsers.NONE;
        }
        // Read first: what changes meanwhile is found by the next look.
        long version = users.version(handle, interlay);
        Known before = known.get(interlay);
        if (before != null && before.version() == version) {
            return before.users();
        }
        InterlayUsers read = users.users(handle, interlay);
        known.put(interlay, new Known(version, read));
        return read;
    }
}
