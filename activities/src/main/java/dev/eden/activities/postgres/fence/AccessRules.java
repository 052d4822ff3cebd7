package dev.eden.activities.postgres.fence;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.store.ServerRecords;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Who may connect to a database, Eden's roles left out: the grantees of CONNECT, and the superusers that can log in, because no privilege
 * keeps those out. Roles are shared by all databases of a server, so nobody but superusers is touched beyond this database.
 */
public record AccessRules(List<Grant> connect, List<String> superusers) {
    /** In {@link dev.eden.activities.store.ServerRecords}: as Eden found them. */
    public static final String SAVED = "saved:access";
    /** In {@link dev.eden.activities.store.ServerRecords}: of those that Eden found on the target, what stays beside the source's. */
    public static final String KEPT = "kept:access";
    /** In {@link dev.eden.activities.store.ServerRecords}: as they are to be while the server owns writes. */
    public static final String FINAL = "final:access";

    private static final JsonMapper JSON = JsonMapper.builder().build();

    public AccessRules {
        connect = List.copyOf(connect);
        superusers = List.copyOf(superusers);
    }

    /** {@code grantee}: empty for PUBLIC. */
    public record Grant(String grantee, boolean grantable) {}

    /** As they are now. */
    public static AccessRules take(PostgresSession session) {
        List<Grant> connect =
                session.query("""
                SELECT coalesce(r.rolname, ''), bool_or(a.is_grantable) FROM pg_database d
                CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
                LEFT JOIN pg_roles r ON r.oid = a.grantee
                WHERE d.datname = current_database() AND a.privilege_type = 'CONNECT'
                    AND coalesce(r.rolname, '') !~ ? GROUP BY 1 ORDER BY 1""", row -> new Grant(row.getString(1), row.getBoolean(2)), EdenObjects.ROLE_PATTERN);
        List<String> superusers = session.texts(
                "SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin AND rolname !~ ? ORDER BY 1",
                EdenObjects.ROLE_PATTERN);
        return new AccessRules(connect, superusers);
    }

    /** True when nobody but Eden can connect. */
    public boolean nobody() {
        return connect.isEmpty() && superusers.isEmpty();
    }

    /** What they are without what the database's owner has as such, for when somebody else is: where all may connect, that one may. */
    public AccessRules withoutOwner(String owner) {
        Map<String, Boolean> grants = byGrantee();
        if (grants.containsKey("")) {
            grants.remove(owner);
        }
        return of(grants, Set.copyOf(superusers));
    }

    /** These, and what only the other has. */
    public AccessRules with(AccessRules other) {
        Map<String, Boolean> grants = other.byGrantee();
        grants.putAll(byGrantee());
        TreeSet<String> roles = new TreeSet<>(superusers);
        roles.addAll(other.superusers());
        return of(grants, roles);
    }

    /** These, with what has changed elsewhere, on a server with these roles: from whoever has none there nothing was taken. */
    public AccessRules follow(AccessRules before, AccessRules now, Set<String> roles) {
        Map<String, Boolean> was = before.byGrantee();
        Map<String, Boolean> is = now.byGrantee();
        Map<String, Boolean> grants = byGrantee();
        grants.keySet()
                .removeIf(grantee -> was.containsKey(grantee)
                        && !is.containsKey(grantee)
                        && (grantee.isEmpty() || roles.contains(grantee)));
        is.forEach((grantee, grantable) -> {
            if (!grantable.equals(was.get(grantee))) {
                grants.put(grantee, grantable);
            }
        });
        TreeSet<String> in = new TreeSet<>(superusers);
        in.removeIf(
                role -> before.superusers().contains(role) && !now.superusers().contains(role) && roles.contains(role));
        now.superusers().stream()
                .filter(role -> !before.superusers().contains(role))
                .forEach(in::add);
        return of(grants, in);
    }

    private Map<String, Boolean> byGrantee() {
        Map<String, Boolean> grants = new TreeMap<>();
        connect.forEach(grant -> grants.put(grant.grantee(), grant.grantable()));
        return grants;
    }

    private static AccessRules of(Map<String, Boolean> grants, Set<String> superusers) {
        return new AccessRules(
                grants.entrySet().stream()
                        .map(grant -> new Grant(grant.getKey(), grant.getValue()))
                        .toList(),
                List.copyOf(superusers));
    }

    /** As they are to be, as far as that is known, else as Eden found them. */
    public static AccessRules of(ServerRecords records, String migration, String endpoint) {
        return records.get(migration, endpoint, FINAL)
                .or(() -> records.get(migration, endpoint, SAVED))
                .map(AccessRules::decode)
                .orElseThrow(() -> new IllegalStateException("who may connect to " + endpoint + " is not stored"));
    }

    public String encode() {
        try {
            return JSON.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    public static AccessRules decode(String json) {
        try {
            return JSON.readValue(json, AccessRules.class);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("stored access rules cannot be read", e);
        }
    }
}
