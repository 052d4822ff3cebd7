package dev.eden.activities.postgres.fence;

import dev.eden.activities.postgres.PostgresSession;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Who can come in to a database by now. */
final class Doors {
    private static final Door SHUT = new Door(false, false, false);

    private final Map<String, Door> byRole;

    private Doors(Map<String, Door> byRole) {
        this.byRole = byRole;
    }

    /** May connect, hand that on, and log in anywhere. */
    private record Door(boolean connects, boolean grants, boolean login) {
        boolean lets(AccessRules.Grant grant) {
            return connects && (grants || !grant.grantable());
        }
    }

    static Doors of(PostgresSession session) {
        Map<String, Door> doors = new HashMap<>();
        session.query(
                """
                SELECT coalesce(r.rolname, ''), a.grantee IS NOT NULL, coalesce(a.grantable, false), coalesce(r.rolcanlogin, false)
                FROM pg_roles r FULL JOIN (SELECT a.grantee, bool_or(a.is_grantable) AS grantable FROM pg_database d
                    CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
                    WHERE d.datname = current_database() AND a.privilege_type = 'CONNECT' GROUP BY 1) AS a ON a.grantee = r.oid""",
                row -> doors.put(row.getString(1), new Door(row.getBoolean(2), row.getBoolean(3), row.getBoolean(4))));
        return new Doors(doors);
    }

    /** All there are; PUBLIC, an empty name, where it may connect. */
    Set<String> roles() {
        return byRole.keySet();
    }

    /** What of the rules does not hold. */
    AccessRules shut(AccessRules rules) {
        return new AccessRules(
                rules.connect().stream()
                        .filter(grant -> !door(grant.grantee()).lets(grant))
                        .toList(),
                rules.superusers().stream().filter(role -> !door(role).login()).toList());
    }

    private Door door(String role) {
        return byRole.getOrDefault(role, SHUT);
    }
}
