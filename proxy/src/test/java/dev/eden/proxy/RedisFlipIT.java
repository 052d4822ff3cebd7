package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.EOFException;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;

/** What a client keeps when its route flips, or an attempt is aborted: its place, its session, its transactions and its rights. Attempts are driven by hand. */
class RedisFlipIT extends RedisFixture {
    @Test
    void holdsAndSendsToTheSideThatOpens() throws IOException {
        Wire client = client();
        client.call("SET", "a", "source");
        hold();
        client.send("SET", "a", "later");
        client.send("INCR", "n");
        assertThat(client.silent(Duration.ofMillis(200))).isTrue();
        assertThat(atSource.get("a")).isEqualTo("source");
        flip();
        assertThat(client.read()).isEqualTo("+OK");
        assertThat(client.read()).isEqualTo(":1");
        assertThat(atTarget.get("a")).isEqualTo("later");
        assertThat(atSource.get("a")).isEqualTo("source");
        hold();
        client.send("SET", "a", "aborted");
        assertThat(client.silent(Duration.ofMillis(100))).isTrue();
        abort();
        assertThat(client.read()).isEqualTo("+OK");
        assertThat(atTarget.get("a")).isEqualTo("aborted");
    }

    @Test
    void waitsForTheFenceOfTheNewSide() throws IOException {
        Wire client = client();
        client.call("SET", "f", "0");
        hold();
        client.send("SET", "f", "1");
        acl(atTarget, "SETUSER", "default", "-set");
        try {
            flip();
            assertThat(client.silent(Duration.ofMillis(200))).isTrue();
        } finally {
            acl(atTarget, "SETUSER", "default", "+set");
        }
        assertThat(client.read()).isEqualTo("+OK");
        assertThat(atTarget.get("f")).isEqualTo("1");
    }

    @Test
    void takesBlockedCommandsBack() throws IOException {
        Wire pop = client();
        Wire move = client();
        Wire stream = client();
        atSource.xadd("s", StreamEntryID.NEW_ENTRY, Map.of("f", "old"));
        pop.send("BLPOP", "q", "0");
        move.send("BLMOVE", "q2", "q3", "LEFT", "RIGHT", "30");
        stream.send("XREAD", "BLOCK", "0", "STREAMS", "s", "$");
        await().until(() -> atSource.info("clients").contains("blocked_clients:3"));
        hold();
        assertThat(atSource.info("clients")).contains("blocked_clients:0");
        flip();
        await().until(() -> atTarget.info("clients").contains("blocked_clients:3"));
        Wire push = client();
        push.call("RPUSH", "q", "x");
        push.call("RPUSH", "q2", "y");
        push.call("XADD", "s", "9999999999999-0", "f", "new");
        assertThat(pop.read()).isEqualTo("[q, x]");
        assertThat(move.read()).isEqualTo("y");
        assertThat(stream.read()).contains("9999999999999-0");
        assertThat(pop.call("PING")).isEqualTo("+PONG");
        // time runs on: a short one ends by itself
        pop.send("BLPOP", "q", "1");
        hold();
        abort();
        assertThat(pop.read()).isEqualTo("(nil)");
    }

    @Test
    void nothingOvertakesWhatIsSentAgain() throws IOException {
        Wire pop = client();
        pop.send("BLPOP", "q", "0");
        await().until(() -> atSource.info("clients").contains("blocked_clients:1"));
        pop.send("EVAL", "return 'behind'", "0");
        Wire script = client();
        script.call("PING");
        hold();
        acl(atTarget, "SETUSER", "default", "-eval");
        try {
            script.send("EVAL", "return 'first'", "0");
            script.send("MULTI");
            script.send("INCR", "n");
            script.send("EXEC");
            flip();
            assertThat(script.silent(Duration.ofMillis(200))).isTrue();
        } finally {
            acl(atTarget, "SETUSER", "default", "+eval");
        }
        assertThat(script.read()).isEqualTo("first");
        assertThat(script.read()).isEqualTo("+OK");
        assertThat(script.read()).isEqualTo("+QUEUED");
        assertThat(script.read()).isEqualTo("[:1]");
        assertThat(pop.silent(Duration.ofMillis(50))).isTrue();
        atTarget.rpush("q", "x");
        assertThat(pop.read()).isEqualTo("[q, x]");
        assertThat(pop.read()).isEqualTo("behind");
    }

    @Test
    void aRequestThatWaitsForAConnectionToTheFormerSideGoesToTheNewOne() throws IOException {
        MemoryRouteStore before = store;
        try (ServerSocket mute = new ServerSocket(0)) {
            MemoryRouteStore own = new MemoryRouteStore(MemoryRouteStore.route(
                    MemoryRouteStore.backend("mute", mute.getLocalPort()),
                    MemoryRouteStore.backend("target", target.port())));
            try (RedisProxy other = RedisProxy.start(config("p8"), own, new SimpleMeterRegistry());
                    Wire shared = new Wire(other.port());
                    Wire exclusive = new Wire(other.port())) {
                store = own;
                shared.send("SET", "a", "1");
                exclusive.send("EVAL", "return redis.call('INCR', 'n')", "0");
                assertThat(shared.silent(Duration.ofMillis(100))).isTrue();
                hold();
                flip();
                assertThat(shared.read()).isEqualTo("+OK");
                assertThat(exclusive.read()).isEqualTo(":1");
                assertThat(atTarget.get("a")).isEqualTo("1");
            }
        } finally {
            store = before;
        }
    }

    @Test
    void replaysQueuedTransactions() throws IOException {
        Wire client = client();
        client.call("MULTI");
        client.call("SET", "m", "1");
        client.call("INCR", "m");
        hold();
        assertThat(client.silent(Duration.ofMillis(20))).isTrue();
        flip();
        assertThat(client.call("INCR", "m")).isEqualTo("+QUEUED");
        assertThat(client.call("EXEC")).isEqualTo("[+OK, :2, :3]");
        assertThat(atTarget.get("m")).isEqualTo("3");
        assertThat(atSource.get("m")).isNull();

        client.call("WATCH", "m");
        hold();
        abort();
        client.call("MULTI");
        client.call("SET", "m", "9");
        assertThat(client.call("EXEC")).isEqualTo("(nil)");
        assertThat(atTarget.get("m")).isEqualTo("3");
        client.call("MULTI");
        client.call("SET", "m", "10");
        assertThat(client.call("EXEC")).isEqualTo("[+OK]");
    }

    @Test
    void abortsTransactionsTooLargeToRecord() throws IOException {
        Wire client = client();
        client.call("MULTI");
        client.call("SET", "m", "x".repeat(700_000));
        client.call("SET", "m", "x".repeat(700_000));
        hold();
        flip();
        assertThat(client.call("EXEC")).startsWith("-EXECABORT");
        assertThat(client.call("PING")).isEqualTo("+PONG");
        assertThat(atTarget.exists("m")).isFalse();
    }

    @Test
    void nothingOfATransactionRunsAlone() throws IOException {
        String half = "x".repeat(700_000);
        Wire large = client();
        large.call("MULTI");
        large.call("SET", "m", "1");
        Wire tooLarge = client();
        tooLarge.call("MULTI");
        tooLarge.call("SET", "n", half);
        tooLarge.call("SET", "n", half);
        hold();
        abort();
        assertThat(large.call("SET", "m", half + half)).isEqualTo("+QUEUED");
        assertThat(large.call("INCR", "o")).isEqualTo("+QUEUED");
        assertThat(tooLarge.call("INCR", "o")).isEqualTo("+QUEUED");
        assertThat(atSource.exists("m")).isFalse();
        assertThat(large.call("EXEC")).isEqualTo("[+OK, +OK, :1]");
        assertThat(tooLarge.call("EXEC")).startsWith("-EXECABORT");
        assertThat(atSource.get("o")).isEqualTo("1");
        assertThat(tooLarge.call("INCR", "o")).isEqualTo(":2");
    }

    @Test
    void transactionsOfThoseWhoListenAreReplayedToo() throws IOException {
        Wire subscriber = client();
        Wire tracking = client();
        Wire watching = client();
        for (Wire client : List.of(subscriber, tracking, watching)) {
            client.call("HELLO", "3");
        }
        subscriber.call("SUBSCRIBE", "c");
        for (Wire client : List.of(tracking, watching)) {
            client.call("CLIENT", "TRACKING", "ON");
        }
        for (Wire client : List.of(subscriber, tracking)) {
            client.call("MULTI");
            assertThat(client.call("INCR", "n")).isEqualTo("+QUEUED");
        }
        watching.call("WATCH", "w");
        hold();
        atTarget.set("w", "changed");
        flip();
        for (Wire client : List.of(tracking, watching)) {
            assertThat(client.read()).isEqualTo(">[invalidate, (nil)]");
        }
        for (Wire client : List.of(subscriber, tracking)) {
            assertThat(client.call("INCR", "n")).isEqualTo("+QUEUED");
        }
        assertThat(atTarget.exists("n")).isFalse();
        assertThat(subscriber.call("EXEC")).isEqualTo("[:1, :2]");
        assertThat(tracking.call("EXEC")).isEqualTo("[:3, :4]");
        watching.call("MULTI");
        watching.call("SET", "w", "lost");
        assertThat(watching.call("EXEC")).isEqualTo("(nil)");
        assertThat(atTarget.publish("c", "still")).isEqualTo(1);
        assertThat(subscriber.read()).isEqualTo(">[message, c, still]");
    }

    @Test
    void clientsThatNeverLogInGetTheEndpointsLoginWhereItSaysSo() throws IOException {
        acl(atTarget, "SETUSER", "endpoint", "on", ">e", "~*", "&*", "+@all", "-flushall");
        acl(atTarget, "SETUSER", "default", "resetpass", ">p");
        Backend.Login login = new Backend.Login("endpoint", new Secret("e"));
        MemoryRouteStore own = new MemoryRouteStore(MemoryRouteStore.route(
                MemoryRouteStore.backend("source", source.port()),
                new Backend("target", "127.0.0.1", target.port(), false, login, login)));
        MemoryRouteStore before = store;
        try (RedisProxy other = RedisProxy.start(config("p7"), own, new SimpleMeterRegistry());
                Wire client = new Wire(other.port());
                Wire listening = new Wire(other.port())) {
            store = own;
            assertThat(client.call("ACL", "WHOAMI")).isEqualTo("default");
            assertThat(listening.call("SUBSCRIBE", "c")).isEqualTo("[subscribe, c, :1]");
            hold();
            client.send("SET", "a", "1");
            flip();
            assertThat(client.read()).isEqualTo("+OK");
            assertThat(client.call("ACL", "WHOAMI")).isEqualTo("endpoint");
            assertThat(client.call("FLUSHALL")).startsWith("-NOPERM");
            assertThat(client.call("AUTH", "p")).isEqualTo("+OK");
            assertThat(client.call("ACL", "WHOAMI")).isEqualTo("default");
            assertThat(listening.call("PING")).isEqualTo("[pong, ]");
            assertThat(atTarget.publish("c", "moved")).isEqualTo(1);
            assertThat(listening.read()).isEqualTo("[message, c, moved]");
        } finally {
            store = before;
            acl(atTarget, "SETUSER", "default", "nopass");
            acl(atTarget, "DELUSER", "endpoint");
        }
    }

    @Test
    void whatRanBehindARefusedMultiDoesNotRunAgain() throws IOException {
        for (Jedis server : List.of(atSource, atTarget)) {
            acl(server, "SETUSER", "ada", "on", ">pw", "~*", "&*", "+@all", "-multi");
        }
        try {
            Wire client = client();
            client.call("AUTH", "ada", "pw");
            assertThat(client.call("MULTI")).startsWith("-NOPERM");
            assertThat(client.call("INCR", "n")).isEqualTo(":1");
            hold();
            flip();
            assertThat(client.call("INCR", "n")).isEqualTo(":1");
            assertThat(client.call("EXEC")).startsWith("-ERR EXEC without MULTI");
            assertThat(client.call("SELECT", "3")).isEqualTo("+OK");
            client.send("MULTI");
            client.send("SELECT", "5");
            assertThat(client.read()).startsWith("-NOPERM");
            assertThatThrownBy(client::read).as("which database is it in?").isInstanceOf(EOFException.class);
        } finally {
            acl(atSource, "DELUSER", "ada");
            acl(atTarget, "DELUSER", "ada");
        }
    }

    @Test
    void whoHasNotLoggedInKeepsItsConnectionWhereATransactionIsRefused() throws IOException {
        acl(atSource, "SETUSER", "default", "resetpass", ">pw");
        try (RedisProxy other =
                        RedisProxy.start(config("p5"), new MemoryRouteStore(store.row()), new SimpleMeterRegistry());
                Wire client = new Wire(other.port())) {
            client.send("MULTI");
            client.send("SELECT", "1");
            client.send("GET", "k");
            client.send("EXEC");
            for (int i = 0; i < 4; i++) {
                assertThat(client.read()).contains("NOAUTH");
            }
            assertThat(client.call("AUTH", "pw")).isEqualTo("+OK");
            assertThat(client.call("SET", "k", "in none but the first")).isEqualTo("+OK");
            assertThat(atSource.exists("k")).isTrue();
        } finally {
            acl(atSource, "SETUSER", "default", "nopass");
        }
    }

    @Test
    void nothingOfATransactionRunsAloneOnAServerThatRefusesMulti() throws IOException {
        acl(atSource, "SETUSER", "ada", "on", ">pw", "~*", "&*", "+@all");
        acl(atTarget, "SETUSER", "ada", "on", ">pw", "~*", "&*", "+@all", "-multi");
        try {
            Wire client = client();
            client.call("AUTH", "ada", "pw");
            client.call("MULTI");
            assertThat(client.call("INCR", "n")).isEqualTo("+QUEUED");
            hold();
            flip();
            assertThat(client.call("INCR", "o")).isEqualTo("+QUEUED");
            assertThat(client.call("EXEC")).startsWith("-EXECABORT").contains("NOPERM");
            assertThat(atTarget.dbSize()).isZero();
            assertThat(client.call("INCR", "n")).isEqualTo(":1");
        } finally {
            acl(atSource, "DELUSER", "ada");
            acl(atTarget, "DELUSER", "ada");
        }
    }

    @Test
    void scansGoOnInTransactionsAndOverAFlip() throws IOException {
        for (int i = 0; i < 500; i++) {
            atSource.set("k" + i, "v");
            atTarget.set("k" + i, "v");
        }
        Wire client = client();
        Set<String> seen = new TreeSet<>();
        String cursor = "0";
        boolean inside = true;
        int pages = 0;
        do {
            String reply = inside
                    ? inTransaction(client, "SCAN", cursor, "COUNT", "20")
                    : client.call("SCAN", cursor, "COUNT", "20");
            inside = !inside;
            cursor = page(reply, seen);
            assertThat(++pages).isLessThan(100);
        } while (!cursor.equals("0"));
        assertThat(seen).hasSize(500);
        cursor = page(client.call("SCAN", "0", "COUNT", "20"), new TreeSet<>());
        client.call("MULTI");
        client.call("GET", "k1");
        assertThat(client.call("SCAN", cursor, "COUNT", "20")).isEqualTo("+QUEUED");
        assertThat(client.call("CLIENT", "ID")).isEqualTo("+QUEUED");
        hold();
        flip();
        assertThat(client.call("SCAN", cursor, "COUNT", "20")).isEqualTo("+QUEUED");
        String both = client.call("EXEC");
        assertThat(both).startsWith("[v, [");
        String id = client.call("CLIENT", "ID");
        assertThat(both).contains("], " + id + ", [");
        String fromTheBeginning = client.call("SCAN", "0", "COUNT", "20");
        assertThat(both).isEqualTo("[v, " + fromTheBeginning + ", " + id + ", " + fromTheBeginning + "]");
    }

    private static String inTransaction(Wire client, String... command) throws IOException {
        client.call("MULTI");
        client.call("ECHO", "[");
        assertThat(client.call(command)).isEqualTo("+QUEUED");
        String reply = client.call("EXEC");
        return reply.substring("[[, ".length(), reply.length() - 1);
    }

    /** Adds a page of {@code SCAN} to what was {@code seen}; answers the cursor. */
    private static String page(String reply, Set<String> seen) {
        seen.addAll(List.of(
                reply.substring(reply.indexOf("[", 1) + 1, reply.length() - 2).split(", ")));
        return reply.substring(1, reply.indexOf(','));
    }

    @Test
    void restartsScansOnTheOtherServer() throws IOException {
        for (int i = 0; i < 500; i++) {
            atSource.set("k" + i, "v");
            atTarget.set("k" + i, "v");
        }
        Wire client = client();
        String first = client.call("SCAN", "0", "COUNT", "20");
        String cursor = first.substring(1, first.indexOf(','));
        assertThat(Long.parseLong(cursor) % 16).isEqualTo(1);
        hold();
        flip();
        Set<String> seen = new TreeSet<>();
        do {
            String reply = client.call("SCAN", cursor, "COUNT", "20");
            cursor = reply.substring(1, reply.indexOf(','));
            for (String key : reply.substring(reply.indexOf("[", 1) + 1, reply.length() - 2)
                    .split(", ")) {
                seen.add(key);
            }
        } while (!cursor.equals("0"));
        assertThat(seen).hasSize(500);
    }

    @Test
    void tellsTheStandbyTheScripts() throws IOException {
        atTarget.scriptFlush();
        Wire client = client();
        String body = "return 'known'";
        assertThat(client.call("EVAL", body, "0")).isEqualTo("known");
        String sha = client.call("SCRIPT", "LOAD", "return 'loaded'");
        hold();
        flip();
        assertThat(client.call("EVALSHA", sha, "0")).isEqualTo("loaded");
        assertThat(client.call("EVALSHA", atSource.scriptLoad(body), "0")).isEqualTo("known");
    }
}
