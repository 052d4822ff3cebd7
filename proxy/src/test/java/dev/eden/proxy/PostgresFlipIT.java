package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.RouteStore.Step;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;

/** Attempts, by hand, between two real servers, without a coordinator and without replication: each side keeps what it was given. */
class PostgresFlipIT extends PostgresFixture {
    private Connection atSource;
    private Connection atTarget;

    @BeforeEach
    void connect() throws SQLException {
        atSource = direct(source);
        atTarget = direct(target);
        for (Connection at : List.of(atSource, atTarget)) {
            run(at, "DROP TABLE IF EXISTS entries");
            run(at, "CREATE TABLE entries (id bigint)");
            run(at, "GRANT ALL ON entries TO app");
            run(at, "ALTER ROLE app LOGIN");
        }
    }

    @AfterEach
    void disconnect() throws SQLException {
        atSource.close();
        atTarget.close();
    }

    private static Set<Long> ids(Connection at) throws SQLException {
        Set<Long> ids = new HashSet<>();
        try (Statement statement = at.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM entries")) {
            while (rows.next()) {
                assertThat(ids.add(rows.getLong(1)))
                        .as("an insert is there once")
                        .isTrue();
            }
        }
        return ids;
    }

    @Test
    void flipsBackAndForthUnderLoad() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 4));
        AtomicLong next = new AtomicLong();
        AtomicBoolean over = new AtomicBoolean();
        ConcurrentLinkedQueue<Long> acknowledged = new ConcurrentLinkedQueue<>();
        List<Future<?>> load = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 12; i++) {
                String mode = i % 3 == 0 ? "simple" : "extended";
                boolean transactions = i % 2 == 0;
                load.add(threads.submit(() -> {
                    try (Connection client = client("preferQueryMode", mode, "prepareThreshold", "2")) {
                        client.setAutoCommit(!transactions);
                        try (PreparedStatement insert = client.prepareStatement("INSERT INTO entries VALUES (?)")) {
                            while (!over.get()) {
                                long id = next.incrementAndGet();
                                insert.setLong(1, id);
                                insert.executeUpdate();
                                if (transactions) {
                                    run(client, "SELECT count(*) FROM entries WHERE id = 0");
                                    client.commit();
                                }
                                acknowledged.add(id);
                            }
                        }
                    }
                    return null;
                }));
            }
            for (int round = 0; round < 6; round++) {
                int seen = acknowledged.size();
                await().atMost(Duration.ofSeconds(60)).until(() -> acknowledged.size() > seen + 100);
                hold();
                Connection owner = round % 2 == 0 ? atSource : atTarget;
                String before = one(owner, "SELECT count(*) FROM entries");
                if (round == 2) {
                    abort(); // the same side goes on
                    round++;
                    continue;
                }
                flip();
                int then = acknowledged.size();
                await().atMost(Duration.ofSeconds(60)).until(() -> acknowledged.size() > then + 100);
                assertThat(one(owner, "SELECT count(*) FROM entries"))
                        .as("nothing arrives on the side that lost its authority")
                        .isEqualTo(before);
            }
            over.set(true);
            for (Future<?> future : load) {
                future.get(); // no client saw an error
            }
        }
        Set<Long> there = ids(atSource);
        Set<Long> after = ids(atTarget);
        assertThat(there).doesNotContainAnyElementsOf(after).isNotEmpty();
        assertThat(after).isNotEmpty();
        Set<Long> all = new HashSet<>(there);
        all.addAll(after);
        assertThat(all).containsExactlyInAnyOrderElementsOf(acknowledged);
    }

    @Test
    void anOpenTransactionEndsWhereItBegan() throws Exception {
        start(config -> config);
        try (Connection client = client();
                Connection other = client();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            client.setAutoCommit(false);
            run(client, "INSERT INTO entries VALUES (1)");
            prepare();
            await().pollDelay(Duration.ofMillis(100))
                    .until(() -> !proxy.health().serving());
            Future<?> held = threads.submit(() -> {
                run(other, "INSERT INTO entries VALUES (3)");
                return null;
            });
            run(client, "INSERT INTO entries VALUES (2)");
            assertThat(store.acknowledged(attempt, Step.DRAINED)).isFalse();
            client.commit();
            drained();
            assertThat(detail()).contains("\"backends\":[");
            flip();
            held.get();
            assertThat(ids(atSource)).containsExactlyInAnyOrder(1L, 2L);
            assertThat(ids(atTarget)).containsExactly(3L);
            run(client, "INSERT INTO entries VALUES (4)");
            client.commit();
            assertThat(ids(atTarget)).containsExactlyInAnyOrder(3L, 4L);
        }
    }

    @Test
    void sessionsAreCarriedOver() throws Exception {
        start(config -> config);
        try (Connection listener = client();
                Connection settled = client("preferQueryMode", "simple");
                Connection temporary = client();
                Connection prepared = client("prepareThreshold", "1")) {
            run(listener, "LISTEN news");
            run(settled, "SET work_mem = '7MB'");
            run(settled, "SET TimeZone = 'Asia/Tokyo'");
            run(settled, "PREPARE p(int) AS SELECT $1 + 1");
            run(temporary, "CREATE TEMP TABLE mine (id int)");
            try (PreparedStatement select = prepared.prepareStatement("SELECT ?::int + 5")) {
                for (int i = 0; i < 3; i++) {
                    select.setInt(1, i);
                    select.executeQuery().close();
                }
                hold();
                assertThat(detail()).contains("\"endings\":{\"temporary\":1}");
                flip();
                select.setInt(1, 37);
                try (ResultSet rows = select.executeQuery()) {
                    rows.next();
                    assertThat(rows.getInt(1)).isEqualTo(42);
                }
            }
            assertThat(one(settled, "SHOW work_mem")).isEqualTo("7MB");
            assertThat(one(settled, "SHOW TimeZone")).isEqualTo("Asia/Tokyo");
            assertThat(one(settled, "EXECUTE p(1)")).isEqualTo("2");
            assertThat(one(settled, "SELECT inet_server_port()")).isEqualTo(Integer.toString(target.port()));
            assertThatThrownBy(() -> run(temporary, "SELECT * FROM mine"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("57P01"));
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> one(
                                    atTarget,
                                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%LISTEN%' AND usename = 'app'")
                            .equals("1"));
            run(atTarget, "NOTIFY news, 'from the other side'");
            var notifications = listener.unwrap(PGConnection.class).getNotifications(30_000);
            assertThat(notifications).hasSize(1);
            assertThat(notifications[0].getParameter()).isEqualTo("from the other side");
        }
    }

    @Test
    void listenersStayWhereOnlyTheEpochChanges() throws Exception {
        start(config -> config);
        try (Connection listener = client()) {
            run(listener, "LISTEN news");
            store.joinOthers(store.row().epoch() + 2);
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> proxy.health().epoch() == store.row().epoch());
            run(atSource, "NOTIFY news, 'still here'");
            var notifications = listener.unwrap(PGConnection.class).getNotifications(30_000);
            assertThat(notifications).hasSize(1);
            assertThat(notifications[0].getParameter()).isEqualTo("still here");
        }
    }

    /** Others open without waiting for ever: what they say meanwhile escapes who listens here, and must not do so silently. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aListenerThatMayHaveMissedSomethingIsTold(boolean unseen) throws Exception {
        start(config -> config);
        try (Connection listener = client();
                Connection settled = client("preferQueryMode", "simple")) {
            run(listener, "LISTEN news");
            run(settled, "SET work_mem = '7MB'");
            if (!unseen) {
                run(atTarget, "ALTER ROLE app NOLOGIN"); // the proxy sees the commit, and its listeners come late
            }
            hold();
            if (unseen) {
                flipUnseen();
            } else {
                store.commit();
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> proxy.health().state() == RouteState.COMMITTED);
                store.stable();
                await().atMost(Duration.ofSeconds(60)).until(() -> store.acknowledged(attempt, Step.OPENED));
                run(atTarget, "ALTER ROLE app LOGIN");
            }
            assertThat(store.acknowledged(attempt, Step.CARRIED)).isFalse();
            assertThatThrownBy(() -> listener.unwrap(PGConnection.class).getNotifications(30_000))
                    .isInstanceOfSatisfying(SQLException.class, e -> {
                        assertThat(e.getSQLState()).isEqualTo("57P01");
                        assertThat(e.getMessage()).contains("notifications may have been missed");
                    });
            assertThat(one(settled, "SHOW work_mem")).isEqualTo("7MB");
            assertThat(one(settled, "SELECT inet_server_port()")).isEqualTo(Integer.toString(target.port()));
        } finally {
            run(atTarget, "ALTER ROLE app LOGIN");
        }
    }

    @Test
    void aFenceThatEndsSessionsCostsTheirClientsNothing() throws Exception {
        start(config -> config);
        try (Connection listener = client();
                Connection settled = client("preferQueryMode", "simple");
                Connection plain = client()) {
            run(listener, "LISTEN news");
            run(settled, "SET work_mem = '7MB'");
            run(plain, "SELECT 1");
            for (Connection owner : List.of(atSource, atTarget)) {
                Connection before = atSource;
                hold();
                run(before, "REVOKE CONNECT ON DATABASE eden FROM PUBLIC");
                await().atMost(Duration.ofSeconds(30)).until(() -> {
                    run(before, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
                    return one(before, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'")
                            .equals("0");
                });
                run(before, "GRANT CONNECT ON DATABASE eden TO PUBLIC");
                if (owner == atSource) {
                    abort();
                } else {
                    flip();
                }
                assertThat(one(settled, "SHOW work_mem")).isEqualTo("7MB");
                assertThat(one(plain, "SELECT inet_server_port()"))
                        .isEqualTo(Integer.toString(owner == atSource ? source.port() : target.port()));
                assertThat(heard(listener, owner, owner == atSource ? "source" : "target"))
                        .doesNotHaveDuplicates();
            }
        }
    }

    /** What the listener hears of notifications that are sent from {@code where} until it hears one: its session may be on its way still. */
    private static List<String> heard(Connection listener, Connection owner, String where) {
        List<String> heard = new ArrayList<>();
        AtomicInteger sent = new AtomicInteger();
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            run(owner, "NOTIFY news, '" + where + " " + sent.incrementAndGet() + "'");
            PGNotification[] arrived = listener.unwrap(PGConnection.class).getNotifications(500);
            for (PGNotification one : arrived == null ? new PGNotification[0] : arrived) {
                if (one.getParameter().startsWith(where)) {
                    heard.add(one.getParameter());
                }
            }
            return !heard.isEmpty();
        });
        return heard;
    }

    /** A fence lets nobody in who is not in already; so who is in stays, and the standby is asked in time. */
    @Test
    void sessionsAreLoggedInBeforeTheFlipAndKeptForTheWayBack() throws Exception {
        start(config -> config);
        String sessions = "SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE usename = 'app'";
        try (Connection client = client("prepareThreshold", "1");
                PreparedStatement insert = client.prepareStatement("INSERT INTO entries VALUES (?)")) {
            insert.setLong(1, 1);
            insert.executeUpdate();
            run(client, "SET work_mem = '7MB'");
            String atFirst = one(client, "SELECT pg_backend_pid()");
            assertThat(one(atTarget, sessions)).isNull();
            arm();
            String expected = one(atTarget, sessions);
            assertThat(expected).isNotNull();
            store.state(RouteState.PREPARED, attempt, 120_000);
            drained();
            flip();
            assertThat(one(client, "SELECT pg_backend_pid()")).isEqualTo(expected);
            assertThat(one(client, "SHOW default_transaction_read_only")).isEqualTo("off");
            assertThat(one(client, "SHOW work_mem")).isEqualTo("7MB");
            insert.executeUpdate();
            assertThat(ids(atTarget)).containsExactly(1L);
            assertThat(one(atSource, sessions)).isEqualTo(atFirst);
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> one(atSource, "SELECT query FROM pg_stat_activity WHERE pid = " + atFirst)
                            .equals("DISCARD ALL"));
            run(atSource, "ALTER ROLE app NOLOGIN");
            hold();
            flip();
            assertThat(one(client, "SELECT pg_backend_pid()")).isEqualTo(atFirst);
            assertThat(one(client, "SHOW work_mem")).isEqualTo("7MB");
            insert.setLong(1, 2);
            insert.executeUpdate();
            assertThat(ids(atSource)).containsExactlyInAnyOrder(1L, 2L);
        }
    }

    @Test
    void whatTheFenceRefusesWaitsForItToFall() throws Exception {
        run(atTarget, "ALTER ROLE app NOLOGIN");
        start(config -> config);
        try (Connection client = client();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            run(client, "INSERT INTO entries VALUES (1)");
            hold();
            Future<?> held = threads.submit(() -> {
                run(client, "INSERT INTO entries VALUES (2)");
                return null;
            });
            flip();
            await().pollDelay(Duration.ofMillis(300)).until(() -> !held.isDone());
            run(atTarget, "ALTER ROLE app LOGIN");
            held.get();
            assertThat(ids(atTarget)).containsExactly(2L);
        }
    }

    @Test
    void aLostServerClosesWhoIsInDoubtAndNobodyElse() throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, 4).withEventLoops(1));
        try (Connection idle = client();
                Connection busy = client();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            run(idle, "SELECT 1");
            Future<?> asking = threads.submit(() -> {
                run(busy, "SELECT pg_sleep(60)");
                return null;
            });
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> one(
                                    atSource,
                                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")
                            .equals("1"));
            run(atSource, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
            assertThatThrownBy(asking::get)
                    .cause()
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("57P01"));
            await().atMost(Duration.ofSeconds(30))
                    .ignoreExceptions()
                    .until(() -> one(idle, "SELECT 1").equals("1"));
        }
    }

    @Test
    void withoutTheStoreItServesExceptInAnAttempt() throws Exception {
        start(config -> config);
        try (Connection client = client();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            store.away(true);
            await().atMost(Duration.ofSeconds(30)).until(() -> !proxy.health().storeReadable());
            run(client, "INSERT INTO entries VALUES (1)");
            store.away(false);
            arm();
            store.away(true);
            await().atMost(Duration.ofSeconds(30)).until(() -> !proxy.health().serving());
            Future<?> held = threads.submit(() -> {
                run(client, "INSERT INTO entries VALUES (2)");
                return null;
            });
            await().pollDelay(Duration.ofMillis(300)).until(() -> !held.isDone());
            store.away(false);
            abort();
            held.get();
            assertThat(ids(atSource)).containsExactlyInAnyOrder(1L, 2L);
        }
    }

    /** Nobody may be served when a connection comes back, and then somebody may again: it is for who waits for it. */
    @Test
    void whoWaitsInLineWhenTheLeaseRunsOutIsServedAfterwards() throws Exception {
        start(config ->
                config.withPool(Pooling.TRANSACTION, 1).withEventLoops(1).withWaiting(Duration.ofSeconds(15), 100));
        try (Connection holder = client();
                Connection waiter = client();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            arm();
            holder.setAutoCommit(false);
            run(holder, "INSERT INTO entries VALUES (1)");
            Future<String> waiting = threads.submit(() -> one(waiter, "SELECT 'served'"));
            await().pollDelay(Duration.ofMillis(300)).until(() -> !waiting.isDone());
            store.away(true);
            await().atMost(Duration.ofSeconds(30)).until(() -> !proxy.health().serving());
            holder.commit();
            store.stable();
            store.away(false);
            assertThat(waiting.get()).isEqualTo("served");
        }
    }
}
