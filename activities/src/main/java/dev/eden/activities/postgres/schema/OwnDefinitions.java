package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What no row depends on and both sides have, each in its own way: functions, triggers, policies, and the columns of views, whose texts differ between
 * versions of servers by themselves. The target keeps its own.
 */
public final class OwnDefinitions {
    /** By identity: what may differ by casts, and what may not. A body that is kept parsed is printed otherwise by each version. */
    private static final String DEFINITIONS = """
            SELECT 'function ' || p.oid::regprocedure, pg_get_function_arguments(p.oid),
                concat_ws(' ', p.prokind, pg_get_function_result(p.oid), l.lanname, p.prosecdef, p.provolatile, p.proisstrict, (SELECT string_agg(s, ',' ORDER BY s) FROM unnest(p.proconfig) AS s),
                    CASE WHEN p.prosqlbody IS NULL THEN md5(p.prosrc) ELSE 'parsed' END)
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
            WHERE p.prokind IN ('f', 'p', 'w') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^(pg_(temp|toast)_|eden_)'
                AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype IN ('e', 'i'))
            UNION ALL SELECT format('trigger %s.%I', c.oid::regclass, t.tgname), pg_get_triggerdef(t.oid), t.tgenabled::text
            FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND OWN
            UNION ALL SELECT format('policy %s.%I', c.oid::regclass, p.polname), concat_ws(' / ', pg_get_expr(p.polqual, p.polrelid), '', pg_get_expr(p.polwithcheck, p.polrelid)),
                concat_ws(' ', p.polpermissive, p.polcmd, (SELECT string_agg(CASE o WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o)) END, ', ' ORDER BY o = 0, pg_get_userbyid(o)) FROM unnest(p.polroles) AS o))
            FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE OWN
            UNION ALL SELECT CASE c.relkind WHEN 'v' THEN 'view ' ELSE 'materialized view ' END || c.oid::regclass, '',
                (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND OWN ORDER BY 1""".replace("OWN", UserTables.OWN_RELATION);

    private OwnDefinitions() {}

    private record Definition(String identity, String plain, String exact) {}

    /** By identity. */
    public static List<String> differing(PostgresSession source, PostgresSession target) {
        Map<String, Definition> here = new HashMap<>();
        read(source).forEach(one -> here.put(one.identity(), one));
        return read(target).stream()
                .filter(one -> here.containsKey(one.identity()) && !one.equals(here.get(one.identity())))
                .map(Definition::identity)
                .toList();
    }

    private static List<Definition> read(PostgresSession session) {
        return session.query(
                DEFINITIONS,
                row -> new Definition(
                        PlainText.names(row.getString(1)),
                        PlainText.of(Objects.requireNonNullElse(row.getString(2), "")),
                        PlainText.names(Objects.requireNonNullElse(row.getString(3), ""))));
    }
}
