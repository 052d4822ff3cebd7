package dev.eden.activities.postgres.cutover;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.RowText;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.validation.KeyColumn;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Cheap equality for the pause: the newest rows by primary key of a few tables, as each side sorts them, looked up by their keys on both, because two servers
 * may sort texts differently. Which tables and which statements is found out beforehand, so that the pause only runs them. Columns that only one side has, or
 * has in another type, are left to validation.
 */
final class RowSample {
    private static final int TABLES = 6;
    private static final int ROWS = 20;

    /**
     * @param newest answers the keys of each table's newest rows, as JSON
     * @param sums answers a sum per table over the rows with the keys of two such answers
     */
    private record Statements(String newest, String sums) {}

    private final List<String> names;
    private final Statements onFrom;
    private final Statements onTo;

    private RowSample(List<String> names, Statements onFrom, Statements onTo) {
        this.names = names;
        this.onFrom = onFrom;
        this.onTo = onTo;
    }

    /** The tables written most by now. */
    static RowSample prepare(PostgresSession from, PostgresSession to, EdenObjects names) {
        List<String> tables = new ArrayList<>();
        Parts here = new Parts();
        Parts there = new Parts();
        boolean converted = !RowText.encoding(from).equals(RowText.encoding(to));
        for (String table : candidates(from, names)) {
            List<KeyColumn> keyHere = KeyColumn.of(from, table);
            List<KeyColumn> keyThere = sameOrder(keyHere, KeyColumn.of(to, table));
            if (keyHere.isEmpty() || keyThere.size() < keyHere.size()) {
                continue;
            }
            Map<String, String> typesThere = types(to, table);
            String row = types(from, table).entrySet().stream()
                    .filter(column -> column.getValue().equals(typesThere.get(column.getKey())))
                    .map(column -> "t." + Sql.name(column.getKey()))
                    .collect(Collectors.joining(", ", "ROW(", ")"));
            String hash = RowText.hash(row, converted);
            int place = tables.size();
            here.add(place, table, keyHere, hash);
            there.add(place, table, keyThere, hash);
            tables.add(table);
        }
        return new RowSample(tables, here.statements(), there.statements());
    }

    /** The other side's columns of that key, as far as they are of its own. */
    private static List<KeyColumn> sameOrder(List<KeyColumn> key, List<KeyColumn> other) {
        return key.stream()
                .flatMap(column -> other.stream().filter(its -> its.name().equals(column.name())))
                .toList();
    }

    /** Quoted, with their schemas. */
    private static List<String> candidates(PostgresSession from, EdenObjects names) {
        return from.texts("""
                SELECT format('%I.%I', n.nspname, c.relname) FROM pg_publication_tables p JOIN pg_namespace n ON n.nspname = p.schemaname
                JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
                JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND NOT i.indisexclusion
                LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
                WHERE p.pubname = ? AND n.nspname <> ? ORDER BY coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0) DESC LIMIT ?""", names.main(), names.schema(), TABLES);
    }

    /** In order of names. */
    private static Map<String, String> types(PostgresSession session, String table) {
        Map<String, String> types = new LinkedHashMap<>();
        session.query(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped ORDER BY attname COLLATE \"C\"",
                row -> types.put(row.getString(1), row.getString(2)),
                table);
        return types;
    }

    /** One side's statements, as they grow. */
    private static final class Parts {
        private final List<String> newest = new ArrayList<>();
        private final List<String> sums = new ArrayList<>();

        void add(int place, String table, List<KeyColumn> columns, String hash) {
            List<String> key = columns.stream().map(KeyColumn::name).toList();
            newest.add("(SELECT coalesce(jsonb_agg(jsonb_build_array("
                    + key.stream().map(column -> column + "::text").collect(Collectors.joining(", "))
                    + ")), '[]') FROM (SELECT " + String.join(", ", key) + " FROM " + table + " ORDER BY "
                    + key.stream().map(column -> column + " DESC").collect(Collectors.joining(", ")) + " LIMIT " + ROWS
                    + ") AS newest)");
            sums.add("(SELECT count(*) || '/' || coalesce(sum(" + hash
                    + "), 0) FROM jsonb_array_elements((a -> " + place + ") || (b -> " + place
                    + ")) AS k JOIN " + table + " AS t ON "
                    + IntStream.range(0, columns.size())
                            .mapToObj(i -> columns.get(i).matching("(k ->> " + i + ")"))
                            .collect(Collectors.joining(" AND "))
                    + ")");
        }

        Statements statements() {
            return new Statements(
                    "SELECT jsonb_build_array(" + String.join(", ", newest) + ")::text",
                    sums.isEmpty()
                            ? ""
                            : "SELECT " + String.join(" || ',' || ", sums)
                                    + " FROM (SELECT ?::jsonb AS a, ?::jsonb AS b) AS keys");
        }
    }

    /** Tables that differ. */
    List<String> differing(PostgresSession from, PostgresSession to) {
        if (names.isEmpty()) {
            return List.of();
        }
        String newestHere = from.text(onFrom.newest()).orElseThrow();
        String newestThere = to.text(onTo.newest()).orElseThrow();
        String[] here =
                from.text(onFrom.sums(), newestHere, newestThere).orElseThrow().split(",");
        String[] there =
                to.text(onTo.sums(), newestHere, newestThere).orElseThrow().split(",");
        return IntStream.range(0, names.size())
                .filter(i -> !here[i].equals(there[i]))
                .mapToObj(names::get)
                .toList();
    }

    int tables() {
        return names.size();
    }
}
