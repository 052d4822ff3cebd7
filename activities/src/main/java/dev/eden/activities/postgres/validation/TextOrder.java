package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How a server sorts the texts of a primary key, in words that are the same on two servers only where they sort alike: two libraries, or two versions of
 * one, do not. By code point all do.
 */
final class TextOrder {
    private static final int DATABASE_VERSION_SINCE = 15;

    /** What a version does not know yet is absent from the row. Each collation is asked once, however many tables sort by it. */
    private static final String ORDERS = """
            WITH used AS MATERIALIZED (
                SELECT format('%I.%I', n.nspname, c.relname) AS name, k.oid, k.at FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL unnest(i.indcollation::oid[]) WITH ORDINALITY AS k (oid, at)
                WHERE i.indisprimary AND LEAF
            ), orders AS MATERIALIZED (
            SELECT l.oid, CASE WHEN s.provider = 'b' OR s.provider = 'c' AND s.locale IN ('c', 'posix') THEN 'C'
                ELSE concat_ws(' ', s.provider, s.locale, s.rules, CASE WHEN l.collprovider = 'd' THEN DATABASE ELSE pg_collation_actual_version(l.oid) END) END AS words
            FROM pg_collation l JOIN pg_database d ON d.datname = current_database(),
            LATERAL (SELECT CASE l.collprovider WHEN 'd' THEN to_jsonb(d) ELSE to_jsonb(l) END AS row) AS r,
            LATERAL (SELECT coalesce(nullif(r.row ->> 'collprovider', 'd'), r.row ->> 'datlocprovider', 'c') AS provider,
                replace(lower(coalesce(r.row ->> 'colllocale', r.row ->> 'colliculocale', r.row ->> 'datlocale', r.row ->> 'daticulocale',
                    r.row ->> 'collcollate', r.row ->> 'datcollate')), '-', '') AS locale,
                coalesce(r.row ->> 'collicurules', r.row ->> 'daticurules') AS rules) AS s
            WHERE l.oid IN (SELECT oid FROM used)
            ) SELECT used.name, orders.words FROM used JOIN orders ON orders.oid = used.oid ORDER BY used.name, used.at""".replace("LEAF", UserTables.LEAF);

    private TextOrder() {}

    /** Of those columns of a key that have texts, by table; tables without any are left out. */
    static Map<String, List<String>> read(PostgresSession session) {
        String version = session.major() >= DATABASE_VERSION_SINCE
                ? "pg_database_collation_actual_version(d.oid)"
                : "(SELECT pg_collation_actual_version(x.oid) FROM pg_collation x WHERE x.collprovider = 'c'"
                        + " AND replace(lower(x.collcollate), '-', '') = s.locale ORDER BY x.oid LIMIT 1)";
        Map<String, List<String>> all = new HashMap<>();
        session.query(
                ORDERS.replace("DATABASE", version),
                row -> all.computeIfAbsent(row.getString(1), _ -> new ArrayList<>())
                        .add(row.getString(2)));
        return all;
    }
}
