package dev.eden.activities.postgres.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.postgres.PostgresServers;
import dev.eden.activities.postgres.PostgresSession;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A source whose disk fills with the log that Eden makes it keep is let go. */
class RetentionIT {

    @Test
    void theSourceComesFirst() {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY, note text)");
            }
            servers.prepare();
            try (PostgresSession source = servers.control("source");
                    PostgresSession target = servers.control("target");
                    // Stands in the way of the load, so that the slot stays where it is.
                    PostgresSession reader = servers.control("target")) {
                reader.execute("SET search_path = public");
                reader.transaction(() -> {
                    reader.number("SELECT count(*) FROM public.t");
                    Thread.ofVirtual().start(() -> fill(servers));
                    assertThatThrownBy(() -> {
                                try (var replicator = new PostgresReplicator(
                                        servers.pair(),
                                        servers.store,
                                        Clock.systemUTC(),
                                        true,
                                        new Retention(Long.MAX_VALUE))) {
                                    replicator.run(progress -> {});
                                }
                            })
                            .isInstanceOf(ReplicationStopped.class)
                            .hasMessageContaining("source comes first");
                });
                assertThat(source.number("SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'eden_m1_main'"))
                        .isZero();
                assertThat(target.number("SELECT count(*) FROM pg_subscription"))
                        .isZero();
            }
        }
    }

    /** Nothing else would stop it then: replication waits for the server that is away, and the log grows. */
    @Test
    void theSourceComesFirstWhileTheTargetIsAway() throws Exception {
        try (var servers = PostgresServers.start(16, 16)) {
            try (PostgresSession source = servers.own("source")) {
                source.execute("CREATE TABLE public.t (id int PRIMARY KEY, note text)");
            }
            servers.prepare();
            CountDownLatch streaming = new CountDownLatch(1);
            try (var replicator = new PostgresReplicator(
                    servers.pair(), servers.store, Clock.systemUTC(), true, new Retention(Long.MAX_VALUE))) {
                CompletableFuture<Void> running = CompletableFuture.runAsync(
                        () -> replicator.run(progress -> {
                            // What is kept is told, so that somebody can see it grow.
                            if (progress.state().equals("streaming") && progress.retainedBytes() != null) {
                                streaming.countDown();
                            }
                        }),
                        Thread::startVirtualThread);
                assertThat(streaming.await(60, TimeUnit.SECONDS)).isTrue();
                servers.target.kill();
                fill(servers);
                assertThatThrownBy(() -> running.get(60, TimeUnit.SECONDS))
                        .cause()
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("source comes first");
                assertThat(servers.store
                                .progress(PostgresServers.MIGRATION)
                                .orElseThrow()
                                .lagMs())
                        .as("not known")
                        .isEqualTo(-1);
                try (PostgresSession source = servers.control("source")) {
                    assertThat(source.texts("SELECT slot_name FROM pg_replication_slots"))
                            .isEmpty();
                }
            }
        }
    }

    /** 40 MiB of log. */
    private static void fill(PostgresServers servers) {
        try (PostgresSession writer = servers.control("source")) {
            for (int i = 0; i < 40; i++) {
                writer.execute("SELECT pg_logical_emit_message(false, 'fill', repeat('x', 1048576))");
                writer.execute("SELECT pg_switch_wal()");
            }
        }
    }
}
