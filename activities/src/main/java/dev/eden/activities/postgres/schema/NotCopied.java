package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.List;

/** The catalogue copier's limits. */
public final class NotCopied {
    private static final String SCHEMA =
            " n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^(pg_(temp|toast)_|eden_)'";

    /** What an object has whose grants nobody has touched; {@code o}: of which catalogue. The owner is initdb's. */
    private static final String DEFAULT_ACL =
            "acldefault(CASE o.catalogue WHEN 'pg_class'::regclass THEN 'r' WHEN 'pg_proc'::regclass THEN 'f' ELSE 'T' END::\"char\", 10)";

    private NotCopied() {}

    /** By name: {@code pg_dump} could, but a publication that stands for something on the source may be in the way on the target. */
    public static List<String> publications(PostgresSession source) {
        return source.texts(
                "SELECT 'publication ' || quote_ident(pubname) FROM pg_publication WHERE pubname !~ '^eden_' ORDER BY 1");
    }

    /** By name, those that the database and its tables, indexes and materialized views are in: the target's disks are others. */
    public static List<String> tablespaces(PostgresSession source) {
        return source.texts(
                "SELECT 'tablespace ' || quote_ident(s.spcname) FROM pg_tablespace s WHERE s.spcname <> 'pg_default' AND s.oid IN ("
                        + "SELECT c.reltablespace FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
                        + UserTables.OWN_RELATION
                        + " UNION ALL SELECT dattablespace FROM pg_database WHERE datname = current_database()) ORDER BY 1");
    }

    /** Kinds of objects that it leaves out, each with its number. */
    public static List<String> kinds(PostgresSession source) {
        return source.texts(("""
                SELECT kind || ' (' || number || ')' FROM (
                    SELECT 'aggregates' AS kind, count(*) AS number FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind = 'a' AND SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'operators', count(*) FROM pg_operator p JOIN pg_namespace n ON n.oid = p.oprnamespace WHERE SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_operator'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'collations', count(*) FROM pg_collation p JOIN pg_namespace n ON n.oid = p.collnamespace WHERE SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_collation'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'text search configurations', count(*) FROM pg_ts_config p JOIN pg_namespace n ON n.oid = p.cfgnamespace WHERE SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_ts_config'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'text search dictionaries', count(*) FROM pg_ts_dict p JOIN pg_namespace n ON n.oid = p.dictnamespace WHERE SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_ts_dict'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'operator classes', count(*) FROM pg_opclass p JOIN pg_namespace n ON n.oid = p.opcnamespace WHERE SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_opclass'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'conversions', count(*) FROM pg_conversion p JOIN pg_namespace n ON n.oid = p.connamespace WHERE SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_conversion'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'canonical functions of ranges', count(*) FROM pg_range r JOIN pg_type p ON p.oid = r.rngtypid JOIN pg_namespace n ON n.oid = p.typnamespace WHERE r.rngcanonical <> 0 AND SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'procedural languages', count(*) FROM pg_language p WHERE p.oid > 16383 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_language'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'transforms', count(*) FROM pg_transform p WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_transform'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'foreign servers', count(*) FROM pg_foreign_server p WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_foreign_server'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'foreign tables', count(*) FROM pg_foreign_table
                    UNION ALL SELECT 'foreign-data wrappers', count(*) FROM pg_foreign_data_wrapper p WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_foreign_data_wrapper'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'user mappings', count(*) FROM pg_user_mappings
                    UNION ALL SELECT 'text search parsers', count(*) FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace WHERE SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_ts_parser'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'text search templates', count(*) FROM pg_ts_template p JOIN pg_namespace n ON n.oid = p.tmplnamespace WHERE SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_ts_template'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'operator families', count(*) FROM pg_opfamily p JOIN pg_namespace n ON n.oid = p.opfnamespace WHERE SCHEMA AND NOT EXISTS (SELECT FROM pg_opclass c WHERE c.opcfamily = p.oid)
                        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_opfamily'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'access methods', count(*) FROM pg_am p WHERE p.oid > 16383 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_am'::regclass AND e.objid = p.oid AND e.deptype = 'e')
                    UNION ALL SELECT 'compression of columns', count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attcompression <> '' AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm') AND OWN
                    UNION ALL SELECT 'languages with grants of their own', count(*) FROM pg_language p WHERE p.lanacl IS NOT NULL AND p.lanacl IS DISTINCT FROM (SELECT i.initprivs FROM pg_init_privs i WHERE i.classoid = 'pg_language'::regclass AND i.objoid = p.oid)
                    UNION ALL SELECT 'foreign servers and wrappers with grants of their own', (SELECT count(*) FROM pg_foreign_server WHERE srvacl IS NOT NULL) + (SELECT count(*) FROM pg_foreign_data_wrapper p
                        WHERE p.fdwacl IS NOT NULL AND p.fdwacl IS DISTINCT FROM (SELECT i.initprivs FROM pg_init_privs i WHERE i.classoid = 'pg_foreign_data_wrapper'::regclass AND i.objoid = p.oid))
                    UNION ALL SELECT 'typed tables', count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.reloftype <> 0 AND OWN
                    UNION ALL SELECT 'objects of pg_catalog with other grants than a new database has', count(*) FROM (
                        SELECT 'pg_class'::regclass AS catalogue, c.oid, c.relacl AS acl FROM pg_class c WHERE c.oid < 16384 AND c.relnamespace = 'pg_catalog'::regnamespace
                        UNION ALL SELECT 'pg_proc'::regclass, p.oid, p.proacl FROM pg_proc p WHERE p.oid < 16384 AND p.pronamespace = 'pg_catalog'::regnamespace
                        UNION ALL SELECT 'pg_type'::regclass, t.oid, t.typacl FROM pg_type t WHERE t.oid < 16384 AND t.typnamespace = 'pg_catalog'::regnamespace) AS o
                        LEFT JOIN pg_init_privs i ON i.classoid = o.catalogue AND i.objoid = o.oid AND i.objsubid = 0
                        WHERE o.acl IS NOT NULL AND o.acl IS DISTINCT FROM i.initprivs AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = o.catalogue AND e.objid = o.oid AND e.deptype = 'e')
                            AND (EXISTS (SELECT a.grantee, a.privilege_type, a.is_grantable FROM aclexplode(o.acl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE coalesce(r.rolname, '') !~ 'EDEN'
                                    EXCEPT SELECT a.grantee, a.privilege_type, a.is_grantable FROM aclexplode(coalesce(i.initprivs, DEFAULT_ACL)) AS a)
                                OR EXISTS (SELECT a.grantee, a.privilege_type FROM aclexplode(coalesce(i.initprivs, DEFAULT_ACL)) AS a
                                    EXCEPT SELECT a.grantee, a.privilege_type FROM aclexplode(o.acl) AS a))
                    UNION ALL SELECT 'the owner of the schema public', count(*) FROM pg_namespace p WHERE p.nspname = 'public' AND p.nspowner NOT IN (10, 'pg_database_owner'::regrole)
                    UNION ALL SELECT 'security labels', count(*) FROM pg_seclabel
                    UNION ALL SELECT 'casts', count(*) FROM pg_cast p WHERE p.oid > 16383 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_cast'::regclass AND e.objid = p.oid AND e.deptype IN ('e', 'i'))
                ) AS kinds WHERE number > 0""")
                .replace("DEFAULT_ACL", DEFAULT_ACL)
                .replace("EDEN", EdenObjects.ROLE_PATTERN)
                .replace("SCHEMA", SCHEMA)
                .replace("OWN", UserTables.OWN_RELATION));
    }
}
