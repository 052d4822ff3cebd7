package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.CanaryPolicy.Consistency;
import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/** Reads that the standby serves, with real replication to it. */
@Order(1) // the longest: others run beside it
class PostgresCanaryIT extends PostgresFixture {
    private static final String LINK = "eden_test_main";

    private Connection atSource;
    private Connection atTarget;
    private Thread marker;
    private volatile boolean marking;

    @BeforeEach
    void replicate() throws SQLException {
        atSource = direct(source);
        atTarget = direct(target);
        for (Connection at : List.of(atSource, atTarget)) {
            run(at, "CREATE TABLE IF NOT EXISTS cells (id int PRIMARY KEY, n bigint NOT NULL)");
            run(at, "CREATE TABLE IF NOT EXISTS sides (name text PRIMARY KEY)");
            run(at, "GRANT ALL ON cells, sides TO app");
            run(at, "CREATE OR REPLACE FUNCTION wild(int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1'");
            run(at, "CREATE OR REPLACE VIEW wild_view AS SELECT id, wild(id) FROM cells");
            run(at, "GRANT SELECT ON wild_view TO app");
            run(at, "TRUNCATE cells, sides");
        }
        run(atSource, "INSERT INTO cells SELECT i, 0 FROM generate_series(0, 31) AS i");
        run(atSource, "INSERT INTO sides VALUES ('source')"); // and never again: what it says tells who says it
        run(atTarget, "INSERT INTO sides VALUES ('target')");
        run(atSource, "CREATE PUBLICATION " + LINK + " FOR TABLE cells, sides");
        one(atSource, "SELECT pg_create_logical_replication_slot('" + LINK + "', 'pgoutput')");
        run(atTarget, "INSERT INTO cells SELECT i, 0 FROM generate_series(0, 31) AS i");
        run(
                atTarget,
                "CREATE SUBSCRIPTION " + LINK + " CONNECTION '" + conninfo(source) + "' PUBLICATION " + LINK
                        + " WITH (create_slot = false, slot_name = '" + LINK
                        + "', copy_data = false, synchronous_commit = off)");
        run(atTarget, "REVOKE CONNECT ON DATABASE eden FROM PUBLIC");
        marking = true;
        marker = Thread.ofVirtual().start(this::mark);
        start(config -> config.withPool(Pooling.TRANSACTION, 4));
    }

    /** As Eden's replicator does: without a commit now and then nobody can tell that nothing has happened. */
    private void mark() {
        try (Connection at = direct(source)) {
            while (marking) {
                run(at, "UPDATE cells SET n = n + 1 WHERE id = 31");
                Thread.sleep(20);
            }
        } catch (SQLException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String conninfo(EmbeddedPostgres server) {
        return "host=127.0.0.1 port=" + server.port() + " dbname=eden user=" + server.user() + " password="
                + server.password();
    }

    @AfterEach
    void cleanUp() throws Exception {
        marking = false;
        marker.join();
        run(atTarget, "ALTER SUBSCRIPTION " + LINK + " DISABLE");
        run(atTarget, "ALTER SUBSCRIPTION " + LINK + " SET (slot_name = NONE)");
        run(atTarget, "DROP SUBSCRIPTION " + LINK);
        await().atMost(Duration.ofSeconds(60))
                .until(() -> one(atSource, "SELECT count(*) FROM pg_replication_slots WHERE active")
                        .equals("0"));
        one(atSource, "SELECT pg_drop_replication_slot('" + LINK + "')");
        run(atSource, "DROP PUBLICATION " + LINK);
        run(atTarget, "GRANT CONNECT ON DATABASE eden TO PUBLIC");
        atSource.close();
        atTarget.close();
    }

    private void canary(Consistency consistency, Duration maxWait) {
        store.canary(new CanaryPolicy(1, consistency, maxWait), false, LINK);
    }

    /** Reads until the standby answers: it knows the catalogues, its sessions are there. */
    private void awaitServed(Connection client) {
        await().atMost(Duration.ofSeconds(60))
                .until(() -> one(client, "SELECT name FROM sides").equals("target"));
    }

    private static void awaitServed(PgWire wire) {
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            wire.query("SELECT name FROM sides").send();
            return wire.answers(1).equals("T Dtarget C ZI");
        });
    }

    @ParameterizedTest
    @EnumSource(Consistency.class)
    void nobodyReadsLessThanItHasSeen(Consistency consistency) throws Exception {
        canary(consistency, Duration.ofMillis(200));
        AtomicBoolean over = new AtomicBoolean();
        List<Future<Long>> clients = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
                Connection first = client()) {
            awaitServed(first);
            for (int i = 0; i < 6; i++) {
                int id = 1 + i;
                String mode = i % 3 == 0 ? "simple" : "extended";
                clients.add(threads.submit(() -> {
                    long served = 0;
                    long written = 0;
                    try (Connection client = client("preferQueryMode", mode, "prepareThreshold", "3");
                            PreparedStatement write =
                                    client.prepareStatement("UPDATE cells SET n = n + 1 WHERE id = ?");
                            PreparedStatement read =
                                    client.prepareStatement("SELECT n, name FROM cells, sides WHERE id = ?")) {
                        write.setInt(1, id);
                        read.setInt(1, id);
                        while (!over.get()) {
                            assertThat(write.executeUpdate()).isOne();
                            written++;
                            for (int again = 0; again < 2; again++) {
                                try (ResultSet row = read.executeQuery()) {
                                    assertThat(row.next()).isTrue();
                                    assertThat(row.getLong(1)).isEqualTo(written);
                                    served += "target".equals(row.getString(2)) ? 1 : 0;
                                }
                            }
                        }
                    }
                    return served;
                }));
            }
            await().pollDelay(Duration.ofSeconds(3))
                    .atMost(Duration.ofSeconds(60))
                    .until(() ->
                            !store.reports.isEmpty() && store.reports.getLast().servedByStandby() > 200);
            over.set(true);
            for (Future<Long> client : clients) {
                assertThat(client.get()).isPositive();
            }
        }
        TrafficReport report = traffic();
        assertThat(report.chosenReads()).isEqualTo(report.eligibleReads());
        assertThat(report.standby().errors()).isZero();
    }

    /** The standby has nothing from now on that is committed later. */
    private void stayBehind() throws SQLException {
        run(atTarget, "ALTER SUBSCRIPTION " + LINK + " DISABLE");
        await().atMost(Duration.ofSeconds(60))
                .until(() -> one(
                                atTarget,
                                "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'logical replication%worker'")
                        .equals("0"));
    }

    @Test
    void aStandbyThatStaysBehindIsWaitedForNoLongerThanAllowed() throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(5));
        try (Connection client = client()) {
            awaitServed(client);
            stayBehind();
            run(client, "UPDATE cells SET n = 7 WHERE id = 0");
            assertThat(one(client, "SELECT n || name FROM cells, sides WHERE id = 0"))
                    .isEqualTo("7source");
            assertThat(traffic().ineligible()).containsKey("stale");
            run(atTarget, "ALTER SUBSCRIPTION " + LINK + " ENABLE");
            awaitServed(client);
            assertThat(one(client, "SELECT n || name FROM cells, sides WHERE id = 0"))
                    .isEqualTo("7target");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT name FROM sides FOR UPDATE",
                "SELECT name FROM sides WHERE random() < 2",
                "SELECT name FROM sides WHERE 0 = wild(0)",
                "SELECT name FROM sides, wild_view WHERE id = 0",
                "SELECT name FROM sides WHERE current_user = 'app'",
                "WITH x AS (UPDATE cells SET n = n WHERE id = 0 RETURNING n) SELECT name FROM x, sides",
            })
    void whatTheStandbyMayNotAnswerItDoesNot(String sql) throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (Connection client = client()) {
            awaitServed(client);
            assertThat(one(client, sql)).isEqualTo("source");
            client.setAutoCommit(false);
            assertThat(one(client, "SELECT name FROM sides")).isEqualTo("source");
            client.commit();
        }
    }

    /** Drivers look at the source for what a type's number means. */
    @Test
    void typesThatHaveAnotherNumberThereAreReadAtTheSource() throws SQLException {
        run(atTarget, "CREATE TYPE only_there AS ENUM ('x')"); // what comes next has other numbers
        for (Connection at : List.of(atSource, atTarget)) {
            run(at, "CREATE TYPE mood AS ENUM ('fine')");
            run(at, "CREATE DOMAIN amount AS int");
            run(at, "CREATE TYPE quantity AS (n amount, m mood)");
            run(at, "CREATE TABLE moods (name text, m mood)");
            run(at, "CREATE TABLE amounts (name text, a amount)");
            run(at, "CREATE FUNCTION a_mood() RETURNS mood IMMUTABLE LANGUAGE sql AS $$SELECT 'fine'::mood$$");
            run(at, "GRANT ALL ON moods, amounts TO app");
        }
        run(atSource, "INSERT INTO moods VALUES ('source', 'fine')");
        run(atTarget, "INSERT INTO moods VALUES ('target', 'fine')");
        run(atSource, "INSERT INTO amounts VALUES ('source', 1)");
        run(atTarget, "INSERT INTO amounts VALUES ('target', 1)");
        run(atSource, "ALTER PUBLICATION " + LINK + " ADD TABLE moods, amounts");
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (Connection client = client()) {
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> one(client, "SELECT name FROM amounts").equals("target"));
            for (String sql : List.of(
                    "SELECT name FROM moods",
                    "SELECT name, 'fine'::mood FROM sides",
                    "SELECT name, NULL::mood[] FROM sides",
                    "SELECT name, NULL::quantity FROM sides",
                    "SELECT name, a_mood() FROM sides")) {
                assertThat(one(client, sql)).as(sql).isEqualTo("source");
            }
            assertThat(one(client, "SELECT name, 1::amount FROM sides")).isEqualTo("target");
            assertThat(traffic().ineligible()).containsKeys("relation", "type", "function");
        } finally {
            run(atSource, "ALTER PUBLICATION " + LINK + " DROP TABLE moods, amounts");
            run(atTarget, "DROP TYPE only_there");
            for (Connection at : List.of(atSource, atTarget)) {
                run(at, "DROP FUNCTION a_mood");
                run(at, "DROP TABLE moods, amounts");
                run(at, "DROP TYPE quantity, mood, amount");
            }
        }
    }

    /** What names an object of the database in a value is a number there, and each server has its own. */
    @Test
    void numbersOfAServersOwnAreReadAtTheSource() throws SQLException {
        for (Connection at : List.of(atSource, atTarget)) {
            run(at, "CREATE DOMAIN kinds AS regtype[]");
            run(at, "CREATE TABLE refs (name text, r regclass)");
            run(at, "CREATE TABLE lists (name text, k kinds)");
            run(at, "CREATE TABLE numbers (name text, o oid)");
            run(at, "CREATE FUNCTION number_of(regclass) RETURNS oid IMMUTABLE LANGUAGE sql AS 'SELECT $1::oid'");
            run(at, "GRANT ALL ON refs, lists, numbers TO app");
        }
        for (Connection at : List.of(atSource, atTarget)) {
            String side = at == atSource ? "source" : "target";
            run(at, "INSERT INTO refs VALUES ('" + side + "', 'sides')");
            run(at, "INSERT INTO lists VALUES ('" + side + "', '{int4}')");
            run(at, "INSERT INTO numbers VALUES ('" + side + "', 1)");
        }
        run(atSource, "ALTER PUBLICATION " + LINK + " ADD TABLE refs, lists, numbers");
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (Connection client = client()) {
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> one(client, "SELECT name, o FROM numbers").equals("target"));
            for (String sql : List.of(
                    "SELECT name, r FROM refs",
                    "SELECT name, k FROM lists",
                    "SELECT name, number_of('sides') FROM sides",
                    "SELECT name, 'sides'::\"regclass\"::oid FROM sides",
                    "SELECT name, \"tableoid\" FROM sides")) {
                assertThat(one(client, sql)).as(sql).isEqualTo("source");
            }
            assertThat(one(client, "SELECT name, o FROM numbers")).isEqualTo("target");
        } finally {
            run(atSource, "ALTER PUBLICATION " + LINK + " DROP TABLE refs, lists, numbers");
            for (Connection at : List.of(atSource, atTarget)) {
                run(at, "DROP FUNCTION number_of");
                run(at, "DROP TABLE refs, lists, numbers");
                run(at, "DROP DOMAIN kinds");
            }
        }
    }

    /** A change of the schema holds a table of the standby's before it holds the source's. */
    @Test
    void whatHoldsATableThereHoldsNoReader() throws Exception {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (Connection client = client();
                Connection hasty = client();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
                Connection locker = direct(target)) {
            awaitServed(client);
            awaitServed(hasty);
            locker.setAutoCommit(false);
            run(locker, "LOCK TABLE sides IN ACCESS EXCLUSIVE MODE");
            for (Connection reader : List.of(client, hasty)) {
                assertThat(threads.submit(() -> one(reader, "SELECT name FROM sides"))
                                .get(20, TimeUnit.SECONDS))
                        .isEqualTo("source");
            }
            assertThat(traffic().ineligible()).containsKey("standby_locked");
            assertThat(one(client, "SHOW lock_timeout")).isEqualTo("0");
            locker.rollback();
            awaitServed(client);
            run(atTarget, "GRANT CONNECT ON DATABASE eden TO PUBLIC");
            hold();
            flip();
            assertThat(one(client, "SELECT name FROM sides")).isEqualTo("target");
            assertThat(one(client, "SHOW lock_timeout")).isEqualTo("0");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"simple", "extended"})
    void transactionsThatOnlyReadAreServedToo(String mode) throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        String name = "SELECT name FROM sides";
        String volatileName = "SELECT name FROM sides WHERE random() < 2";
        try (Connection client = client("preferQueryMode", mode, "prepareThreshold", "2")) {
            awaitServed(client);
            for (int i = 0; i < 3; i++) {
                assertThat(second(client)).isNotEmpty(); // a Parse by itself is for the source
            }
            client.setReadOnly(true);
            client.setAutoCommit(false);
            for (int i = 0; i < 4; i++) {
                assertThat(one(client, name)).isEqualTo("target");
                assertThat(second(client)).isEqualTo("target");
                if (i % 2 == 0) {
                    client.commit();
                } else {
                    client.rollback();
                }
            }
            // What the standby may not answer takes the rest of the transaction along, and nothing of the next.
            assertThat(one(client, name)).isEqualTo("target");
            assertThat(one(client, volatileName)).isEqualTo("source");
            assertThat(one(client, "SELECT now() = statement_timestamp() FROM sides"))
                    .isEqualTo("f");
            assertThat(one(client, name)).isEqualTo("source");
            assertThat(one(client, "SHOW transaction_read_only")).isEqualTo("on");
            client.commit();
            assertThat(one(client, name)).isEqualTo("target");
            assertThatThrownBy(() -> run(client, "UPDATE cells SET n = n WHERE id = 0"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("25006"));
            assertThatThrownBy(() -> one(client, name))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("25P02"));
            client.rollback();
            assertThat(one(client, name)).isEqualTo("target");
            run(client, "SAVEPOINT a");
            assertThat(one(client, name)).isEqualTo("source");
            client.rollback();
            client.setReadOnly(false);
            assertThat(one(client, name)).isEqualTo("source");
            client.commit();
            assertThat(traffic().ineligible()).containsKey("transaction_moved");
        }
    }

    private static String second(Connection client) throws SQLException {
        try (PreparedStatement read = client.prepareStatement("SELECT n, name FROM cells, sides WHERE id = ?")) {
            read.setInt(1, 1);
            try (ResultSet row = read.executeQuery()) {
                assertThat(row.next()).isTrue();
                return row.getString(2);
            }
        }
    }

    @Test
    void theBeginDecides() throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        Map<String, String> sides = new LinkedHashMap<>();
        sides.put("BEGIN READ ONLY", "target");
        sides.put("start transaction isolation level read committed, read only;", "target");
        sides.put("BEGIN WORK READ ONLY ISOLATION LEVEL READ COMMITTED", "target");
        sides.put("BEGIN", "source");
        sides.put("BEGIN READ WRITE", "source");
        sides.put("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "source");
        sides.put("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE", "source");
        sides.put("SET default_transaction_read_only = on; BEGIN", "source");
        try (Connection client = client("preferQueryMode", "simple")) {
            awaitServed(client);
            for (Map.Entry<String, String> one : sides.entrySet()) {
                run(client, one.getKey());
                assertThat(one(client, "SELECT name FROM sides"))
                        .as(one.getKey())
                        .isEqualTo(one.getValue());
                run(client, "COMMIT");
                assertThat(one(client, "SELECT name FROM sides")).isEqualTo("target");
            }
            run(client, "SET default_transaction_read_only = on");
            run(client, "BEGIN");
            assertThat(one(client, "SELECT name FROM sides")).isEqualTo("target");
            run(client, "ROLLBACK");
        }
    }

    /** Nobody is in the middle of anything while such a transaction waits for its next statement. */
    @Test
    void aTransactionThatOnlyReadsGoesOnAfterAFlip() throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (Connection client = client()) {
            awaitServed(client);
            client.setReadOnly(true);
            client.setAutoCommit(false);
            assertThat(one(client, "SELECT name FROM sides")).isEqualTo("target");
            hold();
            run(atTarget, "GRANT CONNECT ON DATABASE eden TO PUBLIC");
            flip();
            assertThat(one(client, "SELECT name FROM sides")).isEqualTo("target");
            assertThat(one(client, "SHOW transaction_read_only")).isEqualTo("on");
            assertThat(one(client, "SELECT inet_server_port()")).isEqualTo(Integer.toString(target.port()));
            client.commit();
        }
    }

    @Test
    void theStandbysErrorsAreNotTheClients() throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (Connection client = client()) {
            awaitServed(client);
            run(atTarget, "REVOKE ALL ON sides FROM app");
            assertThat(one(client, "SELECT name FROM sides")).isEqualTo("source");
            run(atTarget, "GRANT ALL ON sides TO app");
            assertThat(traffic().ineligible()).containsKey("standby_error");
            // An error of the statement's own comes from the source, in its words.
            assertThatThrownBy(() -> one(client, "SELECT 1 / (n - n) FROM cells"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("22012"));
            assertThat(one(client, "SELECT name FROM sides")).isEqualTo("target");
        }
    }

    /** Part of the answer is with the client already: the transaction that it knows itself in has failed, as any other would have. */
    @Test
    void anErrorThatTheClientIsToldFailsItsTransaction() throws Exception {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (PgWire wire = new PgWire(proxy.port()).login(3 << 16, "app", "pencil")) {
            awaitServed(wire);
            wire.query("BEGIN READ ONLY").query("SELECT name FROM sides").send();
            assertThat(wire.answers(2)).isEqualTo("C ZT T Dtarget C ZT");
            wire.query("SELECT repeat('x', 100000), 1 / (30 - id) FROM cells ORDER BY id")
                    .send();
            assertThat(wire.answers(1)).endsWith(" E22012 ZE");
            wire.query("SELECT name FROM sides").query("COMMIT").send();
            assertThat(wire.answers(2)).isEqualTo("E25P02 ZE C ZI");
            wire.query("SELECT name FROM sides").send();
            assertThat(wire.answers(1)).isEqualTo("T Dtarget C ZI");
        }
    }

    /** As when the endpoint is given another login while its reads are on trial. */
    @Test
    void readsGoOnUnderAnotherLogin() throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        run(atTarget, "CREATE ROLE eden_former SUPERUSER LOGIN PASSWORD 'former'");
        standbyLogin(new Backend.Login("eden_former", new Secret("former")));
        try (Connection client = client()) {
            awaitServed(client);
            standbyLogin(new Backend.Login(target.user(), new Secret(target.password())));
            run(atTarget, "ALTER ROLE eden_former NOLOGIN");
            one(
                    atTarget,
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'eden_former'");
            awaitServed(client);
        } finally {
            run(atTarget, "DROP ROLE eden_former");
        }
    }

    private void standbyLogin(Backend.Login login) {
        store.change(r -> new Route(
                r.interlay(),
                r.version() + 1,
                r.epoch(),
                r.state(),
                r.attempt(),
                r.deadlineMillis(),
                r.active(),
                new Backend("target", "127.0.0.1", target.port(), false, null, login, "eden"),
                r.activeTag(),
                r.appliedKey(),
                r.canary(),
                r.ackBoth()));
    }

    @Test
    void whatTheStandbySaysOfItsSettingsIsNotForClients() throws Exception {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (PgWire wire = new PgWire(proxy.port()).login(3 << 16, "app", "pencil")) {
            awaitServed(wire);
            run(atTarget, "ALTER SYSTEM SET scram_iterations = 4097");
            one(atTarget, "SELECT pg_reload_conf()");
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> one(atTarget, "SHOW scram_iterations").equals("4097"));
            for (int i = 0; i < 20; i++) {
                awaitServed(wire);
            }
            assertThat(wire.parameters).containsEntry("scram_iterations", "4096");
        } finally {
            run(atTarget, "ALTER SYSTEM RESET scram_iterations");
            one(atTarget, "SELECT pg_reload_conf()");
        }
    }

    @Test
    void aLostStandbyCostsNobodyAConnection() throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (Connection client = client()) {
            awaitServed(client);
            one(
                    atTarget,
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
            assertThat(one(client, "SELECT count(*) FROM cells")).isEqualTo("32");
            awaitServed(client);
        }
    }

    @Test
    void aSessionsSettingsGoWithItsReads() throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (Connection tokyo = client();
                Connection plain = client()) {
            run(tokyo, "SET TimeZone = 'Asia/Tokyo'");
            awaitServed(tokyo);
            awaitServed(plain);
            String moment = "SELECT timestamptz '2024-01-01 00:00:00+00' || name FROM sides";
            assertThat(one(tokyo, moment)).isEqualTo("2024-01-01 09:00:00+09target");
            assertThat(one(plain, moment)).doesNotContain("+09").endsWith("target");
        }
    }

    /**
     * A client that has prepared by SQL keeps its connection and reads on the standby still. Where its session is looked at while a read waits for the
     * standby, the source serves that read; what follows was never judged, and setting something there would be lost.
     */
    @Test
    void onlyTheReadThatWaitedGoesToTheStandby() throws SQLException {
        canary(Consistency.SESSION, Duration.ofSeconds(20));
        try (Connection client = client("preferQueryMode", "simple");
                Connection other = client()) {
            awaitServed(client);
            awaitServed(other);
            stayBehind();
            run(client, "PREPARE one AS SELECT 1");
            assertThat(one(client, "SELECT name FROM sides")).isEqualTo("source");
            run(atTarget, "ALTER SUBSCRIPTION " + LINK + " ENABLE");
            awaitServed(other);
            run(client, "SET TimeZone = 'Asia/Tokyo'");
            assertThat(one(client, "SHOW TimeZone")).isEqualTo("Asia/Tokyo");
            assertThat(one(client, "EXECUTE one")).isEqualTo("1");
            awaitServed(client);
        }
    }

    /**
     * While a read of a client with a connection of its own is served by the standby, that connection waits for it: also where a cancel request for the
     * statement before has come to the server only then, which is what the connection was kept from others for.
     */
    @Test
    void aCancelRequestThatIsLateLeavesTheConnectionWithItsClient() throws Exception {
        canary(Consistency.SESSION, Duration.ofSeconds(20));
        try (Connection client = client("preferQueryMode", "simple");
                Connection one = client();
                Connection other = client();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            awaitServed(client);
            run(client, "PREPARE mine AS SELECT pg_backend_pid()");
            run(client, "PREPARE nap AS SELECT pg_sleep(3)");
            String pid = one(client, "EXECUTE mine");
            String longRead =
                    "SELECT count(*) FROM cells a, cells b, cells c, cells d, cells e WHERE a.n + b.n + c.n + d.n + e.n < 0 AND e.id < 12";
            String postmaster = one(atSource, "SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)");
            Future<String> napping = threads.submit(() -> one(client, "EXECUTE nap"));
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> one(atSource, "SELECT state FROM pg_stat_activity WHERE pid = " + pid)
                            .equals("active"));
            signal("STOP", postmaster); // it is the one that cancel requests arrive at
            Future<?> cancelling;
            Future<String> reading;
            try {
                cancelling = threads.submit(() -> {
                    client.unwrap(PGConnection.class).cancelQuery();
                    return null;
                });
                napping.get();
                reading = threads.submit(() -> one(client, longRead));
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> reading.isDone()
                                || one(
                                                atTarget,
                                                "SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT count(*) FROM cells a%'")
                                        .equals("t"));
            } finally {
                signal("CONT", postmaster);
            }
            cancelling.get();
            reading.get();
            for (Connection another : List.of(one, other)) {
                another.setAutoCommit(false);
                run(another, "UPDATE cells SET n = 1 WHERE id = 1 AND n < 0");
                assertThat(one(another, "SELECT pg_backend_pid()")).isNotEqualTo(pid);
            }
            assertThat(one(client, "EXECUTE mine")).isEqualTo(pid);
        }
    }

    /** As one whose machine hangs, or that a firewall has cut off: nothing comes, no end of the connection either. */
    @Test
    void aStandbyThatHangsKeepsNoReader() throws Exception {
        canary(Consistency.SESSION, Duration.ofSeconds(20));
        try (Connection client = client();
                Connection other = client();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            awaitServed(client);
            awaitServed(other);
            String all = one(
                    atTarget,
                    "SELECT string_agg(pid::text, ' ') || ' ' || split_part(pg_read_file('postmaster.pid'), chr(10), 1) FROM pg_stat_activity");
            arm(); // while it answers still
            signals("STOP", all);
            try {
                Future<String> one = threads.submit(() -> one(client, "SELECT name FROM sides"));
                Future<String> two = threads.submit(() -> one(other, "SELECT name FROM sides"));
                assertThat(one.get(60, TimeUnit.SECONDS)).isEqualTo("source");
                assertThat(two.get(60, TimeUnit.SECONDS)).isEqualTo("source");
                prepareArmed();
                drained(); // nobody waits over there any more
                abort();
            } finally {
                signals("CONT", all);
            }
        }
    }

    private static void signals(String name, String processes) throws Exception {
        for (String process : processes.split(" ")) {
            signal(name, process);
        }
    }

    private static void signal(String name, String process) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, process).start().waitFor())
                .isZero();
    }

    @Test
    void differencesAreFoundAndWhatOnlyChangesIsNone() throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (Connection client = client()) {
            await().atMost(Duration.ofSeconds(60)).until(() -> {
                one(client, "SELECT sum(n) > 0 FROM cells WHERE id = 31");
                one(client, "SELECT n FROM cells WHERE id = 31");
                return !store.reports.isEmpty() && store.reports.getLast().comparedReads() > 5;
            });
            assertThat(traffic().mismatchedReads()).isZero();
            await().atMost(Duration.ofSeconds(60)).until(() -> {
                one(client, "SELECT name FROM sides");
                return store.reports.getLast().mismatchedReads() > 0;
            });
        }
    }

    /** As a time zone that only one side knows. */
    @Test
    void aSettingThatTheStandbyRefusesIsNoDifferenceAndCostsNoConnection() throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        String read = "SELECT timestamptz '2026-01-01 00:00:00+00', n FROM cells WHERE id = 0";
        try (Connection client = client()) {
            await().atMost(Duration.ofSeconds(60)).until(() -> {
                one(client, read);
                return !store.reports.isEmpty()
                        && store.reports.getLast().comparedReads() > 5
                        && store.reports.getLast().servedByStandby() > 5;
            });
            String sessions = one(
                    atTarget,
                    "SELECT array_agg(pid) FROM pg_stat_activity WHERE application_name = 'eden:p1' AND state = 'idle'");
            run(atTarget, "REVOKE EXECUTE ON FUNCTION set_config(text, text, boolean) FROM PUBLIC");
            try {
                run(client, "SET TimeZone = 'Asia/Tokyo'");
                await().during(Duration.ofSeconds(3))
                        .atMost(Duration.ofSeconds(30))
                        .untilAsserted(() -> {
                            assertThat(one(client, read)).isEqualTo("2026-01-01 09:00:00+09");
                            assertThat(store.reports.getLast().mismatchedReads())
                                    .isZero();
                        });
                assertThat(one(
                                atTarget,
                                "SELECT count(*) = cardinality('" + sessions
                                        + "'::int[]) FROM pg_stat_activity WHERE pid = ANY('" + sessions + "')"))
                        .isEqualTo("t");
                assertThat(traffic().ineligible()).containsKeys("standby_error", "settings");
            } finally {
                run(atTarget, "GRANT EXECUTE ON FUNCTION set_config(text, text, boolean) TO PUBLIC");
            }
        }
    }

    @Test
    void afterAFlipNothingIsReadFromTheOldSide() throws SQLException {
        canary(Consistency.SESSION, Duration.ofMillis(200));
        try (Connection client = client()) {
            awaitServed(client);
            run(atTarget, "GRANT CONNECT ON DATABASE eden TO PUBLIC");
            hold();
            flip();
            for (int i = 0; i < 20; i++) {
                assertThat(one(client, "SELECT name FROM sides")).isEqualTo("target");
            }
            run(client, "UPDATE cells SET n = 99 WHERE id = 3");
            assertThat(one(client, "SELECT n FROM cells WHERE id = 3")).isEqualTo("99");
        }
    }
}
