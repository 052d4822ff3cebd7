package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.ReplicationLedger;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Both servers expire keys by themselves: what the source saved at the last moment must not be lost on a target that hears of it late. */
class ExpiryRaceIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long LIFE = 1_500;

    @Test
    void aKeySavedJustBeforeItsEndIsNotLost() {
        try (Pair pair = Pair.start();
                Pair.Running running = pair.replicate();
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
            for (String key : List.of("kept", "grown", "renamed", "copied", "swapped", "extended", "counted")) {
                blue.call("SET", key, 7, "PX", LIFE);
            }
            blue.call("SADD", "set", "a", "b");
            blue.call("PEXPIRE", "set", LIFE);
            RedisReplicatorIT.awaitApplied(blue, green);
            late(pair, blue, () -> {
                assertThat(blue.call("PERSIST", "kept").number()).isEqualTo(1);
                blue.call("APPEND", "grown", "y");
                blue.call("PERSIST", "grown");
                blue.call("RENAME", "renamed", "other name");
                blue.call("PERSIST", "other name");
                blue.call("COPY", "copied", "copy");
                blue.call("PERSIST", "copy");
                blue.call("COPY", "copy", "copy of the copy");
                blue.call("PEXPIRE", "extended", 1_000_000);
                blue.call("INCR", "counted");
                blue.call("PERSIST", "counted");
                blue.call("INCR", "counted");
                blue.call("SUNIONSTORE", "union", "set");
                blue.call("SUNIONSTORE", "union of the union", "union");
            });
            RedisReplicatorIT.awaitEqual(pair, "source", "target");
            assertThat(green.call("GET", "kept").text()).isEqualTo("7");
            assertThat(green.call("GET", "counted").text()).isEqualTo("9");
            assertThat(green.call("GET", "copy of the copy").text()).isEqualTo("7");
            assertThat(green.call("SCARD", "union of the union").number()).isEqualTo(2);
            assertThat(running.failure.get()).isNull();
        }
    }

    @Test
    void aSuccessorMendsWhatItsPredecessorDidNotSee() {
        try (Pair pair = Pair.start();
                CuttingRelay relay = new CuttingRelay(pair.target.host(), pair.target.port());
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target");
                Pair.Running running = pair.replicate(
                        pair.config(ReplicationConfig.Existing.REPLACE),
                        id -> id.equals("target") ? pair.through(relay, id) : pair.endpoint(id))) {
            await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
            for (int i = 0; i < 10; i++) {
                blue.call("SET", "kept" + i, i, "PX", LIFE);
            }
            RedisReplicatorIT.awaitApplied(blue, green);
            long generation = pair.ledger.current(Pair.MIGRATION).generation();
            late(pair, blue, () -> {
                for (int i = 0; i < 10; i++) {
                    assertThat(blue.call("PERSIST", "kept" + i).number()).isEqualTo(1);
                }
                relay.swallowAndCut();
            });
            RedisReplicatorIT.awaitEqual(pair, "source", "target");
            assertThat(green.call("GET", "kept9").text()).isEqualTo("9");
            assertThat(pair.ledger.current(Pair.MIGRATION).generation()).isGreaterThan(generation);
            assertThat(running.failure.get()).isNull();
        }
    }

    @Test
    void bothSidesCanBeSeenAtOnePositionUnderWrites() {
        try (Pair pair = Pair.start();
                Pair.Running running = pair.replicate();
                RespConnection green = pair.connect("target");
                Writers writers = new Writers(pair.source.host(), pair.source.port(), 3, 5, 50, false)) {
            await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
            RedisReplicator replicator = pair.registry.find(Pair.MIGRATION).orElseThrow();
            int seen = 0;
            for (int tries = 0; tries < 2_000 && seen < 200; tries++) {
                Object[] read = {"DUMP", "a" + tries % 5};
                try {
                    Reply there = replicator.atEqualPosition(List.<Object[]>of(read), Duration.ofSeconds(2), equal -> {
                        Reply here = equal.from().getFirst();
                        Reply written = green.call(read);
                        long applied = green.call("HGET", ReplicationLedger.appliedKey(Pair.MIGRATION), "offset")
                                .number();
                        assertThat(applied).isEqualTo(equal.position().offset());
                        assertThat(written.isNull() ? null : written.bytes())
                                .isEqualTo(here.isNull() ? null : here.bytes());
                        return written;
                    });
                    assertThat(there).isNotNull();
                    seen++;
                } catch (EqualPosition.UnreachableException again) {
                    assertThat(again.getMessage()).contains("copied again");
                }
            }
            assertThat(seen).isEqualTo(200);
            // Damage is mended by a whole copy, also where nothing is to be copied.
            writers.close();
            RedisReplicatorIT.awaitEqual(pair, "source", "target");
            green.call("SET", "a1", "damaged");
            green.call("SET", "extra", "damaged");
            green.call("DEL", "i1");
            replicator.recopy(
                    List.of(new DbKey(0, bytes("a1")), new DbKey(0, bytes("extra")), new DbKey(0, bytes("i1"))),
                    PATIENCE);
            RedisReplicatorIT.awaitEqual(pair, "source", "target");
            assertThat(running.failure.get()).isNull();
        }
    }

    /** The target stands still while the source changes, until what had an end is gone there. */
    private static void late(Pair pair, RespConnection blue, Runnable changes) {
        pair.target.suspend();
        try {
            changes.run();
            long end = blue.call("TIME").items().getFirst().number() * 1000 + 2 * LIFE + 1000;
            await().atMost(PATIENCE)
                    .until(() -> blue.call("TIME").items().getFirst().number() * 1000 > end);
        } finally {
            pair.target.resume();
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    }
}
