package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.Tuning;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A load that lasts longer than a target lets connections be idle. */
class LongLoadIT {
    private static final int KEYS = 800;
    private static final int VALUE = 4_096;
    private static final long RATE = 512 << 10;

    @Test
    void aLoadLongerThanTheTargetsTimeoutIsDoneOnce() {
        try (Pair pair = Pair.start();
                RespConnection blue = pair.connect("source")) {
            for (int i = 0; i < KEYS; i++) {
                byte[] value = new byte[VALUE];
                new Random(i).nextBytes(value);
                blue.call("SET", "key:" + i, value);
            }
            try (RespConnection green = pair.connect("target")) {
                green.call("CONFIG", "SET", "timeout", "1");
            }
            pair.ledger.tuning = new Tuning(RATE, 4, 8, null);
            long began = System.nanoTime();
            try (Pair.Running running = pair.replicate()) {
                await().atMost(Duration.ofSeconds(60))
                        .until(() -> pair.ledger.state().equals("streaming"));
                assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThan(Duration.ofSeconds(3));
                assertThat(pair.ledger.restarts).isZero();
                assertThat(ServerInfo.read(blue, "stats").number("sync_full")).isEqualTo(1);
                try (RespConnection green = pair.connect("target")) {
                    assertThat(Dataset.differences(Dataset.of(blue), Dataset.of(green)))
                            .isEmpty();
                }
                assertThat(running.failure.get()).isNull();
            }
        }
    }
}
