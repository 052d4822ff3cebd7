package dev.eden.activities.postgres.preparation;

import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the target had before Eden's first object, so that a migration taken back can leave exactly that. */
public final class CreatedObjects {
    private static final String SAVED = "saved:objects";
    private static final String SEPARATOR = "\n";

    private final Pair pair;

    public CreatedObjects(Pair pair) {
        this.pair = pair;
    }

    void remember(PostgresSession target) {
        if (pair.records().get(pair.migration(), pair.target(), SAVED).isEmpty()) {
            List<String> all = new ArrayList<>();
            present(target).forEach(object -> all.add(object.kind() + " " + object.name()));
            pair.records().putIfAbsent(pair.migration(), pair.target(), SAVED, String.join(SEPARATOR, all));
        }
    }

    /** Drops what came since, on the target. Idempotent. */
    public void drop(PostgresSession target) {
        Optional<String> saved = pair.records().get(pair.migration(), pair.target(), SAVED);
        if (saved.isEmpty()) {
            return;
        }
        Set<String> before = new HashSet<>(Arrays.asList(saved.get().split(SEPARATOR)));
        for (Dropped object : present(target)) {
            if (!before.contains(object.kind() + " " + object.name())) {
                target.execute("DROP " + object.kind() + " IF EXISTS " + object.name() + " CASCADE");
            }
        }
    }

    private record Dropped(String kind, String name) {}

    /** In an order in which each may be dropped, with CASCADE. */
    private List<Dropped> present(PostgresSession target) {
        String eden = Sql.text(pair.names().schema());
        List<Dropped> all = new ArrayList<>();
        all.addAll(target.query(
                "SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,"
                        + " format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                        + " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND " + UserTables.OWN_RELATION
                        + " ORDER BY array_position(ARRAY['m', 'v', 'r', 'p', 'S'], c.relkind::text), c.oid",
                row -> new Dropped(row.getString(1), row.getString(2))));
        all.addAll(target.query("""
                SELECT 'ROUTINE', p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^eden_' AND NOT EXISTS (SELECT FROM pg_depend e
                    WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype IN ('e', 'i'))""", row -> new Dropped(row.getString(1), row.getString(2))));
        all.addAll(target.query("""
                SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.oid::regtype::text FROM pg_type t
                JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
                WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^eden_'
                    AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c') AND NOT EXISTS (SELECT FROM pg_depend e
                    WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')""", row -> new Dropped(row.getString(1), row.getString(2))));
        // Of these kinds pg_dump copies what the catalogue copier leaves out.
        all.addAll(target.query("""
                SELECT kind, name FROM (
                    SELECT 'OPERATOR' AS kind, o.oid::regoperator::text AS name, o.oid, 'pg_operator'::regclass AS catalogue, o.oprnamespace AS place FROM pg_operator o
                    UNION ALL SELECT 'COLLATION', format('%I.%I', s.nspname, l.collname), l.oid, 'pg_collation'::regclass, s.oid
                        FROM pg_collation l JOIN pg_namespace s ON s.oid = l.collnamespace
                    UNION ALL SELECT 'TEXT SEARCH CONFIGURATION', t.oid::regconfig::text, t.oid, 'pg_ts_config'::regclass, t.cfgnamespace FROM pg_ts_config t
                    UNION ALL SELECT 'TEXT SEARCH DICTIONARY', t.oid::regdictionary::text, t.oid, 'pg_ts_dict'::regclass, t.dictnamespace FROM pg_ts_dict t
                ) AS o JOIN pg_namespace n ON n.oid = o.place
                WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^eden_' AND NOT EXISTS (SELECT FROM pg_depend e
                    WHERE e.classid = o.catalogue AND e.objid = o.oid AND e.deptype = 'e')
                UNION ALL SELECT 'SERVER', quote_ident(srvname) FROM pg_foreign_server
                UNION ALL SELECT 'FOREIGN DATA WRAPPER', quote_ident(fdwname) FROM pg_foreign_data_wrapper w WHERE NOT EXISTS (SELECT FROM pg_depend e
                    WHERE e.classid = 'pg_foreign_data_wrapper'::regclass AND e.objid = w.oid AND e.deptype = 'e')""", row -> new Dropped(row.getString(1), row.getString(2))));
        all.addAll(target.query(
                "SELECT 'EXTENSION', quote_ident(extname) FROM pg_extension",
                row -> new Dropped(row.getString(1), row.getString(2))));
        all.addAll(target.query(
                "SELECT 'SCHEMA', quote_ident(nspname) FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND nspname <> "
                        + eden,
                row -> new Dropped(row.getString(1), row.getString(2))));
        return all;
    }
}
