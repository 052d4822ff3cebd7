package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import java.util.List;

/**
 * That a role is in another, by whomever it was granted.
 *
 * @param inherits the member has the role's privileges; before 16 an attribute of the member
 * @param sets the member may SET ROLE; before 16 every one may
 */
record Membership(String role, String member, boolean admin, boolean inherits, boolean sets) {
    private static final int OPTIONS_SINCE = 16;

    /** Those in which one of {@code names} is either. */
    static List<Membership> of(PostgresSession session, String[] names) {
        // What a version does not know yet is absent from the row.
        return session.query(
                """
                SELECT g.rolname, m.rolname, bool_or(a.admin_option),
                    bool_or(coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit)), bool_or(coalesce((to_jsonb(a) ->> 'set_option')::boolean, true))
                FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
                WHERE (m.rolname = ANY (?) OR g.rolname = ANY (?)) AND g.rolname !~ ? AND m.rolname !~ ? GROUP BY g.rolname, m.rolname ORDER BY 1, 2""",
                row -> new Membership(
                        row.getString(1), row.getString(2), row.getBoolean(3), row.getBoolean(4), row.getBoolean(5)),
                names,
                names,
                EdenObjects.ROLE_PATTERN,
                EdenObjects.ROLE_PATTERN);
    }

    /** An older server would give the member all that the role may, where it had none of it. */
    boolean fits(int major) {
        return major >= OPTIONS_SINCE || inherits || sets;
    }

    String grant(int major) {
        String grant = "GRANT " + Sql.name(role) + " TO " + Sql.name(member);
        return major >= OPTIONS_SINCE
                ? grant + " WITH ADMIN " + admin + ", INHERIT " + inherits + ", SET " + sets
                : admin ? grant + " WITH ADMIN OPTION" : grant;
    }
}
