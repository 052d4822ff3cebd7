package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.Stalled;
import dev.eden.activities.cleanup.CleanupIncomplete;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.cleanup.PostgresCleanup;
import dev.eden.activities.postgres.fence.DatabaseFence;
import dev.eden.activities.postgres.preparation.PostgresPreparation;
import dev.eden.activities.redis.preparation.InterceptedRecords;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.MigrationEndedException;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.ServerRecords;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A migration that ends while one of its servers is away. */
class PostgresCleanupIT {

    @Test
    void theSourceIsFreeThoughTheTargetIsAway() {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY); CREATE TABLE public.keyless (n int)");
            }
            String before = PostgresMigrationIT.portrait(servers, "source");
            move(servers);
            servers.target.kill();
            assertThatThrownBy(() -> cleanUp(servers, false))
                    .isInstanceOf(CleanupIncomplete.class)
                    .hasMessageContaining("target is not clean yet: it cannot be reached")
                    .hasMessageContaining("source is clean")
                    .hasMessageNotContaining(Integer.toString(servers.target.port()));
            PostgresMigrationIT.assertNothingLeft(servers, "source");
            assertThat(PostgresMigrationIT.portrait(servers, "source")).isEqualTo(before);

            // Its own again: what is changed there stays.
            try (PostgresSession source = servers.own("source")) {
                source.execute("ALTER TABLE public.keyless REPLICA IDENTITY FULL; DROP TABLE public.t");
            }
            servers.target.restart();
            cleanUp(servers, false);
            PostgresMigrationIT.assertNothingLeft(servers, "target");
            try (PostgresSession source = servers.own("source")) {
                assertThat(source.text("SELECT relreplident::text FROM pg_class WHERE relname = 'keyless'"))
                        .hasValue("f");
            }
            assertThat(servers.records.isEmpty()).isTrue();
        }
    }

    @Test
    void theTargetIsFreeThoughTheSourceIsAway() throws SQLException {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY); CREATE ROLE app LOGIN PASSWORD 'app'");
            }
            move(servers);
            servers.source.kill();
            assertThatThrownBy(() -> cleanUp(servers, true))
                    .hasMessageContaining("source is not clean yet: it cannot be reached")
                    .hasMessageContaining("target is clean");
            PostgresMigrationIT.assertNothingLeft(servers, "target");
            servers.application("target").close();
            servers.source.restart();
            cleanUp(servers, true);
            PostgresMigrationIT.assertNothingLeft(servers, "source");
        }
    }

    /** The target's database belongs to whom the source's does; who owned it before keeps no grant that he never had. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whoMayConnectToTheTargetIsWhoMayToTheSourceOrAsBefore(boolean completed) {
        String rules =
                "SELECT string_agg(rule::text, ' ' ORDER BY rule::text) FROM pg_database, unnest(coalesce(datacl, acldefault('d', datdba))) AS rule WHERE datname = current_database()";
        try (var servers = PostgresServers.start(18, 17)) {
            Optional<String> before;
            try (PostgresSession target = servers.own("target");
                    PostgresSession source = servers.own("source")) {
                target.execute("CREATE ROLE keeper; ALTER DATABASE eden OWNER TO keeper");
                before = (completed ? source : target).text(rules);
            }
            servers.prepare();
            try (var _ = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                if (completed) {
                    assertThat(PostgresMigrationIT.coordinator(servers)
                                    .attempt(PostgresServers.spec(), true, 1)
                                    .outcome())
                            .isEqualTo("committed");
                }
            }
            servers.store.detach(PostgresServers.MIGRATION);
            cleanUp(servers, completed);
            try (PostgresSession target = servers.own("target")) {
                assertThat(target.text(rules)).isEqualTo(before);
            }
        }
    }

    /** What the source has without validation, the target had and has again: validated, where the rows that it keeps allow that. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aPreparedTargetHasItsConstraintsAgain(boolean loaded) {
        try (var servers = PostgresServers.start(18, 18)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("""
                        SET search_path = public;
                        CREATE DOMAIN positive AS int;
                        CREATE TABLE t (id int PRIMARY KEY, n int, p positive, d int);
                        INSERT INTO t SELECT i, -i, -i, nullif(i, 1) FROM generate_series(1, 10) AS i;
                        ALTER TABLE t ADD CONSTRAINT recent CHECK (n > 0) NOT VALID, ADD CONSTRAINT wide CHECK (n > 0) NOT VALID,
                            ADD CONSTRAINT pending CHECK (n > 0) NOT VALID, ADD CONSTRAINT d_there NOT NULL d NOT VALID,
                            ADD CONSTRAINT mine_not CHECK (n > 0) NOT VALID;
                        ALTER DOMAIN positive ADD CONSTRAINT above CHECK (value > 0) NOT VALID""");
            }
            try (PostgresSession target = servers.own("target")) {
                target.execute("""
                        SET search_path = public;
                        CREATE DOMAIN positive AS int CONSTRAINT above CHECK (value > -100);
                        CREATE TABLE t (id int PRIMARY KEY, n int, p positive, d int CONSTRAINT d_there NOT NULL, CONSTRAINT recent CHECK (n > 0),
                            CONSTRAINT wide CHECK (n > -100));
                        ALTER TABLE t ADD CONSTRAINT pending CHECK (n > 5) NOT VALID""");
            }
            String constraints =
                    "SELECT format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1";
            List<String> before;
            try (PostgresSession target = servers.own("target")) {
                before = target.texts(constraints);
            }
            servers.prepare();
            // As one that was killed on the way.
            servers.prepare();
            if (loaded) {
                try (var running = servers.replicate()) {
                    PostgresMigrationIT.awaitStreaming(servers);
                    assertThat(running.failure.get()).isNull();
                }
            }
            servers.store.detach(PostgresServers.MIGRATION);
            cleanUp(servers, false);
            Set<String> violated = loaded ? Set.of("recent", "d_there") : Set.of();
            try (PostgresSession target = servers.own("target")) {
                assertThat(target.texts(constraints))
                        .filteredOn(one -> !one.startsWith("mine_not"))
                        .containsExactlyElementsOf(before.stream()
                                .map(one -> one + (violated.contains(one.split(" ")[0]) ? " NOT VALID" : ""))
                                .toList());
            }
        }
    }

    /** Who owns writes is not Eden's to open: it was not shut by Eden. */
    @Test
    void whomTheOwnersOperatorShutOutMeanwhileStaysOut() throws SQLException {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY); CREATE ROLE old_admin SUPERUSER LOGIN");
                source.execute("CREATE ROLE app LOGIN PASSWORD 'app'");
            }
            move(servers);
            try (PostgresSession source = servers.own("source")) {
                source.execute("REVOKE CONNECT ON DATABASE eden FROM PUBLIC; ALTER ROLE old_admin NOLOGIN");
            }
            cleanUp(servers, false);
            PostgresMigrationIT.assertNothingLeft(servers);
            assertThatThrownBy(() -> servers.application("source")).hasMessageContaining("permission denied");
            servers.application("target").close();
            try (PostgresSession source = servers.own("source")) {
                assertThat(source.is("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'old_admin'"))
                        .isFalse();
            }
        }
    }

    /** The one thing that is not run as printed: a superuser's LOGIN, which a server that runs would give in single-user mode only. */
    @Test
    void aServerThatComesBackIsCleanedByHandAsTheDocumentSays() throws Exception {
        try (var servers = PostgresServers.start(15, 18)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY); CREATE TABLE public.keyless (n int)");
                source.execute("CREATE ROLE app LOGIN PASSWORD 'app'");
            }
            move(servers);
            servers.source.kill();
            try (PostgresSession eden = servers.control("target")) {
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> !eden.is("SELECT bool_or(active) FROM pg_replication_slots"));
                eden.execute("ALTER ROLE " + Sql.name(servers.target.user()) + " LOGIN");
            }
            String names = EdenObjects.of(PostgresServers.MIGRATION).base();
            try (PostgresSession target = servers.own("target")) {
                for (String statement : cleaningByHand()) {
                    target.execute(
                            statement.replaceAll("\\bX(?=\\b|_)", names).replace("DATABASE orders", "DATABASE eden"));
                }
                assertThat(target.texts("SELECT evtname FROM pg_event_trigger")).isEmpty();
                assertThat(target.texts("SELECT relname FROM pg_class WHERE relreplident = 'f'"))
                        .isEmpty();
            }
            PostgresMigrationIT.assertNothingLeft(servers, "target");
            servers.application("target").close();
        }
    }

    /**
     * A try of the preparation whose worker was stopped, given up for dead, and goes on when all is cleaned up: with the sessions that it has, or none, or with
     * the login that it has just looked up.
     */
    @ParameterizedTest
    @EnumSource(StoppedAt.class)
    void aLatePreparationMakesNothingAnew(StoppedAt at) throws InterruptedException {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY); CREATE TABLE public.keyless (n int)");
            }
            List<String> before = List.of(
                    PostgresMigrationIT.portrait(servers, "source"), PostgresMigrationIT.portrait(servers, "target"));
            Stalled late = new Stalled();
            EndpointDirectory directory = id -> {
                if (at == StoppedAt.BEGINNING) {
                    late.here();
                }
                return servers.endpoint(id);
            };
            ServerRecords records = new InterceptedRecords(servers.records, name -> {
                if (at == StoppedAt.SAVED && name.startsWith("login:")) {
                    late.here();
                }
            });
            Function<String, Optional<RouteLedger.Routes>> routes = id -> {
                Optional<RouteLedger.Routes> found = servers.store.read(id);
                if (at == StoppedAt.FENCE) {
                    late.here();
                }
                return found;
            };
            late.start(() ->
                    new PostgresPreparation(directory, records, routes).prepare(PostgresServers.spec(), () -> {}));
            cleanUp(servers, false);
            assertThat(late.goOn()).isNotNull();
            PostgresMigrationIT.assertNothingLeft(servers);
            assertThat(List.of(
                            PostgresMigrationIT.portrait(servers, "source"),
                            PostgresMigrationIT.portrait(servers, "target")))
                    .isEqualTo(before);
            assertThat(servers.records.isEmpty()).isTrue();
            try (PostgresSession target = servers.own("target")) {
                assertThat(DatabaseFence.raised(target)).isFalse();
            }

            assertThatThrownBy(servers::prepare).isInstanceOf(MigrationEndedException.class);
            cleanUp(servers, false);
            servers.records.begin(PostgresServers.MIGRATION);
            servers.prepare();
            servers.store.detach(PostgresServers.MIGRATION);
            cleanUp(servers, false);
            PostgresMigrationIT.assertNothingLeft(servers);
        }
    }

    /** The same, going on when others have prepared, loaded and flipped: the target owns writes. */
    @Test
    void aLatePreparationDoesNotFenceTheOwnerOfWrites() throws InterruptedException {
        try (var servers = PostgresServers.start(16, 16)) {
            PostgresMigrationIT.schema(servers);
            Stalled late = new Stalled();
            late.start(() -> new PostgresPreparation(servers, servers.records, id -> {
                        Optional<RouteLedger.Routes> found = servers.store.read(id);
                        late.here();
                        return found;
                    })
                    .prepare(PostgresServers.spec(), () -> {}));
            servers.prepare();
            try (var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                PostgresMigrationIT.flip(servers, true, 1);
                assertThat(late.goOn()).isNotNull();
                assertThat(running.failure.get()).isNull();
            }
            try (PostgresSession target = servers.own("target")) {
                assertThat(DatabaseFence.raised(target)).isFalse();
            }
        }
    }

    /** A try of the load, while all is cleaned up: it has sessions, and opens no others. What it makes would be the way back, at the source. */
    @Test
    void aLateLoadMakesNothingAnew() throws Exception {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY)");
            }
            move(servers);
            CompletableFuture<Void> cleaning;
            try (PostgresSession own = servers.own("source");
                    PostgresSession late = servers.pair().control(Role.SOURCE, "bring-up", Duration.ZERO);
                    PostgresSession carrying = servers.pair().control(Role.SOURCE, "carry", Duration.ZERO)) {
                cleaning = own.transaction(() -> {
                    own.execute("LOCK TABLE " + servers.pair().names().state() + " IN ACCESS SHARE MODE");
                    var begun = CompletableFuture.runAsync(() -> cleanUp(servers, false));
                    await().atMost(Duration.ofSeconds(30))
                            .until(
                                    () -> own.is(
                                            "SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ '^DROP SCHEMA'"));
                    assertThatThrownBy(() -> late.execute("SELECT 1")).hasMessageContaining("57P01");
                    assertThatThrownBy(() -> carrying.execute("SELECT 1")).hasMessageContaining("57P01");
                    return begun;
                });
            }
            cleaning.get(60, TimeUnit.SECONDS);
            PostgresMigrationIT.assertNothingLeft(servers);
        }
    }

    private enum StoppedAt {
        BEGINNING,
        SAVED,
        FENCE
    }

    private static List<String> cleaningByHand() throws IOException {
        String document = Files.readString(Path.of("../docs/operating-postgres.md"));
        String block = document.split("```sql\n", 2)[1].split("```", 2)[0];
        return List.of(block.replaceAll("(?m)^--.*\n", "").split(";\n", -1)).stream()
                .filter(statement -> !statement.isBlank())
                .toList();
    }

    private static void move(PostgresServers servers) {
        servers.prepare();
        try (var running = servers.replicate()) {
            PostgresMigrationIT.awaitStreaming(servers);
            assertThat(running.failure.get()).isNull();
        }
        servers.store.detach(PostgresServers.MIGRATION);
    }

    private static void cleanUp(PostgresServers servers, boolean completed) {
        new PostgresCleanup(servers, servers.records).cleanUp(PostgresServers.spec(), completed, false);
    }
}
