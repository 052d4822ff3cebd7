package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Prepared statements of clients that share one connection: each means to its client what it would mean there alone. */
class PostgresStatementsIT extends PostgresFixture {
    private static final int V3_0 = 3 << 16;
    private static final String MOMENT = "INSERT INTO moments VALUES ('2024-01-01 00:00')";
    private static final String MOMENTS =
            "SELECT string_agg(extract(hour FROM at AT TIME ZONE 'UTC')::int::text, ',' ORDER BY n) FROM moments";

    private Connection owner;

    @BeforeEach
    void tables() throws SQLException {
        owner = direct(source);
        run(owner, "DROP TABLE IF EXISTS moments, shape");
        run(owner, "CREATE TABLE moments (at timestamptz, n serial)");
        run(owner, "CREATE TABLE shape (id int)");
        run(owner, "INSERT INTO shape VALUES (1)");
        run(owner, "GRANT ALL ON moments, moments_n_seq, shape TO app");
        start(config ->
                config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1).withWaiting(Duration.ofSeconds(10), 100));
    }

    @AfterEach
    void disconnect() throws SQLException {
        owner.close();
    }

    private PgWire wire(String... more) throws IOException {
        return new PgWire(proxy.port()).login(V3_0, "app", "pencil", more);
    }

    private static String ask(PgWire wire, String sql) throws IOException {
        wire.query(sql).send();
        return wire.answers(1);
    }

    private static String runs(PgWire wire, String name) throws IOException {
        wire.bind("", name).execute("", 0).sync().send();
        return wire.answers(1);
    }

    private static String prepares(PgWire wire, String name, String sql) throws IOException {
        wire.parse(name, sql).bind("", name).execute("", 0).sync().send();
        return wire.answers(1);
    }

    /** PostgreSQL makes constants of literals when it parses, by the settings of that moment. */
    @Test
    void literalsAreReadByTheSettingsOfWhoUsesThem() throws Exception {
        try (PgWire utc = wire("TimeZone", "UTC");
                PgWire tokyo = wire("TimeZone", "Asia/Tokyo")) {
            assertThat(prepares(utc, "s", MOMENT)).isEqualTo("1 2 C ZI");
            assertThat(prepares(tokyo, "s", MOMENT)).isEqualTo("1 2 C ZI");
            assertThat(runs(utc, "s")).isEqualTo("2 C ZI");
            assertThat(runs(tokyo, "s")).isEqualTo("2 C ZI");
            assertThat(one(owner, MOMENTS)).isEqualTo("0,15,0,15");
        }
    }

    /** The server says what the settings are when a batch is over, and nothing where they are then what they were. */
    @Test
    void whatIsParsedWhileSettingsChangeIsNobodyElses() throws Exception {
        try (PgWire one = wire("TimeZone", "UTC");
                PgWire other = wire("TimeZone", "UTC")) {
            for (String name : new String[] {"s", "u"}) {
                other.parse(name, MOMENT + " -- " + name).sync().send();
                assertThat(other.answers(1)).isEqualTo("1 ZI");
            }
            one.parse("", "SET LOCAL TimeZone = 'Asia/Tokyo'").bind("", "").execute("", 0);
            one.parse("s", MOMENT + " -- s").bind("", "s").execute("", 0).sync().send();
            assertThat(one.answers(1)).contains("1 2 C ZI");
            assertThat(runs(other, "s")).isEqualTo("2 C ZI");

            one.query("SET TimeZone = 'Asia/Tokyo'");
            one.parse("u", MOMENT + " -- u").bind("", "u").execute("", 0).sync();
            one.query("SET TimeZone = 'UTC'").send();
            assertThat(one.answers(3)).isEqualTo("C ZI 1 2 C ZI C ZI");
            assertThat(runs(other, "u")).isEqualTo("2 C ZI");

            assertThat(ask(other, "SET TimeZone = 'Asia/Tokyo'")).isEqualTo("C ZI");
            other.parse("t", MOMENT + " -- t").sync().send();
            assertThat(other.answers(1)).isEqualTo("1 ZI");
            assertThat(ask(one, "BEGIN; SET TimeZone = 'Asia/Tokyo'")).isEqualTo("C C ZT");
            one.parse("", "ROLLBACK").bind("", "").execute("", 0);
            one.parse("t", MOMENT + " -- t").bind("", "t").execute("", 0).sync().send();
            assertThat(one.answers(1)).isEqualTo("1 2 C 1 2 C ZI");
            assertThat(runs(other, "t")).isEqualTo("2 C ZI");
            assertThat(one(owner, MOMENTS)).isEqualTo("15,0,15,0,0,15");
        }
    }

    /** A statement's parameters keep the types that they got when it was parsed. */
    @Test
    void tenantsOfDifferentTablesDoNotMeet() throws Exception {
        for (String tenant : new String[] {"a", "b"}) {
            run(owner, "DROP SCHEMA IF EXISTS tenant_" + tenant + " CASCADE");
            run(owner, "CREATE SCHEMA tenant_" + tenant);
            run(owner, "CREATE TABLE tenant_" + tenant + ".things (id " + (tenant.equals("a") ? "int" : "uuid") + ")");
            run(owner, "GRANT USAGE ON SCHEMA tenant_" + tenant + " TO app");
            run(owner, "GRANT ALL ON tenant_" + tenant + ".things TO app");
        }
        String uuid = "00000000-0000-0000-0000-000000000001";
        String sql = "SELECT id FROM things WHERE id = $1 OR $1 IS NOT NULL";
        run(owner, "INSERT INTO tenant_a.things VALUES (1)");
        run(owner, "INSERT INTO tenant_b.things VALUES ('" + uuid + "')");
        try (PgWire a = wire("search_path", "tenant_a");
                PgWire b = wire("search_path", "tenant_b")) {
            a.parse("s", sql).sync().send();
            assertThat(a.answers(1)).isEqualTo("1 ZI");
            b.parse("s", sql).sync().send();
            assertThat(b.answers(1)).isEqualTo("1 ZI");
            for (int i = 0; i < 3; i++) {
                a.bind("", "s", "1").execute("", 0).sync().send();
                assertThat(a.answers(1)).isEqualTo("2 D1 C ZI");
                b.bind("", "s", uuid).execute("", 0).sync().send();
                assertThat(b.answers(1)).isEqualTo("2 D" + uuid + " C ZI");
            }
        }
    }

    @Test
    void whatWasParsedBesideATemporaryTableIsNobodyElses() throws Exception {
        try (PgWire one = wire();
                PgWire other = wire()) {
            assertThat(prepares(other, "s", "SELECT * FROM shape")).isEqualTo("1 2 D1 C ZI");
            assertThat(ask(one, "CREATE TEMP TABLE shape (name text)")).isEqualTo("C ZI");
            assertThat(prepares(one, "s", "SELECT * FROM shape")).isEqualTo("1 2 C ZI");
            assertThat(ask(one, "DROP TABLE shape")).isEqualTo("C ZI");
            assertThat(runs(other, "s")).isEqualTo("2 D1 C ZI");
        }
    }

    /** Who has prepared nothing yet gets what the table is now. */
    @Test
    void aParseAfterAChangeOfATableIsAnsweredByTheTableAsItIs() throws Exception {
        try (PgWire before = wire();
                PgWire after = wire()) {
            assertThat(prepares(before, "s", "SELECT * FROM shape")).isEqualTo("1 2 D1 C ZI");
            assertThat(runs(before, "s")).isEqualTo("2 D1 C ZI");
            run(owner, "ALTER TABLE shape ADD COLUMN colour text");
            assertThat(ask(after, "BEGIN")).isEqualTo("C ZT");
            after.parse("s", "SELECT * FROM shape")
                    .describe('S', "s")
                    .bind("", "s")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(after.answers(1)).isEqualTo("1 t T 2 D1 C ZT");
            assertThat(ask(after, "COMMIT")).isEqualTo("C ZI");
            assertThat(runs(after, "s")).isEqualTo("2 D1 C ZI");
        }
    }

    /** By which types a client reads binary values it was told once: as on a server it is refused where they are others now, whoever has prepared anew since. */
    @ParameterizedTest
    @ValueSource(strings = {"SELECT id FROM shape", "(SELECT id FROM shape) EXCEPT SELECT 2", "TABLE shape"})
    void typesThatHaveChangedAreRefusedToEveryoneWhoWasToldTheFormer(String sql) throws Exception {
        try (PgWire first = wire();
                PgWire second = wire();
                PgWire third = wire()) {
            for (PgWire each : new PgWire[] {first, second}) {
                each.parse("s", sql)
                        .describe('S', "s")
                        .bindBinary("", "s")
                        .execute("", 0)
                        .sync()
                        .send();
                assertThat(each.answers(1)).isEqualTo("1 t T 2 D\0\0\0\1 C ZI");
            }
            third.parse("s", sql).sync().send();
            assertThat(third.answers(1)).isEqualTo("1 ZI");
            assertThat(binary(third, true)).isEqualTo("2 T D\0\0\0\1 C ZI");
            assertThat(binary(third, false)).isEqualTo("2 D\0\0\0\1 C ZI");
            run(owner, "ALTER TABLE shape ALTER id TYPE bigint");
            assertThat(binary(first, false)).isEqualTo("E0A000 ZI");
            assertThat(binary(second, false)).isEqualTo("E0A000 ZI");
            assertThat(binary(third, false)).isEqualTo("E0A000 ZI");
            assertThat(binary(first, false)).isEqualTo("E0A000 ZI");
            for (PgWire each : new PgWire[] {first, second, third}) {
                each.closeStatement("s")
                        .parse("s", sql)
                        .describe('S', "s")
                        .sync()
                        .send();
                assertThat(each.answers(1)).isEqualTo("3 1 t T ZI");
                assertThat(binary(each, false)).isEqualTo("2 D\0\0\0\0\0\0\0\1 C ZI");
            }
        }
    }

    /** Also where another client has prepared it since, of the table as it is now; and within a transaction, in the middle of a batch. */
    @Test
    void whatOthersHavePreparedSinceIsNotTakenForTheClients() throws Exception {
        try (PgWire before = wire();
                PgWire after = wire()) {
            before.parse("s", "SELECT id FROM shape").describe('S', "s").sync().send();
            assertThat(before.answers(1)).isEqualTo("1 t T ZI");
            assertThat(ask(before, "BEGIN")).isEqualTo("C ZT");
            before.parse("", "SELECT 1").bind("", "").execute("", 0);
            before.bindBinary("", "s").execute("", 0).sync().send();
            assertThat(before.answers(1)).isEqualTo("1 2 D1 C 2 D\0\0\0\1 C ZT");
            assertThat(ask(before, "COMMIT")).isEqualTo("C ZI");
            run(owner, "ALTER TABLE shape ALTER id TYPE bigint");
            after.parse("s", "SELECT id FROM shape")
                    .bindBinary("", "s")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(after.answers(1)).isEqualTo("1 2 D\0\0\0\0\0\0\0\1 C ZI");
            before.parse("", "SELECT 1").bind("", "").execute("", 0);
            before.bindBinary("", "s").execute("", 0).sync().send();
            assertThat(before.answers(1)).isEqualTo("1 2 D1 C E0A000 ZI");
            assertThat(ask(before, "SELECT 1")).isEqualTo("T D1 C ZI");
            assertThat(binary(before, false)).isEqualTo("E0A000 ZI");
            run(owner, "ALTER TABLE shape ALTER id TYPE int");
            assertThat(binary(before, false)).isEqualTo("2 D\0\0\0\1 C ZI");
            run(owner, "DROP TABLE shape");
            assertThat(binary(before, false)).isEqualTo("E42P01 ZI");
            assertThat(ask(before, "DEALLOCATE ALL")).isEqualTo("C ZI");
            assertThat(prepares(before, "t", "SELECT 1")).isEqualTo("1 2 D1 C ZI");
        }
    }

    /** As on a connection of one's own: what was refused in the meantime, and how often, leaves nothing behind. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void aTableThatIsAsItWasIsReadAsBefore(int refused) throws Exception {
        String sql = "SELECT * FROM shape";
        try (PgWire one = wire();
                PgWire other = wire()) {
            one.parse("s", sql).describe('S', "s").sync().send();
            assertThat(one.answers(1)).isEqualTo("1 t T ZI");
            run(owner, "ALTER TABLE shape ADD note text");
            for (int i = 0; i < refused; i++) {
                assertThat(binary(one, false)).isEqualTo("E0A000 ZI");
            }
            other.parse("s", sql).describe('S', "s").sync().send();
            assertThat(other.answers(1)).isEqualTo("1 t T ZI");
            run(owner, "ALTER TABLE shape DROP note");
            one.query("BEGIN").parse("", "SELECT 1").bind("", "").execute("", 0);
            one.bindBinary("", "s").execute("", 0).bindBinary("", "s").execute("", 0);
            one.sync().query("COMMIT").send();
            assertThat(one.answers(3)).isEqualTo("C ZT 1 2 D1 C 2 D\0\0\0\1 C 2 D\0\0\0\1 C ZT C ZI");
            run(owner, "DROP TABLE shape");
            assertThat(binary(one, false)).isEqualTo("E42P01 ZI");
            assertThat(binary(other, false)).isEqualTo("E42P01 ZI");
        }
    }

    /** The server is asked what it is there, and has an error for it. */
    @Test
    void whatCannotBePreparedOnAnotherConnectionFailsInItsTurn() throws Exception {
        try (PgWire wire = wire()) {
            wire.parse("s", "SELECT id FROM shape").describe('S', "s").sync().send();
            assertThat(wire.answers(1)).isEqualTo("1 t T ZI");
            run(owner, "DROP TABLE shape");
            run(owner, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'");
            wire.parse("", "SELECT 1").bind("", "").execute("", 0);
            wire.bindBinary("", "s").execute("", 0).sync().send();
            assertThat(wire.answers(1)).isEqualTo("1 2 D1 C E42P01 ZI");
            assertThat(binary(wire, false)).isEqualTo("E42P01 ZI");
            assertThat(ask(wire, "SELECT 1")).isEqualTo("T D1 C ZI");
        }
    }

    /** What it fetches is the cursor's. */
    @Test
    void whatIsFetchedSaysItsTypesByItself() throws Exception {
        try (PgWire one = wire();
                PgWire other = wire()) {
            for (PgWire each : new PgWire[] {one, other}) {
                assertThat(ask(each, "BEGIN; DECLARE c CURSOR FOR SELECT " + (each == one ? "1" : "'x'::text")))
                        .isEqualTo("C C ZT");
                each.parse("s", "FETCH 1 FROM c")
                        .describe('S', "s")
                        .bindBinary("", "s")
                        .execute("", 0)
                        .sync()
                        .send();
                assertThat(each.answers(1)).isEqualTo(each == one ? "1 t T 2 D\0\0\0\1 C ZT" : "1 t T 2 Dx C ZT");
                assertThat(ask(each, "COMMIT")).isEqualTo("C ZI");
            }
            assertThat(ask(one, "BEGIN; DECLARE c CURSOR FOR SELECT 2")).isEqualTo("C C ZT");
            assertThat(binary(one, false)).isEqualTo("2 D\0\0\0\2 C ZT");
            assertThat(ask(one, "COMMIT")).isEqualTo("C ZI");
        }
    }

    /** Larger than what is collected, and so still under way when it is refused. */
    @Test
    void aLargeValueOfAnotherTypeIsRefusedToo() throws Exception {
        try (PgWire wire = wire();
                PgWire other = wire()) {
            run(owner, "ALTER TABLE shape ADD note text");
            wire.parse("s", "SELECT id FROM shape WHERE note IS DISTINCT FROM $1")
                    .describe('S', "s")
                    .sync()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("1 t T ZI");
            run(owner, "ALTER TABLE shape ALTER id TYPE bigint");
            other.parse("s", "SELECT id FROM shape WHERE note IS DISTINCT FROM $1")
                    .bindBinary("", "s", "x")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(other.answers(1)).isEqualTo("1 2 D\0\0\0\0\0\0\0\1 C ZI");
            wire.bindBinary("", "s", "x".repeat(3 << 20)).execute("", 0).sync();
            byte[] all = wire.take();
            wire.send(java.util.Arrays.copyOf(all, 2 << 20));
            wire.send(java.util.Arrays.copyOfRange(all, 2 << 20, all.length));
            assertThat(wire.answers(1)).isEqualTo("E0A000 ZI");
            assertThat(ask(wire, "SELECT 1")).isEqualTo("T D1 C ZI");
        }
    }

    private static String binary(PgWire wire, boolean described) throws IOException {
        wire.bindBinary("", "s");
        if (described) {
            wire.describe('P', "");
        }
        wire.execute("", 0).sync().send();
        return wire.answers(1);
    }

    /** One client's statements are the proxy's to remember, for as long as it stays. */
    @Test
    void aClientThatClosesNothingIsToldSo() throws Exception {
        try (PgWire wire = wire()) {
            for (int i = 0; i < 10_000; i++) {
                wire.parse("s" + i, "SELECT 1");
            }
            wire.sync().send();
            wire.answers(1);
            assertThat(ask(wire, "BEGIN")).isEqualTo("C ZT");
            wire.bind("", "s0").execute("", 0);
            wire.parse("more", "SELECT 2")
                    .bind("", "more")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("2 D1 C E54000 ZE");
            assertThat(ask(wire, "ROLLBACK")).isEqualTo("C ZI");
            wire.closeStatement("s1").parse("more", "SELECT 2").sync().send();
            assertThat(wire.answers(1)).isEqualTo("3 1 ZI");
            assertThat(runs(wire, "more")).isEqualTo("2 D2 C ZI");
            assertThat(prepares(wire, "", "SELECT 3")).isEqualTo("1 2 D3 C ZI");
        }
    }
}
