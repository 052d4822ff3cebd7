package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.postgres.preflight.PostgresPreflight;
import dev.eden.activities.postgres.replication.LinkTlsIT;
import dev.eden.activities.postgres.schema.ClientTools;
import dev.eden.activities.redis.preparation.InMemoryServerRecords;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.UserDirectory;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.activity.PreparationActivities.Finding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Each hazard as a database of its own, the finding that it has, and that docs/postgres-hazards.md says the same. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HazardsIT {
    private static final Path DOCUMENT = Path.of("../docs/postgres-hazards.md");
    private static final Path CODE = Path.of("src/main/java/dev/eden/activities/postgres/preflight");
    private static final Pattern ROW = Pattern.compile("^\\|[^|]*\\| `(postgres\\.[a-z_.]+)` \\| ([a-z, ]+) \\|");

    /** Whose fixture is another test's, of this module; the document names it, too. */
    private static final Map<String, Class<?>> ELSEWHERE =
            Map.of("postgres.tls.unverified", LinkTlsIT.class, "postgres.link.tls", LinkTlsIT.class);

    /** There, or not, by what is installed on the host: {@link #aClientIsNamedWhereThereIsOne}. */
    private static final String CLIENT = "postgres.schema.client";

    private static final Duration LONG = Duration.ofSeconds(60);

    private final Map<String, EmbeddedPostgres> servers = new TreeMap<>();
    private final Set<String> made = new TreeSet<>();
    private final List<AutoCloseable> ways = new ArrayList<>();
    private int databases;

    @SuppressWarnings("NullAway.Init") // by start(…)
    private PostgresSession open;

    @BeforeAll
    void start(@TempDir Path extensions) throws IOException {
        // The servers may run as another user.
        Path directory = Files.createDirectories(extensions.resolve("extension"));
        for (Path path : List.of(extensions, directory)) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Files.writeString(directory.resolve("timescaledb.control"), "default_version = '1'\nrelocatable = true\n");
        Files.writeString(
                directory.resolve("timescaledb--1.sql"),
                "CREATE TABLE kept (a int); SELECT pg_catalog.pg_extension_config_dump('kept', '');");
        servers.put("old", start(15, "wal_level=logical", "max_prepared_transactions=10", "max_worker_processes=16"));
        servers.put("new", start(18, "wal_level=logical", "extension_control_path=$system:" + extensions));
        servers.put(
                "starved",
                start(
                        14,
                        "wal_level=replica",
                        "output_plugin_libraries=test_decoding",
                        "max_replication_slots=2",
                        "max_wal_senders=2",
                        "max_logical_replication_workers=1",
                        "maintenance_work_mem=1TB",
                        "synchronous_standby_names=nobody",
                        "synchronous_commit=local"));
        servers.put("narrow", start(18, "wal_level=logical", "max_active_replication_origins=1", "max_connections=14"));
        EmbeddedPostgres standby =
                EmbeddedPostgres.start(EmbeddedPostgres.Options.defaults().withVersion(15));
        standby.stop();
        Files.createFile(standby.dataDir().resolve("standby.signal"));
        standby.restart();
        servers.put("standby", standby);
        open = session("old", "eden");
        open.execute("BEGIN");
    }

    private static EmbeddedPostgres start(int version, String... settings) {
        return EmbeddedPostgres.start(
                EmbeddedPostgres.Options.defaults().withVersion(version).withSettings(settings));
    }

    @AfterAll
    void stop() throws Exception {
        open.close();
        for (AutoCloseable way : ways) {
            way.close();
        }
        servers.values().forEach(EmbeddedPostgres::close);
    }

    @ParameterizedTest
    @MethodSource("dev.eden.activities.postgres.Hazard#all")
    void hasItsFinding(Hazard hazard) throws IOException {
        String[] way = hazard.way().split(" ", 2);
        String database = "h" + databases++;
        make(way[0], database, hazard.database(), hazard.source());
        // An empty target serves them all.
        String other = hazard.target().isEmpty() ? "empty_" + way[1] : database + "t";
        if (!hazard.target().isEmpty() || made.add(other)) {
            make(way[1], other, Hazard.ENCODINGS.getOrDefault(way[1], ""), hazard.target());
        }
        Map<String, Endpoint> endpoints =
                Map.of("source", endpoint(way[0], database), "target", endpoint(way[1], other));
        EndpointDirectory directory = id -> Objects.requireNonNull(endpoints.get(id));
        var limits = way[1].equals("full")
                ? new PostgresPreflight.Limits(100_000, 1e9, Long.MAX_VALUE)
                : new PostgresPreflight.Limits(100_000, 1, 1);
        if (hazard.id().equals("postgres.transactions.long")) {
            await().atMost(LONG.multipliedBy(2))
                    .until(
                            () -> open.is(
                                    "SELECT clock_timestamp() - xact_start > interval '1 minute' FROM pg_stat_activity WHERE pid = pg_backend_pid()"));
        }
        MigrationSpec spec = PostgresServers.spec();
        List<Finding> findings = new PostgresPreflight(
                        directory, new InMemoryServerRecords(), UserDirectory.NONE, limits)
                .preflight(spec)
                .findings();
        assertThat(findings)
                .extracting(Finding::id, Finding::severity)
                .contains(org.assertj.core.groups.Tuple.tuple(hazard.id(), hazard.severity()));
        assertThat(findings)
                .filteredOn(finding -> !finding.severity().equals("info"))
                .allSatisfy(finding -> assertThat(finding.remedy()).isNotEmpty());
        assertThat(documented().get(hazard.id())).as(hazard.id()).contains(hazard.severity());
        String undo = Hazard.UNDO.get(hazard.id());
        if (undo != null) {
            execute(way[0], database, undo);
        }
    }

    @Test
    void whatOnlyLooksLikeAHazardIsNone() throws IOException {
        make("old", "harmless", "", List.of("CREATE TABLE t (a int PRIMARY KEY)", """
                CREATE TABLE own (a text, b "char", c int[], d name, e uuid, PRIMARY KEY (a, b, c, d, e));
                CREATE TABLE papers (a int PRIMARY KEY, b json);
                ALTER TABLE papers REPLICA IDENTITY FULL;
                CREATE DOMAIN amount AS int NOT NULL;
                CREATE TYPE mood AS ENUM ('fine');
                CREATE TYPE pair AS (a int, b text);
                CREATE TABLE keyless (a amount, b text[], c mood, d pair, e int4range, f jsonb, g char(3), h bit(2), i "char", j varchar(9),
                    k json GENERATED ALWAYS AS ('1'::json) STORED)""", """
                CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql SET search_path = public AS $$ BEGIN
                  PERFORM set_config('app.tenant', 'x', true); PERFORM pg_advisory_xact_lock(1); SET LOCAL timezone = 'UTC'; SET LOCAL TIME ZONE 'UTC';
                  PERFORM setting FROM pg_settings; CREATE TABLE IF NOT EXISTS names (a int); ALTER TABLE names SET SCHEMA public;
                  IF true THEN UPDATE t SET a = 1; END IF; END $$""", """
                CREATE FUNCTION lowered(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT pg_catalog.lower(t)';
                CREATE FUNCTION of_path(t text) RETURNS text LANGUAGE sql IMMUTABLE SET search_path = public AS 'SELECT lowered(t)';
                CREATE TABLE named (a text PRIMARY KEY, b numeric NOT NULL CHECK (b > 0), UNIQUE (b));
                INSERT INTO named VALUES ('x', 1);
                CREATE INDEX ON named (lowered(a), of_path(a));
                CREATE MATERIALIZED VIEW seen AS SELECT of_path(a), 1 / (b - 1) FROM named WITH NO DATA""", """
                CREATE ROLE clerk;
                CREATE FUNCTION low(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
                  IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN RAISE undefined_table; END IF;
                  RETURN t; END $$;
                CREATE FUNCTION of_tenant(t text) RETURNS boolean LANGUAGE plpgsql AS
                  'BEGIN RETURN current_setting(''app.tenant'') IS NOT NULL; END';
                CREATE TABLE checked (a text PRIMARY KEY, c text CHECK (c IS NOT NULL), d text, CHECK (of_tenant(d)));
                ALTER TABLE checked OWNER TO clerk;
                SET app.tenant = '1';
                INSERT INTO checked VALUES ('x', 'y', 'z');
                CREATE INDEX ON checked (low(a))"""));
        make(
                "new",
                "harmless",
                "",
                List.of(
                        "CREATE TABLE named (a text PRIMARY KEY, b numeric NOT NULL CHECK (b > 0), UNIQUE (b))",
                        "CREATE TABLE checked (a text PRIMARY KEY, c text NOT NULL, d text)"));
        Map<String, Endpoint> endpoints =
                Map.of("source", endpoint("old", "harmless"), "target", endpoint("new", "harmless"));
        assertThat(new PostgresPreflight(
                                id -> Objects.requireNonNull(endpoints.get(id)),
                                new InMemoryServerRecords(),
                                UserDirectory.NONE,
                                new PostgresPreflight.Limits(100_000, 1, 1))
                        .preflight(PostgresServers.spec())
                        .findings())
                .extracting(Finding::id)
                .isNotEmpty()
                .doesNotContain(
                        "postgres.functions.session",
                        "postgres.fence.workers",
                        "postgres.slots.other",
                        "postgres.tables.keyless_type",
                        "postgres.functions.search_path",
                        "postgres.target.schema",
                        "postgres.target.schema_wider",
                        "postgres.server.settings",
                        "postgres.replicas.synchronous",
                        "postgres.names.reserved");
    }

    /** Made by the same words on both sides, which the versions print in their own. */
    @ParameterizedTest
    @CsvSource({"old, new", "new, old", "starved, new"})
    void theSameSchemaHasNothingOfItsOwn(String from, String to) {
        String database = "same_" + from + "_" + to;
        make(from, database, "", List.of(RichSchema.SQL, RichSchema.PARSED));
        make(to, database, "", List.of(RichSchema.SQL, RichSchema.PARSED));
        Map<String, Endpoint> endpoints = Map.of("source", endpoint(from, database), "target", endpoint(to, database));
        assertThat(new PostgresPreflight(
                                id -> Objects.requireNonNull(endpoints.get(id)),
                                new InMemoryServerRecords(),
                                UserDirectory.NONE,
                                new PostgresPreflight.Limits(100_000, 1, 1))
                        .preflight(PostgresServers.spec())
                        .findings())
                .filteredOn(finding -> finding.id().startsWith("postgres.target.schema")
                        || finding.id().equals("postgres.target.definitions"))
                .isEmpty();
    }

    /** On a target that is not empty no client copies them. */
    @Test
    void eachKindThatTheCataloguesLeaveOutIsNamed() {
        for (String server : List.of("starved", "new")) {
            execute(server, "eden", "CREATE ROLE eden_m9_proxy");
            make(server, "kinds", "", List.of("""
                    CREATE FOREIGN DATA WRAPPER away;
                    CREATE SERVER elsewhere FOREIGN DATA WRAPPER away;
                    GRANT USAGE ON FOREIGN SERVER elsewhere TO pg_monitor;
                    CREATE USER MAPPING FOR PUBLIC SERVER elsewhere;
                    CREATE TEXT SEARCH PARSER parts (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
                    CREATE TEXT SEARCH TEMPLATE plain (INIT = dsimple_init, LEXIZE = dsimple_lexize);
                    CREATE OPERATOR FAMILY lonely USING btree;
                    CREATE ACCESS METHOD another TYPE TABLE HANDLER heap_tableam_handler;
                    CREATE TABLE t (a int PRIMARY KEY, b text COMPRESSION pglz);
                    REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
                    CREATE TYPE pair AS (a int, b text);
                    CREATE TABLE typed OF pair (PRIMARY KEY (a));
                    GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO pg_monitor;
                    REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC;
                    GRANT SELECT ON pg_catalog.pg_subscription TO eden_m9_proxy;
                    ALTER SCHEMA public OWNER TO pg_monitor"""));
        }
        make("old", "kinds", "", List.of("CREATE TABLE t (a int PRIMARY KEY, b text)"));
        make("old", "no_kinds", "", List.of());
        for (String server : List.of("starved", "new")) {
            assertThat(notCopied(server, "kinds"))
                    .singleElement()
                    .asString()
                    .contains(
                            "foreign-data wrappers (1)",
                            "foreign servers and wrappers with grants of their own (1)",
                            "user mappings (1)",
                            "text search parsers (1)",
                            "text search templates (1)",
                            "operator families (1)",
                            "access methods (1)",
                            "compression of columns (1)",
                            "languages with grants of their own (1)",
                            "typed tables (1)",
                            "objects of pg_catalog with other grants than a new database has (2)",
                            "the owner of the schema public (1)");
        }
        for (String server : List.of("starved", "new")) {
            execute(server, "kinds", "DROP OWNED BY eden_m9_proxy");
            execute(server, "kinds", "DROP ROLE eden_m9_proxy");
        }
        make("starved", "no_kinds", "", List.of());
        make("new", "no_kinds", "", List.of());
        for (String server : List.of("starved", "old", "new")) {
            assertThat(notCopied(server, "no_kinds")).isEmpty();
        }
    }

    private List<String> notCopied(String server, String database) {
        Map<String, Endpoint> endpoints =
                Map.of("source", endpoint(server, database), "target", endpoint("old", "kinds"));
        return new PostgresPreflight(
                        id -> Objects.requireNonNull(endpoints.get(id)),
                        new InMemoryServerRecords(),
                        UserDirectory.NONE,
                        new PostgresPreflight.Limits(100_000, 1, 1))
                .preflight(PostgresServers.spec()).findings().stream()
                        .filter(finding -> finding.id().equals("postgres.schema.not_copied"))
                        .map(Finding::message)
                        .toList();
    }

    /** Beside passwords, by which the endpoints' own logins differ already. */
    @Test
    void rolesThatAreNotTheSameAreNamedWithWhatDiffers() {
        make("old", "roles", "", List.of("""
                        CREATE ROLE bound NOINHERIT CONNECTION LIMIT 5;
                        CREATE ROLE joined IN ROLE pg_monitor;
                        CREATE ROLE tuned; ALTER ROLE tuned SET search_path = shop, public;
                        CREATE ROLE equal IN ROLE pg_monitor CREATEDB; ALTER ROLE equal SET work_mem = '9MB'"""));
        make("new", "roles", "", List.of("""
                        CREATE ROLE bound;
                        CREATE ROLE joined;
                        CREATE ROLE tuned;
                        CREATE ROLE equal IN ROLE pg_monitor CREATEDB; ALTER ROLE equal SET work_mem = '9MB'"""));
        Map<String, Endpoint> endpoints =
                Map.of("source", endpoint("old", "roles"), "target", endpoint("new", "roles"));
        assertThat(new PostgresPreflight(
                                id -> Objects.requireNonNull(endpoints.get(id)),
                                new InMemoryServerRecords(),
                                UserDirectory.NONE,
                                new PostgresPreflight.Limits(100_000, 1, 1))
                        .preflight(PostgresServers.spec())
                        .findings())
                .filteredOn(finding -> finding.id().equals("postgres.roles.differ"))
                .extracting(Finding::message)
                .anySatisfy(message -> assertThat(message)
                        .contains("bound (attributes)", "joined (memberships)", "tuned (settings)")
                        .doesNotContain("equal"));
    }

    /** The disk has to take what is still to come. */
    @Test
    void aTargetThatHasTheRowsAlreadyNeedsNoRoomForThem() {
        make("old", "roomy", "", List.of("CREATE TABLE t (a int PRIMARY KEY)"));
        make("new", "roomy", "", List.of("CREATE TABLE t (a int PRIMARY KEY)"));
        Map<String, Endpoint> endpoints =
                Map.of("source", endpoint("old", "roomy"), "target", endpoint("new", "roomy"));
        PostgresPreflight preflight = new PostgresPreflight(
                id -> Objects.requireNonNull(endpoints.get(id)),
                new InMemoryServerRecords(),
                UserDirectory.NONE,
                new PostgresPreflight.Limits(100_000, 1e9, 1));
        MigrationSpec usual = PostgresServers.spec();
        MigrationSpec filled = new MigrationSpec(
                usual.id(),
                usual.description(),
                usual.engine(),
                usual.source(),
                usual.target(),
                usual.interlays(),
                usual.strategy(),
                new MigrationSpec.Data("none", "logical", "fail", null),
                usual.gates(),
                usual.failureHandling(),
                usual.budget(),
                usual.validation());
        assertThat(preflight.preflight(usual).findings())
                .extracting(Finding::id)
                .contains("postgres.target.disk");
        assertThat(preflight.preflight(filled).findings())
                .extracting(Finding::id)
                .isNotEmpty()
                .doesNotContain("postgres.target.disk", "postgres.target.log_disk");
    }

    /** They log in to either server by the password that their interlay has. */
    @Test
    void rolesWhosePasswordsProxiesKnowNeedNoCommonVerifier() {
        for (String[] side : new String[][] {{"old", "here"}, {"new", "there"}}) {
            make(side[0], "known", "", List.of("""
                            CREATE ROLE known_to_proxies LOGIN PASSWORD 'PASSWORD';
                            CREATE ROLE known_to_nobody LOGIN PASSWORD 'PASSWORD'""".replace("PASSWORD'", side[1] + "'")));
        }
        Map<String, Endpoint> endpoints =
                Map.of("source", endpoint("old", "known"), "target", endpoint("new", "known"));
        assertThat(new PostgresPreflight(
                                id -> Objects.requireNonNull(endpoints.get(id)),
                                new InMemoryServerRecords(),
                                interlays -> {
                                    assertThat(interlays)
                                            .isEqualTo(PostgresServers.spec().interlays());
                                    return Set.of("known_to_proxies");
                                },
                                new PostgresPreflight.Limits(100_000, 1, 1))
                        .preflight(PostgresServers.spec())
                        .findings())
                .filteredOn(finding -> finding.id().equals("postgres.roles.differ"))
                .extracting(Finding::message)
                .anySatisfy(message -> assertThat(message)
                        .contains("different passwords", "known_to_nobody")
                        .doesNotContain("known_to_proxies"));
    }

    /** No row without its finding, no finding without its row, and a fixture for each. */
    @Test
    void theDocumentSaysWhatTheCodeDoes() throws IOException {
        Set<String> code = new TreeSet<>();
        Pattern id = Pattern.compile("\"(postgres\\.[a-z_.]+)\"");
        try (Stream<Path> files = Files.list(CODE)) {
            for (Path file : files.toList()) {
                Matcher found = id.matcher(Files.readString(file));
                while (found.find()) {
                    code.add(found.group(1));
                }
            }
        }
        assertThat(documented().keySet()).isEqualTo(code);
        Set<String> shown = Hazard.all().map(Hazard::id).collect(Collectors.toCollection(TreeSet::new));
        shown.add(CLIENT);
        for (Map.Entry<String, Class<?>> elsewhere : ELSEWHERE.entrySet()) {
            shown.add(elsewhere.getKey());
            String path = elsewhere.getValue().getName().replace('.', '/') + ".java";
            assertThat(Files.readString(Path.of("src/test/java", path))).contains(elsewhere.getKey());
            assertThat(Files.readString(DOCUMENT)).contains(path);
        }
        assertThat(shown).isEqualTo(code);
    }

    @Test
    void aClientIsNamedWhereThereIsOne() {
        make("starved", "client", "", List.of("CREATE TABLE t (a int PRIMARY KEY)"));
        make("old", "client", "", List.of());
        Map<String, Endpoint> endpoints =
                Map.of("source", endpoint("starved", "client"), "target", endpoint("old", "client"));
        assertThat(new PostgresPreflight(
                                id -> Objects.requireNonNull(endpoints.get(id)),
                                new InMemoryServerRecords(),
                                UserDirectory.NONE)
                        .preflight(PostgresServers.spec()).findings().stream()
                                .filter(finding -> finding.id().equals(CLIENT))
                                .map(Finding::severity)
                                .toList())
                .isEqualTo(ClientTools.find(14, 15).isPresent() ? List.of("info") : List.of());
    }

    private static Map<String, Set<String>> documented() throws IOException {
        Map<String, Set<String>> all = new TreeMap<>();
        for (String line : Files.readAllLines(DOCUMENT)) {
            Matcher row = ROW.matcher(line);
            if (row.find()) {
                assertThat(all.put(row.group(1), Set.of(row.group(2).split(", ", -1))))
                        .as(line)
                        .isNull();
            }
        }
        return all;
    }

    private void make(String name, String database, String options, List<String> statements) {
        if (Set.of("standby", "nowhere", "stranger", "absent").contains(name)) {
            return;
        }
        execute(name, "eden", "CREATE DATABASE " + database + " " + options);
        if (name.equals("nobody")) {
            execute(name, "eden", "CREATE ROLE nobody LOGIN PASSWORD 'nobody'");
        }
        statements.forEach(sql -> execute(name, database, sql));
    }

    private void execute(String name, String database, String sql) {
        try (PostgresSession session = session(name, database)) {
            session.execute("SET search_path = public");
            session.execute("SET allow_system_table_mods = on");
            session.execute(sql);
        }
    }

    private PostgresSession session(String name, String database) {
        EmbeddedPostgres server = server(name);
        Endpoint own = new Endpoint(
                name,
                "postgres",
                server.host(),
                server.port(),
                false,
                new Backend.Login(server.user(), new Secret(server.password())),
                database);
        return PostgresSession.connect(own, "test", Duration.ofSeconds(30));
    }

    /** One for each migration. */
    private int way(EmbeddedPostgres server, int major, int most) {
        ServerInDisguise way = new ServerInDisguise(server.port(), major, most);
        ways.add(way);
        return way.port();
    }

    private EmbeddedPostgres server(String name) {
        String known = servers.containsKey(name) ? name : "new";
        return Objects.requireNonNull(servers.get(known));
    }

    private Endpoint endpoint(String name, String database) {
        EmbeddedPostgres server = server(name);
        Backend.Login login = switch (name) {
            case "nobody" -> new Backend.Login("nobody", new Secret("nobody"));
            case "stranger" -> new Backend.Login(server.user(), new Secret("wrong"));
            default -> new Backend.Login(server.user(), new Secret(server.password()));
        };
        return new Endpoint(
                name,
                "postgres",
                name.equals("plain") ? "0.0.0.0" : server.host(),
                switch (name) {
                    case "nowhere" -> 1;
                    case "ancient" -> way(server, 13, Integer.MAX_VALUE);
                    case "once" -> way(server, 0, 1);
                    default -> server.port();
                },
                false,
                login,
                name.equals("standby") || name.equals("stranger") ? "eden" : database);
    }
}
