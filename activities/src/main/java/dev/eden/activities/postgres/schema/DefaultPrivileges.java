package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** {@code ALTER DEFAULT PRIVILEGES}: in {@code pg_dump} it belongs to what comes after the rows. */
final class DefaultPrivileges {
    /** Since then large objects have them too. */
    private static final int LARGE_OBJECTS_SINCE = 18;

    private static final int MAINTAIN_SINCE = 17;
    /** Privileges on a table before that: SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER. */
    private static final int EVERYTHING_BEFORE = 7;

    /**
     * One row a privilege. Without a schema an entry is all there is, and takes the place of the built-in privileges; with one it adds to them.
     * 1: entry, 2: role, 3: kind as in the catalogue, 4: the statement's beginning, 5: objects, 6: grantee, 7: privilege, 8: its option, 9: true for a built-in one.
     */
    private static final String ENTRIES = """
            SELECT format('%s %s %s', quote_ident(r.rolname), coalesce(quote_ident(n.nspname), '-'), d.defaclobjtype), quote_ident(r.rolname), d.defaclobjtype,
                format('ALTER DEFAULT PRIVILEGES FOR ROLE %I', r.rolname) || coalesce(' IN SCHEMA ' || quote_ident(n.nspname), ''),
                CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(g.rolname) END, a.privilege_type, CASE WHEN a.is_grantable AND a.grantee <> 0 THEN ' WITH GRANT OPTION' ELSE '' END, a.builtin
            FROM pg_default_acl d JOIN pg_roles r ON r.oid = d.defaclrole LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
            JOIN LATERAL (SELECT x.*, false AS builtin FROM aclexplode(d.defaclacl) AS x
                UNION ALL SELECT x.*, true FROM aclexplode(acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's'::"char" ELSE d.defaclobjtype END, d.defaclrole)) AS x WHERE d.defaclnamespace = 0) AS a ON true
            LEFT JOIN pg_roles g ON g.oid = a.grantee
            WHERE r.rolname !~ ? AND coalesce(g.rolname, '') !~ ? AND coalesce(n.nspname, '') !~ '^eden_' ORDER BY d.oid, a.builtin""";

    private DefaultPrivileges() {}

    private record Entry(
            String identity,
            String role,
            char kind,
            String begin,
            String objects,
            String grantee,
            String privilege,
            String option,
            boolean builtin) {
        String grant() {
            return begin + " GRANT " + privilege + " ON " + objects + " TO " + grantee + option;
        }

        String revoke() {
            return begin + " REVOKE ALL ON " + objects + " FROM " + grantee + " CASCADE";
        }
    }

    /** Of roles, schemas and kinds for which the target has none. */
    static DatabaseDefaults.Change missing(
            PostgresSession source, PostgresSession target, DatabaseDefaults.Roles roles) {
        Set<String> there = new HashSet<>();
        read(target).forEach(entry -> there.add(entry.identity()));
        List<Entry> all = read(source);
        if (source.major() < MAINTAIN_SINCE && target.major() >= MAINTAIN_SINCE) {
            all.addAll(maintained(all));
        }
        List<Entry> wanted = all.stream()
                .filter(entry -> !there.contains(entry.identity()))
                .filter(entry -> roles.has(entry.role()) && roles.has(entry.grantee()))
                .filter(entry -> target.major() >= LARGE_OBJECTS_SINCE || entry.kind() != 'L')
                .filter(entry ->
                        target.major() >= MAINTAIN_SINCE || !entry.privilege().equals("MAINTAIN"))
                .toList();
        Set<String> revokes = new LinkedHashSet<>();
        List<String> grants = new ArrayList<>();
        List<String> builtin = new ArrayList<>();
        for (Entry entry : wanted) {
            revokes.add(entry.revoke());
            (entry.builtin() ? builtin : grants).add(entry.grant());
        }
        return new DatabaseDefaults.Change(
                Stream.concat(revokes.stream(), grants.stream()).toList(),
                Stream.concat(revokes.stream(), builtin.stream()).toList());
    }

    /** Whoever may everything with tables, owners above all, may on the target what was not apart before. */
    private static List<Entry> maintained(List<Entry> entries) {
        Map<List<Object>, Set<String>> held = new HashMap<>();
        List<Entry> more = new ArrayList<>();
        for (Entry entry : entries) {
            Set<String> privileges = held.computeIfAbsent(
                    List.of(entry.identity(), entry.grantee(), entry.builtin()), key -> new HashSet<>());
            if (entry.kind() == 'r' && privileges.add(entry.privilege()) && privileges.size() == EVERYTHING_BEFORE) {
                more.add(new Entry(
                        entry.identity(),
                        entry.role(),
                        entry.kind(),
                        entry.begin(),
                        entry.objects(),
                        entry.grantee(),
                        "MAINTAIN",
                        entry.option(),
                        entry.builtin()));
            }
        }
        return more;
    }

    private static List<Entry> read(PostgresSession session) {
        return session.query(
                ENTRIES,
                row -> new Entry(
                        row.getString(1),
                        row.getString(2),
                        row.getString(3).charAt(0),
                        row.getString(4),
                        row.getString(5),
                        row.getString(6),
                        row.getString(7),
                        row.getString(8),
                        row.getBoolean(9)),
                EdenObjects.ROLE_PATTERN,
                EdenObjects.ROLE_PATTERN);
    }
}
