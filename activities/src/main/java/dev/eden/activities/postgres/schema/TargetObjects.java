package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayList;
import java.util.List;

/** What a target has already: {@code pg_dump} makes everything or nothing, so that one thing of the same name would be in its way. */
public final class TargetObjects {
    private static final String SCHEMAS = "SELECT 'schema ' || quote_ident(nspname) FROM pg_namespace"
            + " WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'public') AND nspname !~ '^(pg_(temp|toast)_|eden_)' ORDER BY 1";

    private static final String OBJECTS = """
            SELECT o.kind || ' ' || o.name FROM (
                SELECT 'relation' AS kind, oid::regclass::text AS name, oid, 'pg_class'::regclass AS catalogue, relnamespace AS place FROM pg_class
                    WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
                UNION ALL SELECT 'type', oid::regtype::text, oid, 'pg_type'::regclass, typnamespace FROM pg_type
                    WHERE typtype IN ('e', 'd', 'r') OR typtype = 'c' AND (SELECT relkind FROM pg_class c WHERE c.oid = typrelid) = 'c'
                UNION ALL SELECT 'function', oid::regprocedure::text, oid, 'pg_proc'::regclass, pronamespace FROM pg_proc
                UNION ALL SELECT 'operator', oid::regoperator::text, oid, 'pg_operator'::regclass, oprnamespace FROM pg_operator
                UNION ALL SELECT 'collation', collname, oid, 'pg_collation'::regclass, collnamespace FROM pg_collation
                UNION ALL SELECT 'text search configuration', cfgname, oid, 'pg_ts_config'::regclass, cfgnamespace FROM pg_ts_config
            ) AS o JOIN pg_namespace n ON n.oid = o.place
            WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^(pg_(temp|toast)_|eden_)'
                AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = o.catalogue AND e.objid = o.oid AND e.deptype IN ('e', 'i')) ORDER BY 1""";

    private TargetObjects() {}

    /** By kind and name; of schemas only those that the source has too. */
    public static List<String> there(PostgresSession source, PostgresSession target) {
        List<String> all = new ArrayList<>(target.texts(SCHEMAS));
        all.retainAll(source.texts(SCHEMAS));
        all.addAll(target.texts(OBJECTS));
        return all;
    }
}
