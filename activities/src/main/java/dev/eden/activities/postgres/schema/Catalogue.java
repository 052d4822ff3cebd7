package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The objects of a database as statements, from the catalogues by the server's own {@code pg_get_…def} functions. The session's search
 * path has only pg_catalog, so that every name in them is qualified. Lists are in order of creation (oid), which is nearly the order of
 * dependency; the copier tries again what was too early.
 */
final class Catalogue {
    private static final String USER_SCHEMA = """
            n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(temp|toast)_' AND n.nspname !~ '^eden_'""";

    private final PostgresSession session;

    Catalogue(PostgresSession session) {
        this.session = session;
    }

    List<SchemaObject> schemas() {
        return objects("""
                SELECT 'schema ' || n.nspname, format('CREATE SCHEMA %1$I AUTHORIZATION %2$I', n.nspname, pg_get_userbyid(n.nspowner))
                FROM pg_namespace n WHERE USER_SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e
                    WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e') ORDER BY n.oid""");
    }

    List<SchemaObject> extensions() {
        return objects("""
                SELECT 'extension ' || x.extname, format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA %I CASCADE', x.extname, n.nspname)
                FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace ORDER BY x.oid""");
    }

    List<SchemaObject> types() {
        List<SchemaObject> all = new ArrayList<>(objects("""
                SELECT 'type ' || t.oid::regtype, format('CREATE TYPE %s AS ENUM (%s)', t.oid::regtype,
                        (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)),
                    OWNER_OF_TYPE
                FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'e' AND USER_SCHEMA AND NOT_OF_EXTENSION_TYPE ORDER BY t.oid"""));
        all.addAll(objects("""
                SELECT 'type ' || t.oid::regtype, format('CREATE DOMAIN %s AS %s%s%s%s%s', t.oid::regtype, format_type(t.typbasetype, t.typtypmod),
                        CASE WHEN t.typcollation <> b.typcollation THEN ' COLLATE ' || t.typcollation::regcollation::text ELSE '' END,
                        ' DEFAULT ' || nullif(t.typdefault, ''), CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END,
                        (SELECT string_agg(format(' CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), '' ORDER BY k.oid)
                         FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c' AND k.convalidated)),
                    OWNER_OF_TYPE
                FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_type b ON b.oid = t.typbasetype
                WHERE t.typtype = 'd' AND USER_SCHEMA AND NOT_OF_EXTENSION_TYPE ORDER BY t.oid"""));
        all.addAll(objects("""
                SELECT 'type ' || t.oid::regtype, format('CREATE TYPE %s AS (%s)', t.oid::regtype,
                        (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
                            || CASE WHEN a.attcollation <> y.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END, ', ' ORDER BY a.attnum)
                         FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)),
                    OWNER_OF_TYPE
                FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_class c ON c.oid = t.typrelid
                WHERE t.typtype = 'c' AND c.relkind = 'c' AND USER_SCHEMA AND NOT_OF_EXTENSION_TYPE ORDER BY t.oid"""));
        all.addAll(objects("""
                SELECT 'type ' || t.oid::regtype, format('CREATE TYPE %s AS RANGE (SUBTYPE = %s, MULTIRANGE_TYPE_NAME = %s%s%s%s)', t.oid::regtype, r.rngsubtype::regtype, r.rngmultitypid::regtype,
                        CASE WHEN NOT o.opcdefault THEN format(', SUBTYPE_OPCLASS = %I.%I', s.nspname, o.opcname) ELSE '' END,
                        CASE WHEN r.rngcollation <> b.typcollation THEN ', COLLATION = ' || r.rngcollation::regcollation ELSE '' END,
                        CASE WHEN r.rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || r.rngsubdiff::regproc ELSE '' END),
                    OWNER_OF_TYPE
                FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_range r ON r.rngtypid = t.oid JOIN pg_type b ON b.oid = r.rngsubtype
                JOIN pg_opclass o ON o.oid = r.rngsubopc JOIN pg_namespace s ON s.oid = o.opcnamespace
                WHERE USER_SCHEMA AND NOT_OF_EXTENSION_TYPE ORDER BY t.oid"""));
        return all;
    }

    /** Those that stand by themselves; the ones of identity columns come with their tables. */
    List<SchemaObject> sequences() {
        return objects("""
                SELECT 'sequence ' || c.oid::regclass, format('CREATE SEQUENCE %s AS %s INCREMENT %s MINVALUE %s MAXVALUE %s START %s CACHE %s%s',
                        c.oid::regclass, format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
                        CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END),
                    OWNER_OF_SEQUENCE
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_sequence s ON s.seqrelid = c.oid
                WHERE c.relkind = 'S' AND OWN_RELATION AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i') ORDER BY c.oid""");
    }

    /** Functions and procedures without their bodies' checks; aggregates are named by {@link NotCopied}. */
    List<SchemaObject> functions() {
        List<SchemaObject> all = new ArrayList<>(objects("""
                SELECT 'function ' || p.oid::regprocedure, pg_get_functiondef(p.oid),
                    format('ALTER %s %s OWNER TO %I', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.oid::regprocedure, pg_get_userbyid(p.proowner))
                FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                WHERE p.prokind IN ('f', 'p', 'w') AND USER_SCHEMA AND NOT EXISTS (SELECT FROM pg_depend e
                    WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype IN ('e', 'i')) ORDER BY p.oid"""));
        return all;
    }

    List<SchemaObject> tables() {
        return objects("""
                SELECT 'table ' || c.oid::regclass, format('CREATE %sTABLE %s %s%s%s%s',
                        CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END, c.oid::regclass,
                        CASE WHEN c.relispartition THEN format('PARTITION OF %s %s', (SELECT i.inhparent::regclass FROM pg_inherits i WHERE i.inhrelid = c.oid), pg_get_expr(c.relpartbound, c.oid))
                        ELSE '(' || coalesce((SELECT string_agg(format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                                CASE WHEN a.attcollation <> y.typcollation THEN format(' COLLATE %I.%I', cn.nspname, co.collname) ELSE '' END,
                                CASE WHEN a.attgenerated = 's' THEN format(' GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
                                    WHEN a.attgenerated = 'v' THEN format(' GENERATED ALWAYS AS (%s) VIRTUAL', pg_get_expr(d.adbin, d.adrelid))
                                    WHEN a.attidentity <> '' THEN format(' GENERATED %s AS IDENTITY (SEQUENCE NAME %s INCREMENT %s MINVALUE %s MAXVALUE %s START %s CACHE %s%s)',
                                        CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, si.seqrelid::regclass, si.seqincrement, si.seqmin, si.seqmax, si.seqstart, si.seqcache,
                                        CASE WHEN si.seqcycle THEN ' CYCLE' ELSE '' END)
                                    WHEN d.adbin IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END,
                                CASE WHEN a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint u WHERE u.conrelid = c.oid AND u.contype = 'n' AND NOT u.convalidated AND u.conkey[1] = a.attnum)
                                    THEN ' NOT NULL' ELSE '' END), ', ' ORDER BY a.attnum)
                            FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                            LEFT JOIN pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
                            LEFT JOIN pg_depend dep ON a.attidentity <> '' AND dep.refclassid = 'pg_class'::regclass AND dep.refobjid = c.oid AND dep.refobjsubid = a.attnum
                                AND dep.classid = 'pg_class'::regclass AND dep.deptype = 'i'
                            LEFT JOIN pg_sequence si ON si.seqrelid = dep.objid
                            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND (a.attislocal OR c.relispartition)), '') || ')' END,
                        CASE WHEN NOT c.relispartition THEN coalesce((SELECT ' INHERITS (' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) || ')' FROM pg_inherits i WHERE i.inhrelid = c.oid), '') ELSE '' END,
                        CASE WHEN c.relkind = 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(c.oid) ELSE '' END,
                        coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', '')),
                    format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, pg_get_userbyid(c.relowner))
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p') AND OWN_RELATION ORDER BY c.relispartition, c.oid""");
    }

    /** What a partition or a child has that its parent has not: its own defaults. So may a view. */
    List<SchemaObject> partitionDefaults() {
        return objects("""
                SELECT format('default %s.%I', c.oid::regclass, a.attname),
                    format('ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s', c.oid::regclass, a.attname, pg_get_expr(d.adbin, d.adrelid))
                FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
                WHERE (c.relispartition OR NOT a.attislocal OR c.relkind = 'v') AND a.attgenerated = '' AND OWN_RELATION ORDER BY d.oid""");
    }

    List<SchemaObject> sequenceOwners() {
        return objects("""
                SELECT 'sequence owner ' || c.oid::regclass, format('ALTER SEQUENCE %s OWNED BY %s.%I', c.oid::regclass, t.oid::regclass, a.attname)
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a' AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
                JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
                WHERE c.relkind = 'S' AND OWN_RELATION ORDER BY c.oid""");
    }

    /** Primary keys, checks that hold for all rows, and the unique constraints and indexes by which rows are found again. */
    List<SchemaObject> keys() {
        List<SchemaObject> all = new ArrayList<>(constraints("k.contype = 'p'", ""));
        all.addAll(constraints("k.contype = 'c' AND k.convalidated AND k.conislocal AND k.coninhcount = 0", ""));
        all.addAll(constraints(
                "k.contype = 'u' AND EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = k.conindid AND i.indisreplident)",
                ""));
        all.addAll(indexes("i.indisreplident"));
        all.addAll(objects("""
                SELECT 'replica identity ' || c.oid::regclass, format('ALTER TABLE %s REPLICA IDENTITY %s', c.oid::regclass, CASE c.relreplident
                        WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE (SELECT format('USING INDEX %I', x.relname) FROM pg_index i
                            JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisreplident) END)
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p') AND c.relreplident <> 'd' AND OWN_RELATION ORDER BY c.oid"""));
        return all;
    }

    List<SchemaObject> remainingIndexes() {
        List<SchemaObject> all = new ArrayList<>(constraints("k.contype IN ('u', 'x')", ""));
        all.addAll(indexes("true"));
        return all;
    }

    /** All that rows have to meet, validated or not, by identity alone. */
    List<SchemaObject> checks() {
        return objects("""
                SELECT CASE WHEN k.conrelid <> 0 THEN format('constraint %s.%I', k.conrelid::regclass, k.conname)
                    ELSE format('domain constraint %s.%I', k.contypid::regtype, k.conname) END
                FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
                WHERE (k.contype = 'c' OR k.contype = 'n' AND NOT k.convalidated) AND k.conislocal AND k.coninhcount = 0 AND USER_SCHEMA ORDER BY k.oid""");
    }

    /** In two steps, as far as the server can: the second reads the table without keeping writers away. */
    List<SchemaObject> foreignKeys() {
        return objects("""
                SELECT format('constraint %s.%I', c.oid::regclass, k.conname),
                    format('ALTER TABLE %s ADD CONSTRAINT %I %s%s', c.oid::regclass, k.conname, pg_get_constraintdef(k.oid),
                        CASE WHEN c.relkind = 'p' OR NOT k.convalidated THEN '' ELSE ' NOT VALID' END)
                FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE k.contype = 'f' AND k.conparentid = 0 AND OWN_RELATION ORDER BY k.oid""");
    }

    /** On the target: whatever waits to be validated, unless it does on the source too. What a key has for each partition goes with it, and each version names it otherwise. */
    static List<String> validations(PostgresSession source, PostgresSession target) {
        String all =
                "SELECT format('ALTER TABLE %s VALIDATE CONSTRAINT %I', c.oid::regclass, k.conname) FROM pg_constraint k"
                        + " JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                        + " WHERE NOT k.convalidated AND k.conparentid = 0 AND k.contype IN ('f', 'c', 'n') AND "
                        + UserTables.OWN_RELATION
                        + " ORDER BY k.oid";
        Set<String> here = source.texts(all).stream().map(PlainText::names).collect(Collectors.toSet());
        return target.texts(all).stream()
                .filter(sql -> !here.contains(PlainText.names(sql)))
                .toList();
    }

    List<SchemaObject> triggers() {
        List<SchemaObject> all = new ArrayList<>(objects("""
                SELECT format('trigger %s.%I', c.oid::regclass, t.tgname), pg_get_triggerdef(t.oid),
                    CASE t.tgenabled WHEN 'O' THEN NULL ELSE format('ALTER TABLE %s %s TRIGGER %I', c.oid::regclass,
                        CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, t.tgname) END
                FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND OWN_RELATION ORDER BY t.oid"""));
        all.addAll(objects("""
                SELECT format('rule %s.%I', c.oid::regclass, r.rulename), pg_get_ruledef(r.oid),
                    CASE r.ev_enabled WHEN 'O' THEN NULL ELSE format('ALTER TABLE %s %s RULE %I', c.oid::regclass,
                        CASE r.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, r.rulename) END
                FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE r.rulename <> '_RETURN' AND OWN_RELATION ORDER BY r.oid"""));
        return all;
    }

    List<SchemaObject> views() {
        return objects("""
                SELECT 'view ' || c.oid::regclass, format('CREATE VIEW %s (%s)%s AS %s', c.oid::regclass,
                        (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
                        coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', ''), pg_get_viewdef(c.oid)),
                    format('ALTER VIEW %s OWNER TO %I', c.oid::regclass, pg_get_userbyid(c.relowner))
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND OWN_RELATION ORDER BY c.oid""");
    }

    List<SchemaObject> materializedViews() {
        return objects("""
                SELECT 'materialized view ' || c.oid::regclass, format('CREATE MATERIALIZED VIEW %s AS %s WITH NO DATA', c.oid::regclass, rtrim(pg_get_viewdef(c.oid), ';')),
                    format('ALTER MATERIALIZED VIEW %s OWNER TO %I', c.oid::regclass, pg_get_userbyid(c.relowner))
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND OWN_RELATION ORDER BY c.oid""");
    }

    List<SchemaObject> policies() {
        List<SchemaObject> all = new ArrayList<>(objects("""
                SELECT format('policy %s.%I', c.oid::regclass, p.polname), format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.polname, c.oid::regclass,
                        CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                        CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                        (SELECT string_agg(CASE o WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o)) END, ', ') FROM unnest(p.polroles) AS o),
                        ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
                FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE OWN_RELATION ORDER BY p.oid"""));
        all.addAll(objects("""
                SELECT 'row security ' || c.oid::regclass, format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', c.oid::regclass),
                    CASE WHEN c.relforcerowsecurity THEN format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', c.oid::regclass) END
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relrowsecurity AND OWN_RELATION ORDER BY c.oid"""));
        return all;
    }

    List<SchemaObject> statistics() {
        return objects("""
                SELECT format('statistics %I.%I', n.nspname, x.stxname), pg_get_statisticsobjdef(x.oid)
                FROM pg_statistic_ext x JOIN pg_namespace n ON n.oid = x.stxnamespace WHERE USER_SCHEMA ORDER BY x.oid""");
    }

    private List<SchemaObject> constraints(String which, String suffix) {
        return objects("""
                SELECT format('constraint %s.%I', c.oid::regclass, k.conname),
                    format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.oid::regclass, k.conname, pg_get_constraintdef(k.oid))
                FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE k.conparentid = 0 AND OWN_RELATION AND (""" + which + ") ORDER BY k.oid" + suffix);
    }

    /** Those of no constraint; on a partitioned table with all its partitions. One that is not valid could not be built there either, perhaps. */
    private List<SchemaObject> indexes(String which) {
        return objects("""
                SELECT 'index ' || x.oid::regclass, regexp_replace(pg_get_indexdef(x.oid), ' ON ONLY ', ' ON ')
                FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE NOT x.relispartition AND c.relkind IN ('r', 'p', 'm') AND (i.indisvalid OR c.relkind = 'p') AND OWN_RELATION
                    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.oid AND k.contype IN ('p', 'u', 'x')) AND (""" + which + ") ORDER BY x.oid");
    }

    private List<SchemaObject> objects(String sql) {
        String query = sql.replace("USER_SCHEMA", USER_SCHEMA)
                .replace("OWN_RELATION", UserTables.OWN_RELATION)
                .replace(
                        "OWNER_OF_TYPE",
                        "format('ALTER TYPE %s OWNER TO %I', t.oid::regtype, pg_get_userbyid(t.typowner))")
                .replace(
                        "OWNER_OF_SEQUENCE",
                        "format('ALTER SEQUENCE %s OWNER TO %I', c.oid::regclass, pg_get_userbyid(c.relowner))")
                .replace(
                        "NOT_OF_EXTENSION_TYPE",
                        "NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')");
        return session.query(query, row -> {
            List<String> statements = new ArrayList<>();
            for (int i = 2; i <= row.getMetaData().getColumnCount(); i++) {
                String statement = row.getString(i);
                if (statement != null) {
                    statements.add(statement);
                }
            }
            return new SchemaObject(row.getString(1), statements);
        });
    }
}
