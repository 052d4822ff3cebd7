package dev.eden.activities.redis.preparation;

import dev.eden.activities.redis.acl.AclSnapshot;
import dev.eden.activities.redis.acl.AclUser;
import dev.eden.activities.store.ServerRecords;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * What is stored about a server's users: {@code saved:acl}, as they were before Eden came, and {@code final:acl}, as they are to be
 * while the server owns writes.
 */
public final class AclRecords {
    static final String SAVED = "saved:acl";
    static final String FINAL = "final:acl";

    private final ServerRecords records;
    private final String migration;

    public AclRecords(ServerRecords records, String migration) {
        this.records = records;
        this.migration = migration;
    }

    String migration() {
        return migration;
    }

    /** As the users were before Eden's first change; for the target its {@code created} users are those Eden copies from the source. */
    public Optional<AclSnapshot> original(String endpoint) {
        return records.get(migration, endpoint, SAVED).map(AclSnapshot::decode);
    }

    /** What lifting the fence of this endpoint restores; empty before the preparation. */
    public Optional<AclSnapshot> whenActive(String endpoint) {
        return records.get(migration, endpoint, FINAL).map(AclSnapshot::decode);
    }

    /** Like {@link #whenActive(String)}; throws {@link NoSuchElementException} before the preparation. */
    public AclSnapshot unfenced(String endpoint) {
        return whenActive(endpoint)
                .orElseThrow(() -> new NoSuchElementException("no users are stored for endpoint " + endpoint));
    }

    /**
     * Replaces {@link #unfenced(String)}: an attempt stores the users of the active side just before it fences it, so that what operators
     * changed since the preparation comes back too. The snapshot must have been taken while the server was not fenced.
     */
    public void unfenced(String endpoint, AclSnapshot snapshot) {
        records.put(migration, endpoint, FINAL, snapshot.encode());
    }

    /** What a rollback leaves on the target: its own users by their newest rules; those copied from the source are removed. */
    public Optional<AclSnapshot> takenBack(String endpoint) {
        return original(endpoint).map(own -> {
            AclSnapshot newest = whenActive(endpoint).orElse(own);
            List<AclUser> users = newest.users().stream()
                    .filter(user -> !own.created().contains(user.name()))
                    .toList();
            return new AclSnapshot(own.selectors(), users, own.created());
        });
    }
}
