package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What is said of objects after they are made, and no row depends on. Where the target says something of the same already, that stays: whoever prepared it
 * has said so, or an earlier run. Queries say of what, and the statement.
 */
final class Details {
    /**
     * Options of columns that a server keeps for itself: {@code pg_attver}, a version that servers since 15.20 note with every column. An older one
     * refuses it, a newer one has its own.
     */
    static final String SERVERS_OWN = "^pg_";

    private static final String COLUMNS =
            """
            SELECT format('%s.%I %s', c.oid::regclass, a.attname, d.kind), format('ALTER TABLE %s ALTER COLUMN %I %s', c.oid::regclass, a.attname, d.what)
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type y ON y.oid = a.atttypid
            CROSS JOIN LATERAL (
                SELECT 'NOT NULL', CASE WHEN a.attinhcount > 0 AND a.attnotnull
                    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'n' AND NOT k.convalidated AND k.conkey[1] = a.attnum)
                    AND NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_attribute p ON p.attrelid = i.inhparent AND p.attname = a.attname
                        WHERE i.inhrelid = c.oid AND p.attnotnull) THEN 'SET NOT NULL' END
                UNION ALL SELECT 'STORAGE', CASE WHEN a.attstorage <> y.typstorage AND c.relkind = 'r' THEN 'SET STORAGE '
                    || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END
                UNION ALL SELECT 'STATISTICS', CASE WHEN a.attstattarget >= 0 THEN 'SET STATISTICS ' || a.attstattarget END
                UNION ALL SELECT split_part(o, '=', 1), format('SET (%s)', o) FROM unnest(a.attoptions) AS o WHERE o !~ 'SERVERS_OWN') AS d (kind, what)
            WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND d.what IS NOT NULL AND OWN
            UNION ALL SELECT format('%s toast.%s', c.oid::regclass, split_part(o, '=', 1)), format('ALTER TABLE %s SET (toast.%s)', c.oid::regclass, o)
            FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN unnest(t.reloptions) AS o
            WHERE c.relkind = 'r' AND OWN""".replace("SERVERS_OWN", SERVERS_OWN).replace("OWN", UserTables.OWN_RELATION);

    private static final String CLUSTERED = """
            SELECT c.oid::regclass::text, format('ALTER TABLE %s CLUSTER ON %I', c.oid::regclass, x.relname) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
            JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE i.indisclustered AND i.indisvalid AND c.relkind = 'r' AND OWN""".replace("OWN", UserTables.OWN_RELATION);

    /** Those of tables, columns and routines come before the rows, with their privileges. */
    private static final String COMMENTS = """
            SELECT o.type || ' ' || o.identity, format('COMMENT ON %s %s IS %L', CASE o.type WHEN 'table constraint' THEN 'CONSTRAINT' WHEN 'domain constraint' THEN 'CONSTRAINT'
                    WHEN 'composite type' THEN 'TYPE' WHEN 'statistics object' THEN 'STATISTICS' ELSE upper(o.type) END,
                CASE o.type WHEN 'domain constraint' THEN regexp_replace(o.identity, ' on ', ' ON DOMAIN ') ELSE o.identity END, d.description)
            FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS o
            WHERE d.objoid > 16383 AND o.type IN ('index', 'table constraint', 'domain constraint', 'trigger', 'rule', 'policy', 'statistics object', 'type', 'composite type', 'schema')
                AND o.identity !~ '^"?eden_' AND coalesce(o.schema, '') !~ '^(pg_|eden_)'
                AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')""";

    /** What was left out has no comment. */
    private static final Set<String> GONE = Set.of("42704", "42P01", "42883", "3F000");

    private Details() {}

    static void beforeLoad(PostgresSession source, PostgresSession target) {
        missing(COLUMNS, source, target).forEach(statement -> SchemaCopier.again(target, List.of(statement)));
    }

    static void afterLoad(PostgresSession source, PostgresSession target) {
        missing(CLUSTERED, source, target).forEach(statement -> said(target, statement));
        missing(COMMENTS, source, target).forEach(statement -> said(target, statement));
    }

    /** Statements. */
    static List<String> missing(String which, PostgresSession source, PostgresSession target) {
        Set<String> there = target.texts(which).stream().map(PlainText::names).collect(Collectors.toSet());
        List<String> wanted = new ArrayList<>();
        source.query(which, row -> !there.contains(PlainText.names(row.getString(1))) && wanted.add(row.getString(2)));
        return wanted;
    }

    private static void said(PostgresSession target, String statement) {
        try {
            SchemaCopier.again(target, List.of(statement));
        } catch (PostgresException e) {
            if (!GONE.contains(e.sqlState())) {
                throw e;
            }
        }
    }
}
