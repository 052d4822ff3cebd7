package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.store.ReplicationLedger.Progress;
import dev.eden.activities.store.Tuning;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What an operator sets of a running copy is in force within two seconds. */
class PostgresTuningIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int TABLES = 24;
    private static final int ROWS = 400;
    private static final int ROW = 2_048;
    private static final long RATE = 512 << 10;
    private static final long SLOW = 64 << 10;
    private static final String CONTENT =
            "SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM shop.t%d AS t";

    @Test
    void aRunningLoadFollowsItsRateAndItsLanes() {
        // The load is longer than a server lets a session be idle: neither the snapshot's nor Eden's others may end.
        try (var servers = PostgresServers.start(17, 18, "idle_session_timeout=5s", "transaction_timeout=12s")) {
            schema(servers);
            servers.prepare();
            servers.store.tuning = new Tuning(RATE, 2, null, null);
            try (var running = servers.replicate()) {
                await().atMost(PATIENCE).until(() -> bytes(servers) > 2 * RATE);
                assertThat(state(servers)).as("38 s at this rate").isEqualTo("loading");
                assertThat(lanes(servers, "source")).isEqualTo(2);
                assertThat(lanes(servers, "target")).isEqualTo(2);
                assertThat(perSecond(servers)).isBetween(2.0 * SLOW, 1.5 * RATE);

                servers.store.tuning = new Tuning(SLOW, 2, null, null);
                passes(Duration.ofSeconds(2));
                assertThat(perSecond(servers)).as("64 KiB/s, not 512").isLessThan(200 << 10);

                servers.store.tuning = new Tuning(RATE, 6, null, null);
                await().atMost(SOON).until(() -> lanes(servers, "source") == 6 && lanes(servers, "target") == 6);
                servers.store.tuning = new Tuning(RATE, 1, null, null);
                await().atMost(SOON).until(() -> lanes(servers, "source") == 1);
                assertThat(state(servers)).isEqualTo("loading");

                servers.store.tuning = Tuning.NONE;
                await().atMost(PATIENCE).until(() -> state(servers).equals("streaming"));
                assertEqual(servers);
                assertThat(running.failure.get()).isNull();
                assertThat(servers.store.generation())
                        .as("one load, never begun again")
                        .isEqualTo(1);
            }
        }
    }

    @Test
    void aSourceThatAnswersSlowlyIsSpared() throws Exception {
        try (var servers = PostgresServers.start(18, 18)) {
            schema(servers);
            servers.prepare();
            servers.store.tuning = new Tuning(2 * RATE, null, null, 400);
            try (var running = servers.replicate();
                    PostgresSession source = servers.own("source")) {
                await().atMost(PATIENCE).until(() -> bytes(servers) > 0);
                String ping = await().atMost(SOON)
                        .until(
                                () -> source.text(
                                        "SELECT pid FROM pg_stat_activity WHERE application_name = 'eden_m1:ping'"),
                                Optional::isPresent)
                        .orElseThrow();
                signal("STOP", ping);
                try {
                    passes(Duration.ofSeconds(4));
                    assertThat(state(servers)).isEqualTo("loading");
                    assertThat(perSecond(servers))
                            .as("a block every half second, of all lanes")
                            .isBetween(1.0, 1.5 * RATE);
                } finally {
                    signal("CONT", ping);
                }
                servers.store.tuning = Tuning.NONE;
                await().atMost(PATIENCE).until(() -> state(servers).equals("streaming"));
                assertEqual(servers);
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    @Test
    void aLoadThatWaitsEndsAtOnce() throws Exception {
        try (var servers = PostgresServers.start(16, 17)) {
            schema(servers);
            servers.prepare();
            servers.store.tuning = new Tuning(SLOW, 8, null, null);
            var running = servers.replicate();
            await().atMost(PATIENCE).until(() -> bytes(servers) > 0 && lanes(servers, "target") == 8);
            CompletableFuture<Void> closed = CompletableFuture.runAsync(running::close);
            closed.get(8, TimeUnit.SECONDS);
            await().atMost(SOON).until(() -> lanes(servers, "target") == 0 && lanes(servers, "source") == 0);
            assertThat(running.failure.get()).isNull();
        }
    }

    /** Only one lane's session on one side dies: the run ends and the next one goes on. */
    @Test
    void aLaneWhoseSessionDiesHangsNobody() {
        try (var servers = PostgresServers.start(18, 17)) {
            schema(servers);
            servers.prepare();
            servers.store.tuning = new Tuning(SLOW, 1, null, null);
            try (var running = servers.replicate();
                    PostgresSession source = servers.control("source")) {
                await().atMost(PATIENCE).until(() -> bytes(servers) > 0);
                assertThat(source.number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                                + " WHERE application_name = 'eden_m1:load'"))
                        .isEqualTo(1);
                servers.store.tuning = Tuning.NONE;
                await().atMost(PATIENCE).until(() -> state(servers).equals("streaming"));
                assertEqual(servers);
                assertThat(running.failure.get()).isNull();
                assertThat(servers.store.generation()).isGreaterThan(1);
            }
        }
    }

    private static void signal(String name, String pid) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, pid).start().waitFor())
                .isZero();
    }

    private static void schema(PostgresServers servers) {
        try (PostgresSession source = servers.own("source")) {
            source.execute("CREATE SCHEMA shop");
            for (int i = 0; i < TABLES; i++) {
                source.execute("CREATE TABLE shop.t" + i + " (id int PRIMARY KEY, data bytea)");
                // Random enough not to be compressed.
                source.execute("INSERT INTO shop.t" + i + " SELECT n, (SELECT string_agg(sha256((" + i
                        + " || '-' || n || '-' || k)::text::bytea), '') FROM generate_series(1, " + ROW / 32
                        + ") AS k) FROM generate_series(1, " + ROWS + ") AS n");
            }
            source.execute("ANALYZE");
        }
    }

    private static void assertEqual(PostgresServers servers) {
        try (PostgresSession source = servers.control("source");
                PostgresSession target = servers.control("target")) {
            for (int i = 0; i < TABLES; i++) {
                assertThat(target.text(CONTENT.formatted(i))).isEqualTo(source.text(CONTENT.formatted(i)));
            }
        }
    }

    private static String state(PostgresServers servers) {
        return servers.store
                .progress(PostgresServers.MIGRATION)
                .map(Progress::state)
                .orElse("");
    }

    private static long bytes(PostgresServers servers) {
        return servers.store
                .progress(PostgresServers.MIGRATION)
                .map(Progress::bytes)
                .orElse(0L);
    }

    private static double perSecond(PostgresServers servers) {
        long before = bytes(servers);
        long from = System.nanoTime();
        passes(Duration.ofSeconds(3));
        return (bytes(servers) - before) * 1e9 / (System.nanoTime() - from);
    }

    private static void passes(Duration time) {
        long from = System.nanoTime();
        await().pollDelay(time).atMost(PATIENCE).until(() -> System.nanoTime() - from > time.toNanos());
    }

    private static long lanes(PostgresServers servers, String side) {
        try (PostgresSession session = servers.control(side)) {
            List<String> sessions =
                    session.texts("SELECT pid FROM pg_stat_activity WHERE application_name = 'eden_m1:load'");
            return sessions.size();
        }
    }
}
