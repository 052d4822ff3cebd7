package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.postgres.UserTables;
import dev.eden.activities.postgres.replication.AdditiveChange;
import dev.eden.activities.postgres.schema.OwnDefinitions;
import dev.eden.activities.postgres.schema.PlainText;
import dev.eden.activities.postgres.schema.RelationKinds;
import dev.eden.activities.postgres.schema.Restrictions;
import dev.eden.activities.postgres.schema.TypeKinds;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A target that has tables already: rows are refused, a wider schema is not. */
final class TableFindings {
    private static final int COLUMN_LISTS_SINCE = 15;
    /** Tables of one statement: each takes a lock, with its indexes, and a server has some thousands. */
    private static final int TOGETHER = 200;

    private final PostgresSession source;
    private final PostgresSession target;
    private final Findings findings;

    TableFindings(PostgresSession source, PostgresSession target, Findings findings) {
        this.source = source;
        this.target = target;
        this.findings = findings;
    }

    /**
     * @param collation "default" is the database's
     * @param folds its collation takes different texts for equal
     */
    private record Column(
            String table,
            String type,
            boolean required,
            boolean notNull,
            boolean generated,
            String collation,
            boolean folds) {}

    /** {@code filled}: the target has the rows by other means. */
    void check(boolean filled) {
        List<String> withRows = withRows();
        if (!withRows.isEmpty() && filled) {
            findings.info(
                    "postgres.target.not_empty",
                    "The target has rows already, as data.type none says. What differs is found and repaired by validation.");
        } else if (!withRows.isEmpty()) {
            findings.failure(
                    "postgres.target.not_empty",
                    "The target has rows already: " + Findings.some(withRows) + ".",
                    "Empty or drop these tables, or name another database.");
        }
        Map<String, Column> there = columns(target);
        Map<String, Column> here = columns(source);
        Set<String> tables = there.values().stream().map(Column::table).collect(Collectors.toSet());
        List<String> wrong = new ArrayList<>();
        List<String> wider = new ArrayList<>();
        here.forEach((key, column) -> {
            if (tables.contains(column.table())) {
                compare(key, column, there.get(key), wrong, wider);
            }
        });
        Set<String> shared = here.values().stream().map(Column::table).collect(Collectors.toSet());
        there.forEach((key, column) -> {
            if (shared.contains(column.table()) && !here.containsKey(key)) {
                (column.required() ? wrong : wider).add(key);
            }
        });
        RelationKinds.compare(source, target, wrong, wider);
        TypeKinds.compare(source, target, wrong, wider);
        Restrictions asked = Restrictions.of(source);
        Restrictions askedThere = Restrictions.of(target);
        askedThere.beyond(asked, shared, wrong, wider);
        asked.lacking(askedThere, true).forEach(one -> wrong.add(one + " (asks less)"));
        if (!wrong.isEmpty()) {
            findings.failure(
                    "postgres.target.schema",
                    "What the target has already cannot take the source's rows, or hold for them what the source does: "
                            + Findings.some(wrong.stream().distinct().toList()) + ".",
                    "Give each missing column, give additional ones a default, make each type the source's or a wider one of its kind, drop what only the target asks of rows"
                            + " (keys, checks, NOT NULL, foreign keys, triggers ENABLE ALWAYS) and add it after the migration, drop what has a name of the source's and is another thing,"
                            + " for Eden to make it as on the source, or drop the tables.");
        }
        boolean more = there.entrySet().stream()
                .anyMatch(column -> !here.containsKey(column.getKey())
                        && shared.contains(column.getValue().table()));
        if (more && target.major() < COLUMN_LISTS_SINCE) {
            findings.failure(
                    "postgres.target.schema_way_back",
                    "The target has columns that the source has not, and PostgreSQL " + target.major()
                            + " cannot leave them out when it replicates back.",
                    "Choose a target of version " + COLUMN_LISTS_SINCE + " or later, or drop the columns.");
        }
        if (!wider.isEmpty()) {
            findings.warning(
                    "postgres.target.schema_wider",
                    "Tables that the target has already differ from the source's: " + Findings.some(wider)
                            + ". What the source has not is not compared, and does not come back with a rollback. Values that the source does not hold (of a wider type, NULL, more labels of an enum) stop the way back.",
                    "Nothing, if this is wanted.");
        }
        List<String> own = OwnDefinitions.differing(source, target);
        if (!own.isEmpty()) {
            findings.warning(
                    "postgres.target.definitions",
                    "The target has these with another definition, and keeps its own: " + Findings.some(own) + ".",
                    "Nothing, if this is wanted. Else drop them on the target: Eden makes them as on the source.");
        }
    }

    /** Many at a time: there may be thousands, and the server far away. */
    private List<String> withRows() {
        List<String> all = new ArrayList<>();
        List<String> leaves = UserTables.leaves(target);
        for (int i = 0; i < leaves.size(); i += TOGETHER) {
            all.addAll(target.texts(leaves.subList(i, Math.min(leaves.size(), i + TOGETHER)).stream()
                    .map(table -> "SELECT " + Sql.text(table) + " WHERE EXISTS (SELECT FROM " + table + ")")
                    .collect(Collectors.joining(" UNION ALL "))));
        }
        return all;
    }

    private static void compare(
            String key, Column here, @Nullable Column there, List<String> wrong, List<String> wider) {
        if (there == null) {
            wrong.add(key);
        } else if (!there.type().equals(here.type())) {
            (AdditiveChange.wider(here.type(), there.type()) ? wider : wrong)
                    .add(key + " (" + here.type() + " → " + there.type() + ")");
        }
        if (there != null && there.generated() != here.generated()) {
            wrong.add(key + " (generated on one side)");
        } else if (there != null && there.notNull() && !here.notNull()) {
            wrong.add(key + " (NOT NULL)");
        } else if (there != null && here.notNull() && !there.notNull()) {
            wider.add(key + " (may be NULL)");
        }
        if (there != null && !there.collation().equals(here.collation())) {
            (there.folds() ? wrong : wider)
                    .add(key + " (collation " + here.collation() + " → " + there.collation() + ")");
        }
    }

    private static Map<String, Column> columns(PostgresSession session) {
        Map<String, Column> all = new LinkedHashMap<>();
        session.query(
                "SELECT format('%I.%I', n.nspname, c.relname), a.attname, format_type(a.atttypid, a.atttypmod),"
                        + " a.attnotnull AND NOT a.atthasdef AND a.attidentity = '',"
                        + " a.attnotnull OR EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.convalidated"
                        + " AND pg_get_constraintdef(k.oid) = format('CHECK ((%I IS NOT NULL))', a.attname)), a.attgenerated <> '',"
                        + " CASE WHEN a.attcollation <> 0 AND l.collname <> 'default' THEN l.oid::regcollation::text ELSE 'default' END, NOT coalesce(l.collisdeterministic, true)"
                        + " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_collation l ON l.oid = a.attcollation"
                        + " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND "
                        + UserTables.OWN_RELATION + " ORDER BY 1, a.attnum",
                row -> all.put(
                        row.getString(1) + "." + row.getString(2),
                        new Column(
                                row.getString(1),
                                PlainText.names(row.getString(3)),
                                row.getBoolean(4),
                                row.getBoolean(5),
                                row.getBoolean(6),
                                row.getString(7),
                                row.getBoolean(8))));
        return all;
    }
}
