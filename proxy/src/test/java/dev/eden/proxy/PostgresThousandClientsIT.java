package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.PostgresProxyConfig.Pooling;
import dev.eden.proxy.postgres.PgWire;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A thousand clients over a handful of connections to the server: each hears what it has asked, in its turn. */
@Tag("alone")
class PostgresThousandClientsIT extends PostgresFixture {
    private static final int CLIENTS = 1_000;
    private static final int CONNECTIONS = 8;
    private static final int ROUNDS = 6 * CLIENTS;

    private final AtomicInteger rounds = new AtomicInteger();
    private final int[] done = new int[CLIENTS];

    /** @param every one client of so many works in transactions of its own; 0: none */
    @ParameterizedTest
    @ValueSource(ints = {0, 5})
    void eachGetsItsAnswersInItsTurn(int every) throws Exception {
        start(config -> config.withPool(Pooling.TRANSACTION, CONNECTIONS).withWaiting(Duration.ofSeconds(60), CLIENTS));
        Arrays.fill(done, 0);
        rounds.set(0);
        AtomicBoolean over = new AtomicBoolean();
        try (Connection at = direct(source);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            run(at, "DROP TABLE IF EXISTS counted");
            run(at, "CREATE TABLE counted (client int, n int, PRIMARY KEY (client, n))");
            run(at, "GRANT ALL ON counted TO app");
            Future<Integer> most = threads.submit(() -> mostConnections(over));
            CountDownLatch ready = new CountDownLatch(CLIENTS);
            List<Future<Integer>> written = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                int client = i;
                boolean transactions = every > 0 && client % every == 0;
                written.add(threads.submit(() -> {
                    try (PgWire wire = wire(ready)) {
                        ready.await();
                        return work(wire, client, transactions);
                    }
                }));
            }
            int rows = 0;
            try {
                for (Future<Integer> one : written) {
                    rows += one.get();
                }
            } finally {
                over.set(true);
            }
            assertThat(most.get()).isBetween(2, CONNECTIONS);
            assertThat(one(at, "SELECT count(*) FROM counted")).isEqualTo(Integer.toString(rows));
            assertThat(one(at, "SELECT count(*) FROM counted WHERE n < 0")).isEqualTo("0");
        }
        isFair(every, true);
        isFair(every, false);
    }

    private PgWire wire(CountDownLatch ready) throws IOException {
        try {
            return new PgWire(proxy.port()).login(3 << 16, "app", "pencil");
        } finally {
            ready.countDown(); // the others do not wait for one that is refused
        }
    }

    /** As the server has seen it. */
    private int mostConnections(AtomicBoolean over) throws SQLException {
        AtomicInteger most = new AtomicInteger();
        try (Connection at = direct(source)) {
            await().pollInterval(Duration.ofMillis(20))
                    .atMost(Duration.ofMinutes(5))
                    .until(() -> {
                        String now = one(at, "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'");
                        most.accumulateAndGet(Integer.parseInt(now), Math::max);
                        return over.get();
                    });
        }
        return most.get();
    }

    /** Answers how many rows it has written. */
    private int work(PgWire wire, int client, boolean transactions) throws IOException {
        int rows = 0;
        while (rounds.getAndIncrement() < ROUNDS) {
            int n = done[client];
            if (transactions) {
                is(wire, "BEGIN", "C ZT");
                is(
                        wire,
                        "SAVEPOINT s; UPDATE counted SET n = -n - 1 WHERE client = " + client + "; ROLLBACK TO s",
                        "C C C ZT");
                is(wire, insert(client, n), "T D" + n + " C ZT");
                is(wire, own(client), "T D" + (rows + 1) + " C ZT");
                is(wire, "COMMIT", "C ZI");
                rows++;
            } else if (n % 4 == 0) {
                is(wire, insert(client, n), "T D" + n + " C ZI");
                rows++;
            } else {
                is(wire, "SELECT '" + client + " says " + n + "'", "T D" + client + " says " + n + " C ZI");
                wire.parse("s", own(client))
                        .bind("", "s")
                        .execute("", 0)
                        .closeStatement("s")
                        .sync()
                        .send();
                assertThat(wire.answers(1)).isEqualTo("1 2 D" + rows + " C 3 ZI");
            }
            done[client]++;
        }
        return rows;
    }

    private static String insert(int client, int n) {
        return "INSERT INTO counted VALUES (" + client + ", " + n + ") RETURNING n";
    }

    private static String own(int client) {
        return "SELECT count(*) FROM counted WHERE client = " + client;
    }

    private static void is(PgWire wire, String sql, String answer) throws IOException {
        wire.query(sql).send();
        assertThat(wire.answers(1)).as(sql).isEqualTo(answer);
    }

    /** Of those who ask the same, nobody is far behind the others. */
    private void isFair(int every, boolean transactions) {
        IntSummaryStatistics rounds = IntStream.range(0, CLIENTS)
                .filter(client -> transactions == (every > 0 && client % every == 0))
                .map(client -> done[client])
                .summaryStatistics();
        if (rounds.getCount() > 0) {
            assertThat((double) rounds.getMin()).as("%s", rounds).isGreaterThanOrEqualTo(rounds.getAverage() / 3);
            assertThat((double) rounds.getMax()).as("%s", rounds).isLessThanOrEqualTo(rounds.getAverage() * 3);
        }
    }
}
