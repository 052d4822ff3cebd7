package dev.eden.activities.postgres.preparation;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import java.util.List;

/**
 * Refuses changes of the schema by anybody but Eden while a migration runs: logical replication does not carry them, and the first row that
 * does not fit would stop it. Temporary objects and refreshing materialized views stay possible, and so does {@code IF NOT EXISTS} of what
 * exists. Lives in Eden's schema and goes with it.
 */
final class SchemaFreeze {
    private static final String FUNCTION = """
            CREATE OR REPLACE FUNCTION %1$s.freeze() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $eden$
            DECLARE what text;
            BEGIN
                IF session_user ~ %2$s OR tg_tag = 'REFRESH MATERIALIZED VIEW' THEN
                    RETURN;
                END IF;
                IF tg_event = 'sql_drop' THEN
                    SELECT object_identity INTO what FROM pg_event_trigger_dropped_objects() WHERE original AND NOT is_temporary LIMIT 1;
                ELSE
                    SELECT coalesce(object_identity, tg_tag) INTO what FROM pg_event_trigger_ddl_commands()
                        WHERE schema_name IS DISTINCT FROM 'pg_temp' LIMIT 1;
                END IF;
                IF FOUND THEN
                    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                        MESSAGE = format('%%s is refused while Eden moves this database: the schema is frozen (%%s)', tg_tag, what),
                        HINT = 'Change the schema before the migration, or after it is completed or rolled back.';
                END IF;
            END $eden$""";

    private SchemaFreeze() {}

    /** Idempotent. */
    static void create(PostgresSession session, EdenObjects names) {
        List<String> present = session.texts("SELECT evtname FROM pg_event_trigger");
        String function = Sql.name(names.schema()) + ".freeze()";
        session.transaction(() -> {
            session.execute(FUNCTION.formatted(Sql.name(names.schema()), Sql.text(EdenObjects.ROLE_PATTERN)));
            if (!present.contains(names.freeze("ddl"))) {
                session.execute("CREATE EVENT TRIGGER " + Sql.name(names.freeze("ddl"))
                        + " ON ddl_command_end EXECUTE FUNCTION " + function);
            }
            if (!present.contains(names.freeze("drop"))) {
                session.execute("CREATE EVENT TRIGGER " + Sql.name(names.freeze("drop"))
                        + " ON sql_drop EXECUTE FUNCTION " + function);
            }
        });
    }
}
