package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Types that clients know by number. Each server numbers what is made on it by itself. */
final class TypeFindings {
    /** Neither domains, which clients are told as what they are made of, nor arrays, which go with what is in them, nor rows of tables. */
    private static final String NUMBERED = """
            SELECT format('%I.%I', n.nspname, t.typname), t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
            WHERE t.typtype IN ('b', 'c', 'e', 'r') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
                AND n.nspname !~ '^(pg_(temp|toast)_|eden_)' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
                AND (t.typrelid = 0 OR (SELECT c.relkind FROM pg_class c WHERE c.oid = t.typrelid) = 'c') ORDER BY 1""";

    private TypeFindings() {}

    static void check(PostgresSession source, PostgresSession target, Findings findings) {
        Map<String, Long> there = new HashMap<>();
        target.query(NUMBERED, row -> there.put(row.getString(1), row.getLong(2)));
        List<String> differ = new ArrayList<>();
        source.query(
                NUMBERED,
                row -> !Long.valueOf(row.getLong(2)).equals(there.get(row.getString(1)))
                        && differ.add(row.getString(1)));
        if (!differ.isEmpty()) {
            findings.warning(
                    "postgres.types.numbers",
                    "These types have other numbers (OIDs) on the target, or will have: " + Findings.some(differ)
                            + ". A driver that knows them by number goes on with the source's after the flip, and is refused (42704)"
                            + " or means another type. Before it, reads of such columns stay on the source.",
                    "Nothing, where applications send such values as text, or with the type in the SQL. Else let their pools connect anew,"
                            + " and forget the types they have loaded, after each flip.");
        }
    }
}
