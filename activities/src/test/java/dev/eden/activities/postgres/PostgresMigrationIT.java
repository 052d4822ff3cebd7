package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.AttemptReport;
import dev.eden.activities.cutover.AttemptSettler;
import dev.eden.activities.cutover.CutoverCoordinator;
import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.SweepLoop;
import dev.eden.activities.postgres.cleanup.PostgresCleanup;
import dev.eden.activities.postgres.cutover.PostgresCutover;
import dev.eden.activities.postgres.validation.PostgresValidation;
import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.proxy.Admission;
import dev.eden.workflows.MigrationSpec;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.postgresql.PGConnection;

/** A whole migration under live writes, forwards, back and forwards again, without proxies: applications meet the servers' own fences. */
class PostgresMigrationIT {
    private static final Duration LONG = Duration.ofSeconds(90);

    /** Two; with {@code -Deden.pairs=all} every pair of versions, downwards too; with {@code -Deden.pairs=17-18,14-15} those. */
    static Stream<Arguments> pairs() {
        String wanted = System.getProperty("eden.pairs", "15-18,18-14");
        if (wanted.equals("all")) {
            return IntStream.rangeClosed(14, 18)
                    .boxed()
                    .flatMap(from -> IntStream.rangeClosed(14, 18).mapToObj(to -> Arguments.of(from, to)));
        }
        return Stream.of(wanted.split(",", -1)).map(pair -> pair.split("-", 2)).map(Arguments::of);
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void movesAndComesBackWithoutLosingAnAcknowledgedRow(int from, int to) throws SQLException {
        try (var servers = PostgresServers.start(from, to)) {
            schema(servers);
            String sourceBefore = portrait(servers, "source");
            List<String> moved = moved(servers, "source");
            servers.prepare();
            try (var writers = new Writers(servers, 3)) {
                try (var running = servers.replicate()) {
                    awaitStreaming(servers);
                    assertFrozen(servers, "source");
                    assertAdmits(servers);
                    flip(servers, true, 1);
                    assertOwner(servers, "target", writers);
                    assertFrozen(servers, "target");
                    awaitStreaming(servers);
                    flip(servers, false, 2);
                    assertOwner(servers, "source", writers);
                    awaitStreaming(servers);
                    flip(servers, true, 3);
                    assertOwner(servers, "target", writers);
                    awaitStreaming(servers);
                    writers.close();
                    assertThat(running.failure.get()).isNull();
                    assertEqualSides(servers);
                    assertSequencesCompared(servers);
                }
                assertHistory(servers, "target", writers);
            }
            servers.store.detach(PostgresServers.MIGRATION);
            new PostgresCleanup(servers, servers.records).cleanUp(PostgresServers.spec(), true, false);
            assertNothingLeft(servers);
            assertThat(portrait(servers, "source")).isEqualTo(sourceBefore);
            assertThat(moved(servers, "target")).isEqualTo(moved).isNotEmpty();
            assertThat(servers.records.isEmpty()).isTrue();
        }
    }

    @Test
    void aMigrationTakenBackLeavesBothServersAsTheyWere() {
        try (var servers = PostgresServers.start(17, 15)) {
            schema(servers);
            try (PostgresSession target = servers.own("target")) {
                target.execute("CREATE TABLE public.theirs (id int PRIMARY KEY)");
                target.execute("CREATE ROLE somebody LOGIN");
            }
            String sourceBefore = portrait(servers, "source");
            String targetBefore = portrait(servers, "target");
            assertWaitsForOthers(servers);
            servers.prepare();
            try (var running = servers.replicate()) {
                awaitStreaming(servers);
                assertThat(running.failure.get()).isNull();
            }
            servers.store.detach(PostgresServers.MIGRATION);
            new PostgresCleanup(servers, servers.records).cleanUp(PostgresServers.spec(), false, true);
            assertNothingLeft(servers);
            assertThat(portrait(servers, "source")).isEqualTo(sourceBefore);
            assertThat(portrait(servers, "target")).isEqualTo(targetBefore);
        }
    }

    /** Two fences on one server would lock each other out. */
    private static void assertWaitsForOthers(PostgresServers servers) {
        try (PostgresSession target = servers.own("target")) {
            target.execute("CREATE ROLE eden_other_control");
            String before = portrait(servers, "target");
            assertThatThrownBy(servers::prepare).hasMessageContaining("eden_other");
            assertThat(portrait(servers, "target")).isEqualTo(before);
            assertThat(servers.records.isEmpty()).isTrue();
            target.execute("DROP ROLE eden_other_control");
        }
    }

    /** The target's tables have columns, types and an order of their own: what the source has goes there and comes back. */
    @Test
    void aTargetMayHaveAWiderSchema() {
        try (var servers = PostgresServers.start(14, 16)) {
            schema(servers);
            try (PostgresSession source = servers.own("source");
                    PostgresSession target = servers.own("target")) {
                source.execute("""
                        CREATE TABLE shop.words (word text COLLATE "C" PRIMARY KEY, n int);
                        INSERT INTO shop.words SELECT w || i, i FROM generate_series(1, 30) AS i, unnest('{a,B}'::text[]) AS w;
                        """);
                target.execute("""
                        CREATE SCHEMA shop;
                        CREATE TABLE shop.lines (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, account int, v numeric,
                            added text NOT NULL DEFAULT 'new');
                        CREATE TABLE shop.words (word text COLLATE "und-x-icu" PRIMARY KEY, n bigint);
                        """);
            }
            servers.prepare();
            try (var running = servers.replicate()) {
                awaitStreaming(servers);
                flip(servers, true, 1);
                awaitStreaming(servers);
                try (PostgresSession target = servers.control("target");
                        PostgresSession source = servers.control("source")) {
                    assertThat(target.number("SELECT count(*) FROM shop.lines WHERE added = 'new'"))
                            .isEqualTo(1000);
                    target.execute("INSERT INTO shop.lines (id, account, v, added) VALUES (5000, 1, 5000, 'own')");
                    await().atMost(LONG)
                            .untilAsserted(() -> assertThat(source.number("SELECT v FROM shop.lines WHERE id = 5000"))
                                    .isEqualTo(5000));
                }
                flip(servers, false, 2);
                awaitStreaming(servers);
                flip(servers, true, 3);
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    /** What only adds is on the standby before its statement begins on the owner's side, in both directions; all else is refused and changes nothing. */
    @Test
    void whatOnlyAddsIsCarriedToTheStandbyFirst() throws SQLException {
        try (var servers = PostgresServers.start(15, 18)) {
            schema(servers);
            try (PostgresSession source = servers.own("source")) {
                source.execute("""
                        CREATE FUNCTION shop.trap(x int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
                            BEGIN EXECUTE 'RESET ROLE'; EXCEPTION WHEN OTHERS THEN NULL; END;
                            IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN RAISE 'runs with all rights'; END IF;
                            RETURN true;
                        END $$""");
                source.execute("CREATE DOMAIN shop.trapped AS int CHECK (shop.trap(VALUE))");
                source.execute("CREATE EXTENSION citext SCHEMA public");
            }
            servers.prepare(PostgresServers.spec("additive"));
            try (var writers = new Writers(servers, 2);
                    var running = servers.replicate();
                    Connection application = servers.application("source");
                    var statement = application.createStatement()) {
                awaitStreaming(servers);
                statement.execute(
                        "/* app='shop' */ -- v2\n ALTER TABLE shop.events /* both */ ADD COLUMN more text NOT NULL DEFAULT 'none', ADD also int");
                assertThat(columns(servers, "target"))
                        .contains("more text", "also integer")
                        .isEqualTo(columns(servers, "source"));
                statement.execute("CREATE INDEX CONCURRENTLY by_more ON shop.events (more)");
                statement.execute("CREATE INDEX ON shop.events (lower(note))");
                statement.execute("SET search_path = shop");
                // Once more what another change, a moment ago, has added.
                statement.execute("ALTER TABLE events ADD COLUMN soon smallint");
                statement.execute("ALTER TABLE events ALTER soon TYPE int");
                statement.execute("ALTER TABLE events ALTER soon TYPE bigint, ALTER also TYPE bigint");
                statement.execute("INSERT INTO events (event, more, also) VALUES ('after', 'some', 5000000000)");
                // Of types that are the database's own: what the standby has is compared with it after the commit.
                statement.execute("SET search_path = shop, public");
                statement.execute("SET timezone = 'Europe/Berlin'");
                statement.execute(
                        "ALTER TABLE events ADD mood mood DEFAULT 'fine', ADD word citext NOT NULL DEFAULT 'none'");
                statement.execute("ALTER TABLE events ADD since timestamptz NOT NULL DEFAULT '2024-01-01 00:00+01'");
                assertThatThrownBy(() ->
                                statement.execute("ALTER TABLE events ADD until timestamptz DEFAULT '2024-01-01'"))
                        .hasMessageContaining("settings");
                statement.execute("INSERT INTO events (event, mood, word) VALUES ('moody', 'so so', 'Some')");
                assertThat(columns(servers, "target"))
                        .contains("mood shop.mood", "word public.citext")
                        .isEqualTo(columns(servers, "source"));
                statement.execute("CREATE TEMP TABLE mine (a int)");
                statement.execute("ALTER TABLE mine ADD COLUMN b timestamptz DEFAULT now()");
                statement.execute("CREATE UNIQUE INDEX ON mine (a)");
                assertThat(indexes(servers, "target"))
                        .contains("by_more", "events_lower_idx")
                        .isEqualTo(indexes(servers, "source"));
                assertNothingAdded(servers, statement);
                assertTakenBack(servers, application);
                flip(servers, true, 1);
            }
            try (var writers = new Writers(servers, 2);
                    var running = servers.replicate();
                    Connection application = servers.application("target");
                    var statement = application.createStatement()) {
                awaitStreaming(servers);
                statement.execute("ALTER TABLE shop.events ADD COLUMN later int DEFAULT 7");
                statement.execute("INSERT INTO shop.events (event, later) VALUES ('on the target', 8)");
                assertThat(columns(servers, "source")).contains("later integer").isEqualTo(columns(servers, "target"));
                assertOwner(servers, "target", writers);
                awaitStreaming(servers);
                flip(servers, false, 2);
                assertOwner(servers, "source", writers);
                awaitStreaming(servers);
                writers.close();
                assertThat(running.failure.get()).isNull();
                assertEqualSides(servers);
                assertThat(differences(servers)).isEmpty();
            }
            try (PostgresSession source = servers.control("source")) {
                assertThat(source.number("SELECT also FROM shop.events WHERE event = 'after'"))
                        .isEqualTo(5_000_000_000L);
                assertThat(source.number("SELECT later FROM shop.events WHERE event = 'on the target'"))
                        .isEqualTo(8);
                assertThat(
                                source.number(
                                        "SELECT count(*) FROM shop.events WHERE event LIKE 'old-%' AND more = 'none' AND later = 7"))
                        .isEqualTo(20000);
            }
        }
    }

    /** What is on a server's disk when Eden says so is not left to that server's settings: the marker leaves at once, and nothing comes back as an echo. */
    @Test
    void serversMayCommitWithoutWaitingForTheirDisks() throws SQLException {
        try (var servers = PostgresServers.start(15, 17, "synchronous_commit=off", "wal_writer_delay=10s")) {
            schema(servers);
            servers.prepare();
            try (var writers = new Writers(servers, 2);
                    var running = servers.replicate()) {
                awaitStreaming(servers);
                commits(servers, PostgresServers.spec(null, 5_000), true, 1);
                assertOwner(servers, "target", writers);
                awaitStreaming(servers);
                commits(servers, PostgresServers.spec(null, 5_000), false, 2);
                assertOwner(servers, "source", writers);
                awaitStreaming(servers);
                writers.close();
                assertThat(running.failure.get()).isNull();
                assertEqualSides(servers);
            }
        }
    }

    /** Before 16 a slot is made to note what is open, and waits for it: an armed attempt is taken back after five seconds by whoever looks after lost ones. */
    @Test
    void whatIsOpenInAnotherDatabaseOfTheStandbyKeepsNoAttemptFromItsEnd() {
        try (var servers = PostgresServers.start(15, 15);
                PostgresSession other = servers.own("target", "postgres")) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY)");
            }
            servers.prepare();
            PostgresCutover engine = new PostgresCutover(servers, servers.records);
            try (var running = servers.replicate();
                    var _ = new SweepLoop(servers.store, new AttemptSettler(servers.store, engine), null)) {
                awaitStreaming(servers);
                other.execute("BEGIN");
                other.execute("CREATE TABLE public.held (id int)");
                flip(servers, true, 1);
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    /** Neither takes a change of the schema, so both may come after preflight has looked; in whichever direction writes move. */
    @Test
    void nothingIsCutOverWhileThereAreRowsThatNoLogCarries() {
        try (var servers = PostgresServers.start(15, 18)) {
            String fill = "INSERT INTO public.cache VALUES (1)";
            try (PostgresSession source = servers.own("source");
                    PostgresSession target = servers.own("target")) {
                source.execute("CREATE UNLOGGED TABLE public.cache (a int PRIMARY KEY)");
                target.execute(
                        "CREATE UNLOGGED TABLE public.theirs (a int PRIMARY KEY); INSERT INTO public.theirs VALUES (1)");
            }
            servers.prepare();
            try (var running = servers.replicate()) {
                awaitStreaming(servers);
                try (PostgresSession source = servers.own("source")) {
                    source.execute(fill);
                    assertRefused(servers, true, "the unlogged table public.cache has rows on source");
                    source.execute("TRUNCATE public.cache");
                    long object = source.number("SELECT lo_create(0)");
                    assertRefused(servers, true, "source has 1 large objects");
                    source.number("SELECT lo_unlink(?::oid)", object);
                }
                flip(servers, true, 1);
                awaitStreaming(servers);
                try (PostgresSession target = servers.own("target")) {
                    target.execute(fill);
                    assertRefused(servers, false, "the unlogged table public.cache has rows on target");
                    target.execute("TRUNCATE public.cache");
                }
                flip(servers, false, 2);
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    private static void assertRefused(PostgresServers servers, boolean forward, String blocker) {
        AttemptReport report = coordinator(servers).attempt(PostgresServers.spec(), forward, 1);
        assertThat(report.outcome()).as("%s", report).isEqualTo("refused");
        assertThat(report.blockers()).singleElement().asString().contains(blocker);
    }

    private static void assertNothingAdded(PostgresServers servers, java.sql.Statement statement) {
        List<String> before = columns(servers, "target");
        for (String change : List.of(
                "ALTER TABLE shop.events DROP COLUMN more",
                "ALTER TABLE shop.events ADD COLUMN at2 timestamptz DEFAULT now()",
                "ALTER TABLE shop.events ADD COLUMN bad no_such_type",
                "ALTER TABLE shop.events ALTER COLUMN id TYPE int",
                "CREATE UNIQUE INDEX CONCURRENTLY once ON shop.events (event)",
                "DO $$ BEGIN ALTER TABLE shop.events ADD COLUMN hidden int; END $$",
                "CREATE TABLE shop.more (a int)",
                "DROP INDEX CONCURRENTLY shop.by_more")) {
            assertThatThrownBy(() -> statement.execute(change), change)
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("55000"));
        }
        assertThatThrownBy(() -> statement.execute("ALTER TABLE shop.events ADD COLUMN bad shop.trapped DEFAULT 1"))
                .as("functions of others run with the rights of the table's owner on the standby")
                .hasMessageContaining("only columns of types without a default of their own");
        assertThat(columns(servers, "target")).isEqualTo(before);
        assertThat(columns(servers, "source")).isEqualTo(before);
    }

    /** Rolled back by its application: nothing is cut over until the standby is as before. */
    private static void assertTakenBack(PostgresServers servers, Connection application) throws SQLException {
        List<String> before = columns(servers, "target");
        application.setAutoCommit(false);
        try (var statement = application.createStatement()) {
            statement.execute("ALTER TABLE shop.events ADD COLUMN undone smallint DEFAULT 3");
            statement.execute("ALTER TABLE shop.events ALTER undone TYPE integer");
            assertThat(columns(servers, "target")).contains("undone integer");
            assertThat(coordinator(servers).readiness(PostgresServers.spec(), true))
                    .anySatisfy(blocker -> assertThat(blocker).contains("shop.events has not ended"));
        }
        application.rollback();
        application.setAutoCommit(true);
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(columns(servers, "target")).isEqualTo(before));
        await().atMost(LONG)
                .untilAsserted(() -> assertThat(coordinator(servers).readiness(PostgresServers.spec(), true))
                        .isEmpty());
    }

    private static List<String> columns(PostgresServers servers, String id) {
        try (PostgresSession session = servers.control(id)) {
            return session.texts(
                    "SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'shop.events'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY 1");
        }
    }

    private static List<String> indexes(PostgresServers servers, String id) {
        try (PostgresSession session = servers.control(id)) {
            return session.texts(
                    "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'shop.events'::regclass AND i.indisvalid ORDER BY 1");
        }
    }

    private static void assertFrozen(PostgresServers servers, String owner) throws SQLException {
        try (Connection connection = servers.application(owner);
                var statement = connection.createStatement()) {
            assertThatThrownBy(() -> statement.execute("ALTER TABLE shop.events ADD COLUMN more int"))
                    .hasMessageContaining("frozen");
            assertThatThrownBy(() -> statement.execute("DROP VIEW shop.rich")).hasMessageContaining("frozen");
            // It would be there already when its last transaction is refused.
            assertThatThrownBy(() -> statement.execute("CREATE INDEX CONCURRENTLY late ON shop.events (note)"))
                    .hasMessageContaining("frozen");
            for (String other : List.of(
                    "GRANT SELECT ON shop.events TO readers",
                    "ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO readers",
                    "COMMENT ON TABLE shop.events IS 'other'",
                    "SELECT 1 AS a INTO shop.taken")) {
                assertThatThrownBy(() -> statement.execute(other), other).hasMessageContaining("frozen");
            }
            try (var rows = statement.executeQuery("SELECT to_regclass('shop.late')")) {
                rows.next();
                assertThat(rows.getString(1)).isNull();
            }
            statement.execute("CREATE TEMP TABLE mine AS SELECT 1 AS a");
            statement.execute("DROP TABLE mine");
            statement.execute("CREATE TABLE IF NOT EXISTS shop.events (id int)");
            // Superusers pass it so, and nobody else.
            statement.execute("SET eden.schema_freeze = off");
            assertThatThrownBy(() -> statement.execute("ALTER TABLE shop.events ADD COLUMN more int"))
                    .hasMessageContaining("frozen");
        }
        try (PostgresSession session = servers.own(owner)) {
            assertThatThrownBy(
                            () -> session.execute(
                                    "CREATE TABLE shop.measures_3 PARTITION OF shop.measures FOR VALUES FROM ('2030-01-01') TO ('2030-07-01')"))
                    .hasMessageContaining("frozen");
            // As loaders set it, whom no ordinary trigger is to stop.
            session.execute("SET session_replication_role = replica");
            for (String change : List.of(
                    "ALTER TABLE shop.events ADD COLUMN more int",
                    "DROP VIEW shop.rich",
                    "CREATE INDEX CONCURRENTLY late ON shop.events (note)")) {
                assertThatThrownBy(() -> session.execute(change), change).hasMessageContaining("frozen");
            }
        }
    }

    /** After a flip the owner's sequences are beyond the other side's, and validation tells one that is not. */
    private static void assertSequencesCompared(PostgresServers servers) {
        assertThat(differences(servers)).isEmpty();
        try (PostgresSession target = servers.control("target");
                PostgresSession source = servers.control("source")) {
            long before = source.number("SELECT last_value FROM shop.events_id_seq");
            long now = target.number("SELECT last_value FROM shop.events_id_seq");
            assertThat(now).isGreaterThanOrEqualTo(before);
            target.number("SELECT setval('shop.events_id_seq', ?)", before - 1);
            assertThat(differences(servers)).containsExactly(tuple("sequence shop.events_id_seq", "value"));
            target.number("SELECT setval('shop.events_id_seq', ?)", now);
            target.execute("ALTER SEQUENCE shop.lines_id_seq INCREMENT 2");
            assertThat(differences(servers)).containsExactly(tuple("sequence shop.lines_id_seq", "type"));
            target.execute("ALTER SEQUENCE shop.lines_id_seq INCREMENT 1");
        }
    }

    private static List<Tuple> differences(PostgresServers servers) {
        return new PostgresValidation(servers, servers.records, servers.store, servers.store, Clock.systemUTC())
                .validate(PostgresServers.spec(), false, null, cursor -> {}).sample().stream()
                        .map(difference -> tuple(difference.key(), difference.kind()))
                        .toList();
    }

    /** Ahead of a flip the standby lets in who shows the proxies' pass, and nobody else; who is not named afterwards is ended. */
    private static void assertAdmits(PostgresServers servers) throws SQLException {
        try (CutoverEngine.Session session = new PostgresCutover(servers, servers.records)
                .open(PostgresServers.MIGRATION, "source", "target", CutoverEngine.Others.END)) {
            boolean possible;
            try (PostgresSession target = servers.control("target")) {
                possible = target.major() >= 17;
            }
            assertThat(session.admitProxies(7)).isEqualTo(possible);
            if (!possible) {
                assertThatThrownBy(() -> servers.application("target"))
                        .hasMessageContaining("permission denied for database");
                return;
            }
            assertThatThrownBy(() -> servers.application("target")).hasMessageContaining("nobody may connect");
            assertThatThrownBy(() -> admitted(servers, 6)).hasMessageContaining("nobody may connect");
            try (Connection named = admitted(servers, 7);
                    Connection other = admitted(servers, 7)) {
                session.shutOut(Set.of(named.unwrap(PGConnection.class).getBackendPID()));
                assertThat(named.isValid(5)).isTrue();
                assertThat(other.isValid(5)).isFalse();
                assertThatThrownBy(() -> admitted(servers, 7)).hasMessageContaining("permission denied for database");
                assertThat(session.fenced(CutoverEngine.Side.TO)).isTrue();
                session.shutOut(Set.of());
            }
        }
    }

    private static Connection admitted(PostgresServers servers, long epoch) throws SQLException {
        var proxies = servers.records.login(
                PostgresServers.MIGRATION,
                "target",
                EdenRoles.PROXY_LOGIN,
                EdenObjects.of(PostgresServers.MIGRATION).proxy());
        return DriverManager.getConnection(
                servers.target.jdbcUrl() + "?options=-c%20eden.admission=" + Admission.pass(proxies.password(), epoch),
                "app",
                "app");
    }

    static void schema(PostgresServers servers) {
        try (PostgresSession session = servers.own("source")) {
            session.execute("""
                    CREATE ROLE app LOGIN PASSWORD 'app';
                    CREATE ROLE readers;
                    GRANT readers TO app;
                    CREATE SCHEMA shop AUTHORIZATION app;
                    CREATE TYPE shop.mood AS ENUM ('fine', 'so so');
                    CREATE DOMAIN shop.amount AS bigint CHECK (VALUE > -1000000);
                    CREATE TABLE shop.accounts (id int PRIMARY KEY, balance shop.amount NOT NULL, mood shop.mood DEFAULT 'fine',
                        doubled bigint GENERATED ALWAYS AS (balance * 2) STORED);
                    CREATE TABLE shop.events (id bigserial PRIMARY KEY, event text NOT NULL, note text, at timestamptz DEFAULT now());
                    CREATE INDEX events_event ON shop.events (event);
                    CREATE TABLE shop.keyless (a int, b text);
                    CREATE TABLE shop.lines (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, account int REFERENCES shop.accounts, v numeric UNIQUE);
                    CREATE TABLE shop.measures (day date NOT NULL, v float8, PRIMARY KEY (day)) PARTITION BY RANGE (day);
                    CREATE TABLE shop.measures_1 PARTITION OF shop.measures FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
                    CREATE TABLE shop.measures_2 PARTITION OF shop.measures DEFAULT;
                    CREATE VIEW shop.rich AS SELECT id FROM shop.accounts WHERE balance > 10;
                    ALTER VIEW shop.rich OWNER TO app;
                    ALTER TABLE shop.events OWNER TO app;
                    CREATE FUNCTION shop.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := NEW.note || ''!''; RETURN NEW; END';
                    CREATE TRIGGER noted BEFORE INSERT ON shop.events FOR EACH ROW EXECUTE FUNCTION shop.noted();
                    COMMENT ON TABLE shop.events IS 'what happened';
                    INSERT INTO shop.accounts (id, balance) SELECT i, 100 FROM generate_series(1, 10) AS i;
                    INSERT INTO shop.accounts (id, balance) VALUES (11, 0);
                    INSERT INTO shop.keyless SELECT i, 'x' FROM generate_series(1, 50) AS i;
                    INSERT INTO shop.lines (account, v) SELECT 1 + i % 10, i FROM generate_series(1, 1000) AS i;
                    INSERT INTO shop.measures SELECT '2026-01-01'::date + i, i FROM generate_series(1, 300) AS i;
                    INSERT INTO shop.events (event, note) SELECT 'old-' || i, 'o' FROM generate_series(1, 20000) AS i;
                    GRANT ALL ON ALL TABLES IN SCHEMA shop TO app;
                    GRANT ALL ON ALL SEQUENCES IN SCHEMA shop TO app;
                    GRANT SELECT ON shop.accounts TO readers;
                    ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO readers;
                    """);
        }
    }

    static void awaitStreaming(PostgresServers servers) {
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(servers.store.progress(PostgresServers.MIGRATION)).isPresent();
            Progress progress =
                    servers.store.progress(PostgresServers.MIGRATION).orElseThrow();
            assertThat(progress.state()).as("%s", progress).isEqualTo("streaming");
            assertThat(progress.reverseProven()).isTrue();
            assertThat(progress.lagMs()).isLessThan(1_000);
        });
    }

    static CutoverCoordinator coordinator(PostgresServers servers) {
        PostgresCutover engine = new PostgresCutover(servers, servers.records);
        return new CutoverCoordinator(
                servers.store, servers.store, engine, new AttemptSettler(servers.store, engine), "test");
    }

    static void flip(PostgresServers servers, boolean forward, int number) {
        commits(servers, PostgresServers.spec(), forward, number);
    }

    private static void commits(PostgresServers servers, MigrationSpec spec, boolean forward, int number) {
        AttemptReport report = coordinator(servers).attempt(spec, forward, number);
        assertThat(report.outcome()).as("%s", report).isEqualTo("committed");
    }

    /** Applications get on with their work, on that side alone. */
    static void assertOwner(PostgresServers servers, String owner, Writers writers) {
        int before = writers.acknowledged.size();
        await().atMost(LONG).until(() -> writers.acknowledged.size() > before + 50);
        String other = owner.equals("source") ? "target" : "source";
        try (PostgresSession session = servers.control(other)) {
            assertThat(session.number(
                            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename !~ ?",
                            EdenObjects.ROLE_PATTERN))
                    .isZero();
        }
        assertThatThrownBy(() -> servers.application(other)).hasMessageContaining("permission denied for database");
    }

    private static final List<String> CONTENTS = List.of(
            "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM shop.events AS t",
            "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM shop.accounts AS t",
            "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM shop.keyless AS t",
            "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM shop.lines AS t",
            "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM shop.measures AS t");

    static void assertEqualSides(PostgresServers servers) {
        try (PostgresSession source = servers.control("source");
                PostgresSession target = servers.control("target")) {
            await().atMost(LONG).untilAsserted(() -> {
                for (String sql : CONTENTS) {
                    assertThat(target.text(sql)).as(sql).isEqualTo(source.text(sql));
                }
            });
        }
    }

    static void assertHistory(PostgresServers servers, String owner, Writers writers) {
        try (PostgresSession session = servers.control(owner)) {
            List<String> events = session.texts("SELECT event FROM shop.events WHERE event !~ '^old'");
            Set<String> once = new HashSet<>(events);
            assertThat(events).hasSize(once.size());
            assertThat(once).containsAll(writers.acknowledged);
            once.removeAll(writers.acknowledged);
            assertThat(writers.doubtful).containsAll(once);
            assertThat(writers.duplicates).isEmpty();
            assertThat(session.is("SELECT nextval('shop.events_id_seq') > max(id) FROM shop.events"))
                    .isTrue();
            assertThat(session.is("SELECT nextval('shop.lines_id_seq') > max(id) FROM shop.lines"))
                    .isTrue();
            assertThat(session.number("SELECT sum(balance) FROM shop.accounts")).isEqualTo(1000);
            assertThat(session.number("SELECT count(*) FROM shop.events WHERE event ~ '^old'"))
                    .isEqualTo(20000);
            assertThat(session.number("SELECT count(*) FROM shop.events WHERE event !~ '^old' AND note !~ '!$'"))
                    .isZero();
        }
    }

    private static final List<String> LEFT_OVERS = List.of(
            "SELECT count(*) FROM pg_roles WHERE rolname ~ '^eden_'",
            "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^eden_'",
            "SELECT count(*) FROM pg_event_trigger WHERE evtname ~ '^eden_'",
            "SELECT count(*) FROM pg_subscription",
            "SELECT count(*) FROM pg_publication",
            "SELECT count(*) FROM pg_replication_slots",
            "SELECT count(*) FROM pg_replication_origin");

    static void assertNothingLeft(PostgresServers servers) {
        assertNothingLeft(servers, "source");
        assertNothingLeft(servers, "target");
    }

    static void assertNothingLeft(PostgresServers servers, String id) {
        try (PostgresSession session = servers.own(id)) {
            for (String sql : LEFT_OVERS) {
                assertThat(session.number(sql)).as(id + ": " + sql).isZero();
            }
        }
    }

    /** What the source was, the completed target is: relations with their identities and owners, roles, privileges, defaults, triggers. Of PostgreSQL's own, versions differ. */
    private static List<String> moved(PostgresServers servers, String id) {
        try (PostgresSession session = servers.own(id)) {
            return session.texts("""
                    SELECT format('%s %s %s %s', c.oid::regclass, c.relkind, c.relreplident, c.relowner::regrole) FROM pg_class c
                        WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind NOT IN ('i', 'I')
                    UNION ALL SELECT format('%s: %s %s', c.oid::regclass, a.grantee::regrole, a.privilege_type) FROM pg_class c, aclexplode(c.relacl) AS a
                        WHERE c.relnamespace = 'shop'::regnamespace AND a.grantee <> c.relowner AND a.privilege_type <> 'MAINTAIN'
                    UNION ALL SELECT format('role %s %s %s %s %s', rolname, rolsuper, rolcanlogin, rolreplication, rolbypassrls) FROM pg_roles WHERE rolname !~ '^pg_'
                    UNION ALL SELECT format('member %s %s', roleid::regrole, member::regrole) FROM pg_auth_members WHERE roleid > 16383
                    UNION ALL SELECT format('database %s: %s %s', datdba::regrole, a.grantee::regrole, a.privilege_type) FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS a
                        WHERE datname = current_database()
                    UNION ALL SELECT format('schema %s %s: %s %s', nspname, nspowner::regrole, a.grantee::regrole, a.privilege_type) FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) AS a
                        WHERE nspname = 'shop'
                    UNION ALL SELECT format('default %s %s %s: %s %s', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, a.grantee::regrole, a.privilege_type) FROM pg_default_acl, aclexplode(defaclacl) AS a
                        WHERE a.privilege_type <> 'MAINTAIN'
                    UNION ALL SELECT format('trigger %s %s %s', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
                    UNION ALL SELECT format('event trigger %s', evtname) FROM pg_event_trigger
                    ORDER BY 1""");
        }
    }

    /** What a migration may not change on the source: relations with their identities, roles, privileges, triggers. */
    static String portrait(PostgresServers servers, String id) {
        try (PostgresSession session = servers.own(id)) {
            return String.join("\n", session.texts("""
                    SELECT format('%s %s %s %s', c.oid::regclass, c.relkind, c.relreplident, c.relacl) FROM pg_class c
                        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname NOT IN ('information_schema', 'pg_toast') AND c.relkind <> 'i'
                        AND c.relname !~ '^pg_toast'
                    UNION ALL SELECT format('%s %s %s %s', rolname, rolsuper, rolcanlogin, rolreplication) FROM pg_roles
                    UNION ALL SELECT format('%s %s', datname, coalesce(datacl, acldefault('d', datdba))) FROM pg_database
                    UNION ALL SELECT format('%s %s', nspname, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)'
                    UNION ALL SELECT format('%s %s', tgrelid::regclass, tgname) FROM pg_trigger WHERE NOT tgisinternal
                    UNION ALL SELECT format('%s', evtname) FROM pg_event_trigger
                    ORDER BY 1"""));
        }
    }
}
