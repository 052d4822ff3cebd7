package dev.eden.activities.postgres.cutover;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.schema.RoleCopier;
import dev.eden.activities.store.ServerRecords;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who can log in to the source and could not to the target: roles were copied once, when the migration was prepared, and no log carries what became of them. */
final class Logins {
    private static final int SHOWN = 5;

    private Logins() {}

    /** Passwords that differed at preparation are what plan has warned of; only those that were the same are looked at. */
    static List<String> blockers(
            String migration,
            PostgresSession source,
            String sourceId,
            PostgresSession target,
            String targetId,
            ServerRecords records) {
        Map<String, String> there = new HashMap<>();
        target.query(
                "SELECT rolname, coalesce(rolpassword, '') FROM pg_authid",
                row -> there.put(row.getString(1), row.getString(2)));
        Set<String> same = new HashSet<>(RoleCopier.same(migration, targetId, records));
        List<String> missing = new ArrayList<>();
        List<String> changed = new ArrayList<>();
        source.query(
                """
                SELECT rolname, coalesce(rolpassword, '') FROM pg_authid WHERE rolcanlogin AND rolname !~ ? AND coalesce(rolvaliduntil, 'infinity') > now()
                    AND has_database_privilege(oid, current_database(), 'CONNECT') ORDER BY 1""",
                row -> {
                    String name = row.getString(1);
                    String verifier = there.get(name);
                    if (verifier == null) {
                        return missing.add(name);
                    }
                    return same.contains(name) && !verifier.equals(row.getString(2)) && changed.add(name);
                },
                EdenObjects.ROLE_PATTERN);
        List<String> blockers = new ArrayList<>();
        if (!missing.isEmpty()) {
            blockers.add("these logins of " + sourceId + " do not exist on " + targetId + ": " + some(missing)
                    + "; make them there, with the rolpassword that they have");
        }
        if (!changed.isEmpty()) {
            blockers.add("these logins have another password on " + targetId + " than on " + sourceId + " by now: "
                    + some(changed) + "; copy their rolpassword");
        }
        return blockers;
    }

    private static String some(List<String> names) {
        String shown = String.join(", ", names.subList(0, Math.min(SHOWN, names.size())));
        return names.size() <= SHOWN ? shown : shown + " and " + (names.size() - SHOWN) + " more";
    }
}
