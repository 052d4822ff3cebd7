package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import java.io.IOException;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each reason why a client keeps its connection: it is counted, nobody else gets the connection, and only a look at the session that finds nothing ends it. */
class PostgresPinsIT extends PostgresFixture {
    private static final String PROCESS = "SELECT pg_backend_pid()";

    private void startWithOne() {
        start(config ->
                config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1).withWaiting(Duration.ofSeconds(1), 100));
    }

    private PgWire wire() throws IOException {
        return new PgWire(proxy.port()).login(3 << 16, "app", "pencil");
    }

    private static String ask(PgWire wire, String sql) throws IOException {
        wire.query(sql).send();
        return wire.answers(1);
    }

    private void awaitEvent(String name, long times) {
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(event(name)).as(name).isEqualTo(times));
    }

    /** The question by which the proxy finds out was the last one of this process. */
    private static boolean lookedAt(Connection at, String process) throws Exception {
        return one(at, "SELECT query LIKE '%pg_listening_channels()%' FROM pg_stat_activity WHERE pid = " + process)
                .equals("t");
    }

    /** While it lasts somebody waits in vain, so the session is looked at, and kept; then nobody waits, and it is looked at as it rests. */
    @Test
    void isKeptUntilALookFindsNothing() throws Exception {
        try (Connection at = direct(source)) {
            run(at, """
                    DO $$BEGIN IF to_regrole('app_reader') IS NULL THEN CREATE ROLE app_reader; GRANT app_reader TO app; END IF; END$$;
                    GRANT TEMPORARY ON DATABASE eden TO app""");
        }
        // Most of it is waiting for a session to rest, so all wait at once, each with a proxy of its own.
        try (var all = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (String row : """
                    setting | SET work_mem = '7MB' | RESET work_mem
                    setting | SET app.tenant = '1' | RESET app.tenant
                    setting | SELECT set_config('work_mem', '7MB', false) | RESET work_mem
                    role | SET ROLE app_reader | RESET ROLE
                    listen | LISTEN news | UNLISTEN news
                    prepare | PREPARE p AS SELECT 1 | DEALLOCATE p
                    cursor | DECLARE c CURSOR WITH HOLD FOR SELECT 1 | CLOSE c
                    advisory_lock | SELECT pg_advisory_lock(7) | SELECT pg_advisory_unlock(7)
                    advisory_lock | SELECT pg_try_advisory_lock_shared(8, 8) | SELECT pg_advisory_unlock_all()
                    temporary | CREATE TEMP TABLE mine (id int) | DROP TABLE mine
                    temporary | SELECT 1 AS a INTO TEMP mine | DROP TABLE mine
                    temporary | CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1' | DROP FUNCTION pg_temp.f
                    unknown | DO $$BEGIN PERFORM set_config('work_mem', '7MB', false); END$$ | RESET work_mem
                    unknown | DO $$BEGIN CREATE TEMP TABLE mine (id int); END$$ | DROP TABLE mine
                    """.lines().toList()) {
                String[] columns = row.split(" \\| ");
                PostgresPinsIT beside = new PostgresPinsIT();
                beside.source = source;
                beside.target = target;
                running.add(all.submit(() -> {
                    beside.isKept(columns[0], columns[1], columns[2]);
                    return null;
                }));
            }
            for (Future<?> one : running) {
                one.get();
            }
        }
    }

    private void isKept(String reason, String makes, String ends) throws Exception {
        startWithOne();
        try (Connection at = direct(source);
                PgWire client = wire();
                PgWire other = wire()) {
            String served = ask(client, PROCESS);
            assertThat(ask(other, PROCESS)).as("nothing holds it yet").isEqualTo(served);
            assertThat(ask(client, makes)).as(makes).endsWith("C ZI");
            awaitEvent("pin_" + reason, 1);
            assertThat(ask(other, PROCESS)).as(makes).isEqualTo("E53300 ZI");
            String process = served.substring(3, served.length() - 5);
            assertThat(lookedAt(at, process)).as(makes).isTrue();
            assertThat(event("pin_probed_clean")).as(makes).isZero();
            assertThat(traffic().pinnedConnections()).as(makes).isOne();

            assertThat(ask(client, ends)).as(ends).endsWith("C ZI");
            awaitEvent("pin_probed_clean", 1);
            assertThat(lookedAt(at, process)).as(ends).isTrue();
            assertThat(ask(other, PROCESS)).as(ends).isEqualTo(served);
            assertThat(traffic().pinnedConnections()).as(ends).isZero();
            assertThat(event("pin_" + reason)).as(makes).isOne();
        } finally {
            end();
        }
    }

    /** What only may have happened is looked for at once. */
    @ParameterizedTest
    @ValueSource(strings = {"DO $$BEGIN PERFORM 1; END$$", "CALL nothing()"})
    void aGuessIsLookedIntoAtOnce(String sql) throws Exception {
        startWithOne();
        try (Connection at = direct(source)) {
            run(at, "CREATE OR REPLACE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1'");
        }
        try (PgWire client = wire();
                PgWire other = wire()) {
            String served = ask(client, PROCESS);
            assertThat(ask(client, sql)).endsWith("C ZI");
            assertThat(ask(other, PROCESS)).isEqualTo(served);
            awaitEvent("pin_unknown", 1);
            awaitEvent("pin_probed_clean", 1);
        }
    }

    /** No look would find it, so none ends it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "BEGIN; SELECT nextval('seen'); SELECT lastval(); COMMIT",
                "SELECT nextval('seen'), currval('seen')",
                "SELECT set_config(lower('WORK_MEM'), '7MB', false)",
                "SET SESSION AUTHORIZATION app",
            })
    void whatNoCatalogueShowsIsKeptUntilItIsDiscarded(String sql) throws Exception {
        startWithOne();
        try (Connection at = direct(source)) {
            run(at, "CREATE SEQUENCE IF NOT EXISTS seen");
            run(at, "GRANT ALL ON seen TO app");
        }
        try (PgWire client = wire();
                PgWire other = wire()) {
            String served = ask(client, PROCESS);
            assertThat(ask(client, sql)).endsWith("C ZI");
            awaitEvent("pin_hidden", 1);
            assertThat(ask(other, PROCESS)).isEqualTo("E53300 ZI");
            assertThat(ask(client, "RESET ALL")).isEqualTo("C ZI");
            assertThat(ask(other, PROCESS)).isEqualTo("E53300 ZI");
            assertThat(event("pin_probed_clean")).isZero();
            assertThat(ask(client, "DISCARD ALL")).isEqualTo("C ZI");
            assertThat(ask(other, PROCESS)).isEqualTo(served);
        }
    }

    /** The kinds of what one client leaves are told apart. */
    @Test
    void eachReasonIsCountedByItself() throws Exception {
        startWithOne();
        try (PgWire client = wire()) {
            assertThat(ask(client, "LISTEN news; SET work_mem = '7MB'; SET work_mem = '8MB'; PREPARE p AS SELECT 1"))
                    .isEqualTo("C C C C ZI");
            for (String reason : new String[] {"pin_listen", "pin_setting", "pin_prepare"}) {
                awaitEvent(reason, 1);
            }
            assertThat(event("pin_unknown") + event("pin_hidden") + event("pin_temporary"))
                    .isZero();
        }
    }
}
