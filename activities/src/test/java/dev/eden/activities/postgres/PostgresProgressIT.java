package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.postgres.replication.PostgresReplicator;
import dev.eden.activities.store.ReplicationLedger.Progress;
import java.time.Clock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What an operator reads while rows are copied, and afterwards. */
class PostgresProgressIT {
    private static final Duration LONG = Duration.ofSeconds(90);

    /** Of a table that was never analysed the servers know an estimate alone. */
    @Test
    void rowsAreThoseThatWereCopiedWhateverGoesAway() {
        try (var servers = PostgresServers.start(15, 18)) {
            rows(servers, "source");
            servers.prepare();
            try (var running = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                assertThat(progress(servers)).satisfies(PostgresProgressIT::isWhole);

                servers.target.kill();
                await().atMost(LONG).until(() -> progress(servers).state().equals("waiting"));
                assertThat(progress(servers)).satisfies(PostgresProgressIT::isWhole);
                assertThat(progress(servers).lagMs()).as("nobody knows").isEqualTo(-1);
                servers.target.restart();
                PostgresMigrationIT.awaitStreaming(servers);
                assertThat(progress(servers)).satisfies(PostgresProgressIT::isWhole);
                assertThat(running.failure.get()).isNull();
            }
            // Eden itself began anew.
            try (var _ = servers.replicate()) {
                PostgresMigrationIT.awaitStreaming(servers);
                assertThat(progress(servers)).satisfies(PostgresProgressIT::isWhole);
            }
        }
    }

    @Test
    void whatTheTargetHadByOtherMeansIsNotCopied() {
        try (var servers = PostgresServers.start(15, 18)) {
            rows(servers, "source");
            rows(servers, "target");
            servers.prepare();
            try (var running = new PostgresServers.Running(
                    new PostgresReplicator(servers.pair(), servers.store, Clock.systemUTC(), false))) {
                PostgresMigrationIT.awaitStreaming(servers);
                assertThat(progress(servers).keysDone()).isZero();
                assertThat(progress(servers).keysTotal()).isZero();
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    private static void rows(PostgresServers servers, String id) {
        try (PostgresSession session = servers.own(id)) {
            session.execute(
                    "CREATE TABLE public.t (i int PRIMARY KEY) WITH (autovacuum_enabled = false); INSERT INTO public.t SELECT generate_series(1, 12345)");
        }
    }

    private static void isWhole(Progress progress) {
        assertThat(progress.keysDone()).isEqualTo(12_345);
        assertThat(progress.keysTotal()).isEqualTo(12_345);
    }

    private static Progress progress(PostgresServers servers) {
        return servers.store.progress(PostgresServers.MIGRATION).orElseThrow();
    }
}
