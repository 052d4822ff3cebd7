package dev.eden.proxy.postgres;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Which types a server tells clients of, by number: descriptions of results have them, and so have arrays and rows in binary form. Each server
 * numbers what is made on it by itself, and drivers look at the active one for what a number means.
 */
final class SentTypes {
    /** In a signature: one of the types means something on its own server alone, so it is like none on another. */
    static final String LOCAL = " *";

    /** The types whose values are numbers of a server's own objects ({@code regclass} and the like), with their arrays: PostgreSQL's own for ever, and in order. */
    private static final int[] LOCAL_TYPES = {
        24, 1008, 2202, 2203, 2204, 2205, 2206, 2207, 2208, 2209, 2210, 2211, 3734, 3735, 3769, 3770, 4089, 4090, 4096,
        4097, 4191, 4192
    };

    private static final String LOCALS =
            Arrays.stream(LOCAL_TYPES).mapToObj(Integer::toString).collect(Collectors.joining(", ", "(", ")"));

    /** Whatever has a name of its own; a table's rows have the table's, and arrays of them are left to it: there is one for each partition. */
    static final String NAMED = """
            SELECT 'type', y.typname, '', n.nspname || '.' || y.typname || %s, NULL, NULL
            FROM pg_catalog.pg_type y JOIN pg_catalog.pg_namespace n ON n.oid = y.typnamespace
            WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
                AND (y.typrelid = 0 OR (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = y.typrelid) = 'c')
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e JOIN pg_catalog.pg_class c ON c.oid = e.typrelid
                    WHERE e.oid = y.typelem AND c.relkind <> 'c')""".formatted(of("y.oid"));

    private SentTypes() {}

    /** True where this type's values are numbers that each server has of its own. */
    static boolean local(int type) {
        return Arrays.binarySearch(LOCAL_TYPES, type) >= 0;
    }

    /**
     * An expression that is the same on both servers where the numbers are, with {@link #LOCAL} in it where none may be compared. A domain is told
     * as what it is made of. Other numbers below 10000 are PostgreSQL's own for ever.
     */
    static String of(String type) {
        return """
                CASE WHEN %1$s IN %2$s THEN '%3$s' WHEN %1$s < 10000 THEN '' ELSE (WITH RECURSIVE told(id) AS (SELECT %1$s UNION SELECT part.id
                    FROM told JOIN pg_catalog.pg_type w ON w.oid = told.id CROSS JOIN LATERAL (SELECT w.typbasetype UNION ALL SELECT w.typelem
                        UNION ALL SELECT f.atttypid FROM pg_catalog.pg_attribute f WHERE f.attrelid = w.typrelid AND f.attnum > 0 AND NOT f.attisdropped
                    ) AS part(id)) SELECT coalesce(pg_catalog.string_agg(CASE WHEN w.oid IN %2$s THEN '%3$s' ELSE ' ' || w.typname || '=' || w.oid::text END,
                        '' ORDER BY w.oid), '')
                    FROM told JOIN pg_catalog.pg_type w ON w.oid = told.id
                    WHERE w.oid IN %2$s OR w.oid >= 10000 AND NOT (w.oid = %1$s AND w.typtype = 'd')) END""".formatted(type, LOCALS, LOCAL);
    }

    /** An expression that is {@link #LOCAL} where one of the arguments of the function is of such a type: a text given for it becomes a number of the server's. */
    static String taken(String arguments) {
        return """
                CASE WHEN EXISTS (SELECT FROM pg_catalog.unnest(%1$s) AS taken(id) WHERE %2$s LIKE '%%%3$s%%') THEN '%3$s' ELSE '' END""".formatted(arguments, of("taken.id"), LOCAL);
    }
}
