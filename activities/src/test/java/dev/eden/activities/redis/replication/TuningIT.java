package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.Tuning;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What an operator sets of a running copy is in force within two seconds. */
class TuningIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int KEYS = 4_000;
    private static final int VALUE = 4_096;
    private static final long RATE = 512 << 10;

    @Test
    void aRunningLoadFollowsItsRateAndItsLanes() {
        try (Pair pair = Pair.start();
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            for (int i = 0; i < KEYS; i++) {
                // Random enough not to be compressed.
                blue.send("SET", "key:" + i, value(i));
                if (i % 100 == 99) {
                    blue.flush();
                    blue.read(100);
                }
            }
            pair.ledger.tuning = new Tuning(RATE, 2, 8, null);
            try (Pair.Running running = pair.replicate()) {
                await().atMost(PATIENCE).until(() -> bytes(pair) > 2 * RATE);
                assertThat(pair.ledger.state()).as("32 s at this rate").isEqualTo("loading");
                assertThat(lanes(green)).isEqualTo(2);

                pair.ledger.tuning = new Tuning(64L << 10, 2, 8, null);
                long changed = System.nanoTime();
                await().pollDelay(Duration.ofSeconds(2)).until(() -> System.nanoTime() - changed > 2_000_000_000L);
                long before = bytes(pair);
                long from = System.nanoTime();
                await().pollDelay(Duration.ofSeconds(2)).until(() -> System.nanoTime() - from > 2_000_000_000L);
                double perSecond = (bytes(pair) - before) * 1e9 / (System.nanoTime() - from);
                assertThat(perSecond).as("64 KiB/s, not 512").isLessThan(200 << 10);

                pair.ledger.tuning = new Tuning(RATE, 6, 8, null);
                await().atMost(Duration.ofSeconds(5)).until(() -> lanes(green) == 6);

                pair.ledger.tuning = Tuning.NONE;
                await().atMost(Duration.ofSeconds(20))
                        .until(() -> pair.ledger.state().equals("streaming"));
                assertThat(Dataset.differences(Dataset.of(blue), Dataset.of(green)))
                        .isEmpty();
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    private static long bytes(Pair pair) {
        return pair.ledger.progress(Pair.MIGRATION).map(p -> p.bytes()).orElse(0L);
    }

    /** The applier's connections beside the one it applies with. */
    private static long lanes(RespConnection target) {
        return target.call("CLIENT", "LIST")
                .text()
                .lines()
                .filter(line -> line.contains("cmd=restore"))
                .count();
    }

    private static byte[] value(int seed) {
        byte[] value = new byte[VALUE];
        new java.util.Random(seed).nextBytes(value);
        return value;
    }
}
