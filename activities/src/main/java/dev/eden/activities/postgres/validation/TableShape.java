package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.RowText;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What comparing a table needs to know of it, as the source has it.
 *
 * @param name quoted, with its schema
 * @param columns quoted; all of them, generated ones too
 * @param stored quoted; those that can be written
 * @param key quoted columns of the primary key; empty: none
 * @param keyTypes of the key's columns, as a cast takes them that cuts nothing: {@code character} and {@code bit} alone mean a length of 1
 * @param rows the server's estimate
 * @param converted the two sides keep texts in different encodings
 */
record TableShape(
        String name,
        List<String> columns,
        List<String> stored,
        List<String> key,
        List<String> keyTypes,
        long rows,
        boolean converted) {

    /** Every table that holds rows, in order of name. */
    static List<TableShape> read(PostgresSession session, PostgresSession other) {
        boolean converted = !RowText.encoding(session).equals(RowText.encoding(other));
        List<TableShape> all = new ArrayList<>();
        for (String table : UserTables.leaves(session)) {
            List<String> columns = new ArrayList<>();
            List<String> stored = new ArrayList<>();
            session.query(
                    "SELECT attname, attgenerated <> '' FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                    row -> {
                        columns.add(Sql.name(row.getString(1)));
                        return !row.getBoolean(2) && stored.add(Sql.name(row.getString(1)));
                    },
                    table);
            List<String> key = new ArrayList<>();
            List<String> types = new ArrayList<>();
            session.query("""
                    SELECT a.attname, format_type(a.atttypid, -1) FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k (num, at)
                    JOIN pg_attribute a ON a.attnum = k.num WHERE i.indrelid = ?::regclass AND i.indisprimary AND a.attrelid = i.indrelid
                        AND k.at <= i.indnkeyatts ORDER BY k.at""", row -> key.add(Sql.name(row.getString(1))) && types.add(row.getString(2)), table);
            long rows = session.number(
                    "SELECT greatest(reltuples::bigint, pg_relation_size(oid) / 100) FROM pg_class WHERE oid = ?::regclass",
                    table);
            all.add(new TableShape(table, columns, stored, key, types, rows, converted));
        }
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
        return String.join(", ", key);
    }

    /** The key as an array of texts. */
    String keyTexts(String alias) {
        return key.stream()
                .map(column -> alias + "." + column + "::text")
                .collect(Collectors.joining(", ", "ARRAY[", "]"));
    }

    /** {@code (k1, k2) OPERATOR (?::t1, ?::t2)}. */
    String keyBound(String operator) {
        return "(" + keyList() + ") " + operator + " ("
                + keyTypes.stream().map(type -> "?::" + type).collect(Collectors.joining(", ")) + ")";
    }

    /** Joins the table, as {@code t}, with keys given as one array of texts per column, as {@code k}. */
    String keyJoin() {
        String arrays = key.stream().map(_ -> "?::text[]").collect(Collectors.joining(", "));
        String names = IntStream.range(0, key.size()).mapToObj(i -> "k" + i).collect(Collectors.joining(", "));
        String equal = IntStream.range(0, key.size())
                .mapToObj(i -> "t." + key.get(i) + " = k.k" + i + "::" + keyTypes.get(i))
                .collect(Collectors.joining(" AND "));
        return "ONLY " + name + " AS t JOIN unnest(" + arrays + ") AS k (" + names + ") ON " + equal;
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
