package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.embedded.EmbeddedRedis;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What the written side refuses while a batch runs is not passed over: not by what stands in the marker, and not by a successor. */
class RefusedWriteIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final EmbeddedRedis.Options OPTIONS =
            EmbeddedRedis.Options.defaults().withConfig("repl-diskless-sync-delay 0");

    @Test
    void aDatabaseThatTheTargetLacksStopsBeforeAnythingIsWrittenElsewhere() {
        try (Pair pair = new Pair(OPTIONS, OPTIONS.withConfig("repl-diskless-sync-delay 0", "databases 2"));
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            blue.call("SET", "k", "kept");
            try (Pair.Running running = pair.replicate()) {
                await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
                await().atMost(PATIENCE).until(() -> green.call("EXISTS", "k").number() == 1);
                long applied = applied(green);
                blue.call("MULTI");
                blue.call("SELECT", 5);
                blue.call("FLUSHDB");
                blue.call("SET", "k", "elsewhere");
                blue.call("SELECT", 0);
                blue.call("EXEC");
                await().atMost(PATIENCE).until(running::ended);
                assertThat(running.failure.get())
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("no database 5");
                assertThat(green.call("GET", "k").text()).isEqualTo("kept");
                assertThat(applied(green)).isLessThan(offset(blue)).isGreaterThanOrEqualTo(applied);
            }
        }
    }

    @Test
    void aCommandThatNamesNoKeysIsNotPassedOverByASuccessor() {
        try (Pair pair = new Pair(OPTIONS, OPTIONS.withConfig("repl-diskless-sync-delay 0", "databases 2"));
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            try (Pair.Running running = pair.replicate()) {
                await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
                pair.target.suspend();
                blue.call("INCR", "before");
                blue.call("SWAPDB", 0, 5);
                blue.call("INCR", "after");
                pair.target.resume();
                await().atMost(PATIENCE).until(running::ended);
                assertThat(running.failure.get())
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("refused SWAPDB");
            }
            try (Pair.Running again = pair.replicate()) {
                await().atMost(PATIENCE).until(again::ended);
                assertThat(again.failure.get())
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("refused SWAPDB");
            }
            assertThat(green.call("GET", "before").text()).isEqualTo("1");
            assertThat(green.call("EXISTS", "after").number()).isZero();
            assertThat(applied(green)).isLessThan(offset(blue));
        }
    }

    /** Nobody has seen that it was refused. */
    @Test
    void aRefusalThatNobodyHasSeenIsNotPassedOverByASuccessor() {
        try (Pair pair = new Pair(OPTIONS, OPTIONS.withConfig("repl-diskless-sync-delay 0", "databases 2"));
                CuttingRelay relay = new CuttingRelay(pair.target.host(), pair.target.port());
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target");
                Pair.Running running = pair.replicate(
                        pair.config(ReplicationConfig.Existing.REPLACE),
                        id -> id.equals("target") ? pair.through(relay, id) : pair.endpoint(id))) {
            await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
            blue.call("SET", "k", "kept");
            await().atMost(PATIENCE).until(() -> green.call("EXISTS", "k").number() == 1);
            relay.swallowAndCut("SWAPDB");
            blue.call("SWAPDB", 1, 5);
            await().atMost(PATIENCE).until(() -> pair.ledger.restarts == 1);
            assertThat(running.loadsAgain).singleElement().asString().contains("SWAPDB");
            RedisReplicatorIT.awaitEqual(pair, "source", "target");
            assertThat(running.failure.get()).isNull();
        }
    }

    /** Whoever is stopped in the middle of such commands has seen the reply to the last, and says so. */
    @Test
    void aStopAmongCommandsThatNameNoKeysCostsNoLoad() throws Exception {
        try (Pair pair = Pair.start();
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            AtomicBoolean enough = new AtomicBoolean();
            blue.call("SET", "k", "kept");
            Thread steady = null;
            try {
                for (int i = 0; i < 4; i++) {
                    try (Pair.Running running = pair.replicate()) {
                        await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
                        if (steady == null) {
                            steady = Thread.ofPlatform().start(() -> {
                                while (!enough.get()) {
                                    blue.call("SWAPDB", 1, 2);
                                }
                            });
                        }
                        long before = applied(green);
                        await().atMost(PATIENCE).until(() -> applied(green) > before + 1_000);
                        assertThat(running.loadsAgain).isEmpty();
                    }
                }
            } finally {
                enough.set(true);
                if (steady != null) {
                    steady.join();
                }
            }
            try (Pair.Running running = pair.replicate()) {
                RedisReplicatorIT.awaitEqual(pair, "source", "target");
                assertThat(running.loadsAgain).isEmpty();
                assertThat(pair.ledger.restarts).isZero();
            }
        }
    }

    @Test
    void aTransactionThatIsAppliedInPartIsNotBuiltOn() {
        try (Pair pair = new Pair(OPTIONS, OPTIONS.withConfig("repl-diskless-sync-delay 0", "databases 2"));
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            try (Pair.Running running = pair.replicate()) {
                await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
                blue.call("MULTI");
                blue.call("INCR", "counted");
                blue.call("SWAPDB", 1, 5);
                blue.call("EXEC");
                await().atMost(PATIENCE).until(running::ended);
                assertThat(running.failure.get()).isInstanceOf(ReplicationStopped.class);
            }
            // Resumed before any flip: everything is loaded anew.
            try (Pair.Running again = pair.replicate()) {
                await().atMost(PATIENCE)
                        .until(() ->
                                pair.ledger.restarts == 1 && pair.ledger.state().equals("streaming"));
                RedisReplicatorIT.awaitEqual(pair, "source", "target");
                assertThat(again.failure.get()).isNull();
                assertThat(green.call("GET", "counted").text()).isEqualTo("1");
            }
        }
    }

    /** The copy of a key that had expired too early is refused: its successor copies it again. */
    @Test
    void aCopyThatWasRefusedIsMadeAgain() {
        try (Pair pair = Pair.start();
                CuttingRelay relay = new CuttingRelay(pair.target.host(), pair.target.port());
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            try (Pair.Running running = pair.replicate(
                    pair.config(ReplicationConfig.Existing.REPLACE),
                    id -> id.equals("target") ? pair.through(relay, id) : pair.endpoint(id))) {
                await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
                blue.call("SET", "saved", 7, "PX", 600_000);
                await().atMost(PATIENCE)
                        .until(() -> green.call("EXISTS", "saved").number() == 1);
                relay.garble("RESTORE\r\n$5\r\nsaved\r\n$", "ABSTTL", "ABSTLT");
                green.call("DEL", "saved"); // as if it had expired there
                blue.call("PEXPIRE", "saved", 900_000);
                await().atMost(PATIENCE).until(running::ended);
                assertThat(running.failure.get())
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("refused a write of Eden's own");
            }
            try (Pair.Running again = pair.replicate()) {
                await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
                RedisReplicatorIT.awaitEqual(pair, "source", "target");
                assertThat(again.failure.get()).isNull();
                assertThat(green.call("GET", "saved").text()).isEqualTo("7");
            }
        }
    }

    private static long applied(RespConnection server) {
        return server.call("HGET", ReplicationLedger.appliedKey(Pair.MIGRATION), "offset")
                .number();
    }

    private static long offset(RespConnection server) {
        return ServerInfo.read(server, "replication").number("master_repl_offset");
    }
}
