package dev.eden.demo.postgres;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** What nobody touches while the migration runs: rows of every sort of type, the schema. It has to arrive as it was, and it is what is damaged. */
final class StillRows {
    /** The ways in which a row of a copy can be wrong. */
    private enum Way {
        VALUE,
        MISSING,
        NULL,
        EXTRA
    }

    private static final String SCHEMA = """
            SELECT 'index ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid FROM pg_index i
                JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'app'::regnamespace
            UNION ALL SELECT 'constraint ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) || ' ' || convalidated
                FROM pg_constraint WHERE connamespace = 'app'::regnamespace AND contype <> 'n'
            UNION ALL SELECT 'column ' || a.attrelid::regclass || '.' || a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
                    || a.attidentity::text || a.attgenerated::text || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
                FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE c.relnamespace = 'app'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL SELECT 'relation ' || c.oid::regclass, c.relkind::text || ' of ' || pg_get_userbyid(c.relowner) || ' '
                    || coalesce(pg_get_expr(c.relpartbound, c.oid), '') || coalesce(obj_description(c.oid, 'pg_class'), '')
                FROM pg_class c WHERE c.relnamespace = 'app'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
            UNION ALL SELECT 'function ' || oid::regprocedure, md5(prosrc) FROM pg_proc WHERE pronamespace = 'app'::regnamespace""";

    private final Rows rows;
    private final AppSchema schema;

    StillRows(Rows rows, AppSchema schema) {
        this.rows = rows;
        this.schema = schema;
    }

    /** How many rows can be damaged. */
    int most() {
        return rows.count(Table.STILL) / 2;
    }

    /** A digest of every row, by its name. */
    Map<String, String> read(Connection from) throws SQLException {
        Map<String, String> all = new TreeMap<>();
        try (Statement statement = from.createStatement()) {
            statement.execute("SET TimeZone = 'UTC'");
            all.putAll(pairs(
                    statement, "SELECT tableoid::regclass || ' (' || id || ')', md5(e::text) FROM app.events AS e"));
            all.putAll(pairs(
                    statement,
                    "SELECT 'app.things (' || region || ', ' || number || ')', md5(t::text) FROM app.things AS t"));
        }
        return all;
    }

    /** Every object of the schema, as the server defines it. */
    static Map<String, String> schema(Connection from) throws SQLException {
        try (Statement statement = from.createStatement()) {
            statement.execute("SET search_path = pg_catalog");
            Map<String, String> objects = pairs(statement, SCHEMA);
            statement.execute("RESET search_path");
            return objects;
        }
    }

    private static Map<String, String> pairs(Statement statement, String sql) throws SQLException {
        Map<String, String> pairs = new TreeMap<>();
        try (ResultSet row = statement.executeQuery(sql)) {
            while (row.next()) {
                pairs.put(row.getString(1), row.getString(2));
            }
        }
        return pairs;
    }

    /** Names of what is not the same in both, or only in one. */
    static TreeSet<String> differing(Map<String, String> before, Map<String, String> after) {
        TreeSet<String> differing = new TreeSet<>(before.keySet());
        differing.addAll(after.keySet());
        differing.removeIf(name -> before.containsKey(name) && before.get(name).equals(after.get(name)));
        return differing;
    }

    /** Damages {@code count} rows; gives the way of each by its name. */
    Map<String, String> damage(Connection target, int count) throws SQLException {
        Map<String, String> planted = new TreeMap<>();
        int events = rows.count(Table.STILL);
        for (int i = 0; i < count; i++) {
            Way way = Way.values()[i % Way.values().length];
            // Spread over the partitions; ids that are no multiples of five have a note.
            int id = way == Way.EXTRA ? events + i : (int) ((long) i * events / count) / 5 * 5 + 1;
            while (way != Way.EXTRA && planted.containsKey(name(id))) {
                id = (id + 5) % events;
            }
            damage(target, way, id);
            planted.put(name(id), way.name().toLowerCase(Locale.ROOT));
        }
        return planted;
    }

    private String name(int event) {
        return schema.partition(event) + " (" + event + ")";
    }

    private static void damage(Connection target, Way way, int id) throws SQLException {
        String sql = switch (way) {
            case VALUE -> "UPDATE app.events SET rate = rate + 0.01 WHERE id = ?";
            case MISSING -> "DELETE FROM app.events WHERE id = ?";
            case NULL -> "UPDATE app.events SET note = NULL WHERE id = ?";
            case EXTRA -> "INSERT INTO app.events (id, at, mood) VALUES (?, '2001-01-01', 'late')";
        };
        try (PreparedStatement statement = target.prepareStatement(sql)) {
            statement.setInt(1, id);
            if (statement.executeUpdate() != 1) {
                throw new SQLException("row " + id + " could not be damaged: " + way);
            }
        }
    }
}
