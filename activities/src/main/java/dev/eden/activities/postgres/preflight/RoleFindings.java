package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Roles that are made on the target, those that are there with something else, and what is set for a whole server. */
final class RoleFindings {
    private static final String OWN = " r.rolname !~ '^pg_' AND r.rolname !~ ? ";

    /** Role, aspect, value: what has to be equal for a role to be the same. */
    private static final String PORTRAIT = """
            SELECT r.rolname, 'attributes', concat_ws(' ', r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls,
                r.rolconnlimit, CASE WHEN isfinite(r.rolvaliduntil) THEN r.rolvaliduntil END) FROM pg_roles r WHERE OWN
            UNION ALL SELECT r.rolname, 'memberships', coalesce((SELECT string_agg(DISTINCT concat_ws(' ', g.rolname, m.admin_option, OPTIONS), ',' ORDER BY concat_ws(' ', g.rolname, m.admin_option, OPTIONS))
                FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid), '') FROM pg_roles r WHERE OWN
            UNION ALL SELECT r.rolname, 'settings', coalesce((SELECT string_agg(c, ',' ORDER BY c)
                FROM pg_db_role_setting s, unnest(s.setconfig) AS c WHERE s.setrole = r.oid AND s.setdatabase = 0), '') FROM pg_roles r WHERE OWN""".replace("OWN", OWN);

    private static final int PARAMETERS_SINCE = 15;
    private static final int OPTIONS_SINCE = 16;

    private final PostgresSession source;
    private final PostgresSession target;
    private final Findings findings;

    RoleFindings(PostgresSession source, PostgresSession target, Findings findings) {
        this.source = source;
        this.target = target;
        this.findings = findings;
    }

    /**
     * @param prepared the target is fenced, so that its superusers are not what they are otherwise
     * @param configured roles whose passwords proxies have been given: they log in to either server, whatever it stores
     */
    void check(boolean prepared, Set<String> configured) {
        passwords(configured);
        if (!prepared) {
            portraits();
            server();
        }
    }

    private void passwords(Set<String> configured) {
        String all =
                "SELECT rolname, coalesce(rolpassword, '') FROM pg_authid WHERE rolname !~ '^pg_' AND rolname !~ ?";
        Map<String, String> there = new HashMap<>();
        target.query(all, row -> there.put(row.getString(1), row.getString(2)), EdenObjects.ROLE_PATTERN);
        List<String> copied = new ArrayList<>();
        List<String> different = new ArrayList<>();
        source.query(
                all + " ORDER BY 1",
                row -> {
                    String verifier = there.get(row.getString(1));
                    if (verifier == null) {
                        return copied.add(row.getString(1));
                    }
                    return !verifier.equals(row.getString(2))
                            && !configured.contains(row.getString(1))
                            && different.add(row.getString(1));
                },
                EdenObjects.ROLE_PATTERN);
        if (!copied.isEmpty()) {
            findings.info(
                    "postgres.roles.copied",
                    "These roles of the source are made on the target, with their passwords' verifiers: "
                            + Findings.some(copied) + ".");
        }
        if (!different.isEmpty()) {
            findings.warning(
                    "postgres.roles.differ",
                    "These roles exist on both servers with different passwords (or the same one salted differently); the target's stay: "
                            + Findings.some(different) + ".",
                    "Copy rolpassword of the source, or give their interlays their passwords (eden interlay user set), or drop those on the target that nothing needs there: clients that log in by SCRAM through the proxy need the same verifier on both, or a proxy that knows the password.");
        }
    }

    private void portraits() {
        boolean options = source.major() >= OPTIONS_SINCE && target.major() >= OPTIONS_SINCE;
        String portrait = PORTRAIT.replace("OPTIONS", options ? "m.inherit_option, m.set_option" : "NULL");
        Map<String, String> there = new HashMap<>();
        target.query(
                portrait,
                row -> there.put(row.getString(1) + "/" + row.getString(2), row.getString(3)),
                EdenObjects.ROLE_PATTERN,
                EdenObjects.ROLE_PATTERN,
                EdenObjects.ROLE_PATTERN);
        List<String> different = new ArrayList<>();
        source.query(
                portrait + " ORDER BY 1, 2",
                row -> {
                    String other = there.get(row.getString(1) + "/" + row.getString(2));
                    return other != null
                            && !other.equals(row.getString(3))
                            && different.add(row.getString(1) + " (" + row.getString(2) + ")");
                },
                EdenObjects.ROLE_PATTERN,
                EdenObjects.ROLE_PATTERN,
                EdenObjects.ROLE_PATTERN);
        if (!different.isEmpty()) {
            findings.warning(
                    "postgres.roles.differ",
                    "These roles exist on both servers and are not the same; the target's stay: "
                            + Findings.some(different) + ".",
                    "Make them on the target what they are on the source, or drop those that nothing needs there.");
        }
    }

    /** What no role and no database has by itself, and the limit that a database has. */
    private void server() {
        List<String> wanted = set(source);
        wanted.removeAll(set(target));
        if (!wanted.isEmpty()) {
            findings.warning(
                    "postgres.server.settings",
                    "These are not copied, because they are the server's or would hold Eden up: "
                            + Findings.some(wanted) + ".",
                    "Set them on the target, as far as they are wanted there.");
        }
    }

    /** Values may be secret. */
    private static List<String> set(PostgresSession session) {
        List<String> all = new ArrayList<>(session.texts("""
                SELECT 'ALTER ROLE ALL SET ' || split_part(c, '=', 1) FROM pg_db_role_setting s, unnest(s.setconfig) AS c WHERE s.setrole = 0 AND s.setdatabase = 0
                UNION ALL SELECT 'CONNECTION LIMIT ' || datconnlimit || ' of the database' FROM pg_database WHERE datname = current_database() AND datconnlimit >= 0
                ORDER BY 1"""));
        if (session.major() >= PARAMETERS_SINCE) {
            all.addAll(session.texts("""
                    SELECT format('GRANT %s ON PARAMETER %s TO %s', a.privilege_type, p.parname, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE r.rolname END)
                    FROM pg_parameter_acl p CROSS JOIN LATERAL aclexplode(p.paracl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
                    WHERE (a.grantee = 0 OR NOT r.rolsuper) ORDER BY 1"""));
        }
        return all;
    }
}
