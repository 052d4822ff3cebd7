package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.embedded.EmbeddedRedis;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class LoadTargetIT {
    /** Proxies send reads by what they have last seen of the marker. */
    @Test
    void proxiesHaveTimeToLeaveATargetThatIsEmptied() throws IOException {
        try (Pair pair = Pair.start();
                RespConnection own = pair.connect("target");
                RespConnection green = pair.connect("target")) {
            RespBuffer streaming = new RespBuffer(512);
            new AppliedMarker("streaming", "r", 7, 0, 7, 0, 1, 1, 0)
                    .write(streaming, AppliedMarker.key(Pair.MIGRATION));
            streaming.writeTo(own.output());
            own.read();
            green.call("SET", "seen", "1");
            CompletableFuture<Void> prepared = CompletableFuture.runAsync(() -> prepare(own, pair));
            await().until(() -> state(green).equals("loading"));
            assertThat(green.call("EXISTS", "seen").number())
                    .as("it is said before it is done")
                    .isEqualTo(1);
            prepared.join();
            assertThat(green.call("EXISTS", "seen").number()).isZero();
            assertThat(state(green)).isEqualTo("loading");
        }
    }

    private static void prepare(RespConnection own, Pair pair) {
        try {
            LoadTarget.prepare(own, pair.config(ReplicationConfig.Existing.REPLACE), 1, 2);
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String state(RespConnection green) {
        return green.call("HGET", ReplicationLedger.appliedKey(Pair.MIGRATION), "state")
                .text();
    }

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
