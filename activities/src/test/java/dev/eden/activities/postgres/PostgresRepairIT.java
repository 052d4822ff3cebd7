package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.postgres.cutover.PostgresCutover;
import dev.eden.activities.postgres.validation.PostgresValidation;
import dev.eden.activities.store.ValidationLedger.Report;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Rows that a repair holds on the source are applications' rows: it never waits long with them. */
class PostgresRepairIT {
    private static final Duration LONG = Duration.ofSeconds(40);
    private static final String CONSTRAINTS =
            "SELECT format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE NOT convalidated ORDER BY 1";

    @Test
    void ofOtherTablesItAsksNothing() throws Exception {
        try (var servers = servers();
                var running = servers.replicate()) {
            PostgresMigrationIT.awaitStreaming(servers);
            try (PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target");
                    PostgresSession reader = servers.control("target")) {
                damage(
                        target,
                        "DELETE FROM public.checked WHERE a < 4",
                        "DELETE FROM public.parts WHERE a = 1",
                        "DELETE FROM public.of_domain WHERE a = 1");
                CompletableFuture<Report> validation = new CompletableFuture<>();
                reader.transaction(() -> {
                    reader.number("SELECT count(*) FROM public.other");
                    validate(servers, validation);
                    validation.orTimeout(LONG.toSeconds(), TimeUnit.SECONDS).join();
                });
                assertThat(validation.get().repaired()).isEqualTo(5);
                assertThat(validation.get().remaining()).isZero();
                assertThat(target.texts(CONSTRAINTS))
                        .isEqualTo(source.texts(CONSTRAINTS))
                        .hasSize(6);
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    @Test
    void letsGoWhileAReaderIsInTheWay() throws Exception {
        try (var servers = servers();
                var running = servers.replicate()) {
            PostgresMigrationIT.awaitStreaming(servers);
            try (PostgresSession application = servers.own("source");
                    PostgresSession target = servers.control("target");
                    PostgresSession reader = servers.control("target");
                    PostgresSession another = servers.control("target")) {
                application.execute("SET statement_timeout = '3s'");
                damage(target, "DELETE FROM public.checked WHERE a = 1", "DELETE FROM public.keyless WHERE a = 1");
                CompletableFuture<Report> validation = new CompletableFuture<>();
                another.transaction(() -> {
                    another.number("SELECT count(*) FROM public.keyless");
                    reader.transaction(() -> {
                        reader.number("SELECT count(*) FROM public.checked");
                        validate(servers, validation);
                        change(application, target, "checked");
                    });
                    change(application, target, "keyless");
                });
                assertThat(validation.get(40, TimeUnit.SECONDS).repaired()).isEqualTo(2);
                assertThat(validation.get().remaining()).isZero();
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    @Test
    void mendsARowThatAlwaysChanges() throws Exception {
        try (var servers = servers();
                var running = servers.replicate()) {
            PostgresMigrationIT.awaitStreaming(servers);
            AtomicBoolean enough = new AtomicBoolean();
            try (PostgresSession application = servers.own("source");
                    PostgresSession target = servers.control("target")) {
                damage(target, "DELETE FROM public.checked WHERE a = 2");
                Thread changing = Thread.startVirtualThread(() -> {
                    while (!enough.get()) {
                        application.update("UPDATE public.checked SET b = -2000 - mod(b, 1000) - 1 WHERE a = 2");
                    }
                });
                try {
                    CompletableFuture<Report> validation = new CompletableFuture<>();
                    validate(servers, validation);
                    assertThat(validation.get(40, TimeUnit.SECONDS).repaired()).isEqualTo(1);
                } finally {
                    enough.set(true);
                    changing.join();
                }
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    /** Then applications may have changed them already. */
    @Test
    void writesNothingOnceItsRowsAreLetGo() throws Exception {
        try (var servers = servers();
                var running = servers.replicate()) {
            PostgresMigrationIT.awaitStreaming(servers);
            try (PostgresSession application = servers.own("source");
                    PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target");
                    PostgresSession lock = servers.control("target")) {
                application.execute("INSERT INTO public.other VALUES (200, 5)");
                await().atMost(LONG).until(() -> target.is("SELECT true FROM public.other WHERE a = 200"));
                damage(target, "UPDATE public.other SET b = 6 WHERE a = 200");
                String comparing = EdenObjects.of(PostgresServers.MIGRATION).session("validate");
                CompletableFuture<Report> validation = new CompletableFuture<>();
                lock.transaction(() -> {
                    lock.query("SELECT 1 FROM public.other WHERE a = 200 FOR UPDATE", row -> true);
                    validate(servers, validation);
                    await().atMost(LONG)
                            .until(() -> target.is(
                                    "SELECT true FROM pg_stat_activity WHERE application_name = ? AND wait_event_type = 'Lock'",
                                    comparing));
                    assertThat(source.is(
                                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = ? AND state = 'idle in transaction'",
                                    comparing))
                            .isTrue();
                });
                assertThatThrownBy(() -> validation.get(40, TimeUnit.SECONDS))
                        .hasCauseInstanceOf(PostgresConnectionException.class);
                assertThat(target.number("SELECT b FROM public.other WHERE a = 200"))
                        .isEqualTo(6);
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    /** What a stalled process has begun could be committed long after. */
    @Test
    void neitherAComparisonNorATurnBeginsBesideAnotherRepair() throws Exception {
        try (var servers = servers();
                var running = servers.replicate()) {
            PostgresMigrationIT.awaitStreaming(servers);
            try (PostgresSession stalled = stalled(servers)) {
                CompletableFuture<Report> validation = new CompletableFuture<>();
                validate(servers, validation);
                assertThat(validation.get(40, TimeUnit.SECONDS).differencesFound())
                        .isZero();
                assertThatThrownBy(() -> stalled.execute("COMMIT")).isInstanceOf(PostgresConnectionException.class);
            }
            PostgresCutover engine = new PostgresCutover(servers, servers.records);
            try (CutoverEngine.Session session =
                    engine.open(PostgresServers.MIGRATION, "source", "target", CutoverEngine.Others.END)) {
                session.undo();
                session.beginFence();
                session.fence(Duration.ofSeconds(5));
                assertThat(session.awaitApplied(session.position(), Duration.ofSeconds(5)))
                        .isTrue();
                try (PostgresSession stalled = stalled(servers)) {
                    session.turn();
                    assertThatThrownBy(() -> stalled.execute("COMMIT")).isInstanceOf(PostgresConnectionException.class);
                }
            }
        }
    }

    /** Another process, whose clock is ahead, has compared before; and what applications write is still under way. */
    @Test
    void waitsForWhatIsUnderWayWhoeverComparedBefore() throws Exception {
        try (var servers = servers();
                var running = servers.replicate()) {
            PostgresMigrationIT.awaitStreaming(servers);
            String marker = EdenObjects.of(PostgresServers.MIGRATION).marker(EdenObjects.Role.SOURCE);
            try (PostgresSession application = servers.own("source");
                    PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target");
                    PostgresSession lock = servers.control("target")) {
                long ahead = (System.currentTimeMillis() + 3_600_000) << 16;
                EdenSchema.write(source, marker, 3, ahead);
                await().atMost(LONG).until(() -> EdenSchema.read(target, marker, 3) == ahead);
                CompletableFuture<Report> validation = new CompletableFuture<>();
                lock.transaction(() -> {
                    lock.execute("LOCK TABLE public.other IN SHARE MODE");
                    application.execute("INSERT INTO public.other VALUES (300, 5)");
                    application.execute("INSERT INTO public.keyless VALUES (300, 5)");
                    validate(servers, validation);
                    await().atMost(LONG).until(() -> EdenSchema.read(source, marker, 3) > ahead);
                });
                assertThat(validation.get(40, TimeUnit.SECONDS).differencesFound())
                        .isZero();
                assertThat(target.number("SELECT count(*) FROM public.keyless WHERE a = 300"))
                        .isEqualTo(1);
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    private static PostgresSession stalled(PostgresServers servers) {
        PostgresSession session = servers.pair().control(EdenObjects.Role.TARGET, "validate", LONG);
        session.execute("BEGIN");
        session.execute("SET LOCAL session_replication_role = replica");
        session.execute("DELETE FROM public.other WHERE a = 7");
        return session;
    }

    /** However long the other side stands still, and wherever in a comparison that begins. */
    @Test
    void holdsNothingWhileTheOtherSideStandsStill() throws Exception {
        try (var servers = servers();
                var running = servers.replicate()) {
            PostgresMigrationIT.awaitStreaming(servers);
            try (PostgresSession application = servers.own("source");
                    PostgresSession target = servers.control("target");
                    PostgresSession lock = servers.control("target")) {
                application.execute("SET statement_timeout = '2s'");
                String marker = EdenObjects.of(PostgresServers.MIGRATION).marker(EdenObjects.Role.SOURCE);
                target.execute("""
                        CREATE SEQUENCE public.eden_marks;
                        CREATE FUNCTION public.eden_still() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                            IF nextval('public.eden_marks') >= TG_ARGV[0]::bigint THEN PERFORM pg_advisory_xact_lock(77); END IF;
                            RETURN NEW;
                        END $$""");
                for (Still still : List.of(
                        new Still("checked", 2), // before rows are held to be mended
                        new Still("checked", 3), // while they are
                        new Still("keyless", 1),
                        new Still("keyless", 2))) {
                    target.execute("SELECT setval('public.eden_marks', 1, false)");
                    target.execute("CREATE TRIGGER still BEFORE INSERT OR UPDATE ON " + marker
                            + " FOR EACH ROW WHEN (NEW.id = 3) EXECUTE FUNCTION public.eden_still(" + still.mark()
                            + ")");
                    target.execute("ALTER TABLE " + marker + " ENABLE ALWAYS TRIGGER still");
                    damage(target, "DELETE FROM public." + still.table() + " WHERE a = 1");
                    CompletableFuture<Report> validation = new CompletableFuture<>();
                    lock.transaction(() -> {
                        lock.query("SELECT pg_advisory_xact_lock(77)", row -> true);
                        validate(servers, validation);
                        await().atMost(LONG)
                                .pollInterval(Duration.ofMillis(5))
                                .until(
                                        () -> target.is(
                                                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"));
                        assertThat(application.update("UPDATE public." + still.table() + " SET b = -2000 WHERE a = 1"))
                                .as("%s", still)
                                .isEqualTo(1);
                    });
                    assertThat(validation.get(40, TimeUnit.SECONDS).repaired())
                            .as("%s", still)
                            .isEqualTo(1);
                    assertThat(validation.get().remaining()).isZero();
                    target.execute("DROP TRIGGER still ON " + marker);
                }
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    /** @param mark of validation, from which on none arrives */
    private record Still(String table, int mark) {}

    private static PostgresServers servers() {
        PostgresServers servers = PostgresServers.start(15, 15);
        try (PostgresSession source = servers.own("source")) {
            source.execute("""
                    SET search_path = public;
                    CREATE DOMAIN positive AS int;
                    CREATE TABLE checked (a int PRIMARY KEY, b int);
                    CREATE TABLE of_domain (a int PRIMARY KEY, b positive[]);
                    CREATE TABLE other (a int PRIMARY KEY, b int);
                    CREATE TABLE keyless (a int, b int);
                    CREATE TABLE parts (a int PRIMARY KEY, b int) PARTITION BY RANGE (a);
                    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
                    INSERT INTO checked SELECT i, -i FROM generate_series(1, 100) AS i;
                    INSERT INTO of_domain SELECT i, ARRAY[-i] FROM generate_series(1, 100) AS i;
                    INSERT INTO other SELECT i, -i FROM generate_series(1, 100) AS i;
                    INSERT INTO keyless SELECT i, -i FROM generate_series(1, 100) AS i;
                    INSERT INTO parts SELECT i, -i FROM generate_series(1, 100) AS i;
                    ALTER DOMAIN positive ADD CONSTRAINT above CHECK (value > 0) NOT VALID""");
            for (String table : List.of("checked", "other", "keyless", "parts")) {
                source.execute("ALTER TABLE public." + table + " ADD CONSTRAINT recent_" + table
                        + " CHECK (b > 0 OR b < -1000) NOT VALID");
            }
        }
        servers.prepare();
        return servers;
    }

    /** As nothing but replication and repair could write there. */
    private static void damage(PostgresSession target, String... statements) {
        target.transaction(() -> {
            target.execute("SET LOCAL session_replication_role = replica");
            target.executeAll(List.of(statements));
        });
    }

    /** While the repair wants the table for itself on the target. */
    private static void change(PostgresSession application, PostgresSession target, String table) {
        await().atMost(LONG)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> target.is(
                        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = to_regclass(?))",
                        "public." + table));
        assertThat(application.update("UPDATE public." + table + " SET b = -2000 WHERE a = 1"))
                .isEqualTo(1);
    }

    private static void validate(PostgresServers servers, CompletableFuture<Report> report) {
        Thread.startVirtualThread(() -> {
            try {
                report.complete(new PostgresValidation(
                                servers, servers.records, servers.store, servers.store, Clock.systemUTC())
                        .validate(PostgresServers.spec(), true, null, cursor -> {}));
            } catch (RuntimeException e) {
                report.completeExceptionally(e);
            }
        });
    }
}
