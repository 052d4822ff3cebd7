package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.redis.RespConnection;
import dev.eden.embedded.EmbeddedRedis;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class LoadTargetIT {
    /** A server that does not know a command repeats what came with it. */
    @Test
    void whatATargetRefusesIsToldWithoutKeysAndValues() {
        EmbeddedRedis.Options options = EmbeddedRedis.Options.defaults()
                .withConfig("repl-diskless-sync-delay 0", "rename-command RESTORE \"\"");
        try (Pair pair = new Pair(options);
                RespConnection blue = pair.connect("source")) {
            blue.call("SET", "customer:ada", "x");
            try (Pair.Running refused = pair.replicate()) {
                await().atMost(Duration.ofSeconds(60)).until(refused::ended);
                assertThat(refused.failure.get())
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("refused a key of the full load")
                        .hasMessageNotContainingAny("ada");
            }
        }
    }

    @Test
    void aTargetThatIsNotEmptyIsToldWithoutItsKeys() {
        try (Pair pair = Pair.start();
                RespConnection green = pair.connect("target")) {
            green.call("SET", "customer:ada", "x");
            try (Pair.Running refused = pair.replicate(pair.config(ReplicationConfig.Existing.FAIL))) {
                await().atMost(Duration.ofSeconds(60)).until(refused::ended);
                assertThat(refused.failure.get())
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("not empty")
                        .hasMessageContaining("database 0")
                        .hasMessageNotContainingAny("ada");
            }
        }
    }
}
