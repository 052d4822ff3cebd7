package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.postgresql.copy.CopyIn;
import org.postgresql.copy.CopyOut;

/**
 * Copies rows of one table from one session's snapshot into another session's transaction, by binary COPY where both sides' types mean the same
 * bytes. Rows go from socket to socket in blocks; none is looked at.
 *
 * @param columns those that can be written and exist on both sides, quoted
 */
record TableCopy(String table, List<String> columns, boolean binary) {
    private static final int BLOCK = 1 << 17;
    /** Bytes of what ends a binary COPY; a row has more (PostgreSQL documentation, COPY, "Binary Format"). */
    private static final int TRAILER = 2;
    /** Below this many bytes an index is kept up to date as cheaply as it is built. */
    private static final long WORTH_A_BUILD = 8L << 20;

    static TableCopy of(String table, PostgresSession source, PostgresSession target) {
        // Arrays and rows carry the numbers of their parts' types, which differ from server to server unless built in;
        // the names of objects are numbers as well.
        String sql = """
                SELECT a.attname, format_type(a.atttypid, a.atttypmod), y.typreceive <> 0 AND y.typsend <> 0 AND (y.typtype = 'e'
                    OR b.typnamespace = 'pg_catalog'::regnamespace AND b.typtype IN ('b', 'r', 'm') AND b.typname !~ '^_?(reg|aclitem|pg_)')
                FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid JOIN pg_type b ON b.oid = CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END
                WHERE a.attrelid = to_regclass(?) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum""";
        record Column(String name, String type, boolean sent) {}
        List<Column> here =
                source.query(sql, row -> new Column(row.getString(1), row.getString(2), row.getBoolean(3)), table);
        List<Column> there =
                target.query(sql, row -> new Column(row.getString(1), row.getString(2), row.getBoolean(3)), table);
        List<Column> both = here.stream()
                .filter(column -> there.stream().anyMatch(other -> other.name().equals(column.name())))
                .toList();
        boolean binary = both.stream().allMatch(column -> column.sent() && there.contains(column));
        return new TableCopy(
                table, both.stream().map(column -> Sql.name(column.name())).toList(), binary);
    }

    /**
     * The whole table, in the caller's transaction on the target, instead of what is there. A primary key that nothing refers to is dropped and built
     * again in that transaction: sorting is faster than inserting, and nobody sees the table without it.
     */
    long whole(PostgresSession source, PostgresSession target, long size, Meter meter) {
        Optional<Key> key = size < WORTH_A_BUILD ? Optional.empty() : key(target);
        boolean anew = empty(target, table);
        key.ifPresent(k -> target.execute("ALTER TABLE " + table + " DROP CONSTRAINT " + Sql.name(k.name())));
        long copied =
                rows(source, target, "COPY " + table + " (" + list() + ") TO STDOUT", anew ? ", FREEZE" : "", meter);
        key.ifPresent(k -> target.execute(
                "ALTER TABLE " + table + " ADD CONSTRAINT " + Sql.name(k.name()) + " " + k.definition()));
        return copied;
    }

    /**
     * Takes all rows out; false where that leaves their room, because another table refers to this one: a target may have been made with foreign keys.
     */
    static boolean empty(PostgresSession target, String table) {
        boolean referred = target.is(
                "SELECT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND confrelid = to_regclass(?) AND conrelid <> confrelid)",
                table);
        target.execute((referred ? "DELETE FROM ONLY " : "TRUNCATE ONLY ") + table);
        return !referred;
    }

    /** Blocks {@code from} to before {@code to} of the table's heap; the last part has no end. */
    long part(PostgresSession source, PostgresSession target, long from, long to, Meter meter) {
        String where = "ctid >= '(" + from + ",0)'" + (to < 0 ? "" : " AND ctid < '(" + to + ",0)'");
        String sql = "COPY (SELECT " + list() + " FROM ONLY " + table + " WHERE " + where + ") TO STDOUT";
        return rows(source, target, sql, "", meter);
    }

    private long rows(PostgresSession source, PostgresSession target, String out, String options, Meter meter) {
        if (columns.isEmpty()) {
            throw new IllegalStateException(table + " has no column that can be copied");
        }
        String format = binary ? "binary" : "text";
        boolean done = false;
        try {
            CopyOut reading = source.copy().copyOut(out + " WITH (FORMAT " + format + ")");
            CopyIn writing = target.copy()
                    .copyIn("COPY " + table + " (" + list() + ") FROM STDIN WITH (FORMAT " + format + options + ")");
            byte[] block = new byte[BLOCK];
            int filled = 0;
            for (byte[] row = reading.readFromCopy(); row != null; row = reading.readFromCopy()) {
                if (row.length > BLOCK - filled) {
                    meter.pay(filled, source, target);
                    writing.writeToCopy(block, 0, filled);
                    filled = 0;
                }
                if (row.length > BLOCK) {
                    meter.pay(row.length, source, target);
                    writing.writeToCopy(row, 0, row.length);
                } else {
                    System.arraycopy(row, 0, block, filled, row.length);
                    filled += row.length;
                }
                if (!binary || row.length > TRAILER) {
                    meter.rows().incrementAndGet();
                }
            }
            meter.pay(filled, source, target);
            writing.writeToCopy(block, 0, filled);
            long copied = writing.endCopy();
            done = true;
            return copied;
        } catch (SQLException e) {
            throw PostgresException.of(e);
        } finally {
            if (!done) {
                // Whatever is asked of a session in the middle of a COPY waits for its end, a rollback too.
                source.abort();
                target.abort();
            }
        }
    }

    private String list() {
        return columns.stream().collect(Collectors.joining(", "));
    }

    private record Key(String name, String definition) {}

    /** One that its definition says everything about. */
    private Optional<Key> key(PostgresSession target) {
        return target.first("""
                SELECT k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_index i ON i.indexrelid = k.conindid
                JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = k.conrelid
                WHERE k.conrelid = to_regclass(?) AND k.contype = 'p' AND c.relkind = 'r' AND NOT c.relispartition AND NOT i.indisreplident
                    AND NOT i.indisclustered AND x.reloptions IS NULL AND x.reltablespace = 0
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_constraint'::regclass AND d.refobjid = k.oid AND d.objid <> x.oid)
                    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = x.oid)
                    AND NOT EXISTS (SELECT FROM pg_description d WHERE d.objoid IN (k.oid, x.oid))
                    AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid OR h.inhrelid = c.oid)""", row -> new Key(row.getString(1), row.getString(2)), table);
    }
}
