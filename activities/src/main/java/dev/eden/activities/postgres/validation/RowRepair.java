package dev.eden.activities.postgres.validation;

import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.schema.Unvalidated;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.util.List;

/**
 * Copies rows whole again, or deletes those that the followed side does not have. The rows are held on the followed side meanwhile, and
 * everything older has been applied, so that replication does not meet them half way. Triggers do not fire.
 */
final class RowRepair {
    private static final String COPIED = "pg_temp.eden_copied";

    private final Sides sides;
    private final TableShape table;
    private final Runnable alive;

    /** @param alive is told between statements that may take long */
    RowRepair(Sides sides, TableShape table, Runnable alive) {
        this.sides = sides;
        this.table = table;
        this.alive = alive;
    }

    /** In a transaction on the followed side. Throws what is {@link Unvalidated#busy} where a reader of the table is in the way. */
    void repair(List<List<String>> keys) {
        Object[] arguments = table.keyArguments(keys);
        sides.from.execute("CREATE TEMP TABLE IF NOT EXISTS eden_wanted (keys text[]) ON COMMIT DROP");
        sides.from.execute("TRUNCATE pg_temp.eden_wanted");
        sides.from.update("INSERT INTO pg_temp.eden_wanted SELECT keys FROM " + table.keyRows("keys"), arguments);
        sides.from.query(
                "SELECT 1 FROM " + table.keyJoin() + " ORDER BY " + table.keyList("t.") + " FOR SHARE OF t",
                row -> true,
                arguments);
        byte[] rows = copyOut("SELECT " + TableShape.qualified("t", table.stored()) + " FROM ONLY " + table.name()
                + " AS t JOIN pg_temp.eden_wanted AS w ON " + table.keyMatches(i -> "w.keys[" + (i + 1) + "]"));
        sides.awaitApplied();
        replace(rows, keys);
    }

    /** A table without a key: all of it. The caller keeps writers away and has awaited what is older. */
    void repairAll() {
        byte[] rows = copyOut("SELECT " + String.join(", ", table.stored()) + " FROM ONLY " + table.name());
        replace(rows, null);
    }

    private void replace(byte[] rows, @org.jspecify.annotations.Nullable List<List<String>> keys) {
        Unvalidated.write(sides.to, table.name(), () -> {
            sides.to.execute("SET LOCAL session_replication_role = replica");
            // Sooner than the followed side lets go of the rows: what arrives late finds no transaction.
            sides.to.execute("SET LOCAL idle_in_transaction_session_timeout = '5s'");
            sides.to.execute("CREATE TEMP TABLE eden_copied ON COMMIT DROP AS SELECT "
                    + String.join(", ", table.stored()) + " FROM " + table.name() + " LIMIT 0");
            copyIn(rows);
            alive.run();
            if (keys == null) {
                sides.to.execute("DELETE FROM ONLY " + table.name());
            } else {
                sides.to.query(
                        "WITH gone AS (DELETE FROM ONLY " + table.name() + " AS d USING " + table.keyJoin()
                                + " WHERE d.ctid = t.ctid RETURNING 1) SELECT count(*) FROM gone",
                        row -> row.getLong(1),
                        table.keyArguments(keys));
            }
            alive.run();
            sides.to.execute("INSERT INTO " + table.name() + " (" + String.join(", ", table.stored())
                    + ") OVERRIDING SYSTEM VALUE SELECT * FROM " + COPIED);
            // Where the rows are not held any more, they are not these any more.
            sides.from.execute("SELECT 1");
        });
    }

    private byte[] copyOut(String query) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            sides.from.copy().copyOut("COPY (" + query + ") TO STDOUT", bytes);
        } catch (SQLException e) {
            throw PostgresException.of(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        alive.run();
        return bytes.toByteArray();
    }

    private void copyIn(byte[] rows) {
        try {
            sides.to.copy().copyIn("COPY " + COPIED + " FROM STDIN", new ByteArrayInputStream(rows));
        } catch (SQLException e) {
            throw PostgresException.of(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
