package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.List;

/** Keys whose types are an extension's: the few rows that a cutover compares are looked up by operators of PostgreSQL's own. */
record KeyFindings(PostgresSession source, Findings findings) {

    void check() {
        List<String> keys = source.texts("""
                SELECT DISTINCT c.oid::regclass || ' (' || o.opcintype::regtype || ')' FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
                JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN unnest(i.indclass::oid[]) AS k (opclass) JOIN pg_opclass o ON o.oid = k.opclass
                JOIN pg_amop m ON m.amopfamily = o.opcfamily AND m.amoplefttype = o.opcintype AND m.amoprighttype = o.opcintype AND m.amopstrategy = 3
                JOIN pg_operator p ON p.oid = m.amopopr WHERE i.indisprimary AND c.relkind = 'r' AND c.relpersistence = 'p'
                    AND p.oprnamespace <> 'pg_catalog'::regnamespace AND\s""" + UserTables.OWN_RELATION + " ORDER BY 1");
        if (!keys.isEmpty()) {
            findings.warning(
                    "postgres.tables.key_type",
                    "Primary keys are of extensions' types: " + Findings.some(keys)
                            + ". Where such a table is one of the six that are written most, a cutover that looks up its newest rows fails, or with citext reads the whole table while clients wait; it is taken back then.",
                    "Rehearse a cutover under the load that it will have; where it fails, give the table a primary key of a type that is PostgreSQL's own.");
        }
    }
}
