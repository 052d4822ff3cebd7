package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.OwnersRights;
import dev.eden.activities.postgres.PostgresConnectionException;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Functions that find what they call by their caller's search path. On the target the schema is made, indexes are built and rows are written with none, so
 * that whatever evaluates such a function there fails, after hours of loading perhaps. Tried on a few rows with the rights of who owns them, as the server does it itself,
 * in a transaction that is rolled back: texts tell too little.
 */
final class PathFindings {
    /** What cannot be found: functions and operators, tables, types. */
    private static final Set<String> NOT_FOUND = Set.of("42883", "42P01", "42704");

    /** Expressions and materialized views that call functions of the database's own, each with a query that evaluates it. Before 15 what a generated column calls is kept with the column. */
    private static final String EVALUATED = """
            WITH RECURSIVE calling (classid, objid, objsubid) AS (
                SELECT DISTINCT d.classid, d.objid, d.objsubid FROM pg_depend d JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
                JOIN pg_language l ON l.oid = p.prolang WHERE p.oid > 16383 AND l.lanname NOT IN ('c', 'internal')),
            views (oid) AS (
                SELECT r.ev_class FROM calling JOIN pg_rewrite r ON r.oid = calling.objid AND calling.classid = 'pg_rewrite'::regclass
                UNION SELECT r.ev_class FROM views JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = views.oid
                    AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite r ON r.oid = d.objid),
            expressions (what, relation, text) AS (
                SELECT 'index ' || i.indexrelid::regclass, i.indrelid, concat_ws(', ', pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid))
                FROM calling JOIN pg_index i ON i.indexrelid = objid AND classid = 'pg_class'::regclass
                JOIN pg_class x ON x.oid = i.indexrelid WHERE NOT x.relispartition
                UNION ALL SELECT format('constraint %s.%I', k.conrelid::regclass, k.conname), k.conrelid, pg_get_expr(k.conbin, k.conrelid)
                FROM calling JOIN pg_constraint k ON k.oid = objid AND classid = 'pg_constraint'::regclass
                WHERE k.contype = 'c' AND k.conislocal AND k.coninhcount = 0
                UNION ALL SELECT format('column %s.%I', d.adrelid::regclass, a.attname), d.adrelid, pg_get_expr(d.adbin, d.adrelid)
                FROM calling JOIN pg_attrdef d ON d.oid = objid AND classid = 'pg_attrdef'::regclass OR d.adrelid = objid AND d.adnum = objsubid AND classid = 'pg_class'::regclass
                JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE a.attgenerated <> ''
                UNION ALL SELECT 'partitions of ' || t.partrelid::regclass, t.partrelid, pg_get_expr(t.partexprs, t.partrelid)
                FROM calling JOIN pg_partitioned_table t ON t.partrelid = objid AND classid = 'pg_class'::regclass WHERE t.partexprs IS NOT NULL)
            SELECT e.what, format('SELECT pg_catalog.num_nulls(%s) FROM %s LIMIT 10', e.text, c.oid::regclass), pg_get_userbyid(c.relowner)
            FROM expressions e JOIN pg_class c ON c.oid = e.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') AND OWN
            UNION ALL SELECT 'materialized view ' || c.oid::regclass, format('SELECT * FROM (%s) AS v LIMIT 1', rtrim(pg_get_viewdef(c.oid), ';')), pg_get_userbyid(c.relowner)
            FROM views JOIN pg_class c ON c.oid = views.oid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND OWN
            ORDER BY 1""".replace("OWN", UserTables.OWN_RELATION);

    /** Of all together, on a server that has other work to do. */
    private static final long BUDGET_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final String UNKNOWN_OBJECT = "42704";
    /** In English, which the transaction asks for: of a setting that only applications' sessions have. */
    private static final String OF_A_SETTING = "configuration parameter";

    private record Evaluated(String what, String query, String owner) {}

    private static final Logger LOGGER = LoggerFactory.getLogger(PathFindings.class);

    private final PostgresSession source;
    private final Findings findings;

    PathFindings(PostgresSession source, Findings findings) {
        this.source = source;
        this.findings = findings;
    }

    void check() {
        List<String> failing = new ArrayList<>();
        long end = System.nanoTime() + BUDGET_NANOS;
        List<Evaluated> all =
                source.query(EVALUATED, row -> new Evaluated(row.getString(1), row.getString(2), row.getString(3)));
        for (Evaluated one : all) {
            if (System.nanoTime() - end >= 0) {
                LOGGER.atInfo()
                        .addKeyValue("next", one.what())
                        .log("not all that calls functions was tried: it takes too long");
                break;
            }
            notFound(one).ifPresent(why -> failing.add(one.what() + " (" + why + ")"));
        }
        if (!failing.isEmpty()) {
            findings.failure(
                    "postgres.functions.search_path",
                    "These call functions whose text names what it needs without a schema, so that it is not found where Eden makes them: "
                            + Findings.some(failing) + ".",
                    "ALTER FUNCTION … SET search_path = …, or name the schemas in the functions' texts.");
        }
    }

    /** What takes long is not waited for, and other errors are of the rows. */
    private Optional<String> notFound(Evaluated one) {
        try {
            source.rehearsal(() -> {
                source.execute("SET LOCAL statement_timeout = '2s'");
                source.execute("SET LOCAL lc_messages = 'C'");
                OwnersRights.execute(source, "pg_temp.eden_as_owner", one.owner(), "''", one.query());
            });
            return Optional.empty();
        } catch (PostgresConnectionException e) {
            throw e;
        } catch (PostgresException e) {
            String why = String.valueOf(e.getMessage());
            boolean setting = e.sqlState().equals(UNKNOWN_OBJECT) && why.contains(OF_A_SETTING);
            return NOT_FOUND.contains(e.sqlState()) && !setting ? Optional.of(why) : Optional.empty();
        }
    }
}
