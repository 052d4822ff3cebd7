package dev.eden.activities.postgres.fence;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Who may connect to a database, Eden's roles left out: the grantees of CONNECT, and the superusers that can log in, because no privilege
 * keeps those out. Roles are shared by all databases of a server, so nobody but superusers is touched beyond this database.
 */
public record AccessRules(List<Grant> connect, List<String> superusers) {
    /** In {@link dev.eden.activities.store.ServerRecords}: as Eden found them. */
    public static final String SAVED = "saved:access";
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

    /** These, and what only the other has. */
    public AccessRules with(AccessRules other) {
        Map<String, Boolean> grants = new LinkedHashMap<>();
        for (Grant grant : connect) {
            grants.put(grant.grantee(), grant.grantable());
        }
        for (Grant grant : other.connect()) {
            grants.putIfAbsent(grant.grantee(), grant.grantable());
        }
        List<Grant> all = new ArrayList<>();
        grants.forEach((grantee, grantable) -> all.add(new Grant(grantee, grantable)));
        TreeSet<String> roles = new TreeSet<>(superusers);
        roles.addAll(other.superusers());
        return new AccessRules(all, List.copyOf(roles));
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
