package dev.eden.activities.postgres;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ServerRecords;
import java.time.Duration;

/** The two servers of a migration, by role and by endpoint id, and Eden's way in. Thread-safe. */
public record Pair(String migration, String source, String target, EndpointDirectory endpoints, ServerRecords records) {

    public EdenObjects names() {
        return EdenObjects.of(migration);
    }

    public Role role(String endpoint) {
        return endpoint.equals(source) ? Role.SOURCE : Role.TARGET;
    }

    public Endpoint endpoint(Role role) {
        return endpoints.endpoint(role == Role.SOURCE ? source : target);
    }

    /** A session of the control role. {@code limit} of each statement; zero: none. */
    public PostgresSession control(Role role, String part, Duration limit) {
        return EdenRoles.connect(migration, endpoint(role), records, part, limit);
    }

    /** As {@link #control}, for replication commands. */
    public PostgresSession replication(Role role, String part) {
        return EdenRoles.connectForReplication(migration, endpoint(role), records, part);
    }
}
