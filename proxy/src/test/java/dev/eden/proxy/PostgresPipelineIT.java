package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client sends before it has heard of the last: what was skipped has not happened, and what was dropped is gone, for it and for nobody else. */
class PostgresPipelineIT extends PostgresFixture {
    /** One connection for everybody. */
    @BeforeEach
    void proxy() {
        start(config ->
                config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1).withWaiting(Duration.ofSeconds(10), 100));
    }

    private PgWire wire() throws IOException {
        return new PgWire(proxy.port()).login(3 << 16, "app", "pencil");
    }

    private static void isServed(PgWire wire) throws IOException {
        wire.query("SELECT 'served'").send();
        assertThat(wire.answers(1)).isEqualTo("T Dserved C ZI");
    }

    private static String bound(PgWire wire, String name) throws IOException {
        wire.bind("", name).execute("", 0).sync().send();
        return wire.answers(1);
    }

    private static PgWire with(PgWire wire, String name, String sql) throws IOException {
        wire.parse(name, sql).sync().send();
        assertThat(wire.answers(1)).isEqualTo("1 ZI");
        return wire;
    }

    private static byte[] rows(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"DISCARD ALL", "DEALLOCATE ALL", "deallocate prepare all"})
    void whatIsMadeBehindADiscardStays(String all) throws IOException {
        try (PgWire wire = with(with(wire(), "s", "SELECT 'old'"), "lost", "SELECT 'lost'")) {
            wire.query(all).parse("s", "SELECT 'new'").sync().send();
            assertThat(wire.answers(2)).isEqualTo("C ZI 1 ZI");
            assertThat(bound(wire, "s")).isEqualTo("2 Dnew C ZI");
            assertThat(bound(wire, "lost")).isEqualTo("E26000 ZI");
            wire.query(all)
                    .parse("s", "SELECT 'new'")
                    .bind("", "s")
                    .execute("", 0)
                    .sync();
            wire.bind("", "s").execute("", 0).sync().send();
            assertThat(wire.answers(3)).isEqualTo("C ZI 1 2 Dnew C ZI 2 Dnew C ZI");
            wire.parse("", all).bind("", "").execute("", 0);
            wire.parse("s", "SELECT 'new'").bind("", "s").execute("", 0).sync().send();
            assertThat(wire.answers(1)).isEqualTo("1 2 C 1 2 Dnew C ZI");
            wire.parse("all", all).bind("", "all").execute("", 0).sync();
            wire.parse("s", "SELECT 'newer'").sync().send();
            assertThat(wire.answers(2)).isEqualTo("1 2 C ZI 1 ZI");
            assertThat(bound(wire, "s")).isEqualTo("2 Dnewer C ZI");
        }
    }

    @Test
    void aDiscardThatFailsDropsNothing() throws IOException {
        try (PgWire wire = with(wire(), "s", "SELECT 'old'")) {
            wire.query("BEGIN")
                    .query("DISCARD ALL")
                    .parse("t", "SELECT 'new'")
                    .sync()
                    .send();
            assertThat(wire.answers(3)).isEqualTo("C ZT E25001 ZE E25P02 ZE");
            wire.parse("", "DISCARD ALL").bind("", "").execute("", 0);
            wire.closeStatement("s").sync().query("ROLLBACK").send();
            assertThat(wire.answers(2)).isEqualTo("E25P02 ZE C ZI");
            assertThat(bound(wire, "s")).isEqualTo("2 Dold C ZI");
        }
    }

    @Test
    void whoListensBehindADiscardHears() throws IOException {
        end();
        start(config -> config.withPool(Pooling.TRANSACTION, 2).withEventLoops(1));
        try (PgWire wire = wire();
                PgWire other = wire()) {
            wire.query("DISCARD ALL").query("LISTEN here").send();
            assertThat(wire.answers(2)).isEqualTo("C ZI C ZI");
            other.query("BEGIN").send();
            assertThat(other.answers(1)).isEqualTo("C ZT");
            wire.query("NOTIFY here").send();
            assertThat(wire.answers(1)).isEqualTo("C A ZI");
        }
    }

    @Test
    void whoGoesWhileItDropsItsStatementsTakesNobodyElses() throws IOException {
        try (PgWire stays = with(wire(), "s", "SELECT 'kept'")) {
            try (PgWire goes = wire()) {
                goes.query("SELECT pg_sleep(0.5); DEALLOCATE ALL").send();
            }
            assertThat(bound(stays, "s")).isEqualTo("2 Dkept C ZI");
        }
    }

    @Test
    void anErrorSkipsTheCloseAndTheParseBehindIt() throws IOException {
        try (PgWire wire = with(wire(), "s", "SELECT 'old'")) {
            wire.parse("", "SELECT nothing");
            wire.closeStatement("s").parse("s", "SELECT 'new'");
            wire.closeStatement("s").parse("s", "SELECT 'newer'").sync().send();
            assertThat(wire.answers(1)).isEqualTo("E42703 ZI");
            assertThat(bound(wire, "s")).isEqualTo("2 Dold C ZI");
        }
    }

    @Test
    void aDeallocateInAFailedTransactionKeepsTheStatement() throws IOException {
        try (PgWire wire = with(wire(), "s", "SELECT 'kept'")) {
            wire.query("BEGIN").query("SELECT nothing").send();
            assertThat(wire.answers(2)).isEqualTo("C ZT E42703 ZE");
            wire.query("DEALLOCATE s").query("ROLLBACK").send();
            assertThat(wire.answers(2)).isEqualTo("E25P02 ZE C ZI");
            assertThat(bound(wire, "s")).isEqualTo("2 Dkept C ZI");
        }
    }

    @Test
    void aDeallocateInABatch() throws IOException {
        try (PgWire wire = with(with(wire(), "s", "SELECT 'shared'"), "u", "SELECT 'other'");
                PgWire other = with(wire(), "t", "SELECT 'shared'")) {
            wire.parse("", "DEALLOCATE s").bind("", "").execute("", 0).sync().send();
            assertThat(wire.answers(1)).isEqualTo("1 2 C ZI");
            assertThat(bound(wire, "s")).isEqualTo("E26000 ZI");
            assertThat(bound(other, "t")).isEqualTo("2 Dshared C ZI");
            wire.parse("", "DEALLOCATE PREPARE \"u\"").bind("", "").execute("", 0);
            wire.parse("u", "SELECT 'other'")
                    .bind("", "u")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("1 2 C 1 2 Dother C ZI");
            wire.parse("", "SELECT nothing").parse("", "DEALLOCATE u").bind("", "");
            wire.execute("", 0).sync().send();
            assertThat(wire.answers(1)).isEqualTo("E42703 ZI");
            assertThat(bound(wire, "u")).isEqualTo("2 Dother C ZI");
            wire.parse("", "DEALLOCATE nobody")
                    .bind("", "")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("1 2 E26000 ZI");
        }
    }

    @Test
    void aNameIsTakenFromItsParseOn() throws IOException {
        try (PgWire wire = wire();
                PgWire other = with(wire(), "t", "SELECT 'known'")) {
            wire.parse("s", "SELECT 'first'")
                    .parse("s", "SELECT 'second'")
                    .sync()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("1 E42P05 ZI");
            assertThat(bound(wire, "s")).isEqualTo("2 Dfirst C ZI");
            wire.parse("k", "SELECT 'known'")
                    .parse("k", "SELECT 'second'")
                    .sync()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("1 E42P05 ZI");
            assertThat(bound(wire, "k")).isEqualTo("2 Dknown C ZI");
            wire.parse("b", "SELECT 'first'").sync();
            wire.parse("b", "SELECT 'second'").sync().send();
            assertThat(wire.answers(2)).isEqualTo("1 ZI E42P05 ZI");
            assertThat(bound(wire, "b")).isEqualTo("2 Dfirst C ZI");
            wire.parse("f", "SELECT nothing").sync();
            wire.parse("f", "SELECT 'second'").sync().send();
            assertThat(wire.answers(2)).isEqualTo("E42703 ZI 1 ZI");
            assertThat(bound(wire, "f")).isEqualTo("2 Dsecond C ZI");
            assertThat(bound(other, "t")).isEqualTo("2 Dknown C ZI");
        }
    }

    /** The server knows it by another name, or, on a connection of another's, not at all yet. */
    @Test
    void aStatementOfTheProtocolIsExecutedBySql() throws IOException {
        try (PgWire wire = with(with(wire(), "s", "SELECT 'mine ' || $1::text"), "S 2", "SELECT 'quoted'");
                PgWire other = with(wire(), "s", "SELECT 'of another ' || $1::text")) {
            for (int i = 0; i < 2; i++) {
                wire.query("EXECUTE s('a')").query("/* it */ execute \"S 2\";").send();
                assertThat(wire.answers(2)).isEqualTo("T Dmine a C ZI T Dquoted C ZI");
                other.query("EXECUTE s('b')").send();
                assertThat(other.answers(1)).isEqualTo("T Dof another b C ZI");
                other.query("DISCARD ALL").send();
                assertThat(other.answers(1)).isEqualTo("C ZI");
                with(other, "s", "SELECT 'of another ' || $1::text");
            }
            wire.parse("", "EXECUTE s('x')").bind("", "").execute("", 0).sync().send();
            other.parse("", "EXECUTE s('x')").bind("", "").execute("", 0).sync().send();
            assertThat(wire.answers(1)).isEqualTo("1 2 Dmine x C ZI");
            assertThat(other.answers(1)).isEqualTo("1 2 Dof another x C ZI");
            assertThat(bound(wire, "")).isEqualTo("2 Dmine x C ZI");
            wire.query("BEGIN").query("EXECUTE s('t')").query("DEALLOCATE s").query("EXECUTE s('t')");
            wire.query("ROLLBACK").send();
            assertThat(wire.answers(5)).isEqualTo("C ZT T Dmine t C ZT C ZT E26000 ZE C ZI");
            isServed(other);
        }
    }

    @Test
    void aStatementThatCannotBeMadeAgainIsRefusedWhereItIsExecutedBySql() throws Exception {
        try (PgWire wire = wire();
                PgWire other = wire();
                Connection owner = direct(source)) {
            run(owner, "CREATE TABLE passing (id int)");
            run(owner, "GRANT SELECT ON passing TO app");
            with(wire, "s", "SELECT * FROM passing");
            run(owner, "DROP TABLE passing");
            other.query("DISCARD ALL").send();
            assertThat(other.answers(1)).isEqualTo("C ZI");
            wire.query("EXECUTE s")
                    .query("BEGIN")
                    .query("EXECUTE s")
                    .query("ROLLBACK")
                    .send();
            assertThat(wire.answers(4)).isEqualTo("E42P01 ZI C ZT E42P01 ZE C ZI");
            isServed(other);
            isServed(wire);
        }
    }

    @Test
    void anUnnamedParseThatWasSkippedIsNotRunLater() throws IOException {
        try (PgWire wire = with(wire(), "", "SELECT 'old'")) {
            wire.bind("", "none").parse("", "SELECT 'skipped'").parse("", "SELECT 'skipped, too'");
            wire.sync().send();
            assertThat(wire.answers(1)).isEqualTo("E26000 ZI");
            assertThat(bound(wire, "")).isEqualTo("2 Dold C ZI");
            wire.parse("", "SELECT nothing")
                    .parse("", "SELECT 'skipped'")
                    .sync()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("E42703 ZI");
            assertThat(bound(wire, "")).isEqualTo("E26000 ZI");
        }
    }

    @Test
    void aFunctionCallLeavesTheUnnamedStatement() throws IOException {
        try (PgWire wire = with(wire(), "", "SELECT 'kept'")) {
            int backendPid = 2026;
            byte[] call = ByteBuffer.allocate(10).putInt(backendPid).array();
            wire.add('F', call).bind("", "").execute("", 0).sync().send();
            assertThat(wire.answers(2)).isEqualTo("V ZI 2 Dkept C ZI");
        }
    }

    /** A client need not wait to hear what of its last batch was skipped. */
    @Test
    void whatIsParsedBehindASkippedParseStays() throws IOException {
        try (PgWire wire = with(wire(), "", "SELECT 'old'");
                PgWire other = wire()) {
            wire.bind("", "none").parse("", "SELECT 'skipped'").sync();
            wire.parse("", "SELECT 'new'").sync();
            wire.bind("", "").execute("", 0).sync().send();
            assertThat(wire.answers(3)).isEqualTo("E26000 ZI 1 ZI 2 Dnew C ZI");
            wire.parse("", "SELECT nothing").sync();
            wire.bind("", "none").parse("", "SELECT 'skipped'").sync();
            wire.bind("", "").execute("", 0).sync().send();
            assertThat(wire.answers(3)).isEqualTo("E42703 ZI E26000 ZI E26000 ZI");
            with(wire, "", "SELECT 'mine'");
            with(other, "", "SELECT 'of another'");
            wire.bind("", "none")
                    .parse("", "SELECT 'skipped'")
                    .closeStatement("")
                    .sync();
            wire.bind("", "").execute("", 0).sync().send();
            assertThat(wire.answers(2)).isEqualTo("E26000 ZI 2 Dmine C ZI");
        }
    }

    @Test
    void nobodyRunsTheUnnamedStatementOfAnother() throws IOException {
        try (PgWire wire = wire();
                PgWire other = with(wire(), "", "SELECT 'of another'")) {
            assertThat(bound(wire, "")).isEqualTo("E26000 ZI");
            wire.describe('S', "").sync().send();
            assertThat(wire.answers(1)).isEqualTo("E26000 ZI");
            assertThat(bound(other, "")).isEqualTo("2 Dof another C ZI");
        }
    }

    /** A server ignores a simple query as everything else until the Sync. */
    @Test
    void aQueryThatAnErrorSkippedKeepsNoConnection() throws IOException {
        try (PgWire wire = wire();
                PgWire other = wire()) {
            wire.parse("", "SELECT nothing").query("SELECT 1").sync().send();
            assertThat(wire.answers(1)).isEqualTo("E42703 ZI");
            isServed(other);
            wire.parse("", "SELECT nothing").flush().send();
            assertThat(wire.read().sqlState()).isEqualTo("42703");
            wire.query("SELECT 1").sync().send();
            assertThat(wire.answers(1)).isEqualTo("ZI");
            isServed(other);
            isServed(wire);
        }
    }

    @Test
    void rowsOfACopyThatNobodyHasAskedForYet() throws Exception {
        try (PgWire wire = wire();
                PgWire other = wire();
                Connection owner = direct(source)) {
            run(owner, "CREATE TABLE blind (id int)");
            run(owner, "GRANT SELECT, INSERT ON blind TO app");
            String copy = "COPY blind FROM STDIN";
            for (int i = 0; i < 2; i++) {
                wire.parse("", copy).bind("", "").execute("", 0);
                wire.add('d', rows("1\n")).add('c', new byte[0]);
            }
            wire.sync().query("SELECT count(*) FROM blind").send();
            assertThat(wire.answers(2)).isEqualTo("1 2 G C 1 2 G C ZI T D2 C ZI");
            isServed(other);
            // A Sync among the rows is ignored, the one behind them is not.
            wire.parse("", copy).bind("", "").execute("", 0).sync();
            wire.add('d', rows("3\n")).add('c', new byte[0]).sync().send();
            assertThat(wire.answers(1)).isEqualTo("1 2 G C ZI");
            isServed(other);
            wire.query(copy).add('d', rows("4\n")).sync().add('c', new byte[0]).send();
            assertThat(wire.answers(1)).isEqualTo("G C ZI");
            isServed(other);
            // It fails: at once, at its rows, by the client's own word.
            wire.parse("", "COPY nowhere FROM STDIN").bind("", "").execute("", 0);
            wire.add('d', rows("5\n")).add('c', new byte[0]).sync().send();
            assertThat(wire.answers(1)).isEqualTo("1 2 E42P01 ZI");
            wire.parse("", copy).bind("", "").execute("", 0);
            wire.add('d', rows("x\n")).add('c', new byte[0]).sync().send();
            assertThat(wire.answers(1)).isEqualTo("1 2 G E22P02 ZI");
            wire.parse("", copy).bind("", "").execute("", 0).sync();
            wire.add('f', rows("no more\0")).sync().send();
            assertThat(wire.answers(1)).isEqualTo("1 2 G E57014 ZI");
            isServed(other);
            wire.query("SELECT count(*) FROM blind").send();
            assertThat(wire.answers(1)).isEqualTo("T D4 C ZI");
            run(owner, "DROP TABLE blind");
        }
    }

    /** The server has half a message: whoever got the connection now would have his first requests read as the other half. */
    @Test
    void aCopyThatFailsKeepsItsConnectionToTheEndOfTheMessage() throws Exception {
        try (PgWire wire = wire();
                PgWire other = wire();
                Connection owner = direct(source)) {
            run(owner, "CREATE TABLE halves (id int)");
            run(owner, "GRANT INSERT ON halves TO app");
            wire.query("COPY halves FROM STDIN").send();
            assertThat(wire.read().type()).isEqualTo('G');
            byte[] message = ByteBuffer.allocate(1 + 4 + 1000)
                    .put((byte) 'd')
                    .putInt(4 + 1000)
                    .array();
            wire.add('d', rows("x\n")).send();
            wire.send(java.util.Arrays.copyOf(message, 500));
            assertThat(wire.answers(1)).isEqualTo("E22P02 ZI");
            other.query("SELECT 'mine'").send();
            wire.send(java.util.Arrays.copyOfRange(message, 500, message.length));
            assertThat(other.answers(1)).isEqualTo("T Dmine C ZI");
            isServed(wire);
            run(owner, "DROP TABLE halves");
        }
    }

    @Test
    void aPlanThatIsMadeAnewReplacesTheFormer() throws Exception {
        try (PgWire wire = wire();
                Connection owner = direct(source)) {
            run(owner, "CREATE TABLE grows (id int)");
            run(owner, "GRANT SELECT ON grows TO app");
            with(wire, "s", "SELECT * FROM grows");
            for (int i = 0; i < 4; i++) {
                assertThat(bound(wire, "s")).isEqualTo("2 C ZI");
                run(owner, "ALTER TABLE grows ADD COLUMN more" + i + " int");
                assertThat(bound(wire, "s")).isEqualTo("E0A000 ZI");
            }
            assertThat(bound(wire, "s")).isEqualTo("2 C ZI");
            wire.query("SELECT count(*) FROM pg_prepared_statements").send();
            assertThat(wire.answers(1)).isEqualTo("T D1 C ZI");
            run(owner, "DROP TABLE grows");
        }
    }
}
