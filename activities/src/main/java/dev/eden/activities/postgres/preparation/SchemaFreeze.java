package dev.eden.activities.postgres.preparation;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import java.util.List;

/**
 * Refuses changes of the schema by anybody but Eden while a migration runs: logical replication does not carry them, and the first row that
 * does not fit would stop it. Temporary objects and refreshing materialized views stay possible, and so does {@code IF NOT EXISTS} of what
 * exists. Lives in Eden's schema and goes with it.
 *
 * <p>Where additive changes are carried, the session that asks for one waits before its statement begins, holding no lock on the table, until Eden
 * has made the change on the standby. It asks by an advisory lock (seen at once by others, unlike anything it could write) and its own query text.
 */
final class SchemaFreeze {
    /** Eden itself, and superusers who say so: for what a runbook has them mend, and for Eden's first steps, which it takes by the endpoint's own login. */
    private static final String PASSES = """
            CREATE OR REPLACE FUNCTION %1$s.passes() RETURNS boolean LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $eden$
                SELECT session_user ~ %2$s OR current_setting('eden.schema_freeze', true) = 'off' AND (SELECT rolsuper FROM pg_roles WHERE rolname = session_user)
            $eden$""";

    /** 1: Eden's schema, 2: pattern of its roles, 3: true where additive changes are carried, 4: first half of the locks' keys. */
    private static final String FREEZE = """
            CREATE OR REPLACE FUNCTION %1$s.freeze() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $eden$
            DECLARE what text;
            BEGIN
                IF %1$s.passes() OR tg_tag IN ('REFRESH MATERIALIZED VIEW', 'REINDEX') THEN
                    RETURN;
                END IF;
                IF tg_event = 'sql_drop' THEN
                    SELECT object_identity INTO what FROM pg_event_trigger_dropped_objects() WHERE original AND NOT is_temporary LIMIT 1;
                ELSE
                    SELECT coalesce(object_identity, tg_tag) INTO what FROM pg_event_trigger_ddl_commands() AS c
                        WHERE schema_name IS DISTINCT FROM 'pg_temp' AND NOT (%3$s AND (tg_tag = 'ALTER TABLE' AND object_type IN ('table', 'table column')
                            OR tg_tag = 'CREATE INDEX' AND object_type = 'index')
                            AND (%1$s.asked(c.objid) OR tg_tag = 'CREATE INDEX' AND current_query() ~* '\\mconcurrently\\M'))
                        LIMIT 1;
                END IF;
                IF FOUND THEN
                    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                        MESSAGE = format('%%s is refused while Eden moves this database: the schema is frozen (%%s)', tg_tag, what),
                        HINT = CASE WHEN %3$s
                            THEN 'Columns without or with a constant default, wider types and indexes that are not unique can be added, each by a statement of its own; other changes before the migration, or after it is completed or rolled back.'
                            ELSE 'Change the schema before the migration, or after it is completed or rolled back.' END;
                END IF;
            END $eden$""";

    /** True where this session holds the lock of that table, or of the table of that index or of one above it. */
    private static final String ASKED = """
            CREATE OR REPLACE FUNCTION %1$s.asked(object oid) RETURNS boolean LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $eden$
                SELECT EXISTS (
                    SELECT FROM pg_partition_ancestors(coalesce((SELECT indrelid FROM pg_index WHERE indexrelid = object), object)) AS a (relid)
                    JOIN pg_locks l ON l.locktype = 'advisory' AND l.classid = %4$s AND l.objid = a.relid AND l.objsubid = 2
                        AND l.pid = pg_backend_pid() AND l.granted)
                OR EXISTS (
                    SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = %4$s AND l.objsubid = 2 AND l.pid = pg_backend_pid() AND l.granted
                        AND l.objid = coalesce((SELECT indrelid FROM pg_index WHERE indexrelid = object), object))
            $eden$""";

    /**
     * What commits in several transactions has to be refused before it begins. Runs with the rights and the search path of whoever changes the
     * schema, so everything is named in full.
     */
    private static final String START = """
            CREATE OR REPLACE FUNCTION %1$s.before_change() RETURNS event_trigger LANGUAGE plpgsql AS $eden$
            DECLARE
                lead CONSTANT text := '^(?:\\s|--[^\\n\\r]*[\\n\\r]|/\\*(?:[^*/]|\\*(?!/)|/(?!\\*))*\\*/)*';
                part CONSTANT text := '(?:"[^"]+"|[[:alnum:]_$]+)';
                named text;
                relation pg_catalog.pg_class;
            BEGIN
                IF %1$s.passes() OR tg_tag NOT IN ('ALTER TABLE', 'CREATE INDEX', 'DROP INDEX') THEN
                    RETURN;
                END IF;
                IF %3$s AND tg_tag OPERATOR(pg_catalog.<>) 'DROP INDEX' THEN
                    named := (pg_catalog.regexp_match(pg_catalog.current_query(), lead OPERATOR(pg_catalog.||) CASE tg_tag
                        WHEN 'ALTER TABLE' THEN 'alter\\s+table\\s+(?:if\\s+exists\\s+)?(?:only\\s+)?('
                        ELSE 'create\\s+(?:unique\\s+)?index\\s(?:[^(]*\\s)?on\\s+(?:only\\s+)?(' END
                        OPERATOR(pg_catalog.||) part OPERATOR(pg_catalog.||) '(?:\\s*\\.\\s*' OPERATOR(pg_catalog.||) part OPERATOR(pg_catalog.||) ')?)', 'i'))[1];
                    SELECT c.* INTO relation FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(named);
                    IF relation.oid IS NULL AND named IS NOT NULL OR relation.relpersistence OPERATOR(pg_catalog.=) 't'
                            OR NOT pg_catalog.pg_has_role(relation.relowner, 'USAGE') THEN
                        RETURN; -- the server's own words, or what is decided at the end
                    END IF;
                    IF relation.oid IS NOT NULL THEN
                        PERFORM %1$s.ask(relation.oid, tg_tag);
                        RETURN;
                    END IF;
                END IF;
                IF pg_catalog.current_query() OPERATOR(pg_catalog.~*) '\\mconcurrently\\M' THEN
                    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                        MESSAGE = pg_catalog.format('%%s is refused while Eden moves this database: the schema is frozen', tg_tag),
                        HINT = 'Change the schema before the migration, or after it is completed or rolled back.';
                END IF;
            END $eden$""";

    /** Returns when the standby has the change. */
    private static final String ASK = """
            CREATE OR REPLACE FUNCTION %1$s.ask(relation oid, tag text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $eden$
            DECLARE
                refused text;
                since timestamptz := clock_timestamp();
                started timestamptz;
            BEGIN
                PERFORM pg_stat_clear_snapshot(); -- of an earlier statement of this transaction
                started := (SELECT query_start FROM pg_stat_get_activity(pg_backend_pid()));
                IF current_setting('transaction_isolation') <> 'read committed' THEN
                    refused := 'the answer could not be seen in a transaction that is ' || current_setting('transaction_isolation');
                ELSIF octet_length(current_query()) >= (SELECT setting::int FROM pg_settings WHERE name = 'track_activity_query_size') - 1
                        OR NOT current_setting('track_activities')::boolean THEN
                    refused := 'the statement is longer than track_activity_query_size, by which Eden reads it';
                ELSE
                    PERFORM pg_advisory_xact_lock(%4$s, relation::bigint::bit(32)::int);
                    LOOP
                        SELECT refusal INTO refused FROM %1$s.answers WHERE pid = pg_backend_pid() AND began = started;
                        EXIT WHEN FOUND;
                        PERFORM pg_stat_clear_snapshot();
                        IF EXISTS (SELECT FROM pg_stat_activity WHERE application_name = %5$s) THEN
                            since := clock_timestamp();
                        ELSIF clock_timestamp() > since + interval '10 s' THEN
                            refused := 'Eden does not answer';
                            EXIT;
                        END IF;
                        PERFORM pg_sleep(0.02);
                    END LOOP;
                END IF;
                IF refused IS NOT NULL THEN
                    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                        MESSAGE = format('%%s is refused while Eden moves this database: %%s', tag, refused),
                        HINT = 'Columns without or with a constant default, wider types and indexes that are not unique can be added, each by a statement of its own; other changes before the migration, or after it is completed or rolled back.';
                END IF;
            END $eden$""";

    private SchemaFreeze() {}

    /** Idempotent. {@code additive}: what only adds is carried to the standby first, and then let through. */
    static void create(PostgresSession session, EdenObjects names, boolean additive) {
        List<String> present = session.texts("SELECT evtname FROM pg_event_trigger");
        String schema = Sql.name(names.schema());
        session.transaction(() -> {
            for (String function :
                    additive ? List.of(PASSES, ASKED, ASK, START, FREEZE) : List.of(PASSES, ASKED, START, FREEZE)) {
                session.execute(function.formatted(
                        schema,
                        Sql.text(EdenObjects.ROLE_PATTERN),
                        additive,
                        names.changesKey(),
                        Sql.text(names.session("carry"))));
            }
            // The triggers run with the rights of whoever changes the schema; Eden's tables stay closed to them.
            session.execute("GRANT USAGE ON SCHEMA " + schema + " TO PUBLIC");
            trigger(session, names, present, "start", "ddl_command_start", "before_change");
            trigger(session, names, present, "ddl", "ddl_command_end", "freeze");
            trigger(session, names, present, "drop", "sql_drop", "freeze");
        });
    }

    private static void trigger(
            PostgresSession session,
            EdenObjects names,
            List<String> present,
            String name,
            String event,
            String function) {
        if (!present.contains(names.freeze(name))) {
            session.execute("CREATE EVENT TRIGGER " + Sql.name(names.freeze(name)) + " ON " + event
                    + " EXECUTE FUNCTION " + Sql.name(names.schema()) + "." + function + "()");
        }
        // In sessions that have set session_replication_role, too; Eden's own are let through by the functions.
        session.execute("ALTER EVENT TRIGGER " + Sql.name(names.freeze(name)) + " ENABLE ALWAYS");
    }
}
