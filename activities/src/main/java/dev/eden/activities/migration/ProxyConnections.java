package dev.eden.activities.migration;

import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ServerRecords;
import java.time.Duration;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a database shows of a proxy: backend connections carry its name ({@code eden:NAME}). */
public record ProxyConnections(EndpointDirectory endpoints, ServerRecords records) {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    /** The longest {@code application_name} in bytes (PostgreSQL documentation, NAMEDATALEN). */
    private static final int LONGEST = 63;
    /** What {@code CLIENT SETNAME} takes: others have no name on the server. */
    private static final Pattern SHOWN_BY_REDIS = Pattern.compile("[!-~]+");

    /**
     * Connections of the proxy that the endpoint's server shows now. A PostgreSQL shows those only whose clients have set no
     * {@code application_name} of their own; the others end with the fence of the next attempt. Throws a {@link RuntimeException} where the server
     * can't be asked.
     *
     * @param migration that the endpoint is in, if any: its logins are tried where the endpoint's own is fenced
     */
    public int count(String endpointId, @Nullable String migration, String proxy) {
        Endpoint endpoint = endpoints.endpoint(endpointId);
        return switch (Engine.of(endpoint.engine())) {
            case REDIS -> redis(endpoint, migration, proxy);
            case POSTGRES -> postgres(endpoint, migration, proxy);
        };
    }

    private int redis(Endpoint endpoint, @Nullable String migration, String proxy) {
        if (!SHOWN_BY_REDIS.matcher(proxy).matches()) {
            throw new IllegalStateException("a Redis does not show a name like this");
        }
        String wanted = "name=eden:" + proxy;
        try (RespConnection connection = migration == null
                ? RespConnection.connect(endpoint, "eden:check", TIMEOUT)
                : EdenUsers.connectFirst(migration, endpoint, records, TIMEOUT)) {
            return (int) connection
                    .call("CLIENT", "LIST")
                    .text()
                    .lines()
                    .filter(line -> (" " + line + " ").contains(" " + wanted + " "))
                    .count();
        }
    }

    private int postgres(Endpoint endpoint, @Nullable String migration, String proxy) {
        String name = "eden:" + proxy;
        try (PostgresSession session = migration == null
                ? PostgresSession.connect(endpoint, "eden:check", TIMEOUT)
                : EdenRoles.connectFirst(migration, endpoint, records, "check", TIMEOUT)) {
            return (int) session.number(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = ?",
                    name.substring(0, Math.min(name.length(), LONGEST)));
        }
    }
}
