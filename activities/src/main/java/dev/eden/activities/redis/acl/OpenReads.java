package dev.eden.activities.redis.acl;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.ServerRecords;
import dev.eden.proxy.Backend;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;

/**
 * Whether clients that never log in, or log in as the user that such clients are given, may read everything on the owner of writes. Only their reads may go
 * to the standby, which answers with Eden's rights. Looked at again and again while a migration runs: an operator may take rights away at any time.
 */
public final class OpenReads {
    private static final String NAME = "reads:open";
    private static final String OPEN = "open";

    /** Several turns of a sweep over hundreds of migrations; who was not looked at for so long (no server of Eden's runs) is taken for closed. */
    private static final Duration USABLE = Duration.ofSeconds(30);

    /** What was stored and is the same is stored again before it is too old, and not at each look. */
    private static final Duration STORED_AGAIN = Duration.ofSeconds(10);

    private OpenReads() {}

    /** Looks at the owner of writes and stores what it finds; one round trip to the server. */
    public static void look(RespConnection owner, String migration, Endpoint endpoint, ServerRecords records) {
        String found = open(endpoint, AclUsers.read(owner)) ? OPEN : "closed";
        if (records.recent(migration, endpoint.id(), NAME, STORED_AGAIN)
                .filter(found::equals)
                .isEmpty()) {
            records.put(migration, endpoint.id(), NAME, found);
        }
    }

    /** What the last look found; false where that is too long ago. */
    public static boolean seen(String migration, String endpoint, ServerRecords records) {
        return records.recent(migration, endpoint, NAME, USABLE)
                .filter(OPEN::equals)
                .isPresent();
    }

    static boolean open(Endpoint endpoint, List<AclUser> users) {
        Backend.Login login = endpoint.loginForClients() ? endpoint.login() : null;
        Predicate<AclUser> may = login == null
                ? user -> user.name().equals("default") && user.openToAll()
                : user -> user.name().equals(login.user()) && user.on() && user.unrestricted();
        return users.stream().anyMatch(may);
    }
}
