package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Beside types, what a database asks of the rows of its tables, and their indexes. The names of indexes and constraints do not matter. */
record Restrictions(List<Index> indexes, List<Rule> rules) {
    /** Without the name, and what has no bearing on rows. */
    private static final String INDEXES = """
            SELECT format('%I.%I', n.nspname, c.relname), 'index ' || i.indexrelid::regclass, i.indisunique, i.indisexclusion, i.indisvalid,
                regexp_replace(substr(pg_get_indexdef(i.indexrelid), strpos(pg_get_indexdef(i.indexrelid), ' USING ')), ' WITH \\([^)]*\\)| TABLESPACE .*$', ''),
                CASE WHEN i.indexprs IS NULL AND i.indpred IS NULL THEN ARRAY(SELECT a.attname::text FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) ELSE '{}' END
            FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE NOT x.relispartition AND c.relkind IN ('r', 'p') AND OWN ORDER BY 1, 2""".replace("OWN", UserTables.OWN_RELATION);

    /** Checks, by their text without casts and parentheses, which differ with types; foreign keys; triggers that fire for replicated rows. */
    private static final String RULES = """
            SELECT format('%I.%I', n.nspname, c.relname), format('constraint %I.%I.%I', n.nspname, c.relname, k.conname), k.contype = 'c',
                regexp_replace(regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''), '::[a-z ]+(\\([0-9,]+\\))?|[()]', '', 'g')
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE k.contype IN ('c', 'f') AND k.conislocal AND k.conparentid = 0 AND c.relkind IN ('r', 'p') AND OWN
            UNION ALL SELECT format('%I.%I', n.nspname, c.relname), format('trigger %I.%I.%I', n.nspname, c.relname, t.tgname), true, 'trigger ' || t.tgname
            FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE NOT t.tgisinternal AND t.tgenabled IN ('A', 'R') AND OWN ORDER BY 1, 2""".replace("OWN", UserTables.OWN_RELATION);

    Restrictions {
        indexes = List.copyOf(indexes);
        rules = List.copyOf(rules);
    }

    /** @param columns of the key, where it is of columns alone and of all rows */
    record Index(
            String table,
            String name,
            boolean unique,
            boolean exclusion,
            boolean valid,
            String definition,
            List<String> columns) {
        Index {
            columns = List.copyOf(columns);
        }

        String asked() {
            return table + " " + unique + " " + exclusion + definition;
        }

        /** Where the other has no duplicates, this one has none either. */
        boolean follows(Index other) {
            return other.unique
                    && other.valid
                    && !definition.contains("NULLS NOT DISTINCT")
                    && table.equals(other.table)
                    && !other.columns.isEmpty()
                    && columns.containsAll(other.columns);
        }
    }

    /** @param restricts rows, also replicated ones */
    record Rule(String table, String name, boolean restricts, String definition) {}

    static Restrictions of(PostgresSession session) {
        return new Restrictions(
                session.query(
                        INDEXES,
                        row -> new Index(
                                row.getString(1),
                                row.getString(2),
                                row.getBoolean(3),
                                row.getBoolean(4),
                                row.getBoolean(5),
                                row.getString(6),
                                List.of((String[]) row.getArray(7).getArray()))),
                session.query(
                        RULES,
                        row -> new Rule(row.getString(1), row.getString(2), row.getBoolean(3), row.getString(4))));
    }

    /** What these have of the given tables beyond the source's: {@code wrong} where one of its rows may not fit, else {@code more}. */
    void beyond(Restrictions source, Set<String> tables, List<String> wrong, List<String> more) {
        Set<String> there = new HashSet<>();
        source.indexes.forEach(index -> there.add(index.asked()));
        for (Index index : indexes) {
            if (!tables.contains(index.table()) || index.valid() && there.contains(index.asked())) {
                continue;
            }
            boolean restricts = !index.valid()
                    || index.exclusion()
                    || index.unique() && source.indexes.stream().noneMatch(index::follows);
            (restricts ? wrong : more).add(index.name() + (index.valid() ? "" : " (not valid)"));
        }
        Set<String> said = new HashSet<>();
        source.rules.forEach(rule -> said.add(rule.table() + rule.definition()));
        for (Rule rule : rules) {
            if (tables.contains(rule.table()) && !said.contains(rule.table() + rule.definition())) {
                (rule.restricts() ? wrong : more).add(rule.name());
            }
        }
    }
}
