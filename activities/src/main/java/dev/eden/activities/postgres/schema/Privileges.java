package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Grants and comments of everything that was copied. Grants are set, not added to; comments where there are none. Running it again changes nothing. */
final class Privileges {
    private static final String GRANTS = """
            SELECT o.what, coalesce(g.rolname, ''),
                format('GRANT %s ON %s TO %s%s', a.privilege_type || o.columns, o.what, coalesce(quote_ident(g.rolname), 'PUBLIC'),
                    CASE WHEN a.is_grantable AND a.grantee <> 0 THEN ' WITH GRANT OPTION' ELSE '' END)
            FROM (%s) AS o CROSS JOIN LATERAL aclexplode(o.acl) AS a LEFT JOIN pg_roles g ON g.oid = a.grantee
            WHERE coalesce(g.rolname, '') !~ ?""";

    private static final String OBJECTS = """
            SELECT 'TABLE ' || c.oid::regclass AS what, '' AS columns, c.relacl AS acl FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relacl IS NOT NULL AND OWN
            UNION ALL SELECT 'SEQUENCE ' || c.oid::regclass, '', c.relacl FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'S' AND c.relacl IS NOT NULL AND OWN
            UNION ALL SELECT 'TABLE ' || c.oid::regclass, ' (' || quote_ident(t.attname) || ')', t.attacl FROM pg_attribute t
            JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE t.attacl IS NOT NULL AND NOT t.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm') AND OWN
            UNION ALL SELECT 'ROUTINE ' || p.oid::regprocedure, '', p.proacl FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE p.proacl IS NOT NULL AND p.prokind IN ('f', 'p', 'w') AND SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e
                WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype IN ('e', 'i'))
            UNION ALL SELECT 'TYPE ' || t.oid::regtype, '', t.typacl FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
            WHERE t.typacl IS NOT NULL AND t.typtype IN ('c', 'd', 'e', 'r') AND SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e
                WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
            UNION ALL SELECT 'SCHEMA ' || quote_ident(n.nspname), '', n.nspacl FROM pg_namespace n WHERE n.nspacl IS NOT NULL AND SCHEMA""".replace("OWN", UserTables.OWN_RELATION)
            .replace(
                    "SCHEMA AND",
                    "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^(pg_(temp|toast)_|eden_)' AND")
            .replaceFirst(
                    "AND SCHEMA$",
                    "AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^(pg_(temp|toast)_|eden_)'");

    /** Members of extensions whose grants are no more as the extension made them. */
    private static final String MEMBERS = """
            SELECT o.what, o.columns, o.acl FROM (
                SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass AS what, '' AS columns, c.relacl AS acl, 'pg_class'::regclass AS catalogue, c.oid, 0 AS sub
                FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
                UNION ALL SELECT 'TABLE ' || c.oid::regclass, ' (' || quote_ident(a.attname) || ')', a.attacl, 'pg_class'::regclass, c.oid, a.attnum
                FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relkind IN ('r', 'p', 'v', 'm') AND a.attacl IS NOT NULL AND NOT a.attisdropped
                UNION ALL SELECT 'ROUTINE ' || p.oid::regprocedure, '', p.proacl, 'pg_proc'::regclass, p.oid, 0 FROM pg_proc p
                UNION ALL SELECT 'TYPE ' || t.oid::regtype, '', t.typacl, 'pg_type'::regclass, t.oid, 0 FROM pg_type t WHERE t.typtype IN ('b', 'c', 'd', 'e', 'r')
                UNION ALL SELECT 'SCHEMA ' || quote_ident(s.nspname), '', s.nspacl, 'pg_namespace'::regclass, s.oid, 0 FROM pg_namespace s) AS o
            JOIN pg_depend e ON e.classid = o.catalogue AND e.objid = o.oid AND e.objsubid = 0 AND e.deptype = 'e'
            LEFT JOIN pg_init_privs i ON i.classoid = o.catalogue AND i.objoid = o.oid AND i.objsubid = o.sub
            WHERE CHANGED""";

    private static final String COMMENTS = """
            SELECT c.oid::regclass::text, format('COMMENT ON %s %s IS %L', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass, d.description)
            FROM pg_description d JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE d.objsubid = 0 AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND OWN
            UNION ALL SELECT format('%s.%I', c.oid::regclass, a.attname), format('COMMENT ON COLUMN %s.%I IS %L', c.oid::regclass, a.attname, d.description)
            FROM pg_description d JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid WHERE d.objsubid > 0 AND c.relkind IN ('r', 'p', 'v', 'm') AND OWN
            UNION ALL SELECT p.oid::regprocedure::text, format('COMMENT ON ROUTINE %s IS %L', p.oid::regprocedure, d.description)
            FROM pg_description d JOIN pg_proc p ON d.classoid = 'pg_proc'::regclass AND d.objoid = p.oid JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^eden_' AND p.prokind IN ('f', 'p', 'w') AND NOT EXISTS (SELECT FROM pg_depend e
                WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype IN ('e', 'i'))""".replace("OWN", UserTables.OWN_RELATION);

    /** A privilege that older servers do not know, and whose work an owner does there. */
    private static final int MAINTAIN_SINCE = 17;

    /** Of a column that the target's version of an extension has not. */
    private static final String UNDEFINED_COLUMN = "42703";

    private record Grant(String what, String grantee, String statement) {}

    private static final Pattern OF_COLUMN = Pattern.compile("^GRANT [A-Z]+ ?\\(");

    private Privileges() {}

    static void copy(PostgresSession source, PostgresSession target) {
        copy(OBJECTS, any -> true, source, target);
        // Its version of an extension may lack something.
        Set<String> members =
                new HashSet<>(target.texts("SELECT what FROM (" + MEMBERS.replace("CHANGED", "true") + ") AS o"));
        copy(
                MEMBERS.replace("CHANGED", "o.acl IS NOT NULL AND o.acl IS DISTINCT FROM i.initprivs"),
                members::contains,
                source,
                target);
        List<String> comments = Details.missing(COMMENTS, source, target);
        target.transaction(() -> target.executeAll(comments));
    }

    /** @param objects what there is, as a query: of what, which columns of it, and the grants */
    private static void copy(String objects, Predicate<String> there, PostgresSession source, PostgresSession target) {
        Set<String> roles = new HashSet<>(target.texts("SELECT rolname FROM pg_roles"));
        // The defaults (PUBLIC may execute, owners may everything) must not add to what the source says.
        List<String> ofColumns = new ArrayList<>();
        List<String> statements =
                source.texts("SELECT DISTINCT what FROM (" + objects + ") AS o WHERE columns = ''").stream()
                        .filter(there)
                        .map(what -> "REVOKE ALL ON " + what + " FROM PUBLIC")
                        .collect(Collectors.toCollection(ArrayList::new));
        source
                .query(
                        GRANTS.replace("(%s) AS o", "(" + objects + ") AS o"),
                        row -> new Grant(row.getString(1), row.getString(2), row.getString(3)),
                        EdenObjects.ROLE_PATTERN)
                .stream()
                .filter(grant -> there.test(grant.what()))
                .filter(grant -> grant.grantee().isEmpty() || roles.contains(grant.grantee()))
                .filter(grant ->
                        target.major() >= MAINTAIN_SINCE || !grant.statement().startsWith("GRANT MAINTAIN"))
                .map(Grant::statement)
                .forEach(statement -> (OF_COLUMN.matcher(statement).find() ? ofColumns : statements).add(statement));
        target.transaction(() -> target.executeAll(statements));
        for (String statement : ofColumns) {
            try {
                target.execute(statement);
            } catch (PostgresException e) {
                if (!e.sqlState().equals(UNDEFINED_COLUMN)) {
                    throw e;
                }
            }
        }
    }
}
