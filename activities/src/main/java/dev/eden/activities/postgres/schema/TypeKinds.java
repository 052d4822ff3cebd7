package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Types that a database makes itself have the same name where they hold other values: what they are made of is compared. */
public final class TypeKinds {
    private static final int SHOWN = 5;

    /**
     * Of an enum its labels, of a composite type its attributes, of a domain and a range what they are over. Constraints of a domain that are not
     * validated come and go with the load.
     */
    private static final String TYPES = """
            SELECT format('%I.%I', n.nspname, t.typname), CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN CASE WHEN c.relkind = 'c' THEN 'composite type' ELSE 'table' END
                    WHEN 'r' THEN 'range' WHEN 'm' THEN 'multirange' ELSE 'type' END,
                CASE t.typtype WHEN 'e' THEN ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
                    WHEN 'c' THEN ARRAY(SELECT format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attcollation <> y.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END)
                        FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid WHERE a.attrelid = c.oid AND c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
                    WHEN 'd' THEN ARRAY[format_type(t.typbasetype, t.typtypmod) || CASE WHEN t.typcollation <> b.typcollation THEN ' COLLATE ' || t.typcollation::regcollation ELSE '' END]
                        || CASE WHEN t.typnotnull THEN ARRAY['NOT NULL'] ELSE '{}' END
                    WHEN 'r' THEN (SELECT ARRAY[format('%s %s %s', format_type(r.rngsubtype, NULL), CASE WHEN r.rngcollation <> 0 THEN r.rngcollation::regcollation::text END, o.opcname)]
                        FROM pg_range r JOIN pg_opclass o ON o.oid = r.rngsubopc WHERE r.rngtypid = t.oid) ELSE '{}' END,
                ARRAY(SELECT regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '') FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'),
                ARRAY(SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' AND k.convalidated)
            FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid LEFT JOIN pg_type b ON b.oid = t.typbasetype
            WHERE t.typtype IN ('b', 'c', 'd', 'e', 'r', 'm') AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
                AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^(pg_(temp|toast)_|eden_)'
                AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e') ORDER BY 1""";

    private TypeKinds() {}

    /**
     * @param parts in their order
     * @param checks of a domain
     * @param valid those of them that every value meets
     */
    private record Type(String kind, List<String> parts, Set<String> checks, Set<String> valid) {}

    /** {@code wrong}: one side could not hold what the other has. */
    public static void compare(PostgresSession source, PostgresSession target, List<String> wrong, List<String> wider) {
        Map<String, Type> there = types(target);
        types(source).forEach((name, here) -> {
            Type other = there.get(name);
            if (other == null) {
                return;
            }
            if (!other.kind().equals(here.kind())) {
                wrong.add("type " + name + " (" + here.kind() + " → " + other.kind() + ")");
            } else if (here.kind().equals("enum")
                    && !other.parts().equals(here.parts())
                    && inOrder(here.parts(), other.parts())) {
                wider.add("type " + name + " (more labels)");
            } else if (!other.parts().equals(here.parts())) {
                wrong.add("type " + name + " (" + some(here.parts()) + " → " + some(other.parts()) + ")");
            } else if (!here.checks().containsAll(other.checks())
                    || !other.checks().containsAll(here.valid())) {
                wrong.add("type " + name + " (checks)");
            }
        });
    }

    private static String some(List<String> parts) {
        return String.join(", ", parts.subList(0, Math.min(SHOWN, parts.size()))) + (parts.size() > SHOWN ? ", …" : "");
    }

    /** That one comes before another matters to ranges and indexes. */
    private static boolean inOrder(List<String> few, List<String> many) {
        List<String> common = new ArrayList<>(many);
        common.retainAll(few);
        return common.equals(few);
    }

    private static Map<String, Type> types(PostgresSession session) {
        Map<String, Type> all = new LinkedHashMap<>();
        session.query(
                TYPES,
                row -> all.put(
                        PlainText.names(row.getString(1)),
                        new Type(
                                row.getString(2),
                                parts(row.getString(2), (String[])
                                        row.getArray(3).getArray()),
                                plain((String[]) row.getArray(4).getArray()),
                                plain((String[]) row.getArray(5).getArray()))));
        return all;
    }

    private static List<String> parts(String kind, String[] parts) {
        return Arrays.stream(parts)
                .map(part -> kind.equals("enum") ? part : PlainText.names(part))
                .toList();
    }

    private static Set<String> plain(String[] definitions) {
        Set<String> all = new HashSet<>();
        for (String definition : definitions) {
            all.add(PlainText.of(definition));
        }
        return all;
    }
}
