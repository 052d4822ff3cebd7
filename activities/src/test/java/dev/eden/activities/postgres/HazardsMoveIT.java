package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.postgres.cleanup.PostgresCleanup;
import dev.eden.activities.postgres.preflight.PostgresPreflight;
import dev.eden.activities.postgres.schema.ClientTools;
import dev.eden.activities.postgres.validation.PostgresValidation;
import dev.eden.activities.store.UserDirectory;
import dev.eden.activities.store.ValidationLedger.Report;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever of docs/postgres-hazards.md is not refused moves, all of it in one database; and taken back it leaves nothing, on either side. */
class HazardsMoveIT {
    private static final String SCHEMA = """
            CREATE ROLE app LOGIN PASSWORD 'app' IN ROLE pg_monitor;
            ALTER ROLE app SET work_mem = '8MB';
            CREATE EXTENSION hstore;
            CREATE SCHEMA shop AUTHORIZATION app;
            CREATE TABLE shop.keyless (a int, b text);
            CREATE TABLE shop.deferred (a int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, b text);
            CREATE TABLE shop.nothing (a int PRIMARY KEY, b text);
            ALTER TABLE shop.nothing REPLICA IDENTITY NOTHING;
            CREATE TABLE shop.by_index (a int NOT NULL, b text);
            CREATE UNIQUE INDEX by_a ON shop.by_index (a);
            ALTER TABLE shop.by_index REPLICA IDENTITY USING INDEX by_a;
            CREATE UNLOGGED TABLE shop.forgotten (a int PRIMARY KEY);
            CREATE TABLE shop.computed (a int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b int, c int GENERATED ALWAYS AS (b * 2) STORED, d public.hstore);
            CREATE SEQUENCE shop.numbers CACHE 20;
            CREATE TABLE shop.secured (a int PRIMARY KEY, b text);
            ALTER TABLE shop.secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
            CREATE POLICY own ON shop.secured TO app USING (b = current_user);
            CREATE TABLE shop.parent (a int PRIMARY KEY, self int REFERENCES shop.parent);
            CREATE TABLE shop.child (x text COLLATE "C") INHERITS (shop.parent);
            CREATE MATERIALIZED VIEW shop.seen AS SELECT count(*) AS n FROM shop.keyless;
            CREATE MATERIALIZED VIEW shop.not_yet AS SELECT 1 / (a - 1) AS n FROM shop.keyless WITH NO DATA;
            CREATE MATERIALIZED VIEW shop.fragile AS SELECT 1 / (a - 1) AS n FROM shop.by_index;
            CREATE TABLE shop.large (a int PRIMARY KEY, b text);
            CREATE VIEW shop.grouped WITH (security_barrier) AS SELECT a, b, count(*) AS n FROM shop.large GROUP BY a;
            ALTER VIEW shop.grouped ALTER COLUMN b SET DEFAULT 'none';
            CREATE RULE quiet AS ON DELETE TO shop.grouped DO INSTEAD NOTHING;
            CREATE VIEW shop.of_seen AS SELECT n FROM shop.seen;
            CREATE MATERIALIZED VIEW shop.seen_grouped AS SELECT a, b, n, (SELECT max(o.n) FROM shop.of_seen AS o) AS m FROM shop.grouped
                UNION ALL SELECT a, b, count(*), 0 FROM shop.large GROUP BY a;
            CREATE VIEW shop.of_both AS SELECT g.a, s.m FROM shop.grouped AS g JOIN shop.seen_grouped AS s USING (a);
            GRANT SELECT ON shop.seen TO app;
            COMMENT ON MATERIALIZED VIEW shop.seen IS 'seen';
            CREATE ROLE reader;
            ALTER DEFAULT PRIVILEGES FOR ROLE app IN SCHEMA shop GRANT SELECT ON TABLES TO reader;
            ALTER DEFAULT PRIVILEGES FOR ROLE app REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
            ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO reader;
            ALTER DATABASE eden OWNER TO app;
            REVOKE TEMPORARY ON DATABASE eden FROM PUBLIC;
            GRANT CREATE ON DATABASE eden TO reader;
            ALTER DATABASE eden SET search_path = shop, "$user", public;
            ALTER DATABASE eden SET work_mem = '5MB';
            ALTER ROLE app IN DATABASE eden SET app.tenant = 'one = two';
            CREATE FUNCTION shop.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            CREATE TRIGGER noted BEFORE INSERT ON shop.keyless FOR EACH ROW EXECUTE FUNCTION shop.noted();
            CREATE FUNCTION shop.watched() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
            CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION shop.watched();
            CREATE STATISTICS shop.both ON a, b FROM shop.nothing;
            """;

    /** Without {@code pg_dump} these are named by plan and left out. */
    private static final String MORE = """
            CREATE AGGREGATE public.total (int) (SFUNC = int4pl, STYPE = int);
            CREATE OPERATOR public.@@@ (FUNCTION = int4pl, LEFTARG = int, RIGHTARG = int);
            CREATE COLLATION public.german (PROVIDER = icu, LOCALE = 'de');
            CREATE TEXT SEARCH CONFIGURATION public.plain (COPY = pg_catalog.simple);
            CREATE TABLE shop.sorted (a text COLLATE public.german PRIMARY KEY, EXCLUDE (a WITH =));
            """;

    private static final List<String> TABLES =
            List.of("keyless", "deferred", "nothing", "by_index", "computed", "secured", "parent", "child");

    private static final String SETTINGS =
            "SELECT CASE setrole WHEN 0 THEN '-' ELSE setrole::regrole::text END || ' ' || c FROM pg_db_role_setting, unnest(setconfig) AS c WHERE setdatabase <> 0";
    /** What belongs to the whole database, but the setting that the target has another of. */
    private static final String DEFAULTS = """
            SELECT 'setting ' || s FROM (%s) AS t (s) WHERE s !~ 'work_mem'
            UNION ALL SELECT 'owner ' || datdba::regrole FROM pg_database WHERE datname = current_database()
            UNION ALL SELECT format('database %%s %%s', a.grantee::regrole, a.privilege_type) FROM pg_database, aclexplode(datacl) AS a
                WHERE datname = current_database() AND privilege_type <> 'CONNECT'
            UNION ALL SELECT format('default %%s %%s %%s %%s %%s', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, a.grantee::regrole, a.privilege_type)
                FROM pg_default_acl, aclexplode(defaclacl) AS a
            UNION ALL SELECT format('seen %%s %%s', a.grantee::regrole, a.privilege_type) FROM pg_class, aclexplode(relacl) AS a WHERE relname = 'seen' AND grantee = 'app'::regrole
            UNION ALL SELECT 'comment ' || obj_description('shop.seen'::regclass)
            ORDER BY 1""".formatted(SETTINGS);

    private static final String UNPOPULATED =
            "SELECT relname FROM pg_class WHERE relkind = 'm' AND NOT relispopulated ORDER BY 1";

    private static final List<String> VIEWS = List.of("seen", "grouped", "of_seen", "seen_grouped", "of_both");

    /** Two versions: it is hoped that one has a {@code pg_dump} on this host, and the other has none. */
    @ParameterizedTest
    @ValueSource(ints = {15, 18})
    void movesAndLeavesNothing(int version) {
        try (var servers = PostgresServers.start(version, version)) {
            boolean tools = ClientTools.find(version, version).isPresent();
            try (PostgresSession source = servers.own("source")) {
                source.execute("SET search_path = public");
                source.execute(SCHEMA + (tools ? MORE : ""));
                for (String table : TABLES) {
                    String columns = table.equals("computed")
                            ? "(b)"
                            : table.equals("parent") || table.equals("child") ? "(a)" : "(a, b)";
                    String values = columns.equals("(a, b)") ? "i, 'n' || i" : "i";
                    source.execute("INSERT INTO shop." + table + " " + columns + " SELECT " + values
                            + " FROM generate_series(1, 500) AS i");
                }
                // More than is copied with its key in place.
                source.execute("INSERT INTO shop.large SELECT i, repeat('x', 1000) FROM generate_series(1, 9000) AS i");
                source.execute("REFRESH MATERIALIZED VIEW shop.seen");
                source.execute("REFRESH MATERIALIZED VIEW shop.seen_grouped");
            }
            try (PostgresSession target = servers.own("target")) {
                target.execute("ALTER DATABASE eden SET work_mem = '7MB'");
            }
            List<String> sourceBefore = portrait(servers, "source");
            List<String> targetBefore = portrait(servers, "target");
            assertThat(new PostgresPreflight(servers, servers.records, UserDirectory.NONE)
                            .preflight(PostgresServers.spec())
                            .findings())
                    .filteredOn(finding -> finding.severity().equals("failure"))
                    .isEmpty();
            servers.prepare();
            try (var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                try (PostgresSession target = servers.control("target")) {
                    assertThat(target.texts(UNPOPULATED)).containsExactly("fragile", "not_yet");
                }
                // Also what its query failed at.
                try (PostgresSession source = servers.control("source")) {
                    for (String table : TABLES) {
                        source.execute("UPDATE ONLY shop." + table
                                + (table.equals("computed") ? " SET b = 7" : " SET a = a + 1000") + " WHERE a % 5 = 1");
                        source.execute("DELETE FROM ONLY shop." + table + " WHERE a % 7 = 2");
                    }
                }
                Report report = new PostgresValidation(
                                servers, servers.records, servers.store, servers.store, Clock.systemUTC())
                        .validate(PostgresServers.spec(), false, null, cursor -> {});
                assertThat(report.sample()).isEmpty();
                assertThat(report.differencesFound()).isZero();
                try (PostgresSession source = servers.control("source");
                        PostgresSession target = servers.control("target")) {
                    assertThat(target.number("SELECT n FROM shop.seen")).isEqualTo(500);
                    assertThat(target.texts(UNPOPULATED)).containsExactly("not_yet");
                    for (String view : VIEWS) {
                        String rows = "SELECT count(*) || md5(string_agg(v::text, ',' ORDER BY v::text)) FROM shop."
                                + view + " AS v";
                        assertThat(target.text(rows)).as(view).isEqualTo(source.text(rows));
                    }
                    String options =
                            "SELECT relname || reloptions::text FROM pg_class WHERE relkind = 'v' AND relnamespace = 'shop'::regnamespace AND reloptions IS NOT NULL"
                                    + " UNION ALL SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef AS d JOIN pg_class AS c ON c.oid = d.adrelid AND c.relkind = 'v' ORDER BY 1";
                    assertThat(target.texts(options))
                            .isEqualTo(source.texts(options))
                            .hasSize(2);
                    assertThat(target.texts(DEFAULTS))
                            .isEqualTo(source.texts(DEFAULTS))
                            .hasSize(14);
                    assertThat(target.texts(SETTINGS)).contains("- work_mem=7MB");
                    assertThat(target.is("SELECT to_regprocedure('public.total(integer)') IS NOT NULL"))
                            .isEqualTo(tools);
                }
                assertThat(running.failure.get()).isNull();
            }
            servers.store.detach(PostgresServers.MIGRATION);
            new PostgresCleanup(servers, servers.records).cleanUp(PostgresServers.spec(), false, true);
            assertThat(portrait(servers, "source")).isEqualTo(sourceBefore);
            assertThat(portrait(servers, "target")).isEqualTo(targetBefore);
            PostgresMigrationIT.assertNothingLeft(servers);
        }
    }

    @ParameterizedTest
    @CsvSource({"15, 15", "18, 18", "18, 17"})
    void copiesRowsThatAConstraintCameAfter(int version, int to) {
        try (var servers = PostgresServers.start(version, to)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("""
                        SET search_path = public;
                        CREATE ROLE app LOGIN PASSWORD 'app';
                        CREATE DOMAIN positive AS int;
                        CREATE TABLE checked (a int PRIMARY KEY, b int, c positive, d int);
                        INSERT INTO checked SELECT i, -i, -i, nullif(i, 1) FROM generate_series(1, 100) AS i;
                        ALTER TABLE checked ADD CONSTRAINT recent CHECK (b > 0) NOT VALID;
                        ALTER DOMAIN positive ADD CONSTRAINT above CHECK (value > 0) NOT VALID""");
                if (version >= 18) {
                    source.execute("ALTER TABLE public.checked ADD CONSTRAINT d_there NOT NULL d NOT VALID");
                }
            }
            servers.prepare();
            try (var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                try (PostgresSession source = servers.control("source");
                        PostgresSession target = servers.control("target")) {
                    String constraints =
                            "SELECT format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE NOT convalidated ORDER BY 1";
                    List<String> unvalidated = target.texts(constraints);
                    // Before 18 a NOT NULL is a constraint as a check only.
                    assertThat(unvalidated)
                            .isEqualTo(source.texts(constraints).stream()
                                    .map(one -> to >= 18 ? one : one.replace("NOT NULL d ", "CHECK ((d IS NOT NULL)) "))
                                    .toList())
                            .hasSize(version >= 18 ? 3 : 2);
                    assertThatThrownBy(() -> target.execute("INSERT INTO public.checked VALUES (101, -1, 1, 1)"))
                            .hasMessageContaining("recent");
                    // As damage that repair has to make good, with what was never valid.
                    target.execute("SET session_replication_role = replica");
                    target.execute("DELETE FROM public.checked WHERE a = 1");
                    Report report = validate(servers);
                    assertThat(report.differencesFound()).isEqualTo(1);
                    assertThat(validate(servers).sample()).isEmpty();
                    assertThat(target.texts(constraints)).isEqualTo(unvalidated);
                }
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    private static Report validate(PostgresServers servers) {
        return new PostgresValidation(servers, servers.records, servers.store, servers.store, Clock.systemUTC())
                .validate(PostgresServers.spec(), true, null, cursor -> {});
    }

    /** Everything that a database and its server's shared catalogues hold, but rows and statistics. */
    private static List<String> portrait(PostgresServers servers, String id) {
        try (PostgresSession session = servers.own(id)) {
            return session.texts("""
                    SELECT format('%s %s %s %s %s', c.oid::regclass, c.relkind, c.relreplident, c.relacl, pg_get_userbyid(c.relowner)) FROM pg_class c
                        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT IN ('information_schema', 'pg_toast') AND c.relname !~ '^pg_toast'
                    UNION ALL SELECT format('column %s %s %s %s', attrelid::regclass, attname, atttypid::regtype, attacl) FROM pg_attribute WHERE attrelid > 16383 AND attnum > 0
                        AND attrelid::regclass::text !~ 'pg_toast'
                    UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, convalidated) FROM pg_constraint WHERE conname !~ 'pg_toast'
                    UNION ALL SELECT format('routine %s %s', oid::regprocedure, proacl) FROM pg_proc
                    UNION ALL SELECT format('operator %s', oid::regoperator) FROM pg_operator
                    UNION ALL SELECT format('collation %s', oid::regcollation) FROM pg_collation
                    UNION ALL SELECT format('configuration %s', oid::regconfig) FROM pg_ts_config
                    UNION ALL SELECT format('dictionary %s', oid::regdictionary) FROM pg_ts_dict
                    UNION ALL SELECT format('type %s', oid::regtype) FROM pg_type WHERE typname !~ 'pg_toast'
                    UNION ALL SELECT format('cast %s', oid) FROM pg_cast WHERE oid < 16384
                    UNION ALL SELECT format('role %s %s %s %s %s %s', rolname, rolsuper, rolcanlogin, rolreplication, rolbypassrls, rolpassword) FROM pg_authid
                    UNION ALL SELECT format('member %s %s', roleid::regrole, member::regrole) FROM pg_auth_members
                    UNION ALL SELECT format('setting %s %s', setrole::regrole, setconfig) FROM pg_db_role_setting
                    UNION ALL SELECT format('database %s %s %s', datname, pg_get_userbyid(datdba), coalesce(datacl, acldefault('d', datdba))) FROM pg_database
                    UNION ALL SELECT format('schema %s %s', nspname, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)'
                    UNION ALL SELECT format('trigger %s %s', tgrelid::regclass, tgname) FROM pg_trigger WHERE NOT tgisinternal
                    UNION ALL SELECT format('event trigger %s', evtname) FROM pg_event_trigger
                    UNION ALL SELECT format('policy %s', polname) FROM pg_policy
                    UNION ALL SELECT format('statistics %s', stxname) FROM pg_statistic_ext
                    UNION ALL SELECT format('extension %s', extname) FROM pg_extension
                    UNION ALL SELECT format('default %s', oid) FROM pg_default_acl
                    UNION ALL SELECT format('comment %s %s', classoid::regclass, description) FROM pg_description WHERE objoid > 16383
                    UNION ALL SELECT format('publication %s', pubname) FROM pg_publication
                    UNION ALL SELECT format('subscription %s', subname) FROM pg_subscription
                    UNION ALL SELECT format('slot %s', slot_name) FROM pg_replication_slots
                    UNION ALL SELECT format('origin %s', roname) FROM pg_replication_origin
                    ORDER BY 1""");
        }
    }
}
