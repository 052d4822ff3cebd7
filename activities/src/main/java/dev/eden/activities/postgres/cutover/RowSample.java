package dev.eden.activities.postgres.cutover;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayList;
import java.util.List;

/**
 * Cheap equality for the pause: the newest rows by primary key of a few tables, as one hash per table. Which tables and which statement is found
 * out beforehand, so that the pause only runs it.
 */
final class RowSample {
    private static final int TABLES = 6;
    private static final int ROWS = 20;

    private final List<String> names = new ArrayList<>();
    private String statement = "";

    private RowSample() {}

    /** The tables written most by now. */
    static RowSample prepare(PostgresSession from, EdenObjects names) {
        RowSample sample = new RowSample();
        List<String> parts = new ArrayList<>();
        from.query(
                """
                SELECT format('%I.%I', n.nspname, c.relname),
                    (SELECT string_agg(format('%I DESC', a.attname), ', ' ORDER BY k.at) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (num, at)
                     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num),
                    (SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attname) FROM pg_attribute a
                     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
                FROM pg_publication_tables p JOIN pg_namespace n ON n.nspname = p.schemaname
                JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
                JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
                LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
                WHERE p.pubname = ? AND n.nspname <> ? ORDER BY coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0) DESC LIMIT ?""",
                row -> {
                    sample.names.add(row.getString(1));
                    return parts.add("(SELECT coalesce(sum(hashtextextended(ROW(" + row.getString(3)
                            + ")::text COLLATE \"C\", 0)), 0)::text FROM (SELECT * FROM " + row.getString(1)
                            + " ORDER BY "
                            + row.getString(2) + " LIMIT " + ROWS + ") AS newest)");
                },
                names.main(),
                names.schema(),
                TABLES);
        sample.statement = parts.isEmpty() ? "" : "SELECT " + String.join(" || ',' || ", parts);
        return sample;
    }

    /** Tables that differ. */
    List<String> differing(PostgresSession from, PostgresSession to) {
        if (statement.isEmpty()) {
            return List.of();
        }
        String[] here = from.text(statement).orElse("").split(",");
        String[] there = to.text(statement).orElse("").split(",");
        List<String> differing = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            if (i >= here.length || i >= there.length || !here[i].equals(there[i])) {
                differing.add(names.get(i));
            }
        }
        return differing;
    }

    int tables() {
        return names.size();
    }
}
