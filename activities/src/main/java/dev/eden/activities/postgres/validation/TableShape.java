package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.RowText;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What comparing a table needs to know of it, as the source has it.
 *
 * @param name quoted, with its schema
 * @param columns quoted; all of them, generated ones too
 * @param stored quoted; those that can be written
 * @param key of the primary key; empty: none
 * @param rows the server's estimate
 * @param width of a row with what is kept beside it, in bytes, by that estimate
 * @param converted the two sides keep texts in different encodings
 * @param reordered the two sides sort the key's texts differently
 */
record TableShape(
        String name,
        List<String> columns,
        List<String> stored,
        List<KeyColumn> key,
        long rows,
        long width,
        boolean converted,
        boolean reordered) {

    private static final String LEAVES =
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace%s WHERE " + UserTables.LEAF + "%s";

    private record Size(long rows, long bytes) {}

    /** Every table that holds rows, in order of name. All at once, because there may be thousands, and a server far away; {@code alive} in between. */
    static List<TableShape> read(PostgresSession session, PostgresSession other, Runnable alive) {
        boolean converted = !RowText.encoding(session).equals(RowText.encoding(other));
        Map<String, Size> sizes = new LinkedHashMap<>();
        session.query(
                "SELECT format('%I.%I', n.nspname, c.relname), greatest(c.reltuples::bigint, pg_relation_size(c.oid) / 100), pg_table_size(c.oid)"
                        + LEAVES.formatted("", " ORDER BY 1"),
                row -> sizes.put(row.getString(1), new Size(row.getLong(2), row.getLong(3))));
        alive.run();
        Map<String, List<String>> columns = new HashMap<>();
        Map<String, List<String>> stored = new HashMap<>();
        session.query(
                "SELECT format('%I.%I', n.nspname, c.relname), a.attname, a.attgenerated <> ''"
                        + LEAVES.formatted(
                                " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped",
                                " ORDER BY c.oid, a.attnum"),
                row -> {
                    String column = Sql.name(row.getString(2));
                    columns.computeIfAbsent(row.getString(1), _ -> new ArrayList<>())
                            .add(column);
                    return !row.getBoolean(3)
                            && stored.computeIfAbsent(row.getString(1), _ -> new ArrayList<>())
                                    .add(column);
                });
        alive.run();
        Map<String, List<KeyColumn>> keys = KeyColumn.read(session);
        alive.run();
        Map<String, List<String>> orders = TextOrder.read(session);
        Map<String, List<String>> otherOrders = converted ? Map.of() : TextOrder.read(other);
        List<TableShape> all = new ArrayList<>();
        sizes.forEach((table, size) -> all.add(new TableShape(
                table,
                columns.getOrDefault(table, List.of()),
                stored.getOrDefault(table, List.of()),
                keys.getOrDefault(table, List.of()),
                size.rows(),
                size.bytes() / Math.max(1, size.rows()),
                converted,
                orders.containsKey(table) && !orders.get(table).equals(otherOrders.get(table)))));
        return all;
    }

    /** A number that equal rows share, whatever their columns' types; 64 bits of the row's text. */
    String hash(String alias) {
        return RowText.hash("ROW(" + qualified(alias, columns) + ")", converted);
    }

    static String qualified(String alias, List<String> columns) {
        return columns.stream().map(column -> alias + "." + column).collect(Collectors.joining(", "));
    }

    String keyList() {
        return keyList("");
    }

    /** @param before each column's name */
    String keyList(String before) {
        return key.stream().map(column -> before + column.name()).collect(Collectors.joining(", "));
    }

    /** The key as an array of texts. */
    String keyTexts(String alias) {
        return key.stream()
                .map(column -> alias + "." + column.name() + "::text")
                .collect(Collectors.joining(", ", "ARRAY[", "]"));
    }

    /** Joins the table, as {@code t}, with keys given as one array of texts per column, as {@code k}. */
    String keyJoin() {
        return "ONLY " + name + " AS t JOIN unnest(" + keyArrays() + ") AS k (" + keyNames("") + ") ON "
                + keyMatches(i -> "k.k" + i);
    }

    /** The keys given as for {@link #keyJoin}, as rows with one column of that name: an array of texts. */
    String keyRows(String column) {
        return "(SELECT ARRAY[" + keyNames("k.") + "] FROM unnest(" + keyArrays() + ") AS k (" + keyNames("")
                + ")) AS wanted (" + column + ")";
    }

    private String keyArrays() {
        return key.stream().map(_ -> "?::text[]").collect(Collectors.joining(", "));
    }

    private String keyNames(String before) {
        return IntStream.range(0, key.size()).mapToObj(i -> before + "k" + i).collect(Collectors.joining(", "));
    }

    /** @param value an expression for the text of the column at that place */
    String keyMatches(IntFunction<String> value) {
        return IntStream.range(0, key.size())
                .mapToObj(i -> key.get(i).matching(value.apply(i)))
                .collect(Collectors.joining(" AND "));
    }

    /** The arguments of {@link #keyJoin}. */
    Object[] keyArguments(List<List<String>> keys) {
        Object[] arguments = new Object[key.size()];
        for (int i = 0; i < key.size(); i++) {
            int column = i;
            arguments[i] = keys.stream().map(values -> values.get(column)).toArray(String[]::new);
        }
        return arguments;
    }

    /** For people: {@code "shop"."events" (5)}. */
    String shown(List<String> values) {
        return name + " (" + String.join(", ", values) + ")";
    }
}
