package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Tables, sequences and schemas are told by their quoted names, and a word that became a keyword ({@code json} with version 17) is quoted by one server and not by
 * the other (PostgreSQL documentation, "SQL Key Words").
 */
record NameFindings(PostgresSession source, PostgresSession target, Findings findings) {
    private static final String NAMES = """
            SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'S', 'm') AND OWN
            UNION SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|eden_)' ORDER BY 1""".replace("OWN", UserTables.OWN_RELATION);

    private static final String QUOTED = "SELECT name FROM unnest(?::text[]) AS name WHERE quote_ident(name) <> name";

    void check() {
        String[] names = source.texts(NAMES).stream()
                .filter(name -> name.matches("[a-z_][a-z0-9_]*"))
                .toArray(String[]::new);
        Set<String> here = new HashSet<>(source.texts(QUOTED, (Object) names));
        Set<String> there = new HashSet<>(target.texts(QUOTED, (Object) names));
        List<String> differ = Arrays.stream(names)
                .filter(name -> here.contains(name) != there.contains(name))
                .toList();
        if (!differ.isEmpty()) {
            findings.failure(
                    "postgres.names",
                    "These names of tables, sequences or schemas are keywords of one of the two versions alone, which therefore spell them differently: "
                            + Findings.some(differ) + ".",
                    "Rename them for the migration; a view may bear the old name meanwhile.");
        }
    }
}
