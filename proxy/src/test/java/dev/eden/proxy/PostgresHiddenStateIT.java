package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings that a text makes by other ways than SET: whoever comes next on the connection must not have them. */
class PostgresHiddenStateIT extends PostgresFixture {
    private static final int V3_0 = 3 << 16;

    private void startWithOne() {
        start(config ->
                config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1).withWaiting(Duration.ofSeconds(1), 100));
    }

    private PgWire wire(String... more) throws IOException {
        return new PgWire(proxy.port()).login(V3_0, "app", "pencil", more);
    }

    private static String ask(PgWire wire, String sql) throws IOException {
        wire.query(sql).send();
        return wire.answers(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DO $$BEGIN PERFORM set_config('app.tenant', 'a', false); END$$",
                "DO $a$BEGIN EXECUTE $b$SET app.tenant = a$b$; END$a$",
                "DO 'BEGIN EXECUTE ''SET app.tenant = a''; END'",
                "UPDATE pg_settings SET setting = 'off' WHERE name = 'enable_seqscan'",
                "UPDATE ONLY pg_catalog.pg_settings AS s SET setting = 'off' WHERE name = 'enable_seqscan'",
                "EXPLAIN (ANALYZE, COSTS off) CREATE TEMP TABLE mine AS SELECT 1",
            })
    void isTheClientsAlone(String sql) throws Exception {
        startWithOne();
        String look = "SELECT concat(current_setting('app.tenant', true), current_setting('enable_seqscan'))";
        try (PgWire one = wire();
                PgWire next = wire()) {
            assertThat(ask(one, sql)).endsWith("C ZI");
            assertThat(ask(next, look)).isEqualTo("E53300 ZI");
            assertThat(ask(one, look)).isIn("T Daon C ZI", "T Doff C ZI", "T Don C ZI");
            assertThat(ask(one, "DISCARD ALL")).isEqualTo("C ZI");
            assertThat(ask(next, look)).isEqualTo("T Don C ZI");
        }
    }

    /** Their literals end where backslashes let them. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void isSeenInTheClientsWayOfWriting(boolean simple) throws Exception {
        startWithOne();
        String sql = "SELECT 'it\\'s', set_config('app.tenant', '7', false)";
        try (PgWire one = wire("standard_conforming_strings", "off");
                PgWire next = wire()) {
            if (simple) {
                assertThat(ask(one, sql)).endsWith("T Dit's C ZI");
            } else {
                one.parse("", sql).bind("", "").execute("", 0).sync().send();
                assertThat(one.answers(1)).endsWith("1 2 Dit's C ZI");
            }
            String look = "SELECT current_setting('app.tenant', true)";
            assertThat(ask(next, look)).isEqualTo("E53300 ZI");
            assertThat(ask(one, look)).isEqualTo("T D7 C ZI");
        }
    }

    /** Which connection an INSERT had nobody knows any more when its id is asked for. */
    @Test
    void anIdOfAnotherClientIsNotTold() throws Exception {
        startWithOne();
        try (PgWire one = wire();
                PgWire other = wire()) {
            assertThat(ask(one, "CREATE TABLE drawn (id serial, n int); CREATE TABLE of_drawn (id int)"))
                    .isEqualTo("C C ZI");
            assertThat(ask(one, "INSERT INTO drawn (n) VALUES (1)")).isEqualTo("C ZI");
            assertThat(ask(other, "INSERT INTO drawn (n) VALUES (2)")).isEqualTo("C ZI");
            assertThat(ask(one, "SELECT lastval()")).isEqualTo("E55000 ZI");
            assertThat(ask(one, "INSERT INTO of_drawn VALUES (currval('drawn_id_seq'))"))
                    .isEqualTo("E55000 ZI");
            one.parse("", "SELECT lastval()").bind("", "").execute("", 0).sync().send();
            assertThat(one.answers(1)).isEqualTo("E55000 ZI");
            one.parse("last", "SELECT lastval()").sync().send();
            assertThat(one.answers(1)).isEqualTo("1 ZI");
            one.bind("", "last").execute("", 0).sync().send();
            assertThat(one.answers(1)).isEqualTo("E55000 ZI");

            assertThat(ask(other, "SELECT 1")).as("nobody keeps the connection").isEqualTo("T D1 C ZI");
            one.parse("", "INSERT INTO drawn (n) VALUES (3)")
                    .bind("", "")
                    .execute("", 0)
                    .bind("", "last")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(one.answers(1)).isEqualTo("1 2 C 2 D3 C ZI");
            assertThat(ask(one, "SELECT lastval()")).as("keeps it now").isEqualTo("T D3 C ZI");
            assertThat(ask(one, "DISCARD ALL")).isEqualTo("C ZI");
            assertThat(ask(other, "INSERT INTO drawn (n) VALUES (4); SELECT lastval()"))
                    .isEqualTo("C T D4 C ZI");
            assertThat(ask(other, "DISCARD ALL")).isEqualTo("C ZI");
            assertThat(ask(one, "BEGIN")).isEqualTo("C ZT");
            assertThat(ask(one, "INSERT INTO drawn (n) VALUES (currval('drawn_id_seq'))"))
                    .isEqualTo("C ZT");
            assertThat(ask(one, "SELECT currval('drawn_id_seq')")).isEqualTo("T D5 C ZT");
            assertThat(ask(one, "COMMIT")).isEqualTo("C ZI");
        }
    }

    @Test
    void anIdOfItsOwnIsToldToWhoHasTheSessionAlone() throws Exception {
        start(config -> config.withPool(Pooling.SESSION, 2).withEventLoops(1));
        try (PgWire one = wire();
                PgWire other = wire()) {
            assertThat(ask(one, "CREATE TABLE alone (id serial, n int)")).isEqualTo("C ZI");
            assertThat(ask(one, "INSERT INTO alone (n) VALUES (1)")).isEqualTo("C ZI");
            assertThat(ask(other, "INSERT INTO alone (n) VALUES (2)")).isEqualTo("C ZI");
            assertThat(ask(one, "SELECT lastval()")).isEqualTo("T D1 C ZI");
            assertThat(ask(other, "SELECT currval('alone_id_seq')")).isEqualTo("T D2 C ZI");
        }
    }

    /** What a pool of Npgsql says when it takes a connection back. */
    @Test
    void goesWithTheWordsOfADriversPool() throws Exception {
        startWithOne();
        try (PgWire one = wire();
                PgWire next = wire()) {
            assertThat(
                            ask(
                                    one,
                                    "SET SESSION AUTHORIZATION DEFAULT;RESET ALL;CLOSE ALL;UNLISTEN *;SELECT pg_advisory_unlock_all();DISCARD SEQUENCES;DISCARD TEMP"))
                    .isEqualTo("C C C C T D C C C ZI");
            assertThat(ask(next, "SELECT 1")).isEqualTo("T D1 C ZI");
        }
    }

    /** DISCARD ALL leaves it there. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT setseed(0.5)",
                "SET seed = 0.5",
                "BEGIN; SET LOCAL seed = 0.5; COMMIT",
                "SELECT set_config('seed', '0.5', true)",
            })
    void goesWithTheConnectionWhereNothingElseTakesIt(String sql) throws Exception {
        startWithOne();
        String process = "SELECT pg_backend_pid()";
        try (PgWire next = wire()) {
            String served;
            try (PgWire one = wire()) {
                served = ask(one, process);
                assertThat(ask(one, sql)).endsWith("C ZI");
                assertThat(ask(one, "DISCARD ALL")).isEqualTo("C ZI");
                assertThat(ask(one, process)).isEqualTo(served);
                assertThat(ask(next, process)).isEqualTo("E53300 ZI");
            }
            assertThat(ask(next, process)).matches("T D\\d+ C ZI").isNotEqualTo(served);
        }
    }
}
