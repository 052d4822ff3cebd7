package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresSession;
import java.util.List;

/**
 * How a server sorts the texts of a primary key, in words that are the same on two servers only where they sort alike: two libraries, or two versions of
 * one, do not. By code point all do.
 */
final class TextOrder {
    private static final int DATABASE_VERSION_SINCE = 15;

    /** What a version does not know yet is absent from the row. */
    private static final String ORDERS = """
            SELECT CASE WHEN s.provider = 'b' OR s.provider = 'c' AND s.locale IN ('c', 'posix') THEN 'C'
                ELSE concat_ws(' ', s.provider, s.locale, s.rules, CASE WHEN l.collprovider = 'd' THEN DATABASE ELSE pg_collation_actual_version(l.oid) END) END
            FROM pg_index i, unnest(i.indcollation::oid[]) WITH ORDINALITY AS k (oid, at)
            JOIN pg_collation l ON l.oid = k.oid JOIN pg_database d ON d.datname = current_database(),
            LATERAL (SELECT CASE l.collprovider WHEN 'd' THEN to_jsonb(d) ELSE to_jsonb(l) END AS row) AS r,
            LATERAL (SELECT coalesce(nullif(r.row ->> 'collprovider', 'd'), r.row ->> 'datlocprovider', 'c') AS provider,
                replace(lower(coalesce(r.row ->> 'colllocale', r.row ->> 'colliculocale', r.row ->> 'datlocale', r.row ->> 'daticulocale',
                    r.row ->> 'collcollate', r.row ->> 'datcollate')), '-', '') AS locale,
                coalesce(r.row ->> 'collicurules', r.row ->> 'daticurules') AS rules) AS s
            WHERE i.indrelid = to_regclass(?) AND i.indisprimary ORDER BY k.at""";

    private TextOrder() {}

    /** Of the key's columns that have texts. */
    static List<String> of(PostgresSession session, String table) {
        String version = session.major() >= DATABASE_VERSION_SINCE
                ? "pg_database_collation_actual_version(d.oid)"
                : "(SELECT pg_collation_actual_version(x.oid) FROM pg_collation x WHERE x.collprovider = 'c'"
                        + " AND replace(lower(x.collcollate), '-', '') = s.locale ORDER BY x.oid LIMIT 1)";
        return session.texts(ORDERS.replace("DATABASE", version), table);
    }
}
