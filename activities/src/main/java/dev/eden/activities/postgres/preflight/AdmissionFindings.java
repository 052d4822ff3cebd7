package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.store.Endpoint;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/**
 * Whether {@code pg_hba.conf} lets in the roles that Eden is going to make: one login of each with a password that is nobody's. Who is asked for the
 * password has passed the file, and whoever it turns away is told so before (PostgreSQL documentation, client authentication). The server's log has
 * the logins that fail.
 */
final class AdmissionFindings {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final String INVALID_AUTHORIZATION = "28000";

    private final Pair pair;
    private final Findings findings;

    AdmissionFindings(Pair pair, Findings findings) {
        this.pair = pair;
        this.findings = findings;
    }

    void check(Role role, String side) {
        EdenObjects names = pair.names();
        refused(role, names.control())
                .ifPresent(why -> findings.failure(
                        "postgres.roles.refused",
                        "The " + side + " does not let Eden's servers in as " + names.control() + ": " + why,
                        lines(pair, side, role)));
        // From here; where the proxies are nobody knows yet.
        refused(role, names.proxy())
                .ifPresent(why -> findings.warning(
                        "postgres.roles.refused",
                        "The " + side + " does not let " + names.proxy() + " in from the host of Eden's server: " + why
                                + ". Where it does not let it in from a proxy's host either, nothing cuts over.",
                        lines(pair, side, role)));
    }

    /** What {@code pg_hba.conf} of a server has to have. */
    static String lines(Pair pair, String side, Role role) {
        EdenObjects names = pair.names();
        return "Let pg_hba.conf of the " + side + " have a line for each of " + names.control()
                + " (from Eden's servers), " + names.proxy() + " (from every proxy) and " + names.link()
                + " (from the other server), to the database " + EdenRoles.database(pair.endpoint(role))
                + ", with scram-sha-256, and reload it.";
    }

    private Optional<String> refused(Role role, String user) {
        Endpoint endpoint = EdenRoles.inDatabase(pair.endpoint(role));
        Backend.Login nobodys =
                new Backend.Login(user, new Secret(UUID.randomUUID().toString()));
        try (PostgresSession _ = PostgresSession.connect(endpoint, nobodys, "eden:preflight", LIMIT)) {
            return Optional.empty();
        } catch (PostgresException e) {
            // One who is trusted is told that there is no such role, with the same SQLSTATE.
            String said = String.valueOf(e.getMessage());
            return e.sqlState().equals(INVALID_AUTHORIZATION)
                            && (said.contains("pg_hba.conf") || said.contains("authentication failed"))
                    ? Optional.of(said)
                    : Optional.empty();
        }
    }
}
