package dev.eden.activities.postgres.cutover;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.fence.AccessRules;
import dev.eden.activities.postgres.schema.RoleCopier;
import dev.eden.activities.store.ServerRecords;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who can log in to the side that owns writes is to be let in by the standby after a flip; no log carries what became of roles since they were copied, and nobody but Eden gets in there. */
final class Logins {
    private static final Logger LOGGER = LoggerFactory.getLogger(Logins.class);

    private Logins() {}

    /**
     * Who may connect to the standby when it owns writes, stored: as to the active side by now. The target's own from before the migration may as well;
     * the source gets what has changed on the target since writes came there, and nothing of the target's own. Idempotent.
     */
    static AccessRules rules(Pair pair, PostgresSession active, Role of) {
        ServerRecords records = pair.records();
        String migration = pair.migration();
        String there = pair.endpoint(of).id();
        String here = pair.endpoint(of.other()).id();
        AccessRules known = AccessRules.of(records, migration, there);
        AccessRules present = AccessRules.take(active);
        if (present.nobody()) {
            return known;
        }
        AccessRules rules = switch (of) {
            case TARGET ->
                records.get(migration, there, AccessRules.KEPT)
                        // Prepared by an earlier Eden.
                        .or(() -> records.get(migration, there, AccessRules.SAVED))
                        .map(AccessRules::decode)
                        .map(present::with)
                        .orElse(known);
            case SOURCE ->
                known.follow(
                        AccessRules.of(records, migration, here),
                        present,
                        Set.copyOf(active.texts("SELECT rolname FROM pg_roles")));
        };
        if (!rules.equals(known)) {
            records.put(migration, there, AccessRules.FINAL, rules.encode());
        }
        // What has been followed once is not to be followed again.
        records.put(migration, here, AccessRules.FINAL, present.encode());
        return rules;
    }

    /** Idempotent; answers what keeps writes from coming to the standby. A way back is not kept up by a role that is missing there. */
    static List<String> follow(Pair pair, PostgresSession active, PostgresSession standby, Role of) {
        try {
            new RoleCopier(pair).follow(active, standby, of);
            EdenRoles.admitReaders(active, pair.migration());
            EdenRoles.admitReaders(standby, pair.migration());
            return List.of();
        } catch (PostgresConnectionException e) {
            throw e;
        } catch (PostgresException e) {
            String problem = "logins that came to " + pair.endpoint(of.other()).id()
                    + " since they were copied, or got another password there, cannot be made the same on "
                    + pair.endpoint(of).id() + ": " + e.getMessage();
            if (of == Role.TARGET) {
                return List.of(problem);
            }
            LOGGER.atWarn()
                    .addKeyValue("migration", pair.migration())
                    .addKeyValue("problem", problem)
                    .log("the way back goes on without some logins");
            return List.of();
        }
    }
}
