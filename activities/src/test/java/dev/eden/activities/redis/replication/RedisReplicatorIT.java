package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.embedded.EmbeddedRedis;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

@Order(1) // the longest: others run beside it
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
                awaitEqual(pair, "source", "target");
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    /** Eden's own keys begin with {@code eden:{migration}}; an application may be called eden, too. */
    @Test
    void keysOfAnApplicationCalledEdenAreCopiedAndFollowed() {
        try (Pair pair = Pair.start();
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            blue.call("SET", "eden:project", "before");
            try (Pair.Running running = pair.replicate()) {
                await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
                blue.call("SET", "eden:project:2", "while it runs");
                await().atMost(PATIENCE)
                        .until(() -> green.call("EXISTS", "eden:project", "eden:project:2")
                                        .number()
                                == 2);
                assertThat(running.failure.get()).isNull();
            }
        }
    }

    @Test
    void anApplierThatDiesAnywhereGoesOnExactlyOnce() {
        try (Pair pair = Pair.start();
                Writers writers = new Writers(pair.source.host(), pair.source.port(), 4, 50, 100, false);
                Pair.Running running = pair.replicate();
                RespConnection green = pair.connect("target")) {
            await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
            for (int round = 0; round < 20; round++) {
                long before = writers.done.get();
                await().atMost(PATIENCE).until(() -> writers.done.get() > before + 500);
                await().atMost(PATIENCE).until(() -> kill(green));
            }
            writers.close();
            awaitEqual(pair, "source", "target");
            assertThat(pair.ledger.current(Pair.MIGRATION).generation()).isGreaterThan(20);
            assertThat(pair.ledger.restarts).isZero();
            assertThat(running.failure.get()).isNull();
        }
    }

    @Test
    void aLostReplyIsNoSecondWriteAndACutLinkNoGap() {
        try (Pair pair = Pair.start();
                CuttingRelay toGreen = new CuttingRelay(pair.target.host(), pair.target.port());
                CuttingRelay toBlue = new CuttingRelay(pair.source.host(), pair.source.port());
                Writers writers = new Writers(pair.source.host(), pair.source.port(), 4, 50, 100, false);
                Pair.Running running = pair.replicate(
                        pair.config(ReplicationConfig.Existing.REPLACE),
                        id -> pair.through(id.equals("target") ? toGreen : toBlue, id))) {
            await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
            for (int round = 0; round < 30; round++) {
                long generation = pair.ledger.current(Pair.MIGRATION).generation();
                long before = writers.done.get();
                switch (round % 3) {
                    case 0 -> toGreen.swallowAndCut();
                    case 1 -> toGreen.cut();
                    default -> toBlue.cut();
                }
                await().atMost(PATIENCE)
                        .until(() -> writers.done.get() > before + 300
                                && pair.ledger.state().equals("streaming"));
                assertThat(pair.ledger.current(Pair.MIGRATION).generation()).isLessThan(generation + 10);
            }
            writers.close();
            awaitEqual(pair, "source", "target");
            assertThat(pair.ledger.restarts).isZero();
            assertThat(running.failure.get()).isNull();
        }
    }

    /** A source that stands still is hardly asked for its position, and lag counts all the same as soon as something is written. */
    @Test
    void lagIsTrueThoughARestingSourceIsHardlyAsked() {
        try (Pair pair = Pair.start();
                Pair.Running running = pair.replicate();
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
            long[] before = {questions(blue)};
            await().atMost(PATIENCE)
                    .pollInterval(java.time.Duration.ofSeconds(1))
                    .pollDelay(java.time.Duration.ofSeconds(1))
                    .until(() -> {
                        long now = questions(blue);
                        long asked = now - before[0];
                        before[0] = now;
                        return asked < 12; // 50 where it moves
                    });
            green.call("CLIENT", "PAUSE", 60_000, "WRITE");
            blue.call("SET", "late", 1);
            await().atMost(PATIENCE)
                    .until(() ->
                            pair.ledger.progress(Pair.MIGRATION).orElseThrow().lagMs() > 1_000);
            green.call("CLIENT", "UNPAUSE");
            await().atMost(PATIENCE)
                    .until(() ->
                            pair.ledger.progress(Pair.MIGRATION).orElseThrow().lagMs() == 0);
            assertThat(green.call("GET", "late").text()).isEqualTo("1");
            assertThat(running.failure.get()).isNull();
        }
    }

    private static long questions(RespConnection server) {
        return server.call("INFO", "commandstats")
                .text()
                .lines()
                .filter(line -> line.startsWith("cmdstat_info:"))
                .mapToLong(line -> Long.parseLong(line.substring(line.indexOf('=') + 1, line.indexOf(','))))
                .sum();
    }

    @Test
    void followsTheRouteThereAndBack() {
        try (Pair pair = Pair.start();
                Pair.Running running = pair.replicate();
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            for (int flip = 0; flip < 6; flip++) {
                RespConnection active = flip % 2 == 0 ? blue : green;
                RespConnection standby = flip % 2 == 0 ? green : blue;
                try (Writers writers = new Writers(
                        "127.0.0.1", (flip % 2 == 0 ? pair.source : pair.target).port(), 3, 40, 200, false)) {
                    await().atMost(PATIENCE).until(() -> writers.done.get() > 1_500);
                }
                await().atMost(PATIENCE)
                        .until(() -> pair.ledger
                                .progress(Pair.MIGRATION)
                                .orElseThrow()
                                .reverseProven());
                awaitEqual(pair, flip % 2 == 0 ? "source" : "target", flip % 2 == 0 ? "target" : "source");
                pair.ledger.attempt(true);
                ServerRun.remember(active, pair.records, Pair.MIGRATION, flip % 2 == 0 ? "source" : "target");
                ApplierIdentity.turn(standby, Pair.MIGRATION);
                assertThat(ApplierIdentity.sessions(standby, Pair.MIGRATION)).isZero();
                if (flip == 2) {
                    // Given up: the same direction goes on.
                    active.call("INCR", "after the abort");
                    ApplierIdentity.reinstate(standby, Pair.MIGRATION);
                    pair.ledger.attempt(false);
                    awaitEqual(pair, "source", "target");
                    pair.ledger.attempt(true);
                    ApplierIdentity.turn(standby, Pair.MIGRATION);
                }
                // A key in another database expires around the turn: the log's selected database is not 0 then.
                standby.call("SELECT", 2);
                standby.call("SET", "turning", flip, "PX", 1);
                standby.call("SELECT", 0);
                RouteLedger.Position turn = ApplierIdentity.turn(standby, Pair.MIGRATION);
                pair.ledger.flip(turn.replid(), turn.offset());
                standby.call("INCR", "first write of the new side");
                pair.ledger.attempt(false);
            }
            awaitEqual(pair, "source", "target");
            assertThat(blue.call("GET", "first write of the new side").text()).isEqualTo("6");
            assertThat(pair.ledger.restarts).isZero();
            assertThat(running.failure.get()).isNull();
        }
    }

    /** Nothing tells what an old owner still has that was restarted at the flip: an operator has to. */
    @Test
    void anOldOwnerThatWasRestartedAtTheFlipIsNotBuiltOn() {
        try (Pair pair = Pair.start();
                RespConnection green = pair.connect("target")) {
            try (RespConnection blue = pair.connect("source");
                    Pair.Running running = pair.replicate()) {
                blue.call("SET", "kept", 1);
                await().atMost(PATIENCE)
                        .until(() -> pair.ledger
                                .progress(Pair.MIGRATION)
                                .map(progress -> progress.reverseProven())
                                .orElse(false));
                awaitEqual(pair, "source", "target");
                assertThat(running.failure.get()).isNull();
                ServerRun.remember(blue, pair.records, Pair.MIGRATION, "source");
            }
            pair.ledger.attempt(true);
            RouteLedger.Position turn = ApplierIdentity.turn(green, Pair.MIGRATION);
            pair.ledger.flip(turn.replid(), turn.offset());
            pair.ledger.attempt(false);
            pair.source.restart(); // without a file for users: it knows none of Eden's any more
            green.call("SET", "kept", 2);
            try (Pair.Running running = pair.replicate()) {
                await().atMost(PATIENCE).until(running::ended);
                assertThat(running.failure.get())
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("restarted at the flip");
            }
        }
    }

    @Test
    void anApplierWithoutIdentityWritesNothingAndDoesNotComeBack() {
        try (Pair pair = Pair.start();
                Pair.Running running = pair.replicate();
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
            long generation = pair.ledger.current(Pair.MIGRATION).generation();
            pair.ledger.attempt(true);
            ApplierIdentity.turn(green, Pair.MIGRATION);
            blue.call("SET", "late", "v");
            await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("waiting"));
            assertThat(green.call("EXISTS", "late").number()).isZero();
            assertThat(pair.ledger.current(Pair.MIGRATION).generation()).isEqualTo(generation);
            // One that took its generation before the attempt and stalled: its user comes too late.
            ApplierIdentity.grant(
                    green,
                    pair.records.login(Pair.MIGRATION, "target", "zombie", ApplierIdentity.user(Pair.MIGRATION, 99)));
            try (RespConnection zombie = RespConnection.connect(
                    pair.endpoint("target"),
                    pair.records.login(Pair.MIGRATION, "target", "zombie", ApplierIdentity.user(Pair.MIGRATION, 99)),
                    "zombie",
                    Pair.TIMEOUT)) {
                assertThatThrownBy(() -> ApplierIdentity.claim(zombie, Pair.MIGRATION, 1, 99))
                        .isInstanceOf(ApplierIdentity.ClaimRefusedException.class);
            }
            ApplierIdentity.reinstate(green, Pair.MIGRATION);
            pair.ledger.attempt(false);
            await().atMost(PATIENCE).until(() -> green.call("EXISTS", "late").number() == 1);
            assertThat(running.failure.get()).isNull();
        }
    }

    @Test
    void aLostLogIsLoadedAgain() {
        try (Pair pair = new Pair(EmbeddedRedis.Options.defaults()
                        .withConfig("repl-backlog-size 16kb", "repl-diskless-sync no"));
                RespConnection blue = pair.connect("source")) {
            blue.call("SET", "first", 1);
            try (Pair.Running running = pair.replicate()) {
                await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
                assertThat(running.failure.get()).isNull();
                assertThat(running.loadsAgain).isEmpty();
            }
            blue.call("DEL", "first");
            blue.call("SET", "more than the log holds", new byte[100_000]);
            blue.call("DEL", "more than the log holds");
            try (Pair.Running running = pair.replicate()) {
                await().atMost(PATIENCE)
                        .until(() ->
                                pair.ledger.restarts == 1 && pair.ledger.state().equals("streaming"));
                blue.call("SET", "second", 2);
                awaitEqual(pair, "source", "target");
                assertThat(running.failure.get()).isNull();
                assertThat(running.loadsAgain)
                        .as("whoever has compared is told")
                        .hasSize(1);
            }
        }
    }

    @Test
    void whatTheTargetHadIsTreatedAsAsked() {
        try (Pair pair = Pair.start();
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target")) {
            blue.call("SET", "both", "source");
            blue.call("SET", "one", "source");
            green.call("SET", "both", "target");
            green.call("SET", "extra", "target");
            try (Pair.Running refused = pair.replicate(pair.config(ReplicationConfig.Existing.FAIL))) {
                await().atMost(PATIENCE).until(refused::ended);
                assertThat(refused.failure.get())
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("not empty");
            }
            try (Pair.Running skipping = pair.replicate(pair.config(ReplicationConfig.Existing.SKIP))) {
                await().atMost(PATIENCE).until(() -> pair.ledger.state().equals("streaming"));
                assertThat(green.call("GET", "both").text()).isEqualTo("target");
                assertThat(green.call("GET", "one").text()).isEqualTo("source");
                assertThat(pair.ledger.progress(Pair.MIGRATION).orElseThrow().conflicts())
                        .isEqualTo(1);
                assertThat(skipping.failure.get()).isNull();
            }
            try (Pair.Running restarted = pair.replicate(pair.config(ReplicationConfig.Existing.SKIP))) {
                await().atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(
                                        pair.ledger.progress(Pair.MIGRATION).orElseThrow())
                                .matches(progress -> progress.state().equals("streaming"))
                                .matches(progress -> progress.conflicts() == 1, "as before the restart"));
                assertThat(restarted.failure.get()).isNull();
            }
            // Interrupted, or its log lost: nothing tells the keys of the first load from the target's own.
            pair.ledger.restartLoad(Pair.MIGRATION, 1, 0);
            blue.call("DEL", "one");
            try (Pair.Running second = pair.replicate(pair.config(ReplicationConfig.Existing.SKIP))) {
                await().atMost(PATIENCE).until(second::ended);
                assertThat(second.failure.get())
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("a second time")
                        .hasMessageContaining("replace: skip");
            }
            pair.ledger.restartLoad(Pair.MIGRATION, 1, 0);
            try (Pair.Running replacing = pair.replicate()) {
                await().atMost(PATIENCE)
                        .until(() -> pair.ledger.current(Pair.MIGRATION).loaded());
                awaitEqual(pair, "source", "target");
                assertThat(replacing.failure.get()).isNull();
            }
        }
    }

    @Test
    void aValueTooLargeStopsTheLoadWithoutItsKey() {
        try (Pair pair = Pair.start();
                RespConnection blue = pair.connect("source")) {
            blue.call("SET", "huge", Types.random(2 << 20));
            ReplicationConfig usual = pair.config(ReplicationConfig.Existing.REPLACE);
            ReplicationConfig strict = new ReplicationConfig(
                    usual.migration(),
                    usual.source(),
                    usual.target(),
                    usual.existing(),
                    1 << 20,
                    usual.lanes(),
                    usual.linger(),
                    usual.queueBytes(),
                    usual.filterBytes());
            try (Pair.Running running = pair.replicate(strict)) {
                await().atMost(PATIENCE).until(running::ended);
                assertThat(running.failure.get())
                        .isInstanceOf(ReplicationStopped.class)
                        .hasMessageContaining("too large for one RESTORE")
                        .hasMessageNotContaining("huge");
                assertThat(pair.ledger.state()).isEqualTo("stopped");
            }
        }
    }

    @Test
    void aValueAboveTheUsualLimitIsLoadedWhereTheLimitIsRaised() {
        try (Pair pair = Pair.start();
                RespConnection blue = pair.connect("source")) {
            byte[] field = Types.random(1 << 20);
            for (int i = 0; i < 70; i++) {
                blue.call("HSET", "huge", "field:" + i, field);
            }
            ReplicationConfig raised =
                    pair.config(ReplicationConfig.Existing.REPLACE).withMaxValueBytes(128 << 20);
            try (Pair.Running running = pair.replicate(raised)) {
                await().atMost(PATIENCE)
                        .until(() -> running.ended() || pair.ledger.state().equals("streaming"));
                assertThat(running.failure.get()).isNull();
                try (RespConnection green = pair.connect("target")) {
                    assertThat(green.call("HLEN", "huge").number()).isEqualTo(70);
                    assertThat(green.call("HGET", "huge", "field:69").bytes()).isEqualTo(field);
                }
            }
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
