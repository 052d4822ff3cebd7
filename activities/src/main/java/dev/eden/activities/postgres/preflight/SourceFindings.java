package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.OutsideTheLog;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.UserTables;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What of the source needs a mechanism, or has none. */
final class SourceFindings {
    private static final String RELATIONS =
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " + UserTables.OWN_RELATION + " AND ";

    /**
     * What outlives the transaction in a function's text: options for the session, locks of the session, temporary objects, LISTEN. Statements begin after
     * a semicolon, a keyword of PL/pgSQL or the body's beginning: the SET of an UPDATE is none.
     */
    private static final String CHANGES_ITS_SESSION =
            "set_config\\s*\\([^;]*,\\s*''?f(alse)?''?\\s*\\)|pg_(try_)?advisory_lock(_shared)?\\s*\\(|\\mcreate\\s+((global|local)\\s+)?temp(orary)?\\M"
                    + "|\\mcreate\\s+(or\\s+replace\\s+)?\\w+\\s+(if\\s+not\\s+exists\\s+)?pg_temp\\.|\\mcursor\\s+with\\s+hold\\M|\\m(setseed|dblink_connect(_u)?)\\s*\\(|\\mupdate\\s+(pg_catalog\\.)?pg_settings\\M"
                    + "|(^|;|\\m(begin|then|else|loop|execute)\\M)[\\s'']*(set\\s+(session\\s+)?(?!local\\M|constraints\\M|transaction\\M)[\\w.\"]+\\s*(=|to\\M)|set\\s+(session\\s+)?(role|names|schema|time\\s+zone|authorization|characteristics)\\M|listen\\M)";

    private static final String UNDEFINED_FUNCTION = "42883";

    private final PostgresSession source;
    private final Findings findings;
    private final long keylessLimit;

    SourceFindings(PostgresSession source, Findings findings, long keylessLimit) {
        this.source = source;
        this.findings = findings;
        this.keylessLimit = keylessLimit;
    }

    void check() {
        keyless();
        incomparable();
        notReplicated();
        generated();
        triggers();
        functions();
        consumers();
    }

    private void keyless() {
        String without = "c.relkind = 'r' AND c.relpersistence = 'p' AND " + UserTables.KEYLESS;
        List<String> large = source.texts(
                "SELECT c.oid::regclass" + RELATIONS + "(" + without
                        + " OR c.relreplident = 'f') AND c.relkind = 'r' AND pg_table_size(c.oid) > ? ORDER BY 1",
                keylessLimit);
        if (!large.isEmpty()) {
            findings.failure(
                    "postgres.tables.keyless_large",
                    "These tables have no key by which their rows could be found, and are larger than "
                            + (keylessLimit >> 20) + " MiB: " + Findings.some(large)
                            + ". Each changed row would mean to read the whole table on the target.",
                    "Give them a primary key, or a unique index over NOT NULL columns as REPLICA IDENTITY.");
        }
        List<String> small = source.texts(
                "SELECT c.oid::regclass" + RELATIONS + without + " AND pg_table_size(c.oid) <= ? ORDER BY 1",
                keylessLimit);
        if (!small.isEmpty()) {
            findings.warning(
                    "postgres.tables.keyless",
                    "These tables have no key by which their rows could be found: " + Findings.some(small)
                            + ". For the time of the migration they get REPLICA IDENTITY FULL, which makes the log of their updates larger.",
                    "Give them a primary key.");
        }
    }

    /** A subscription finds the rows of such tables by comparing all their columns (execReplication.c in the server's source), unless it has a primary key there. */
    private void incomparable() {
        Map<String, List<String>> columns = new TreeMap<>();
        source.query(
                "SELECT format_type(a.atttypid, -1), c.oid::regclass || '.' || quote_ident(a.attname) || ' (' || format_type(a.atttypid, a.atttypmod) || ')'"
                        + " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                        + " WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND c.relkind = 'r' AND c.relpersistence = 'p' AND (c.relreplident = 'f' OR "
                        + UserTables.KEYLESS
                        + ") AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate) AND "
                        + UserTables.OWN_RELATION + " ORDER BY 2",
                row -> columns.computeIfAbsent(row.getString(1), _ -> new ArrayList<>())
                        .add(row.getString(2)));
        List<String> without = columns.entrySet().stream()
                .filter(type -> !comparable(type.getKey()))
                .flatMap(type -> type.getValue().stream())
                .toList();
        if (!without.isEmpty()) {
            findings.failure(
                    "postgres.tables.keyless_type",
                    "These tables have no key by which their rows could be found, and these columns have no equality by which whole rows could be: "
                            + Findings.some(without) + ". The first UPDATE or DELETE of one would end replication.",
                    "Give them a primary key, or a unique index over NOT NULL columns as REPLICA IDENTITY, or make the columns jsonb or text.");
        }
    }

    /** The server looks for the same operator when it groups. */
    private boolean comparable(String type) {
        try {
            source.execute("SELECT 1 FROM (SELECT NULL::" + type + " AS v WHERE false) AS t GROUP BY v");
            return true;
        } catch (PostgresException e) {
            if (e.sqlState().equals(UNDEFINED_FUNCTION)) {
                return false;
            }
            throw e;
        }
    }

    private void notReplicated() {
        List<String> foreign =
                source.texts("SELECT c.oid::regclass" + RELATIONS + "c.relkind = 'f' AND c.relispartition ORDER BY 1");
        if (!foreign.isEmpty()) {
            findings.failure(
                    "postgres.tables.foreign_partition",
                    "These partitions are foreign tables: " + Findings.some(foreign)
                            + ". Their rows are elsewhere, and no subscription takes a table that has such a partition.",
                    "DETACH them until the migration has ended.");
        }
        List<String> bare = source.texts(
                "SELECT c.oid::regclass" + RELATIONS
                        + "c.relkind = 'r' AND c.relpersistence = 'p' AND NOT EXISTS (SELECT FROM pg_attribute a"
                        + " WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') ORDER BY 1");
        if (!bare.isEmpty()) {
            findings.failure(
                    "postgres.tables.no_columns",
                    "These tables have no columns, or generated ones only, so nothing of their rows can be copied: "
                            + Findings.some(bare) + ".",
                    "Give them a column, or drop them.");
        }
        List<String> invalid = source.texts(
                "SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                        + " WHERE NOT i.indisvalid AND c.relkind IN ('r', 'm') AND " + UserTables.OWN_RELATION
                        + " ORDER BY 1");
        if (!invalid.isEmpty()) {
            findings.info(
                    "postgres.indexes.invalid",
                    "These indexes are not valid, because they could not be built: " + Findings.some(invalid)
                            + ". They are not copied.");
        }
        List<String> unlogged = OutsideTheLog.unlogged(source);
        if (!unlogged.isEmpty()) {
            findings.failure(
                    "postgres.tables.unlogged",
                    "Unlogged tables are in no log, so their rows cannot move: " + Findings.some(unlogged) + ".",
                    "ALTER TABLE … SET LOGGED, or TRUNCATE them and leave them empty: the target gets them empty, and nothing cuts over while they have rows.");
        }
        long objects = OutsideTheLog.largeObjects(source);
        if (objects > 0) {
            findings.failure(
                    "postgres.large_objects",
                    "The source has " + objects + " large objects; logical replication leaves them out.",
                    "Keep them in bytea columns, or copy them by hand before and delete them here.");
        }
        long sequences = source.number("SELECT count(*)" + RELATIONS + "c.relkind = 'S'");
        if (sequences > 0) {
            findings.info(
                    "postgres.sequences",
                    sequences + " sequences are set at the cutover, after the fence, with a margin for cached values.");
        }
        List<String> views = source.texts("SELECT c.oid::regclass" + RELATIONS + "c.relkind = 'm' ORDER BY 1");
        if (!views.isEmpty()) {
            findings.warning(
                    "postgres.materialized_views",
                    "Materialized views are filled on the target once, after the load: " + Findings.some(views) + ".",
                    "Refresh them on the target after the cutover, as on the source.");
        }
    }

    private void generated() {
        long generated = source.number(
                "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attgenerated <> '' AND NOT a.attisdropped AND "
                        + UserTables.OWN_RELATION);
        if (generated > 0) {
            findings.info(
                    "postgres.columns.generated",
                    generated
                            + (generated == 1 ? " generated column is" : " generated columns are")
                            + " computed anew by the target.");
        }
        long identity = source.number(
                "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.attidentity <> '' AND NOT a.attisdropped AND "
                        + UserTables.OWN_RELATION);
        if (identity > 0) {
            findings.info(
                    "postgres.columns.identity",
                    identity == 1
                            ? "1 identity column keeps its values; its sequence is set at the cutover."
                            : identity
                                    + " identity columns keep their values; their sequences are set at the cutover.");
        }
        List<String> inKeys = source.texts("SELECT DISTINCT c.oid::regclass || '.' || a.attname FROM pg_index i"
                + " JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                + " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[])"
                + " WHERE (i.indisreplident OR i.indisprimary AND c.relreplident = 'd') AND a.attgenerated <> '' AND "
                + UserTables.OWN_RELATION + " ORDER BY 1");
        if (!inKeys.isEmpty()) {
            findings.failure(
                    "postgres.columns.generated_key",
                    "These columns are generated and part of the key by which rows are found: " + Findings.some(inKeys)
                            + ". Generated columns are not replicated, so no row would be found.",
                    "Make them ordinary columns, or give the table a REPLICA IDENTITY without them.");
        }
        List<String> unchecked = source.texts(
                "SELECT DISTINCT t.oid::regtype::text FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid WHERE NOT k.convalidated ORDER BY 1");
        if (!unchecked.isEmpty()) {
            findings.warning(
                    "postgres.domains.not_valid",
                    "These domains have checks that are NOT VALID: " + Findings.some(unchecked)
                            + ". A row with an old value that violates one is refused by the standby when anything in it is changed, and replication stops.",
                    "Correct the old values and VALIDATE the checks, or drop them until the migration has ended.");
        }
        List<String> secured = source.texts("SELECT c.oid::regclass" + RELATIONS + "c.relrowsecurity ORDER BY 1");
        if (!secured.isEmpty()) {
            findings.info(
                    "postgres.row_security",
                    "Row security is copied and does not hold replication up: Eden's roles bypass it ("
                            + Findings.some(secured) + ").");
        }
    }

    private void triggers() {
        List<String> always = source.texts(
                "SELECT DISTINCT c.oid::regclass || '.' || t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT t.tgisinternal AND t.tgenabled IN ('A', 'R') AND "
                        + UserTables.OWN_RELATION);
        if (!always.isEmpty()) {
            findings.failure(
                    "postgres.triggers.always",
                    "These triggers would fire for replicated rows too, and their effects would come twice: "
                            + Findings.some(always) + ".",
                    "ALTER TABLE … ENABLE TRIGGER … (without ALWAYS or REPLICA) until the migration is finished.");
        }
        List<String> events = source.texts(
                "SELECT evtname FROM pg_event_trigger e WHERE evtname !~ '^eden_' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e')");
        if (!events.isEmpty()) {
            findings.warning(
                    "postgres.event_triggers",
                    "Event triggers are not copied: " + Findings.some(events) + ".",
                    "Make them on the target after the cutover.");
        }
    }

    private void functions() {
        List<String> changing =
                source.texts("SELECT p.oid::regproc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
                        + " JOIN pg_language l ON l.oid = p.prolang"
                        + " WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^(eden_|pg_temp)'"
                        + " AND l.lanname NOT IN ('c', 'internal') AND p.prokind <> 'a'"
                        + " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')"
                        + " AND coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) ~* '" + CHANGES_ITS_SESSION
                        + "' ORDER BY 1");
        if (!changing.isEmpty()) {
            findings.warning(
                    "postgres.functions.session",
                    "These functions leave something in the session of who calls them: " + Findings.some(changing)
                            + ". No proxy sees what functions do: with transaction pooling it stays with the server's connection, which others get next, and no flip carries it.",
                    "\"pooling\": \"session\" for the interlay, or let them leave it in the transaction: set_config(…, true), SET LOCAL, pg_advisory_xact_lock.");
        }
    }

    private void consumers() {
        List<String> slots = source.texts(
                "SELECT slot_name || coalesce(' (' || plugin || ')', '') FROM pg_replication_slots WHERE slot_type = 'logical' AND NOT temporary AND database = current_database() AND slot_name !~ '^eden_' ORDER BY 1");
        if (!slots.isEmpty()) {
            findings.warning(
                    "postgres.slots.other",
                    "Others read the source's changes from logical slots: " + Findings.some(slots)
                            + ". Slots do not move, and while the source is the standby nobody but Eden connects to it.",
                    "Make slots and publications for them on the target before the cutover, and let them begin there.");
        }
    }
}
