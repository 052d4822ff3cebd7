package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RedisReplicatorIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Test
    void copiesAndFollowsUnderWritesOfEveryKind() {
        try (Pair pair = Pair.start();
                Writers writers = new Writers(pair.source.host(), pair.source.port(), 4, 100, 100, true)) {
            await().atMost(PATIENCE).until(() -> writers.done.get() > 5_000);
            try (Pair.Running running = pair.replicate()) {
                await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
                long before = writers.done.get();
                await().atMost(PATIENCE).until(() -> writers.done.get() > before + 20_000);
                writers.close();
                awaitEqual(pair, "blue", "green");
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    @Test
    void anApplierThatDiesAnywhereGoesOnExactlyOnce() {
        try (Pair pair = Pair.start();
                Writers writers = new Writers(pair.source.host(), pair.source.port(), 4, 50, 100, false);
                Pair.Running running = pair.replicate();
                RespConnection green = pair.connect("green")) {
            await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
            for (int round = 0; round < 20; round++) {
                long before = writers.done.get();
                await().atMost(PATIENCE).until(() -> writers.done.get() > before + 500);
                await().atMost(PATIENCE).until(() -> kill(green));
            }
            writers.close();
            awaitEqual(pair, "blue", "green");
            assertThat(pair.ledger.current(Pair.MIGRATION).generation()).isGreaterThan(20);
            assertThat(pair.ledger.restarts).isZero();
            assertThat(running.failure.get()).isNull();
        }
    }

    /** Ends the connections of the applier; false when it has none. */
    static boolean kill(RespConnection server) {
        boolean killed = false;
        for (String line : server.call("CLIENT", "LIST").text().lines().toList()) {
            if (line.contains("name=eden:apply:")) {
                killed |= server.ask("CLIENT", "KILL", "ID", line.substring(3, line.indexOf(' ')))
                                .number()
                        == 1;
            }
        }
        return killed;
    }

    /** Both sides still, the log applied to its end, everything equal. */
    static void awaitEqual(Pair pair, String from, String to) {
        try (RespConnection followed = pair.connect(from);
                RespConnection written = pair.connect(to)) {
            awaitApplied(followed, written);
            // Keys of a few seconds' life may still be on one side only; everything else must be equal at once.
            await().atMost(Duration.ofSeconds(15)).untilAsserted(() -> {
                Map<String, String> here = Dataset.of(followed);
                assertThat(Dataset.differences(here, Dataset.of(written))).isEmpty();
                assertThat(here).isNotEmpty();
            });
        }
    }

    static void awaitApplied(RespConnection followed, RespConnection written) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(() -> {
            long offset = ServerInfo.read(followed, "replication").number("master_repl_offset");
            String applied = written.call("HGET", ReplicationLedger.appliedKey(Pair.MIGRATION), "offset")
                    .text();
            return !applied.isEmpty() && Long.parseLong(applied) >= offset - 200;
        });
    }
}
