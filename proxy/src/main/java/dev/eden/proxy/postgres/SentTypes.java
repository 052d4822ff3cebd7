package dev.eden.proxy.postgres;

/**
 * Which types a server tells clients of, by number: descriptions of results have them, and so have arrays and rows in binary form. Each server
 * numbers what is made on it by itself, and drivers look at the active one for what a number means.
 */
final class SentTypes {
    /** Whatever has a name of its own; a table's rows have the table's, and arrays of them are left to it: there is one for each partition. */
    static final String NAMED = """
            SELECT 'type', y.typname, '', n.nspname || '.' || y.typname || %s, NULL, NULL
            FROM pg_catalog.pg_type y JOIN pg_catalog.pg_namespace n ON n.oid = y.typnamespace
            WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
                AND (y.typrelid = 0 OR (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = y.typrelid) = 'c')
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e JOIN pg_catalog.pg_class c ON c.oid = e.typrelid
                    WHERE e.oid = y.typelem AND c.relkind <> 'c')""".formatted(of("y.oid"));

    private SentTypes() {}

    /**
     * An expression that is the same on both servers where the numbers are. A domain is told as what it is made of. Numbers below 10000 are
     * PostgreSQL's own for ever.
     */
    static String of(String type) {
        return """
                CASE WHEN %1$s < 10000 THEN '' ELSE (WITH RECURSIVE told(id) AS (SELECT %1$s UNION SELECT part.id
                    FROM told JOIN pg_catalog.pg_type w ON w.oid = told.id CROSS JOIN LATERAL (SELECT w.typbasetype UNION ALL SELECT w.typelem
                        UNION ALL SELECT f.atttypid FROM pg_catalog.pg_attribute f WHERE f.attrelid = w.typrelid AND f.attnum > 0 AND NOT f.attisdropped
                    ) AS part(id)) SELECT coalesce(pg_catalog.string_agg(' ' || w.typname || '=' || w.oid::text, '' ORDER BY w.oid), '')
                    FROM told JOIN pg_catalog.pg_type w ON w.oid = told.id WHERE w.oid >= 10000 AND NOT (w.oid = %1$s AND w.typtype = 'd')) END""".formatted(type);
    }
}
