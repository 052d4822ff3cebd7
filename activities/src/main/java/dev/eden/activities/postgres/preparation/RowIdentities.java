package dev.eden.activities.postgres.preparation;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Gives the source's tables without a key by which rows can be found again {@code REPLICA IDENTITY FULL}. Without it the source would refuse its
 * applications' updates and deletes as soon as the table is published. What was before is stored first, and comes back with the cleanup.
 */
public final class RowIdentities {
    private static final String SAVED = "saved:identity:";
    private static final String INDEX = "saved:identities";
    private static final int TRIES = 20;

    private final Pair pair;

    public RowIdentities(Pair pair) {
        this.pair = pair;
    }

    private record Table(String name, String identity) {}

    void change(PostgresSession source) {
        List<Table> tables = without(source);
        Set<String> stored = new LinkedHashSet<>(changed());
        boolean more = false;
        for (Table table : tables) {
            if (stored.add(table.name())) {
                pair.records().put(pair.migration(), pair.source(), SAVED + table.name(), table.identity());
                more = true;
            }
        }
        if (more) {
            // Each line has its end: servers of before append.
            pair.records().put(pair.migration(), pair.source(), INDEX, String.join("\n", stored) + "\n");
        }
        tables.forEach(table -> alter(source, "ALTER TABLE " + table.name() + " REPLICA IDENTITY FULL"));
    }

    /** Puts back what {@link #change} found, on either side; idempotent. */
    public void restore(PostgresSession session, Role side) {
        for (String table : changed()) {
            String identity = pair.records()
                    .get(pair.migration(), pair.source(), SAVED + table)
                    .orElse("DEFAULT");
            if (session.is("SELECT to_regclass(?) IS NOT NULL", table)) {
                alter(session, "ALTER TABLE " + table + " REPLICA IDENTITY " + identity);
            }
        }
    }

    private List<String> changed() {
        List<String> all = new ArrayList<>();
        for (String table : pair.records()
                .get(pair.migration(), pair.source(), INDEX)
                .orElse("")
                .split("\n")) {
            if (!table.isEmpty()) {
                all.add(table);
            }
        }
        return all;
    }

    /** Tables, partitions included, whose updates would be refused; with the clause of their present identity. */
    private static List<Table> without(PostgresSession source) {
        return source.query(
                "SELECT format('%I.%I', n.nspname, c.relname), CASE c.relreplident WHEN 'n' THEN 'NOTHING' ELSE 'DEFAULT' END"
                        + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                        + " WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND " + UserTables.OWN_RELATION
                        + " AND " + UserTables.KEYLESS + " ORDER BY 1",
                row -> new Table(row.getString(1), row.getString(2)));
    }

    /** Needs the table for itself for a moment: does not queue up long behind others, with everybody else behind it. */
    private static void alter(PostgresSession session, String sql) {
        session.execute("SET lock_timeout = '500ms'");
        for (int attempt = 1; ; attempt++) {
            try {
                session.execute(sql);
                return;
            } catch (PostgresException e) {
                if (!e.sqlState().equals("55P03") || attempt == TRIES) {
                    throw e;
                }
            }
        }
    }
}
