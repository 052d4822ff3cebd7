package dev.eden.activities.postgres;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A database that has something which is in the way of a migration, or of its way back, and the finding that says so.
 *
 * @param way source and target by name of the server
 * @param database options of CREATE DATABASE on the source
 */
record Hazard(String id, String severity, String way, String database, List<String> source, List<String> target) {
    @Override
    public String toString() {
        return id + " " + severity + " " + way;
    }

    private static Hazard up(String id, String severity, String... source) {
        return new Hazard(id, severity, "old new", "", List.of(source), List.of());
    }

    private static Hazard down(String id, String severity, String... source) {
        return new Hazard(id, severity, "new old", "", List.of(source), List.of());
    }

    private static Hazard target(String id, String severity, String source, String... target) {
        return new Hazard(id, severity, "old new", "", List.of(source), List.of(target));
    }

    private static Hazard server(String id, String severity, String way, String... source) {
        return new Hazard(id, severity, way, "", List.of(source), List.of());
    }

    /** What would be in the way of other hazards on the same server. */
    static final Map<String, String> UNDO = Map.of(
            "postgres.transactions.prepared", "ROLLBACK PREPARED 'open'",
            "postgres.slots.other", "SELECT pg_drop_replication_slot('captured')",
            "postgres.server.busy", "DROP ROLE eden_other_control",
            "postgres.names.reserved", "DROP ROLE IF EXISTS eden_shop_proxy",
            "postgres.link.refused", admitted("link", false),
            "postgres.roles.refused", admitted("(?:control|proxy)", false),
            "postgres.server.settings", "ALTER ROLE ALL RESET work_mem");

    /** Turns the other server away, or no more. */
    private static String admitted(String role, boolean refused) {
        return """
                DO $$DECLARE
                    path text := current_setting('hba_file');
                    line text := 'host all eden_m1_%1$s all reject';
                    others text := regexp_replace(pg_read_file(path), line || E'\\n', '', 'g');
                BEGIN
                    EXECUTE format('COPY (SELECT regexp_split_to_table(%%L, %%L)) TO %%L', CASE WHEN %2$s THEN line || E'\\n' ELSE '' END || others, E'\\n', path);
                END$$;
                SELECT pg_reload_conf()""".formatted(role, refused);
    }

    private static final String LATIN = "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
    private static final String ASCII = "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0";
    private static final String TRIGGER =
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'";

    static Stream<Hazard> all() {
        return Stream.of(
                up("postgres.tables.keyless", "warning", "CREATE TABLE t (a int)"),
                up(
                        "postgres.tables.keyless",
                        "warning",
                        "CREATE TABLE t (a int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)"),
                up(
                        "postgres.tables.keyless",
                        "warning",
                        "CREATE TABLE t (a int PRIMARY KEY)",
                        "ALTER TABLE t REPLICA IDENTITY NOTHING"),
                up(
                        "postgres.tables.keyless_large",
                        "failure",
                        "CREATE TABLE t (a text)",
                        "INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 200)"),
                up("postgres.tables.keyless_type", "failure", "CREATE TABLE t (a int, b json)"),
                up(
                        "postgres.tables.keyless_type",
                        "failure",
                        "CREATE TYPE pair AS (a int, b point[])",
                        "CREATE TABLE t (a pair NOT NULL)",
                        "ALTER TABLE t REPLICA IDENTITY FULL"),
                up(
                        "postgres.tables.unlogged",
                        "failure",
                        "CREATE UNLOGGED TABLE t (a int PRIMARY KEY)",
                        "INSERT INTO t VALUES (1)"),
                up("postgres.large_objects", "failure", "SELECT lo_create(0)"),
                up(
                        "postgres.tables.foreign_partition",
                        "failure",
                        "CREATE FOREIGN DATA WRAPPER away",
                        "CREATE SERVER elsewhere FOREIGN DATA WRAPPER away",
                        "CREATE TABLE t (a int) PARTITION BY RANGE (a)",
                        "CREATE FOREIGN TABLE old PARTITION OF t FOR VALUES FROM (0) TO (9) SERVER elsewhere"),
                up("postgres.tables.no_columns", "failure", "CREATE TABLE t (b int GENERATED ALWAYS AS (1) STORED)"),
                up(
                        "postgres.indexes.invalid",
                        "info",
                        "CREATE TABLE t (a int PRIMARY KEY)",
                        "CREATE INDEX half ON t (a)",
                        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'half'::regclass"),
                up(
                        "postgres.columns.generated",
                        "info",
                        "CREATE TABLE t (a int PRIMARY KEY, b int GENERATED ALWAYS AS (a * 2) STORED)"),
                up(
                        "postgres.columns.generated_key",
                        "failure",
                        "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) STORED PRIMARY KEY)"),
                down(
                        "postgres.columns.virtual",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY, b int GENERATED ALWAYS AS (a * 2) VIRTUAL)"),
                up(
                        "postgres.columns.identity",
                        "info",
                        "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)"),
                up(
                        "postgres.domains.not_valid",
                        "warning",
                        "CREATE DOMAIN positive AS int",
                        "CREATE TABLE t (a int PRIMARY KEY, b positive)",
                        "ALTER DOMAIN positive ADD CHECK (VALUE > 0) NOT VALID"),
                up("postgres.sequences", "info", "CREATE SEQUENCE s CACHE 20"),
                up("postgres.materialized_views", "warning", "CREATE MATERIALIZED VIEW m AS SELECT 1 AS a"),
                up(
                        "postgres.row_security",
                        "info",
                        "CREATE TABLE t (a int PRIMARY KEY)",
                        "ALTER TABLE t ENABLE ROW LEVEL SECURITY"),
                up(
                        "postgres.functions.session",
                        "warning",
                        "CREATE FUNCTION tenant(t text) RETURNS text LANGUAGE sql AS 'SELECT set_config(''app.tenant'', t, false)'"),
                up(
                        "postgres.functions.session",
                        "warning",
                        "CREATE FUNCTION tenant(t text) RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT set_config('app.tenant', t, false); END"),
                up(
                        "postgres.functions.session",
                        "warning",
                        "CREATE PROCEDURE zone() LANGUAGE plpgsql AS 'BEGIN PERFORM 1; SET timezone TO ''UTC''; END'"),
                up(
                        "postgres.functions.session",
                        "warning",
                        "CREATE FUNCTION once() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_lock(1)'"),
                up(
                        "postgres.functions.session",
                        "warning",
                        "CREATE FUNCTION here() RETURNS void LANGUAGE plpgsql AS 'BEGIN SET TIME ZONE ''CET''; END'"),
                up(
                        "postgres.functions.session",
                        "warning",
                        "CREATE FUNCTION reader() RETURNS void LANGUAGE plpgsql AS 'BEGIN SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; END'"),
                up(
                        "postgres.functions.session",
                        "warning",
                        "CREATE FUNCTION dice() RETURNS void LANGUAGE sql AS 'SELECT setseed(0.5)'"),
                up(
                        "postgres.functions.session",
                        "warning",
                        "CREATE FUNCTION wide() RETURNS void LANGUAGE sql AS 'UPDATE pg_settings SET setting = ''1MB'' WHERE name = ''work_mem'''"),
                up(
                        "postgres.functions.session",
                        "warning",
                        "CREATE FUNCTION scratch() RETURNS void LANGUAGE plpgsql AS 'BEGIN CREATE TABLE pg_temp.t (a int); END'"),
                up(
                        "postgres.functions.session",
                        "warning",
                        "CREATE FUNCTION held() RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE ''DECLARE c CURSOR WITH HOLD FOR SELECT 1''; END'"),
                up(
                        "postgres.functions.search_path",
                        "failure",
                        "CREATE FUNCTION plain(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(t)'",
                        "CREATE FUNCTION short(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT plain(t)'",
                        "CREATE TABLE t (a text PRIMARY KEY)",
                        "CREATE INDEX ON t (length(a), short(a))"),
                up(
                        "postgres.functions.search_path",
                        "failure",
                        "CREATE FUNCTION plain(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(t)'",
                        "CREATE FUNCTION short(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN plain(t); END'",
                        "CREATE TABLE t (a text PRIMARY KEY)",
                        "INSERT INTO t VALUES ('x')",
                        "CREATE INDEX ON t (a) WHERE short(a) <> ''"),
                up(
                        "postgres.functions.search_path",
                        "failure",
                        "CREATE FUNCTION plain(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(t)'",
                        "CREATE FUNCTION short(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN plain(t); END'",
                        "CREATE TABLE t (a text PRIMARY KEY CHECK (short(a) <> ''))",
                        "INSERT INTO t VALUES ('x')"),
                up(
                        "postgres.functions.search_path",
                        "failure",
                        "CREATE FUNCTION plain(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(t)'",
                        "CREATE FUNCTION short(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT plain(t)'",
                        "CREATE TABLE t (a text PRIMARY KEY, b text GENERATED ALWAYS AS (short(a)) STORED)"),
                up(
                        "postgres.functions.search_path",
                        "failure",
                        "CREATE FUNCTION plain(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(t)'",
                        "CREATE FUNCTION short(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN plain(t); END'",
                        "CREATE VIEW v AS SELECT short('x') AS a",
                        "CREATE MATERIALIZED VIEW m AS SELECT a FROM v"),
                up(
                        "postgres.transactions.prepared",
                        "warning",
                        "CREATE TABLE t (a int PRIMARY KEY)",
                        "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'open'"),
                up(
                        "postgres.event_triggers",
                        "warning",
                        "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
                        "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION e()"),
                up(
                        "postgres.triggers.always",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY)",
                        TRIGGER,
                        "CREATE TRIGGER always AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
                        "ALTER TABLE t ENABLE ALWAYS TRIGGER always"),
                up("postgres.types.numbers", "warning", "CREATE TYPE mood AS ENUM ('fine')"),
                down("postgres.extensions.missing", "failure", "CREATE EXTENSION timescaledb"),
                down("postgres.extensions.unsupported", "failure", "CREATE EXTENSION timescaledb"),
                down("postgres.extensions.tables", "warning", "CREATE EXTENSION timescaledb"),
                down("postgres.extensions.version", "warning", "CREATE EXTENSION pg_stat_statements"),
                up("postgres.extensions.version", "info", "CREATE EXTENSION pg_stat_statements"),
                target(
                        "postgres.schema.not_copied",
                        "warning",
                        "CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int)",
                        "CREATE TABLE t (a int PRIMARY KEY)"),
                up(
                        "postgres.schema.not_copied",
                        "warning",
                        "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET allow_in_place_tablespaces = on', current_database()); END$$",
                        "CREATE TABLESPACE fast LOCATION ''",
                        "CREATE TABLE t (a int PRIMARY KEY) TABLESPACE fast"),
                // Also where a client copies everything else.
                new Hazard(
                        "postgres.schema.not_copied",
                        "warning",
                        "starved old",
                        "",
                        List.of("CREATE TABLE t (a int PRIMARY KEY)", "CREATE PUBLICATION theirs FOR TABLE t"),
                        List.of()),
                // A client is there, and the target is not empty.
                new Hazard(
                        "postgres.schema.not_copied",
                        "warning",
                        "starved old",
                        "",
                        List.of("CREATE SCHEMA shop", "CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int)"),
                        List.of("CREATE SCHEMA shop")),
                new Hazard(
                        "postgres.schema.not_copied",
                        "warning",
                        "starved old",
                        "",
                        List.of("CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int)"),
                        List.of("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'")),
                up("postgres.roles.copied", "info", "CREATE ROLE only_here LOGIN PASSWORD 'here'"),
                target(
                        "postgres.roles.differ",
                        "warning",
                        "CREATE ROLE everywhere LOGIN PASSWORD 'here'",
                        "CREATE ROLE everywhere LOGIN PASSWORD 'there'"),
                up("postgres.server.settings", "warning", "ALTER ROLE ALL SET work_mem = '9MB'"),
                up(
                        "postgres.server.settings",
                        "warning",
                        "DO $$BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 7', current_database()); END$$"),
                up("postgres.link.refused", "failure", admitted("link", true)),
                up("postgres.roles.refused", "failure", admitted("control", true)),
                up("postgres.roles.refused", "warning", admitted("proxy", true)),
                up("postgres.fence.superusers", "warning", "SELECT 1"),
                up(
                        "postgres.fence.workers",
                        "failure",
                        "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET cron.use_background_workers = on', current_database()); END$$"),
                up(
                        "postgres.fence.workers",
                        "failure",
                        "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET pg_partman_bgw.dbname = %L', current_database(), 'other, ' || current_database()); END$$"),
                up(
                        "postgres.slots.other",
                        "warning",
                        "SELECT pg_create_logical_replication_slot('captured', 'pgoutput')"),
                up("postgres.server.busy", "failure", "CREATE ROLE eden_other_control"),
                up("postgres.slots.unbounded", "warning", "SELECT 1"),
                up("postgres.target.disk", "info", "SELECT 1"),
                up(
                        "postgres.subscriptions.other",
                        "failure",
                        "CREATE SUBSCRIPTION theirs CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)"),
                up("postgres.names.taken", "failure", "CREATE SCHEMA eden_m1"),
                up("postgres.names.reserved", "failure", "CREATE SCHEMA eden_shop"),
                up("postgres.names.reserved", "failure", "CREATE PUBLICATION eden_m1_orders"),
                up("postgres.names.reserved", "failure", "CREATE ROLE eden_shop_proxy"),
                target("postgres.names.reserved", "failure", "SELECT 1", "CREATE SCHEMA eden_m10"),
                new Hazard("postgres.encoding", "warning", "old new", LATIN, List.of(), List.of()),
                new Hazard("postgres.encoding", "failure", "old latin", "", List.of(), List.of()),
                new Hazard("postgres.encoding", "failure", "old new", ASCII, List.of(), List.of()),
                new Hazard("postgres.encoding", "warning", "old ascii", ASCII, List.of(), List.of()),
                new Hazard(
                        "postgres.collation",
                        "warning",
                        "new old",
                        "LOCALE_PROVIDER icu ICU_LOCALE 'de' TEMPLATE template0",
                        List.of(),
                        List.of()),
                up(
                        "postgres.collations.missing",
                        "failure",
                        "CREATE COLLATION pg_catalog.klingon (PROVIDER = icu, LOCALE = 'de')",
                        "CREATE TABLE t (a text COLLATE klingon PRIMARY KEY)"),
                target(
                        "postgres.target.not_empty",
                        "failure",
                        "SELECT 1",
                        "CREATE TABLE t (a int PRIMARY KEY)",
                        "INSERT INTO t VALUES (1)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY, b int)",
                        "CREATE TABLE t (a int PRIMARY KEY, c int NOT NULL)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a bigint PRIMARY KEY)",
                        "CREATE TABLE t (a int PRIMARY KEY)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY, b text)",
                        "CREATE TABLE t (a int PRIMARY KEY, b varchar(10))"),
                target(
                        "postgres.target.schema_wider",
                        "warning",
                        "CREATE TABLE t (a int PRIMARY KEY)",
                        "CREATE TABLE t (a bigint PRIMARY KEY, c int DEFAULT 7)",
                        "CREATE INDEX ON t (c)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY, b int)",
                        "CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY, b int)",
                        "CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY, b int)",
                        "CREATE TABLE t (a int PRIMARY KEY, b int CHECK (b > 0))"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY, b int)",
                        "CREATE TABLE t (a int PRIMARY KEY, b int, EXCLUDE (b WITH =))"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY)",
                        "CREATE TABLE t (a int PRIMARY KEY)",
                        TRIGGER,
                        "CREATE TRIGGER always AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
                        "ALTER TABLE t ENABLE ALWAYS TRIGGER always"),
                target(
                        "postgres.target.schema_wider",
                        "warning",
                        "CREATE TABLE t (a int PRIMARY KEY, b int)",
                        "CREATE TABLE t (a int PRIMARY KEY, b int)",
                        "CREATE INDEX ON t (b)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY)",
                        "CREATE TABLE t (a int PRIMARY KEY) PARTITION BY RANGE (a)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TYPE mood AS ENUM ('fine', 'sad')",
                        "CREATE TYPE mood AS ENUM ('sad', 'fine')"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE DOMAIN amount AS int",
                        "CREATE DOMAIN amount AS int CHECK (VALUE > 0)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY, b int)",
                        "CREATE TABLE t (a int PRIMARY KEY, b int REFERENCES t)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE UNIQUE INDEX u ON t (b)",
                        "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE INDEX u ON t (b)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE t (a text PRIMARY KEY)",
                        "CREATE COLLATION folded (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false)",
                        "CREATE TABLE t (a text COLLATE folded PRIMARY KEY)"),
                target(
                        "postgres.target.schema_wider",
                        "warning",
                        "CREATE TYPE mood AS ENUM ('fine', 'sad')",
                        "CREATE TYPE mood AS ENUM ('fine', 'so', 'sad')"),
                target(
                        "postgres.target.schema_wider",
                        "warning",
                        "CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL)",
                        "CREATE TABLE t (a int PRIMARY KEY, b int)"),
                target(
                        "postgres.target.definitions",
                        "warning",
                        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'"),
                new Hazard(
                        "postgres.target.schema_way_back",
                        "failure",
                        "new starved",
                        "",
                        List.of("CREATE TABLE t (a int PRIMARY KEY)"),
                        List.of("CREATE TABLE t (a int PRIMARY KEY, c int)")),
                target(
                        "postgres.target.schema_way_back",
                        "failure",
                        "CREATE TABLE t (a int PRIMARY KEY) PARTITION BY RANGE (a)",
                        "CREATE TABLE t (a int PRIMARY KEY, c int) PARTITION BY RANGE (a)"),
                target(
                        "postgres.target.schema_way_back",
                        "failure",
                        "CREATE TABLE t (a int)",
                        "CREATE TABLE t (a int, c int DEFAULT 1)"),
                target(
                        "postgres.target.schema",
                        "failure",
                        "CREATE TABLE \"order\" (a int PRIMARY KEY)",
                        "CREATE TABLE \"order\" (a int PRIMARY KEY CHECK (a > 0))"),
                up("postgres.names", "failure", "CREATE TABLE json (a int PRIMARY KEY)"),
                down("postgres.names", "failure", "CREATE SCHEMA merge_action"),
                down("postgres.version.downgrade", "warning", "SELECT 1"),
                server("postgres.wal_level", "failure", "old starved"),
                server(
                        "postgres.replicas.synchronous",
                        "warning",
                        "starved old",
                        "DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = on', current_database()); END$$"),
                server("postgres.output_plugin", "failure", "old starved"),
                server("postgres.slots", "failure", "old starved"),
                server("postgres.origins", "failure", "old narrow"),
                server("postgres.connections", "warning", "old narrow"),
                server("postgres.senders", "failure", "old starved"),
                server("postgres.workers", "failure", "old starved"),
                server("postgres.target.memory", "warning", "old starved"),
                server("postgres.target.disk", "failure", "old full"),
                server("postgres.source.disk", "warning", "old full"),
                server("postgres.target.log_disk", "warning", "old full"),
                server("postgres.server.standby", "failure", "old standby"),
                server("postgres.server.same", "failure", "old old"),
                server("postgres.privileges", "failure", "old nobody"),
                server("postgres.endpoint.plain", "warning", "old plain"),
                server("postgres.endpoint.login_refused", "failure", "old stranger"),
                server("postgres.endpoint.no_database", "failure", "old absent"),
                server("postgres.endpoint.unreachable", "failure", "old nowhere"),
                server("postgres.version.unsupported", "failure", "ancient new"),
                server("postgres.link.unreachable", "failure", "old once"),
                up(
                        "postgres.endpoint.check_failed",
                        "failure",
                        "ALTER VIEW pg_catalog.pg_replication_slots RENAME TO gone"),
                // Since the beginning, so that little of the minute is left to wait for.
                up("postgres.transactions.long", "warning", "SELECT 1"));
    }

    static final Map<String, String> ENCODINGS = Map.of("latin", LATIN, "ascii", ASCII);
}
