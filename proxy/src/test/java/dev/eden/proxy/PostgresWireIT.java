package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.PostgresProxyConfig.Limits;
import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The protocol itself: what drivers do rarely, and what none should do. */
class PostgresWireIT extends PostgresFixture {
    private static final int V3_0 = 3 << 16;
    private static final int V3_2 = V3_0 | 2;

    private PgWire wire() throws IOException {
        return new PgWire(proxy.port()).login(V3_0, "app", "pencil");
    }

    @Test
    void pipelinesOfBatchesAnswerInOrder() throws IOException {
        start(config -> config.withPool(Pooling.TRANSACTION, 1));
        try (PgWire wire = wire()) {
            for (int i = 0; i < 5; i++) {
                wire.parse("", "SELECT " + i)
                        .bind("", "")
                        .describe('P', "")
                        .execute("", 0)
                        .sync();
            }
            wire.query("SELECT 7; SELECT 8")
                    .query("SELECT nothing")
                    .query("SELECT 9")
                    .send();
            assertThat(wire.answers(8))
                    .isEqualTo("1 2 T D0 C ZI 1 2 T D1 C ZI 1 2 T D2 C ZI 1 2 T D3 C ZI 1 2 T D4 C ZI"
                            + " T D7 C T D8 C ZI E42703 ZI T D9 C ZI");
        }
    }

    @Test
    void anErrorSkipsToTheSync() throws IOException {
        start(config -> config);
        try (PgWire wire = wire()) {
            wire.parse("a", "SELECT 1").bind("", "a").execute("", 0);
            wire.parse("b", "SELECT nothing").bind("", "b").execute("", 0);
            wire.parse("c", "SELECT 3").sync();
            wire.bind("", "a").execute("", 0).sync();
            wire.bind("", "c").execute("", 0).sync();
            wire.parse("c", "SELECT 4").bind("", "c").execute("", 0).sync();
            wire.send();
            assertThat(wire.answers(4)).isEqualTo("1 2 D1 C E42703 ZI 2 D1 C ZI E26000 ZI 1 2 D4 C ZI");
            wire.parse("c", "SELECT 5").sync().send();
            assertThat(wire.answers(1)).isEqualTo("E42P05 ZI");
            wire.closeStatement("c")
                    .parse("c", "SELECT 5")
                    .bind("", "c")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("3 1 2 D5 C ZI");
        }
    }

    /** A server drops its unnamed statement before it looks at the next one's text. */
    @Test
    void aParseThatFailsForOneTakesNothingFromAnother() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1));
        String count = "SELECT count(*) FROM comes_and_goes";
        try (PgWire one = wire();
                PgWire other = wire();
                Connection owner = direct(source)) {
            run(owner, "CREATE TABLE comes_and_goes (id int)");
            run(owner, "GRANT SELECT ON comes_and_goes TO app");
            other.parse("", count).sync().send();
            assertThat(other.answers(1)).isEqualTo("1 ZI");
            run(owner, "ALTER TABLE comes_and_goes RENAME TO is_away");
            one.parse("", count).sync().send();
            assertThat(one.answers(1)).isEqualTo("E42P01 ZI");
            run(owner, "ALTER TABLE is_away RENAME TO comes_and_goes");
            other.bind("", "").execute("", 0).sync().send();
            assertThat(other.answers(1)).isEqualTo("2 D0 C ZI");
            run(owner, "DROP TABLE comes_and_goes");
        }
    }

    @Test
    void flushAnswersBeforeTheSync() throws IOException {
        start(config -> config);
        try (PgWire wire = wire()) {
            wire.parse("x", "SELECT generate_series(1, 3)")
                    .describe('S', "x")
                    .flush()
                    .send();
            assertThat(wire.read().type()).isEqualTo('1');
            assertThat(wire.read().type()).isEqualTo('t');
            assertThat(wire.read().type()).isEqualTo('T');
            wire.bind("p", "x").execute("p", 2).flush().send();
            assertThat(wire.read().type()).isEqualTo('2');
            assertThat(wire.read().type()).isEqualTo('D');
            assertThat(wire.read().type()).isEqualTo('D');
            assertThat(wire.read().type()).isEqualTo('s');
            wire.execute("p", 0).sync().send();
            assertThat(wire.answers(1)).isEqualTo("D3 C ZI");
        }
    }

    /** A Flush behind the Sync begins no batch: the connection goes back when all is answered. */
    @Test
    void aFlushBehindTheSyncKeepsNothing() throws IOException {
        start(config -> alone(config));
        try (PgWire wire = wire();
                PgWire other = wire()) {
            wire.parse("", "SELECT 1")
                    .bind("", "")
                    .execute("", 0)
                    .sync()
                    .flush()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("1 2 D1 C ZI");
            isServed(other);
            isServed(wire);
        }
    }

    /** One connection for everybody, who wait no longer for it than a slow machine takes. */
    private static PostgresProxyConfig alone(PostgresProxyConfig config) {
        return config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1).withWaiting(Duration.ofSeconds(10), 100);
    }

    private static void isServed(PgWire wire) throws IOException {
        wire.query("SELECT 'served'").send();
        assertThat(wire.answers(1)).isEqualTo("T Dserved C ZI");
    }

    /** A server waits for the rest of a COPY or of a statement for as long as its connection lasts. */
    @ParameterizedTest
    @ValueSource(strings = {"COPY, asked for its rows", "COPY", "COPY in a batch", "long statement"})
    void whoEndsInTheMiddleOfItTakesNoConnectionWithHim(String what) throws Exception {
        start(config -> alone(config));
        String copy = "COPY middle FROM STDIN";
        try (PgWire next = wire();
                Connection owner = direct(source)) {
            run(owner, "CREATE TABLE IF NOT EXISTS middle (id int)");
            run(owner, "GRANT INSERT ON middle TO app");
            try (PgWire wire = wire()) {
                switch (what) {
                    case "COPY, asked for its rows" -> {
                        wire.query(copy).send();
                        assertThat(wire.read().type()).isEqualTo('G');
                    }
                    case "COPY" -> wire.query(copy).send();
                    case "COPY in a batch" ->
                        wire.parse("", copy).bind("", "").execute("", 0).sync().send();
                    default ->
                        wire.send(ByteBuffer.allocate(2 << 20)
                                .put((byte) 'Q')
                                .putInt(4 << 20)
                                .array());
                }
            }
            isServed(next);
        }
    }

    /** What a pinned session has is asked when its statement has been answered, and that is when its client may go. */
    @Test
    void whoEndsWhileItsSessionIsLookedAtTakesNoConnectionWithHim() throws IOException {
        start(config -> alone(config));
        for (int i = 0; i < 20; i++) {
            try (PgWire wire = wire()) {
                wire.query("DO 'BEGIN END'").send();
                assertThat(wire.answers(1)).isEqualTo("C ZI");
            }
        }
    }

    /** The server skips the Close of a statement that had to make room, too. */
    @Test
    void anErrorSkipsWhatMakesRoom() throws IOException {
        start(config -> {
            Limits all = config.limits();
            Limits one = new Limits(
                    all.maxClients(),
                    all.collectBytes(),
                    all.inputBytes(),
                    all.outputBytes(),
                    1,
                    all.connectTimeout(),
                    all.loginTimeout());
            PostgresProxyConfig pool = alone(config);
            return new PostgresProxyConfig(
                    pool.identity(),
                    pool.interlay(),
                    pool.listen(),
                    pool.eventLoops(),
                    pool.pooling(),
                    pool.poolSize(),
                    pool.waitTimeout(),
                    pool.maxWaiting(),
                    pool.tls(),
                    pool.trusted(),
                    one);
        });
        try (PgWire wire = wire()) {
            wire.parse("a", "SELECT 1").sync().send();
            assertThat(wire.answers(1)).isEqualTo("1 ZI");
            wire.parse("", "SELECT nothing").parse("b", "SELECT 2").sync().send();
            assertThat(wire.answers(1)).isEqualTo("E42703 ZI");
            wire.bind("", "a").execute("", 0).sync().send();
            assertThat(wire.answers(1)).isEqualTo("2 D1 C ZI");
            wire.parse("b", "SELECT 2").bind("", "b").execute("", 0).sync();
            wire.bind("", "a").execute("", 0).sync().send();
            assertThat(wire.answers(2)).isEqualTo("1 2 D2 C ZI 2 D1 C ZI");
        }
    }

    @Test
    void statementsAreSharedByContentAndKeptByName() throws IOException {
        start(config -> config.withPool(Pooling.TRANSACTION, 1));
        try (PgWire one = wire();
                PgWire other = wire()) {
            one.parse("s", "SELECT 'one'").sync().send();
            assertThat(one.answers(1)).isEqualTo("1 ZI");
            other.parse("s", "SELECT 'other'").parse("t", "SELECT 'one'").sync().send();
            assertThat(other.answers(1)).isEqualTo("1 1 ZI");
            one.bind("", "s").execute("", 0).sync().send();
            assertThat(one.answers(1)).isEqualTo("2 Done C ZI");
            other.bind("", "t")
                    .execute("", 0)
                    .bind("", "s")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(other.answers(1)).isEqualTo("2 Done C 2 Dother C ZI");
            other.query("DEALLOCATE t").bind("", "t").sync().send();
            assertThat(other.answers(2)).isEqualTo("C ZI E26000 ZI");
            one.bind("", "s").execute("", 0).sync().send();
            assertThat(one.answers(1)).isEqualTo("2 Done C ZI");
            one.query("DEALLOCATE ALL").bind("", "s").sync().send();
            assertThat(one.answers(2)).isEqualTo("C ZI E26000 ZI");
            other.bind("", "s").execute("", 0).sync().send();
            assertThat(other.answers(1)).isEqualTo("2 Dother C ZI");
        }
    }

    /** The proxy answers a Parse of what the server has already: also when its own look at a resting session is still to be answered. */
    @Test
    void aKnownStatementBehindAProbe() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1));
        try (PgWire wire = wire();
                Connection direct = direct(source)) {
            wire.query("LISTEN somebody").parse("s", "SELECT 'known'").sync().send();
            assertThat(wire.answers(2)).isEqualTo("C ZI 1 ZI");
            direct.setAutoCommit(false);
            direct.createStatement().execute("LOCK TABLE pg_catalog.pg_proc IN ACCESS EXCLUSIVE MODE");
            await().until(() -> {
                try (ResultSet waiting = direct.createStatement()
                        .executeQuery(
                                "SELECT true FROM pg_locks WHERE relation = 'pg_catalog.pg_proc'::regclass AND NOT granted")) {
                    return waiting.next();
                }
            });
            wire.parse("t", "SELECT 'known'").bind("", "t").execute("", 0).sync();
            wire.query("SELECT 1").send();
            direct.rollback();
            assertThat(wire.answers(2)).isEqualTo("1 2 Dknown C ZI T D1 C ZI");
        }
    }

    @Test
    void unnamedStatementsOutliveTheirConnection() throws IOException {
        start(config -> config.withPool(Pooling.TRANSACTION, 1));
        try (PgWire one = wire();
                PgWire other = wire()) {
            one.parse("", "SELECT 'one'").sync().send();
            assertThat(one.answers(1)).isEqualTo("1 ZI");
            other.parse("", "SELECT 'other'").sync().send();
            assertThat(other.answers(1)).isEqualTo("1 ZI");
            one.bind("", "").execute("", 0).sync().send();
            assertThat(one.answers(1)).isEqualTo("2 Done C ZI");
        }
    }

    @Test
    void copyInTheExtendedProtocol() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1));
        try (PgWire wire = wire()) {
            wire.query("CREATE TEMP TABLE c (id int)").send();
            assertThat(wire.answers(1)).isEqualTo("C ZI");
            wire.parse("", "COPY c FROM STDIN")
                    .bind("", "")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(wire.read().type()).isEqualTo('1');
            assertThat(wire.read().type()).isEqualTo('2');
            assertThat(wire.read().type()).isEqualTo('G');
            wire.add('d', "1\n2\n".getBytes(StandardCharsets.UTF_8)).send();
            wire.add('d', "3\n".getBytes(StandardCharsets.UTF_8))
                    .add('c', new byte[0])
                    .sync()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("C ZI");
            wire.query("SELECT count(*) FROM c").send();
            assertThat(wire.answers(1)).isEqualTo("T D3 C ZI");
            wire.query("COPY c FROM STDIN").send();
            assertThat(wire.read().type()).isEqualTo('G');
            wire.add('d', "x\n".getBytes(StandardCharsets.UTF_8))
                    .add('c', new byte[0])
                    .query("SELECT 5")
                    .send();
            assertThat(wire.answers(2)).isEqualTo("E22P02 ZI T D5 C ZI");
        }
    }

    /** What is in its way is seen before a row is read: the Sync is still there, and is answered. */
    @Test
    void aCopyThatFailsBeforeItsRowsAnswersTheSync() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1));
        try (PgWire wire = wire();
                PgWire other = wire();
                Connection owner = direct(source)) {
            run(owner, "CREATE TABLE guarded (id int)");
            run(owner, "GRANT ALL ON guarded TO app");
            run(owner, "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'");
            run(owner, "CREATE TRIGGER guard BEFORE INSERT ON guarded EXECUTE FUNCTION guard()");
            wire.parse("", "COPY guarded FROM STDIN")
                    .bind("", "")
                    .execute("", 0)
                    .sync()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("1 2 G EP0001 ZI");
            wire.query("SELECT 5").send();
            assertThat(wire.answers(1)).isEqualTo("T D5 C ZI");
            // Rows and a second Sync are on their way: whoever has the connection next is answered what it asks.
            wire.parse("", "COPY guarded FROM STDIN")
                    .bind("", "")
                    .execute("", 0)
                    .sync()
                    .add('d', "1\n".getBytes(StandardCharsets.UTF_8))
                    .add('c', new byte[0])
                    .sync()
                    .send();
            assertThat(wire.answers(1)).isEqualTo("1 2 G EP0001 ZI");
            for (int i = 0; i < 3; i++) {
                other.query("SELECT 6; SELECT 7").send();
                assertThat(other.answers(1)).isEqualTo("T D6 C T D7 C ZI");
            }
            run(owner, "DROP TABLE guarded");
            run(owner, "DROP FUNCTION guard");
        }
    }

    @Test
    void requestsArriveHoweverTheyAreCut() throws IOException {
        start(config -> config);
        try (PgWire wire = wire()) {
            wire.parse("n", "SELECT $1::text || $2")
                    .bind("", "n", "left", "right")
                    .execute("", 0)
                    .sync();
            wire.query("SELECT 'whole'").bind("", "n", "a", "b").execute("", 0).sync();
            byte[] bytes = wire.take();
            for (byte one : bytes) {
                wire.send(new byte[] {one});
            }
            assertThat(wire.answers(3)).isEqualTo("1 2 Dleftright C ZI T Dwhole C ZI 2 Dab C ZI");
            wire.query("DEALLOCATE ALL").send();
            wire.answers(1);
            for (int cut = 1; cut < bytes.length; cut += 3) {
                wire.send(java.util.Arrays.copyOf(bytes, cut));
                wire.send(java.util.Arrays.copyOfRange(bytes, cut, bytes.length));
                assertThat(wire.answers(3)).isEqualTo("1 2 Dleftright C ZI T Dwhole C ZI 2 Dab C ZI");
                wire.closeStatement("n").sync().send();
                assertThat(wire.answers(1)).isEqualTo("3 ZI");
            }
        }
    }

    @Test
    void protocolVersionsAreNegotiated() throws IOException {
        start(config -> config);
        try (PgWire wire = new PgWire(proxy.port())) {
            assertThat(wire.ask(80877104)).isEqualTo('N');
            assertThat(wire.ask(80877103)).isEqualTo('N');
            wire.login(V3_0, "app", "pencil", "application_name", "wire");
            assertThat(wire.negotiated).isEmpty();
            assertThat(wire.secret).hasSize(4);
            assertThat(wire.parameters)
                    .containsEntry("application_name", "wire")
                    .containsKeys("server_version", "TimeZone");
        }
        try (PgWire wire = new PgWire(proxy.port()).login(V3_2, "app", "pencil")) {
            assertThat(wire.negotiated).isEmpty();
            assertThat(wire.secret).hasSize(32);
        }
        try (PgWire wire = new PgWire(proxy.port()).login(V3_0 | 9999, "app", "pencil", "_pq_.magic", "1")) {
            assertThat(wire.negotiated).containsExactly("00030002_pq_.magic,");
            wire.query("SELECT 1").send();
            assertThat(wire.answers(1)).isEqualTo("T D1 C ZI");
        }
        try (PgWire wire = new PgWire(proxy.port())) {
            wire.startup(2 << 16, Map.of("user", "app"));
            assertThat(wire.read().sqlState()).isEqualTo("0A000");
            assertThat(wire.ended()).isTrue();
        }
        try (PgWire wire = new PgWire(proxy.port())) {
            wire.startup(V3_0, Map.of("user", "app", "database", "eden", "replication", "true"));
            assertThat(wire.read().text()).contains("0A000").contains("replication connections");
        }
    }

    @Test
    void badSettingsAreRefusedInTheServersWords() throws IOException {
        start(config -> config);
        assertThatThrownBy(() -> new PgWire(proxy.port()).login(V3_0, "app", "pencil", "TimeZone", "Nowhere"))
                .hasMessageContaining("22023");
        assertThatThrownBy(() -> new PgWire(proxy.port()).login(V3_0, "app", "pencil", "no_such_setting", "1"))
                .hasMessageContaining("42704");
    }

    @Test
    void cancelKeysOfOthersDoNothing() throws Exception {
        start(config -> config);
        try (PgWire wire = new PgWire(proxy.port()).login(V3_2, "app", "pencil")) {
            wire.query("SELECT pg_sleep(1), 5").send();
            cancel(wire.pid, new byte[32]);
            cancel(wire.pid + 1, wire.secret);
            assertThat(wire.answers(1)).isEqualTo("T D C ZI");
            cancel(wire.pid, wire.secret); // nothing runs
            wire.query("SELECT pg_sleep(60)").send();
            try (Connection at = direct(source)) {
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> one(
                                        at,
                                        "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'")
                                .equals("1"));
            }
            cancel(wire.pid, wire.secret);
            assertThat(wire.answers(1)).isEqualTo("T E57014 ZI");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {V3_0, V3_2})
    void aCancelRequestReachesItsClientThroughAnotherProxy(int version) throws Exception {
        start(config -> config);
        try (PostgresProxy other = PostgresProxy.start(config("p2"), store, new SimpleMeterRegistry());
                PgWire wire = new PgWire(proxy.port()).login(version, "app", "pencil");
                PgWire bystander = new PgWire(other.port()).login(version, "app", "pencil");
                Connection at = direct(source)) {
            bystander.query("SELECT pg_sleep(1), 'bystander'").send();
            wire.query("SELECT pg_sleep(61)").send();
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> one(
                                    at,
                                    "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(61)' AND state = 'active'")
                            .equals("1"));
            byte[] wrong = wire.secret.clone();
            wrong[0] ^= 1;
            cancel(other.port(), wire.pid, wrong);
            cancel(other.port(), wire.pid, wire.secret);
            // When the request's connection has ended the signal has been sent: the next statement is not struck.
            wire.query("SELECT pg_sleep(0.2)").send();
            assertThat(wire.answers(2)).isEqualTo("T E57014 ZI T D C ZI");
            assertThat(bystander.answers(1)).isEqualTo("T D C ZI");
        }
    }

    private void cancel(int pid, byte[] secret) throws IOException {
        cancel(proxy.port(), pid, secret);
    }

    private static void cancel(int port, int pid, byte[] secret) throws IOException {
        try (PgWire wire = new PgWire(port)) {
            wire.send(ByteBuffer.allocate(12 + secret.length)
                    .putInt(12 + secret.length)
                    .putInt(80877102)
                    .putInt(pid)
                    .put(secret)
                    .array());
            assertThat(wire.ended()).isTrue();
        }
    }

    @Test
    void sqlInTheMiddleOfABatchOfCopyOut() throws IOException {
        start(config -> config.withPool(Pooling.TRANSACTION, 1));
        try (PgWire wire = wire()) {
            wire.query("COPY (SELECT generate_series(1, 3)) TO STDOUT")
                    .query("SELECT 4")
                    .send();
            assertThat(wire.answers(2)).isEqualTo("H d d d c C ZI T D4 C ZI");
        }
    }

    /** The session is the client's own to end with a server, and nobody's here. */
    @Test
    void whoAsksAndGoesAtOnceLeavesTheConnectionToOthers() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1));
        String process = "SELECT pg_backend_pid()";
        try (PgWire other = wire();
                Connection at = direct(source)) {
            other.query(process).send();
            String served = other.answers(1);
            try (PgWire wire = wire()) {
                wire.query("CREATE TABLE asked_and_gone ()").add('X', new byte[0]);
                wire.query("CREATE TABLE never_asked ()").send();
                assertThat(wire.ended()).isTrue();
            }
            other.query(process).send();
            assertThat(other.answers(1)).isEqualTo(served);
            assertThat(
                            one(
                                    at,
                                    "SELECT to_regclass('asked_and_gone')::text || coalesce(to_regclass('never_asked')::text, '')"))
                    .isEqualTo("asked_and_gone");
        }
    }

    /** As code in a DO puts names together. */
    @Test
    void aQuoteAtTheEndOfAPieceEndsNoSession() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1));
        try (PgWire wire = wire()) {
            wire.query("DO $$BEGIN EXECUTE 'CREATE TABLE public.\"' || 'made in pieces' || '\" ()'; END$$")
                    .send();
            assertThat(wire.answers(1)).isEqualTo("C ZI");
            wire.parse("p", "SELECT 1").sync().query("EXECUTE \"p").send();
            assertThat(wire.answers(2)).isEqualTo("1 ZI E42601 ZI");
        }
    }

    @Test
    void aCancelRequestWithoutAKeyIsRefused() throws Exception {
        start(config -> config);
        for (int length : new int[] {8, 10, 15}) {
            try (PgWire wire = new PgWire(proxy.port())) {
                wire.send(
                        ByteBuffer.allocate(40).putInt(length).putInt(80877102).array());
                assertThat(wire.read().sqlState()).isEqualTo("08P01");
                assertThat(wire.ended()).isTrue();
            }
        }
    }

    @Test
    void mutatedRequestsHurtNobodyElse() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 3));
        Random random = new Random(11);
        try (Connection bystander = client()) {
            for (int i = 0; i < 150; i++) {
                try (PgWire wire = wire()) {
                    wire.parse("n", "SELECT $1::text")
                            .bind("", "n", "value")
                            .describe('P', "")
                            .execute("", 0)
                            .sync();
                    wire.query("SELECT 1").closeStatement("n").sync();
                    byte[] bytes = wire.take();
                    for (int n = random.nextInt(3); n >= 0; n--) {
                        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
                    }
                    wire.send(bytes);
                } catch (IOException closedOnUs) {
                    // as it should be where the bytes are no protocol
                }
                if (i % 20 == 0) {
                    assertThat(one(bystander, "SELECT 1")).isEqualTo("1");
                }
            }
            for (int i = 0; i < 150; i++) {
                try (PgWire wire = new PgWire(proxy.port())) {
                    byte[] bytes = new byte[random.nextInt(200)];
                    random.nextBytes(bytes);
                    wire.send(bytes);
                } catch (IOException closedOnUs) {
                    // as above
                }
            }
            assertThat(one(bystander, "SELECT 2")).isEqualTo("2");
        }
        await().atMost(Duration.ofSeconds(30))
                .until(() -> !store.reports.isEmpty() && store.reports.getLast().connections() == 0);
    }
}
