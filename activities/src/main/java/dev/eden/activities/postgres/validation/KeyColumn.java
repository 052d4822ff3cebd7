package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.UserTables;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A column of a primary key with the operators of its index. Those of extensions' types are in schemas that Eden's sessions do not search, and where
 * another is found in their place ({@code text = text} for {@code citext}) it sorts otherwise and no index serves it.
 *
 * @param name quoted
 * @param type as a cast takes it that cuts nothing: {@code character} and {@code bit} alone mean a length of 1
 */
public record KeyColumn(String name, String type, String less, String upTo, String equal, String greater) {

    private static final String COLUMNS = """
            SELECT format('%I.%I', n.nspname, c.relname), a.attname, format_type(a.atttypid, -1),
                (SELECT array_agg(CASE n.nspname WHEN 'pg_catalog' THEN p.oprname::text ELSE format('OPERATOR(%I.%s)', n.nspname, p.oprname) END
                    ORDER BY m.amopstrategy) FROM pg_amop m JOIN pg_operator p ON p.oid = m.amopopr JOIN pg_namespace n ON n.oid = p.oprnamespace
                 WHERE m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype AND m.amoppurpose = 's' AND m.amopmethod = 403)
            FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[]) WITH ORDINALITY AS k (num, opclass, at)
            JOIN pg_attribute a ON a.attnum = k.num JOIN pg_opclass o ON o.oid = k.opclass
            WHERE i.indisprimary AND a.attrelid = i.indrelid AND k.at <= i.indnkeyatts AND\s""";

    /** Of every table that holds rows and has a primary key. */
    static Map<String, List<KeyColumn>> read(PostgresSession session) {
        Map<String, List<KeyColumn>> all = new HashMap<>();
        session.query(
                COLUMNS + UserTables.LEAF + " ORDER BY c.oid, k.at",
                row -> all.computeIfAbsent(row.getString(1), _ -> new ArrayList<>())
                        .add(of(row)));
        return all;
    }

    /** Of one table, quoted with its schema; none where it has no primary key. */
    public static List<KeyColumn> of(PostgresSession session, String table) {
        return session.query(COLUMNS + "c.oid = to_regclass(?) ORDER BY k.at", KeyColumn::of, table);
    }

    private static KeyColumn of(ResultSet row) throws SQLException {
        // <, <=, =, >=, > (PostgreSQL documentation, "Index Method Strategies"). A key WITHOUT OVERLAPS has no B-tree:
        // what sorts its columns is in pg_catalog.
        String[] operators = row.getArray(4) == null
                ? new String[] {"<", "<=", "=", ">=", ">"}
                : (String[]) row.getArray(4).getArray();
        return new KeyColumn(
                Sql.name(row.getString(2)), row.getString(3), operators[0], operators[1], operators[2], operators[4]);
    }

    private boolean ordinary() {
        return List.of(less, upTo, equal, greater).equals(List.of("<", "<=", "=", ">"));
    }

    /** Of the table as {@code t}; the value is a text. */
    public String matching(String value) {
        return matching("t.", value);
    }

    private String matching(String alias, String value) {
        return alias + name + " " + equal + " " + value + "::" + type;
    }

    /** Keys after one, whose texts are its {@link #arguments}. */
    static String after(List<KeyColumn> key) {
        return bound(
                key,
                ">",
                key.stream().map(KeyColumn::greater).toList(),
                key.getLast().greater());
    }

    /** Keys up to one, whose texts are its {@link #arguments}. */
    static String upTo(List<KeyColumn> key) {
        return bound(
                key,
                "<=",
                key.stream().map(KeyColumn::less).toList(),
                key.getLast().upTo());
    }

    /** {@code (k1, k2) > (?::t1, ?::t2)}, spelled out where that would name operators that are not found. */
    private static String bound(List<KeyColumn> key, String operator, List<String> strict, String last) {
        if (key.stream().allMatch(KeyColumn::ordinary)) {
            return "(" + key.stream().map(KeyColumn::name).collect(Collectors.joining(", ")) + ") " + operator + " ("
                    + key.stream().map(column -> "?::" + column.type()).collect(Collectors.joining(", ")) + ")";
        }
        return IntStream.range(0, key.size())
                .mapToObj(i -> key.subList(0, i).stream()
                                .map(column -> column.matching("", "?") + " AND ")
                                .collect(Collectors.joining())
                        + key.get(i).name() + " " + (i == key.size() - 1 ? last : strict.get(i)) + " ?::"
                        + key.get(i).type())
                .collect(Collectors.joining(" OR ", "(", ")"));
    }

    /** Of one bound. */
    static List<String> arguments(List<KeyColumn> key, List<String> values) {
        if (key.stream().allMatch(KeyColumn::ordinary)) {
            return values;
        }
        return IntStream.rangeClosed(1, key.size())
                .mapToObj(i -> values.subList(0, i))
                .flatMap(List::stream)
                .toList();
    }
}
