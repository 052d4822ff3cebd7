package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.redis.RespConnection;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code -Dbench}: how fast a million small keys get from one server to another. */
@EnabledIfSystemProperty(named = "bench", matches = ".*")
class FullLoadBenchmarkIT {
    private static final Logger LOGGER = LoggerFactory.getLogger(FullLoadBenchmarkIT.class);
    private static final int KEYS = 1_000_000;

    @Test
    void aMillionSmallKeys() {
        try (Pair pair = Pair.start()) {
            try (RespConnection blue = pair.connect("source")) {
                fill(blue);
            }
            for (int round = 1; round <= 5; round++) {
                long before = System.nanoTime();
                double ownBefore = cpuSeconds(ProcessHandle.current().pid());
                double targetBefore = cpuSeconds(pair.target.pid());
                try (Pair.Running running = pair.replicate()) {
                    await().atMost(Duration.ofMinutes(2))
                            .pollInterval(Duration.ofMillis(10))
                            .until(() -> pair.ledger.current(Pair.MIGRATION).loaded());
                    double seconds = (System.nanoTime() - before) / 1e9;
                    long used = Runtime.getRuntime().totalMemory()
                            - Runtime.getRuntime().freeMemory();
                    // Above what tests log, so that Maven shows it.
                    LOGGER.atWarn()
                            .log(
                                    "{}: {} keys/s, {} s; CPU: here {} s, target {} s; heap in use {} MiB",
                                    round,
                                    (long) (KEYS / seconds),
                                    seconds,
                                    cpuSeconds(ProcessHandle.current().pid()) - ownBefore,
                                    cpuSeconds(pair.target.pid()) - targetBefore,
                                    used >> 20);
                    assertThat(running.failure.get()).isNull();
                }
                try (RespConnection green = pair.connect("target")) {
                    assertThat(green.call("DBSIZE").number()).isGreaterThanOrEqualTo(KEYS);
                    // Each round loads into an empty server.
                    green.call("FLUSHALL");
                }
                pair.ledger.restartLoad(Pair.MIGRATION, 1, 0);
            }
        }
    }

    private static double cpuSeconds(long pid) {
        return ProcessHandle.of(pid)
                .flatMap(process -> process.info().totalCpuDuration())
                .map(time -> time.toMillis() / 1e3)
                .orElse(0.0);
    }

    /** Thirteen bytes of key, 64 of value, as in the baseline. */
    private static void fill(RespConnection blue) {
        for (int i = 0; i < KEYS; i += 1000) {
            for (int j = i; j < i + 1000; j++) {
                blue.send("SET", "key:%09d".formatted(j), Types.random(64));
            }
            blue.flush();
            blue.read(1000);
        }
    }
}
