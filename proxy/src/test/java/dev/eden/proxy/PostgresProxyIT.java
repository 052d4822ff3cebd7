package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

/** Ordinary work of a real driver through the proxy, in transaction pooling unless a test says otherwise. */
class PostgresProxyIT extends PostgresFixture {

    @Test
    void simpleAndExtendedQueries() throws SQLException {
        start(config -> config);
        for (String mode : List.of("simple", "extended", "extendedForPrepared", "extendedCacheEverything")) {
            try (Connection client = client("preferQueryMode", mode)) {
                run(client, "DROP TABLE IF EXISTS plain");
                run(client, "CREATE TABLE plain (id int PRIMARY KEY, name text)");
                try (PreparedStatement insert = client.prepareStatement("INSERT INTO plain VALUES (?, ?)")) {
                    for (int i = 0; i < 20; i++) {
                        insert.setInt(1, i);
                        insert.setString(2, "näme " + i);
                        assertThat(insert.executeUpdate()).isEqualTo(1);
                    }
                }
                client.setAutoCommit(false);
                try (PreparedStatement batch = client.prepareStatement("INSERT INTO plain VALUES (?, ?)")) {
                    for (int i = 100; i < 400; i++) {
                        batch.setInt(1, i);
                        batch.setString(2, "x".repeat(i));
                        batch.addBatch();
                    }
                    batch.executeBatch();
                }
                client.commit();
                try (Statement statement = client.createStatement()) {
                    statement.setFetchSize(7); // a portal, read in parts
                    try (ResultSet rows = statement.executeQuery("SELECT id FROM plain ORDER BY id")) {
                        int count = 0;
                        while (rows.next()) {
                            count++;
                        }
                        assertThat(count).isEqualTo(320);
                    }
                }
                client.rollback();
                assertThatThrownBy(() -> run(client, "SELECT 1/0"))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                e -> assertThat(e.getSQLState()).isEqualTo("22012"));
                assertThatThrownBy(() -> run(client, "SELECT 1"))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                e -> assertThat(e.getSQLState()).isEqualTo("25P02"));
                client.rollback();
                assertThat(one(client, "SELECT count(*) FROM plain")).isEqualTo("320");
            }
        }
    }

    @Test
    void wrongPasswordsAndUnknownUsersAreRefused() {
        start(config -> config);
        assertThatThrownBy(() -> client("password", "wrong"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
        assertThatThrownBy(() -> client("user", "nobody"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("28P01"));
        assertThatThrownBy(() -> DriverManager.getConnection(
                        "jdbc:postgresql://127.0.0.1:" + proxy.port() + "/other?sslmode=disable", "app", "pencil"))
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("3D000"));
        assertThatThrownBy(() ->
                        client("replication", "database", "preferQueryMode", "simple", "assumeMinServerVersion", "9.4"))
                .isInstanceOfSatisfying(SQLException.class, e -> {
                    assertThat(e.getSQLState()).isEqualTo("0A000");
                    assertThat(e.getMessage()).contains("replication");
                });
    }

    @Test
    void errorsArriveAsTheServerSaidThem() throws SQLException {
        start(config -> config);
        try (Connection client = client()) {
            assertThatThrownBy(() -> run(client, "SELECT nothing FROM nowhere"))
                    .isInstanceOfSatisfying(PSQLException.class, e -> {
                        assertThat(e.getSQLState()).isEqualTo("42P01");
                        assertThat(java.util.Objects.requireNonNull(e.getServerErrorMessage())
                                        .getPosition())
                                .isEqualTo(21);
                    });
            assertThat(one(client, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void manyClientsShareFewConnections() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 5));
        try (Connection client = client()) {
            run(client, "DROP TABLE IF EXISTS counted");
            run(client, "CREATE TABLE counted (client int, n int, PRIMARY KEY (client, n))");
        }
        List<Connection> clients = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 200; i++) {
                clients.add(client("prepareThreshold", "2", "ApplicationName", "app" + i % 3));
            }
            List<Callable<Integer>> work = new ArrayList<>();
            for (int i = 0; i < clients.size(); i++) {
                Connection connection = clients.get(i);
                int number = i;
                work.add(() -> {
                    for (int n = 0; n < 20; n++) {
                        try (PreparedStatement insert =
                                        connection.prepareStatement("INSERT INTO counted VALUES (?, ?)");
                                PreparedStatement read = connection.prepareStatement(
                                        "SELECT count(*), current_setting('application_name') FROM counted WHERE client = ?")) {
                            insert.setInt(1, number);
                            insert.setInt(2, n);
                            insert.executeUpdate();
                            read.setInt(1, number);
                            try (ResultSet rows = read.executeQuery()) {
                                rows.next();
                                assertThat(rows.getInt(1)).isEqualTo(n + 1);
                                assertThat(rows.getString(2)).isEqualTo("app" + number % 3);
                            }
                        }
                    }
                    return number;
                });
            }
            for (Future<Integer> future : threads.invokeAll(work)) {
                future.get();
            }
        }
        try (Connection at = direct(source)) {
            assertThat(one(at, "SELECT count(*) FROM counted")).isEqualTo("4000");
            assertThat(Integer.parseInt(one(at, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'")))
                    .isBetween(1, 5);
        }
        for (Connection connection : clients) {
            connection.close();
        }
    }

    @Test
    void copyBothWays() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 2));
        try (Connection client = client()) {
            run(client, "DROP TABLE IF EXISTS copied");
            run(client, "CREATE TABLE copied (id int, name text)");
            StringBuilder rows = new StringBuilder();
            for (int i = 0; i < 50_000; i++) {
                rows.append(i).append("\tname ").append(i).append('\n');
            }
            var copy = client.unwrap(PGConnection.class).getCopyAPI();
            assertThat(copy.copyIn("COPY copied FROM STDIN", new StringReader(rows.toString())))
                    .isEqualTo(50_000);
            StringWriter out = new StringWriter();
            assertThat(copy.copyOut("COPY (SELECT * FROM copied ORDER BY id) TO STDOUT", out))
                    .isEqualTo(50_000);
            assertThat(out.toString()).isEqualTo(rows.toString());
            assertThatThrownBy(() -> copy.copyIn("COPY copied FROM STDIN", new StringReader("no number\tx\n")))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("22P02"));
            assertThat(one(client, "SELECT count(*) FROM copied")).isEqualTo("50000");
        }
    }

    @Test
    void largeValues() throws Exception {
        start(config -> config);
        try (Connection client = client("prepareThreshold", "1")) {
            run(client, "DROP TABLE IF EXISTS large");
            run(client, "CREATE TABLE large (id int, body bytea)");
            byte[] body = new byte[5 << 20];
            new java.util.Random(1).nextBytes(body);
            for (int i = 0; i < 3; i++) {
                try (PreparedStatement insert = client.prepareStatement("INSERT INTO large VALUES (?, ?)")) {
                    insert.setInt(1, i);
                    insert.setBytes(2, body);
                    insert.executeUpdate();
                }
            }
            try (Statement statement = client.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT body FROM large")) {
                int count = 0;
                while (rows.next()) {
                    assertThat(rows.getBytes(1)).isEqualTo(body);
                    count++;
                }
                assertThat(count).isEqualTo(3);
            }
        }
    }

    @Test
    void cancelStopsTheClientsOwnRequest() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 2).withEventLoops(1));
        try (Connection one = client();
                Connection other = client();
                Statement sleeping = one.createStatement();
                Statement alsoSleeping = other.createStatement();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> first = threads.submit(() -> {
                sleeping.execute("SELECT pg_sleep(60)");
                return null;
            });
            Future<?> second = threads.submit(() -> {
                alsoSleeping.execute("SELECT pg_sleep(3)");
                return null;
            });
            try (Connection at = direct(source)) {
                org.awaitility.Awaitility.await()
                        .atMost(Duration.ofSeconds(60))
                        .until(() -> one(
                                        at, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")
                                .equals("2"));
            }
            sleeping.cancel();
            assertThatThrownBy(first::get)
                    .hasCauseInstanceOf(SQLException.class)
                    .cause()
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("57014"));
            second.get();
            assertThat(one(one, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void settingsFollowTheClient() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1));
        try (Connection one = client();
                Connection other = client()) {
            run(one, "SET TimeZone = 'Asia/Tokyo'");
            run(other, "SET DateStyle = 'ISO, YMD'");
            run(one, "SET search_path = pg_catalog");
            assertThat(one(one, "SHOW TimeZone")).isEqualTo("Asia/Tokyo");
            assertThat(one(other, "SHOW TimeZone")).isNotEqualTo("Asia/Tokyo");
            assertThat(one(other, "SHOW DateStyle")).isEqualTo("ISO, YMD");
            assertThat(one(one, "SHOW DateStyle")).isEqualTo("ISO, MDY");
            assertThat(one(one, "SHOW search_path")).isEqualTo("pg_catalog");
            assertThat(one(other, "SHOW search_path")).isEqualTo("\"$user\", public");
        }
    }

    @Test
    void resetBringsBackWhatTheClientBeganWith() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 2).withEventLoops(1));
        try (Connection free = client("currentSchema", "pg_catalog");
                Connection pinned = client("currentSchema", "pg_catalog")) {
            run(pinned, "CREATE TEMP TABLE mine (id int)");
            for (Connection one : List.of(free, pinned)) {
                run(one, "SET search_path = public");
                run(one, "SET TimeZone = 'Asia/Tokyo'");
                run(one, "RESET ALL");
                assertThat(one(one, "SHOW search_path")).isEqualTo("pg_catalog");
                assertThat(one(one, "SHOW TimeZone"))
                        .isEqualTo(java.util.TimeZone.getDefault().getID());
            }
            assertThat(one(pinned, "SELECT count(*) FROM mine")).isEqualTo("0");
        }
    }

    @Test
    void resetIsOfWhatItNames() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 2).withEventLoops(1));
        String servers;
        try (PgWire plain = new PgWire(proxy.port()).login(3 << 16, "app", "pencil")) {
            servers = "T D" + plain.parameters.get("TimeZone") + " C ZI";
        }
        String set = "SET TIME ZONE '" + servers.substring(3, servers.length() - 5) + "'";
        for (boolean pinned : new boolean[] {false, true}) {
            try (PgWire one = new PgWire(proxy.port())
                    .login(3 << 16, "app", "pencil", "TimeZone", "Asia/Tokyo", "search_path", "pg_catalog")) {
                if (pinned) {
                    assertThat(ask(one, "CREATE TEMP TABLE mine (id int)")).isEqualTo("C ZI");
                }
                assertThat(ask(one, set)).isEqualTo("C ZI");
                assertThat(ask(one, "RESET statement_timeout")).isEqualTo("C ZI");
                assertThat(ask(one, "SHOW TimeZone")).isEqualTo(servers);
                for (String reset : List.of(
                        "SET TIME ZONE DEFAULT",
                        "SET SESSION TIME ZONE LOCAL",
                        "SET timezone = DEFAULT",
                        "RESET \"TimeZone\"",
                        "RESET TIME ZONE",
                        "RESET ALL")) {
                    assertThat(ask(one, set)).isEqualTo("C ZI");
                    assertThat(ask(one, reset)).isEqualTo("C ZI");
                    assertThat(ask(one, "SHOW TimeZone")).as(reset).isEqualTo("T DAsia/Tokyo C ZI");
                }
                assertThat(ask(one, "RESET ALL; " + set)).isEqualTo("C C ZI");
                assertThat(ask(one, "SHOW TimeZone")).isEqualTo(servers);
                assertThat(ask(one, "SET search_path = public")).isEqualTo("C ZI");
                assertThat(ask(one, "SET search_path TO DEFAULT")).isEqualTo("C ZI");
                assertThat(ask(one, "SHOW search_path")).isEqualTo("T Dpg_catalog C ZI");
            }
        }
    }

    private static String ask(PgWire wire, String sql) throws IOException {
        wire.query(sql).send();
        return wire.answers(1);
    }

    /** As on a server, where an administrator then ends the sessions that began before. */
    @Test
    void whatASessionBeginsWithMayChange() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 2).withEventLoops(1));
        String look = "SHOW default_transaction_read_only";
        try (Connection before = client();
                Connection at = direct(source)) {
            assertThat(one(before, look)).isEqualTo("off");
            run(at, "ALTER ROLE app SET default_transaction_read_only = on");
            try {
                run(at, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
                org.awaitility.Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
                    try (Connection next = client()) {
                        assertThat(one(next, look)).isEqualTo("on");
                    }
                });
                assertThat(one(before, look)).as("a session goes on as it was").isEqualTo("off");
            } finally {
                run(at, "ALTER ROLE app RESET default_transaction_read_only");
            }
        }
    }

    @Test
    void stateOfASessionStaysWithItsClient() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 4).withEventLoops(1));
        try (Connection one = client();
                Connection other = client()) {
            run(one, "CREATE TEMP TABLE mine (id int)");
            run(one, "INSERT INTO mine VALUES (1)");
            run(other, "SELECT 1");
            assertThat(one(one, "SELECT count(*) FROM mine")).isEqualTo("1");
            assertThatThrownBy(() -> run(other, "SELECT * FROM mine")).isInstanceOf(SQLException.class);
            run(other, "SET work_mem = '7MB'");
            run(other, "SELECT pg_advisory_lock(7)");
            assertThat(one(other, "SHOW work_mem")).isEqualTo("7MB");
            assertThat(one(one, "SHOW work_mem")).isNotEqualTo("7MB");
            String pinned = one(other, "SELECT pg_backend_pid()");
            awaitProbe(other);
            assertThat(one(other, "SELECT pg_backend_pid()")).isEqualTo(pinned);
            run(other, "DISCARD ALL");
            assertThat(one(other, "SHOW work_mem")).isNotEqualTo("7MB");
        }
        try (Connection at = direct(source)) {
            org.awaitility.Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> one(at, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
                            .equals("0"));
        }
    }

    /** A gate that takes writes back goes by this: where a server lets nobody in, nothing of it may look like a quiet night. */
    @Test
    void whatIsRefusedInAServersPlaceHasFailed() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1));
        try (Connection at = direct(source);
                Connection client = client()) {
            run(client, "SELECT 1");
            TrafficReport.Side before = traffic().active();
            run(client, "START TRANSACTION");
            run(client, "SAVEPOINT s");
            run(client, "RELEASE s");
            run(client, "ROLLBACK");
            run(client, "SELECT 1");
            TrafficReport.Side served = traffic().active();
            assertThat(served.operations() - before.operations()).isEqualTo(1);
            run(at, "ALTER ROLE app NOLOGIN");
            try {
                run(at, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'");
                assertThatThrownBy(() -> run(client, "SELECT 1"))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                e -> assertThat(e.getSQLState()).isEqualTo("28000"));
                TrafficReport.Side refused = traffic().active();
                assertThat(refused.operations() - served.operations()).isEqualTo(1);
                assertThat(refused.errors() - served.errors()).isEqualTo(1);
            } finally {
                run(at, "ALTER ROLE app LOGIN");
            }
        }
    }

    /** As row security goes by them: nobody else may ever see them, nor may the client lose them. */
    @Test
    void customizedOptionsStayWithTheirClient() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 2).withEventLoops(1));
        String look = "SELECT coalesce(current_setting('app.tenant', true), '')";
        try (Connection one = client();
                Connection two = client();
                Connection nobody = client()) {
            run(one, "SET app.tenant = '1'");
            try (PreparedStatement set = two.prepareStatement("SELECT set_config('app.tenant', ?, false)")) {
                set.setString(1, "2");
                set.execute();
            }
            run(two, "BEGIN; SET LOCAL work_mem = '5MB'; COMMIT");
            awaitProbe(one);
            awaitProbe(two);
            run(two, "RESET app.tenant");
            org.awaitility.Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(one(nobody, look)).isEmpty());
            for (int i = 0; i < 10; i++) {
                assertThat(one(one, look)).isEqualTo("1");
                assertThat(one(two, look)).isEmpty();
                assertThat(one(nobody, look)).isEmpty();
            }
            hold();
            assertThat(detail()).doesNotContain("\"endings\":{\"");
            flip();
            assertThat(one(one, look)).isEqualTo("1");
            assertThat(one(two, look)).isEmpty();
            assertThat(one(nobody, look)).isEmpty();
        }
    }

    @Test
    void preparedInSqlAndDeallocated() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 2).withEventLoops(1));
        try (Connection one = client("preferQueryMode", "simple");
                Connection other = client("preferQueryMode", "simple")) {
            run(one, "PREPARE p AS SELECT 11");
            assertThatThrownBy(() -> run(other, "EXECUTE p")).isInstanceOf(SQLException.class);
            assertThat(one(one, "EXECUTE p")).isEqualTo("11");
            run(one, "DEALLOCATE p");
            assertThatThrownBy(() -> run(one, "EXECUTE p"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("26000"));
        }
    }

    @Test
    void statementsSurviveAChangeOfTheirTable() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1));
        try (Connection one = client("prepareThreshold", "1")) {
            run(one, "DROP TABLE IF EXISTS changing");
            run(one, "CREATE TABLE changing (id int)");
            try (PreparedStatement select = one.prepareStatement("SELECT * FROM changing")) {
                for (int i = 0; i < 3; i++) {
                    select.executeQuery().close();
                }
                run(one, "ALTER TABLE changing ADD COLUMN more text");
                for (int i = 0; i < 3; i++) {
                    select.executeQuery().close(); // pgjdbc prepares again on "cached plan must not change result type"
                }
            }
        }
    }

    @Test
    void notificationsArrive() throws Exception {
        start(config -> config);
        try (Connection listener = client();
                Connection speaker = client()) {
            run(listener, "LISTEN news");
            run(speaker, "NOTIFY news, 'hello'");
            var notifications = listener.unwrap(PGConnection.class).getNotifications(30_000);
            assertThat(notifications).hasSize(1);
            assertThat(notifications[0].getParameter()).isEqualTo("hello");
        }
    }

    @Test
    void sessionPooling() throws Exception {
        start(config -> config.withPool(Pooling.SESSION, 4).withEventLoops(1));
        try (Connection one = client();
                Connection other = client()) {
            run(one, "SET work_mem = '9MB'");
            String pid = one(one, "SELECT pg_backend_pid()");
            assertThat(one(other, "SELECT pg_backend_pid()")).isNotEqualTo(pid);
            assertThat(one(one, "SELECT pg_backend_pid()")).isEqualTo(pid);
        }
        try (Connection next = client()) {
            assertThat(one(next, "SHOW work_mem")).isNotEqualTo("9MB");
        }
    }

    @Test
    void waitingHasAnEnd() throws Exception {
        start(config ->
                config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1).withWaiting(Duration.ofMillis(300), 1));
        try (Connection holder = client();
                Connection waiter = client()) {
            holder.setAutoCommit(false);
            run(holder, "SELECT 1");
            assertThatThrownBy(() -> run(waiter, "SELECT 2"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("53300"));
            holder.commit();
            assertThat(one(waiter, "SELECT 2")).isEqualTo("2");
        }
    }
}
