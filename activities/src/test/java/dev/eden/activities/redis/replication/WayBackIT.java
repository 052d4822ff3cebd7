package dev.eden.activities.redis.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.store.RouteLedger;
import dev.eden.embedded.EmbeddedRedis;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The target is newer than the source, which refuses what the target has serialised: the way back stays open all the same. */
class WayBackIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final EmbeddedRedis.Options OPTIONS =
            EmbeddedRedis.Options.defaults().withConfig("repl-backlog-size 64mb", "repl-diskless-sync-delay 0");

    @Test
    void anOlderSourceReceivesWhatItsSuccessorIsWritten() {
        try (Pair pair = new Pair(OPTIONS.withVersion("6.2"), OPTIONS);
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target");
                Pair.Running running = pair.replicate()) {
            blue.call("SET", "counted", 1);
            await().atMost(PATIENCE)
                    .until(() -> pair.ledger
                            .progress(Pair.MIGRATION)
                            .map(progress -> progress.reverseProven())
                            .orElse(false));
            await().atMost(PATIENCE).until(() -> green.call("EXISTS", "counted").number() == 1);
            pair.ledger.attempt(true);
            ServerRun.remember(blue, pair.records, Pair.MIGRATION, "source");
            RouteLedger.Position turn = ApplierIdentity.turn(green, Pair.MIGRATION);
            pair.ledger.flip(turn.replid(), turn.offset());
            pair.ledger.attempt(false);
            Types.fill(green);
            green.call("INCR", "counted");
            RedisReplicatorIT.awaitApplied(green, blue);
            for (int i = 0; i < 3; i++) {
                // new keys by commands that only change what is there
                green.call("INCR", "new:" + i);
                green.call("APPEND", "appended:" + i, "x");
                green.call("RPUSH", "queue:" + i, "a", "b");
                green.call("PEXPIRE", "queue:" + i, 1_000_000);
                green.call("XADD", "log:" + i, "*", "f", "v");
            }
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(
                                    Dataset.differences(Dataset.withoutTimes(green), Dataset.withoutTimes(blue)))
                            .isEmpty());
            assertThat(running.failure.get()).isNull();
            assertThat(blue.call("GET", "counted").text()).isEqualTo("2");
            // Damage is mended there too.
            blue.call("DEL", "hash big", "stream");
            pair.registry
                    .find(Pair.MIGRATION)
                    .orElseThrow()
                    .recopy(List.of(key("hash big"), key("stream"), key("never there")), PATIENCE);
            assertThat(Dataset.differences(Dataset.withoutTimes(green), Dataset.withoutTimes(blue)))
                    .isEmpty();
        }
    }

    @Test
    void everyTypeIsTheSameAfterItWasWrittenByItsCommands() {
        try (Pair pair = new Pair(OPTIONS);
                RespConnection blue = pair.connect("source");
                RespConnection green = pair.connect("target");
                SourceReads reads = new SourceReads(
                        pair.endpoint("source"),
                        () -> EdenUsers.controlLogin(Pair.MIGRATION, pair.endpoint("source"), pair.records),
                        "eden:copy")) {
            Types.fill(blue);
            unusualStreams(blue);
            reads.readByType(ServerInfo.read(green, "server"));
            List<DbKey> keys = Dataset.of(blue).keySet().stream()
                    .filter(key -> key.startsWith("0:") && key.length() < 100)
                    .map(key -> key(key.substring(2)))
                    .toList();
            green.call("SET", "missing", 1);
            List<DbKey> all = new ArrayList<>(keys);
            all.add(key("missing"));
            for (SourceReads.Value value : reads.values(all).values()) {
                for (Object[] write : value.writes()) {
                    green.call(write);
                    assertThat(bytes(write)).isLessThan(2 << 20);
                }
            }
            Map<String, String> there = Dataset.of(green);
            Map<String, String> here = Dataset.of(blue);
            here.keySet().removeIf(key -> !key.startsWith("0:") || key.length() >= 100); // not told whole
            assertThat(Dataset.differences(here, there)).isEmpty();
            for (String stream : List.of("stream", "stream empty", "unread", "trimmed", "all gone", "never", "later")) {
                assertThat(full(green, stream)).as(stream).isEqualTo(full(blue, stream));
            }
        }
    }

    private static void unusualStreams(RespConnection server) {
        for (String stream : List.of("unread", "trimmed", "all gone", "later")) {
            for (int i = 1; i <= 5; i++) {
                server.call("XADD", stream, i + "-0", "f", i);
            }
            server.call("XGROUP", "CREATE", stream, "g", 0);
            server.call("XGROUP", "CREATE", stream, "behind", "2-0");
            server.call("XGROUP", "CREATECONSUMER", stream, "g", "idle");
            server.call("XREADGROUP", "GROUP", "g", "c", "COUNT", 4, "STREAMS", stream, ">");
        }
        server.call("XDEL", "unread", "2-0", "5-0");
        server.call("XTRIM", "trimmed", "MINID", "3-0");
        server.call("XDEL", "trimmed", "4-0");
        server.call("XTRIM", "all gone", "MAXLEN", 0);
        server.call("XSETID", "later", "9-9");
        server.call("XGROUP", "CREATE", "never", "g", 0, "MKSTREAM");
    }

    /** All that is told of a stream but times, and how it is stored. */
    private static String full(RespConnection server, String stream) {
        return show(server.call("XINFO", "STREAM", stream, "FULL", "COUNT", 0));
    }

    private static String show(Reply reply) {
        if (!(reply instanceof Reply.Array array)) {
            return reply.isNull() ? "nil" : reply.text();
        }
        List<Reply> items = array.items();
        StringBuilder text = new StringBuilder("[");
        for (int i = 0; i < items.size(); i++) {
            String word = show(items.get(i));
            if (word.startsWith("radix-tree") || word.equals("seen-time")) {
                i++;
            } else {
                text.append(word).append(' ');
            }
        }
        return text.append(']').toString();
    }

    private static int bytes(Object[] command) {
        int bytes = 0;
        for (Object argument : command) {
            bytes += argument instanceof byte[] raw
                    ? raw.length
                    : argument.toString().length();
        }
        return bytes;
    }

    private static DbKey key(String name) {
        return new DbKey(0, name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
}
