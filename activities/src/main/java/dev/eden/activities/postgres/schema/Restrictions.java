package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Beside types, what a database asks of the rows of its tables, and their indexes. What is asked counts, by whatever name; a name only where the copier
 * takes what has it for what is wanted.
 */
public record Restrictions(List<Index> indexes, List<Rule> rules) {
    private static final String FOR_REPLICATED = " for replicated rows";

    /** Without the name, and what has no bearing on rows. */
    private static final String INDEXES = """
            SELECT format('%I.%I', n.nspname, c.relname), 'index ' || i.indexrelid::regclass,
                CASE WHEN k.oid IS NOT NULL THEN format('constraint %s.%I', c.oid::regclass, k.conname) END,
                i.indisunique, i.indisexclusion, i.indisvalid, i.indimmediate,
                regexp_replace(CASE WHEN i.indisexclusion THEN pg_get_constraintdef(k.oid) ELSE substr(pg_get_indexdef(i.indexrelid), strpos(pg_get_indexdef(i.indexrelid), ' USING ')) END,
                    ' WITH \\([^)]*\\)| TABLESPACE .*$', ''),
                CASE WHEN i.indexprs IS NULL AND i.indpred IS NULL AND NOT i.indisexclusion THEN ARRAY(SELECT a.attname::text FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) ELSE '{}' END
            FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
            WHERE NOT x.relispartition AND c.relkind IN ('r', 'p') AND OWN ORDER BY 1, 2""".replace("OWN", UserTables.OWN_RELATION);

    /** Checks and foreign keys; triggers and rules, which restrict where they fire for replicated rows; what hides rows. */
    private static final String RULES =
            """
            SELECT format('%I.%I', n.nspname, c.relname), format('constraint %s.%I', c.oid::regclass, k.conname), true, k.convalidated OR k.contype = 'c',
                regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE k.contype IN ('c', 'f') AND k.conislocal AND k.conparentid = 0 AND c.relkind IN ('r', 'p') AND OWN
            UNION ALL SELECT format('%I.%I', n.nspname, c.relname), format('trigger %s.%I', c.oid::regclass, t.tgname), t.tgenabled IN ('A', 'R'), false, 'trigger ' || t.tgname || CASE WHEN t.tgenabled IN ('A', 'R') THEN 'FOR_REPLICATED' ELSE '' END
            FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE (NOT t.tgisinternal AND t.tgparentid = 0 OR t.tgparentid <> 0 AND t.tgenabled IN ('A', 'R')
                AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype <> 't')) AND c.relkind IN ('r', 'p') AND OWN
            UNION ALL SELECT format('%I.%I', n.nspname, c.relname), format('rule %s.%I', c.oid::regclass, r.rulename), r.ev_enabled IN ('A', 'R'), false, 'rule ' || r.rulename || CASE WHEN r.ev_enabled IN ('A', 'R') THEN 'FOR_REPLICATED' ELSE '' END
            FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND OWN
            UNION ALL SELECT format('%I.%I', n.nspname, c.relname), format('policy %s.%I', c.oid::regclass, p.polname), false, false, 'policy ' || p.polname
            FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE OWN
            UNION ALL SELECT format('%I.%I', n.nspname, c.relname), 'row security ' || c.oid::regclass, false, false, 'row security'
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relrowsecurity AND OWN ORDER BY 1, 2""".replace("OWN", UserTables.OWN_RELATION).replace("FOR_REPLICATED", FOR_REPLICATED);

    public Restrictions {
        indexes = indexes.stream().filter(one -> !one.definition().isEmpty()).toList();
        rules = rules.stream().filter(one -> !one.definition().isEmpty()).toList();
    }

    /**
     * @param constraint whose it is
     * @param immediate duplicates are refused at once, not at the commit
     * @param columns of the key, where it is of columns alone and of all rows
     */
    record Index(
            String table,
            String name,
            @Nullable String constraint,
            boolean unique,
            boolean exclusion,
            boolean valid,
            boolean immediate,
            String definition,
            List<String> columns) {
        Index {
            columns = List.copyOf(columns);
        }

        String asked() {
            return table + " " + unique + " " + exclusion + " " + immediate + " " + columns.isEmpty() + definition;
        }

        /** As far as a catalogue tells of one that is not of columns alone. */
        boolean looksLike(Index other) {
            return columns.isEmpty()
                    && other.columns.isEmpty()
                    && other.valid
                    && unique == other.unique
                    && exclusion == other.exclusion
                    && (other.immediate || !immediate)
                    && table.equals(other.table)
                    && identity().equals(other.identity());
        }

        /** As {@link SchemaObject#identity}. */
        String identity() {
            return constraint == null ? name : constraint;
        }

        /** Where the other has no duplicates, this one has none either. */
        boolean follows(Index other) {
            return other.unique
                    && other.valid
                    && (other.immediate || !immediate)
                    && !definition.contains("NULLS NOT DISTINCT")
                    && table.equals(other.table)
                    && !other.columns.isEmpty()
                    && columns.containsAll(other.columns);
        }
    }

    /**
     * @param restricts rows, also replicated ones
     * @param validated of a foreign key: for all rows, so it is said to hold
     */
    record Rule(String table, String name, boolean restricts, boolean validated, String definition) {
        String asked() {
            return table + " " + definition;
        }

        boolean foreignKey() {
            return definition.startsWith("FOREIGN KEY");
        }

        boolean constraint() {
            return name.startsWith("constraint ");
        }
    }

    public static Restrictions of(PostgresSession session) {
        return new Restrictions(
                session.query(
                        INDEXES,
                        row -> new Index(
                                PlainText.names(row.getString(1)),
                                PlainText.names(row.getString(2)),
                                row.getString(3) == null ? null : PlainText.names(row.getString(3)),
                                row.getBoolean(4),
                                row.getBoolean(5),
                                row.getBoolean(6),
                                row.getBoolean(7),
                                PlainText.of(row.getString(8)),
                                List.of((String[]) row.getArray(9).getArray()))),
                session.query(
                        RULES,
                        row -> new Rule(
                                PlainText.names(row.getString(1)),
                                PlainText.names(row.getString(2)),
                                row.getBoolean(3),
                                row.getBoolean(4),
                                PlainText.of(row.getString(5)))));
    }

    /** What these have of the given tables beyond the source's: {@code wrong} where one of its rows may not fit, else {@code more}. */
    public void beyond(Restrictions source, Set<String> named, List<String> wrong, List<String> more) {
        Set<String> tables = named.stream().map(PlainText::names).collect(Collectors.toSet());
        Set<String> there = new HashSet<>();
        source.indexes.stream().filter(Index::valid).forEach(index -> there.add(index.asked()));
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
        Set<String> holds = new HashSet<>();
        for (Rule rule : source.rules) {
            said.add(rule.asked());
            said.add(rule.asked().replaceFirst(FOR_REPLICATED + "$", ""));
            if (rule.validated()) {
                holds.add(rule.asked());
            }
        }
        for (Rule rule : rules) {
            if (tables.contains(rule.table()) && !said.contains(rule.asked())) {
                (rule.restricts() ? wrong : more).add(rule.name());
            } else if (tables.contains(rule.table())
                    && rule.foreignKey()
                    && rule.validated()
                    && !holds.contains(rule.asked())) {
                wrong.add(rule.name() + " (not validated on the source)");
            }
        }
    }

    /**
     * What these ask of rows and the other does not, though it has something of that name, so that it is not made there. By {@link SchemaObject#identity}.
     *
     * @param texts also of checks, and of what indexes say beyond their columns: servers print some in more than one way, so only where somebody can look
     */
    public List<String> lacking(Restrictions other, boolean texts) {
        Set<String> names = new HashSet<>();
        Set<String> identities = new HashSet<>();
        Set<String> asked = new HashSet<>();
        for (Index index : other.indexes) {
            names.add(index.name());
            identities.add(index.identity());
            if (index.valid()) {
                asked.add(index.asked());
            }
        }
        for (Rule rule : other.rules) {
            identities.add(rule.name());
            asked.add(rule.asked());
        }
        List<String> all = new ArrayList<>();
        for (Index index : indexes) {
            boolean taken = identities.contains(index.identity());
            boolean met = index.unique() || index.exclusion()
                    ? asked.contains(index.asked())
                            || other.indexes.stream().anyMatch(index::follows)
                            || !texts && other.indexes.stream().anyMatch(index::looksLike)
                    : other.has(index);
            if (index.valid() && (taken ? !met : names.contains(index.name()))) {
                all.add(index.identity());
            }
        }
        for (Rule rule : rules) {
            if (rule.constraint()
                    && (texts || rule.foreignKey())
                    && identities.contains(rule.name())
                    && !asked.contains(rule.asked())) {
                all.add(rule.name());
            }
        }
        return all;
    }

    /** One of that name and of the same table, of whatever it is. */
    private boolean has(Index wanted) {
        return indexes.stream()
                .anyMatch(index ->
                        index.name().equals(wanted.name()) && index.table().equals(wanted.table()));
    }
}
