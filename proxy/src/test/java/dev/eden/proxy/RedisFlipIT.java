package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.RedisProxyConfig.Limits;
import dev.eden.proxy.RouteStore.Step;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.EOFException;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.SocketException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;

/** What a client keeps when its route flips, or an attempt is aborted: its place, its session, its subscriptions and its rights. Attempts are driven by hand. */
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
    void repliesOfASubscriberAreNoMessages() throws IOException {
        Wire client = client();
        client.call("HELLO", "3");
        assertThat(client.call("SUBSCRIBE", "c")).isEqualTo(">[subscribe, c, :1]");
        assertThat(client.call("RPUSH", "log", "message", "c", "x")).isEqualTo(":3");
        assertThat(client.call("RPUSH", "log2", "unsubscribe", "c", "x")).isEqualTo(":3");
        assertThat(client.call("LRANGE", "log", "0", "-1")).isEqualTo("[message, c, x]");
        assertThat(client.call("LRANGE", "log2", "0", "-1")).isEqualTo("[unsubscribe, c, x]");
        hold();
        flip();
        await().until(() -> atTarget.publish("c", "still") == 1);
        assertThat(client.read()).isEqualTo(">[message, c, still]");
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
    void carriesSubscribersOver() throws IOException {
        Wire two = client();
        assertThat(two.call("SUBSCRIBE", "c")).isEqualTo("[subscribe, c, :1]");
        assertThat(two.call("PSUBSCRIBE", "p*")).isEqualTo("[psubscribe, p*, :2]");
        Wire three = client();
        three.call("HELLO", "3");
        assertThat(three.call("SUBSCRIBE", "c")).isEqualTo(">[subscribe, c, :1]");
        assertThat(three.call("GET", "x")).isEqualTo("(nil)");
        Wire publisher = client();
        assertThat(publisher.call("PUBLISH", "c", "one")).isEqualTo(":2");
        assertThat(two.read()).isEqualTo("[message, c, one]");
        assertThat(three.read()).isEqualTo(">[message, c, one]");
        hold();
        await().until(() -> atTarget.publish("c", "of a write that was copied, and told of by the source") == 2);
        carry();
        assertThat(atTarget.publish("c", "two")).isEqualTo(2);
        assertThat(two.silent(Duration.ofMillis(50))).isTrue();
        open();
        assertThat(two.read()).isEqualTo("[message, c, two]");
        assertThat(publisher.call("PUBLISH", "p1", "three")).isEqualTo(":1");
        assertThat(two.read()).isEqualTo("[pmessage, p*, p1, three]");
        assertThat(atSource.publish("c", "old side")).isZero();
        assertThat(two.call("PING")).isEqualTo("[pong, ]");
        assertThat(two.call("UNSUBSCRIBE")).isEqualTo("[unsubscribe, c, :1]");
        assertThat(two.call("PUNSUBSCRIBE", "p*")).isEqualTo("[punsubscribe, p*, :0]");
        assertThat(two.call("GET", "x")).isEqualTo("(nil)");
        hold();
        abort();
        assertThat(publisher.call("PUBLISH", "c", "four")).isEqualTo(":1");
        assertThat(three.read()).isEqualTo(">[message, c, two]");
        assertThat(three.read()).isEqualTo(">[message, c, four]");
    }

    @Test
    void carriedSubscribersNeverRunCommandsWithEdensRights() throws IOException {
        for (Jedis server : List.of(atSource, atTarget)) {
            acl(server, "SETUSER", "eden-proxy-m", "on", ">eden", "~*", "&*", "+@all", "-@write");
            acl(
                    server,
                    "SETUSER",
                    "ada",
                    "on",
                    ">pw",
                    "~*",
                    "&*",
                    "-@all",
                    "+set",
                    "+@pubsub",
                    "+@connection",
                    "+acl|whoami");
        }
        Backend.Login eden = new Backend.Login("eden-proxy-m", new Secret("eden"));
        MemoryRouteStore own = new MemoryRouteStore(MemoryRouteStore.route(
                new Backend("source", "127.0.0.1", source.port(), false, null, eden),
                new Backend("target", "127.0.0.1", target.port(), false, null, eden)));
        try (RedisProxy other = RedisProxy.start(config("p5"), own, new SimpleMeterRegistry());
                Wire three = new Wire(other.port());
                Wire two = new Wire(other.port());
                Wire nobody = new Wire(other.port())) {
            three.call("HELLO", "3", "AUTH", "ada", "pw");
            three.call("SELECT", "3");
            assertThat(three.call("SUBSCRIBE", "c")).isEqualTo(">[subscribe, c, :1]");
            assertThat(three.call("GET", "x")).startsWith("-NOPERM");
            two.call("AUTH", "ada", "pw");
            assertThat(two.call("SUBSCRIBE", "c")).isEqualTo("[subscribe, c, :1]");
            nobody.call("HELLO", "3");
            assertThat(nobody.call("SUBSCRIBE", "c")).isEqualTo(">[subscribe, c, :1]");
            MemoryRouteStore before = store;
            store = own;
            hold();
            three.send("GET", "x");
            three.send("SET", "x", "1");
            three.send("ACL", "WHOAMI");
            nobody.send("ACL", "WHOAMI");
            carry();
            assertThat(atTarget.publish("c", "kept")).isEqualTo(3);
            open();
            store = before;
            assertThat(three.read()).isEqualTo(">[message, c, kept]");
            assertThat(three.read()).startsWith("-NOPERM");
            assertThat(three.read()).isEqualTo("+OK");
            assertThat(three.read()).isEqualTo("ada");
            assertThat(atTarget.exists("x")).isFalse(); // in database 3, where the client is
            assertThat(two.read()).isEqualTo("[message, c, kept]");
            assertThat(two.call("PING")).isEqualTo("[pong, ]");
            assertThat(nobody.read()).isEqualTo(">[message, c, kept]");
            assertThat(nobody.read()).isEqualTo("default");
            acl(atTarget, "DELUSER", "eden-proxy-m"); // ends every connection that is logged in as Eden
            assertThat(atTarget.publish("c", "later")).isEqualTo(3);
            assertThat(three.read()).isEqualTo(">[message, c, later]");
            assertThat(two.read()).isEqualTo("[message, c, later]");
            assertThat(two.call("UNSUBSCRIBE")).isEqualTo("[unsubscribe, c, :0]");
            assertThat(two.call("GET", "x")).startsWith("-NOPERM");
            assertThat(nobody.read()).isEqualTo(">[message, c, later]");
        } finally {
            acl(atSource, "DELUSER", "eden-proxy-m", "ada");
            acl(atTarget, "DELUSER", "eden-proxy-m", "ada");
        }
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
    void keepsTrackingAndMonitorOverAFlip() throws IOException {
        Wire tracking = client();
        tracking.call("HELLO", "3");
        assertThat(tracking.call("CLIENT", "TRACKING", "ON")).isEqualTo("+OK");
        tracking.call("GET", "t");
        Wire writer = client();
        writer.call("SET", "t", "1");
        assertThat(tracking.read()).isEqualTo(">[invalidate, [t]]");
        Wire monitor = client();
        assertThat(monitor.call("MONITOR")).isEqualTo("+OK");
        writer.call("SET", "seen", "1");
        assertThat(monitor.read()).contains("seen");
        hold();
        flip();
        assertThat(tracking.read()).isEqualTo(">[invalidate, (nil)]");
        assertThat(tracking.call("GET", "t")).isEqualTo("(nil)");
        writer.call("SET", "t", "2");
        assertThat(tracking.read()).isEqualTo(">[invalidate, [t]]");
        await().until(() -> atTarget.clientList().contains("cmd=monitor"));
        writer.call("SET", "seen-again", "1");
        String line = monitor.read();
        while (!line.contains("seen-again")) {
            line = monitor.read();
        }
    }

    @Test
    void everyPrefixThatIsTrackedIsTrackedAfterAFlip() throws IOException {
        Wire tracking = client();
        tracking.call("HELLO", "3");
        for (String prefix : List.of("a:", "b:", "a:")) {
            String answer = tracking.call("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix);
            assertThat(answer)
                    .as(prefix)
                    .isIn(
                            "+OK",
                            "-ERR Prefix 'a:' overlaps with an existing prefix 'a:'. Prefixes for a single client must"
                                    + " not overlap.");
        }
        hold();
        flip();
        assertThat(tracking.read()).isEqualTo(">[invalidate, (nil)]");
        assertThat(tracking.call("PING")).isEqualTo("+PONG");
        atTarget.set("a:1", "x");
        assertThat(tracking.read()).isEqualTo(">[invalidate, [a:1]]");
        atTarget.set("b:1", "x");
        assertThat(tracking.read()).isEqualTo(">[invalidate, [b:1]]");
    }

    /** As when its server is lost: it subscribes again, and knows that it may have missed something. */
    @Test
    void aSubscriberThatMayHaveMissedMessagesIsClosed() throws IOException {
        Wire flooded = client();
        assertThat(flooded.call("SUBSCRIBE", "c")).isEqualTo("[subscribe, c, :1]");
        hold();
        await().until(() -> atTarget.publish("c", "first") == 1);
        // More than sockets hold besides.
        for (int i = 0; i < 20; i++) {
            atTarget.publish("c", "x".repeat(1 << 20));
        }
        await().until(() -> atTarget.clientList()
                .lines()
                .filter(line -> line.contains(" sub=1 "))
                .allMatch(line -> line.contains(" omem=0 ")));
        flip();
        assertThatThrownBy(flooded::read).isInstanceOf(EOFException.class);
    }

    @Test
    void aSubscriberWhoseChannelsTheNewSideHasNotConfirmedIsClosed() throws IOException {
        Wire subscriber = client();
        assertThat(subscriber.call("SUBSCRIBE", "c")).isEqualTo("[subscribe, c, :1]");
        target.suspend();
        try {
            hold();
            flip();
        } finally {
            target.resume();
        }
        assertThatThrownBy(subscriber::read).isInstanceOf(EOFException.class);
        Wire again = client();
        assertThat(again.call("SUBSCRIBE", "c")).isEqualTo("[subscribe, c, :1]");
        assertThat(atTarget.publish("c", "heard")).isEqualTo(1);
        assertThat(again.read()).isEqualTo("[message, c, heard]");
    }

    /** A connection that was asked for in a hold that is over is in the database that the client was in then. */
    @Test
    void aSubscriberNeverArrivesInTheDatabaseOfAnEarlierHold() throws IOException {
        AtomicBoolean connects = new AtomicBoolean();
        AtomicBoolean selects = new AtomicBoolean();
        AtomicInteger greetings = new AtomicInteger();
        Map<Integer, String> databases = new ConcurrentHashMap<>();
        List<String> subscribed = new CopyOnWriteArrayList<>();
        List<String> written = new CopyOnWriteArrayList<>();
        MemoryRouteStore before = store;
        try (ScriptedRedis slow = new ScriptedRedis((request, connection) -> {
            String database = databases.getOrDefault(connection.id, "0");
            switch (request.getFirst()) {
                case "HELLO" -> {
                    await().forever().until(connects::get);
                    greetings.incrementAndGet();
                    return "*0\r\n";
                }
                case "SELECT" -> {
                    await().forever().until(selects::get);
                    databases.put(connection.id, request.get(1));
                }
                case "subscribe" -> {
                    subscribed.add(database);
                    return ">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
                }
                case "SET" -> written.add(database);
                default -> {}
            }
            return "+OK\r\n";
        })) {
            store = new MemoryRouteStore(MemoryRouteStore.route(
                    MemoryRouteStore.backend("source", source.port()),
                    MemoryRouteStore.backend("target", slow.port())));
            try (RedisProxy other = RedisProxy.start(config("p5"), store, new SimpleMeterRegistry());
                    Wire client = new Wire(other.port())) {
                client.call("HELLO", "3");
                assertThat(client.call("SUBSCRIBE", "c")).isEqualTo(">[subscribe, c, :1]");
                hold();
                abort();
                assertThat(client.call("SELECT", "5")).isEqualTo("+OK");
                hold();
                connects.set(true);
                await().until(() -> greetings.get() >= 8); // some of the former hold's are there
                selects.set(true);
                await().until(() -> !subscribed.isEmpty());
                flip();
                assertThat(client.call("SET", "k", "x")).isEqualTo("+OK");
                assertThat(written).containsExactly("5");
            }
        } finally {
            connects.set(true);
            selects.set(true);
            store = before;
        }
    }

    /** It would have to subscribe again, and miss what is published until then. */
    @Test
    void aSubscriberWhomTheNewSideDoesNotLetInIsClosed() throws IOException {
        acl(atTarget, "SETUSER", "eden-proxy-m", "on", ">eden", "~*", "&*", "+@all", "-@write");
        acl(atTarget, "SETUSER", "default", "resetpass", ">pw");
        Backend.Login eden = new Backend.Login("eden-proxy-m", new Secret("eden"));
        MemoryRouteStore before = store;
        store = new MemoryRouteStore(MemoryRouteStore.route(
                MemoryRouteStore.backend("source", source.port()),
                new Backend("target", "127.0.0.1", target.port(), false, null, eden)));
        try (RedisProxy other = RedisProxy.start(config("p5"), store, new SimpleMeterRegistry());
                Wire subscriber = new Wire(other.port())) {
            assertThat(subscriber.call("SUBSCRIBE", "c")).isEqualTo("[subscribe, c, :1]");
            hold();
            flip();
            assertThatThrownBy(subscriber::read).isInstanceOf(EOFException.class);
        } finally {
            store = before;
            acl(atTarget, "SETUSER", "default", "nopass");
            acl(atTarget, "DELUSER", "eden-proxy-m");
        }
    }

    /** What it has not read stands on the way from the old server. */
    @Test
    void aSubscriberThatReadsNothingIsClosedRatherThanMissAMessage() throws IOException {
        Limits usual = Limits.defaults();
        Limits small = new Limits(
                usual.maxClients(),
                usual.largeRequest(),
                usual.inputBytes(),
                64 << 10,
                usual.outputStall(),
                usual.totalBytes(),
                usual.recordedBytes(),
                usual.connectTimeout());
        RedisProxyConfig base = config("p6");
        RedisProxyConfig config =
                new RedisProxyConfig(base.identity(), base.interlay(), base.listen(), 1, 1, 10, small);
        MemoryRouteStore before = store;
        store = new MemoryRouteStore(before.row());
        try (RedisProxy other = RedisProxy.start(config, store, new SimpleMeterRegistry());
                Wire slow = new Wire(other.port());
                Wire quick = new Wire(other.port())) {
            assertThat(slow.call("SUBSCRIBE", "c")).isEqualTo("[subscribe, c, :1]");
            assertThat(quick.call("SUBSCRIBE", "d")).isEqualTo("[subscribe, d, :1]");
            for (int i = 0; i < 20; i++) {
                atSource.publish("c", "x".repeat(1 << 20));
            }
            hold();
            flip();
            assertThat(atTarget.publish("d", "after")).isEqualTo(1);
            assertThat(quick.read()).isEqualTo("[message, d, after]");
            atTarget.publish("c", "after");
            int heard = 0;
            try {
                while (!slow.read().equals("[message, c, after]")) {
                    heard++;
                }
                assertThat(heard).isEqualTo(20);
            } catch (EOFException | SocketException e) {
                // it knows
            }
        } finally {
            store = before;
        }
    }

    @Test
    void aClientThatHasHadHalfOfAPushIsClosed() throws IOException {
        MemoryRouteStore before = store;
        try (Relay halves = new Relay(source.port())) {
            store = new MemoryRouteStore(MemoryRouteStore.route(
                    MemoryRouteStore.backend("source", halves.port()),
                    MemoryRouteStore.backend("target", target.port())));
            try (RedisProxy other = RedisProxy.start(config("p6"), store, new SimpleMeterRegistry());
                    Wire tracking = new Wire(other.port())) {
                tracking.call("HELLO", "3");
                assertThat(tracking.call("CLIENT", "TRACKING", "ON", "BCAST")).isEqualTo("+OK");
                atSource.set("STAY-and-more", "1");
                await().until(() -> halves.stays);
                hold();
                flip();
                assertThat(tracking.read()).isEqualTo(">[invalidate, [STAY]]"); // and there it ends
                assertThatThrownBy(tracking::read).isInstanceOf(EOFException.class);
            }
        } finally {
            store = before;
        }
    }

    /** Whoever opens waits until subscribers listen on the new side, whatever takes them so long. */
    @Test
    void nobodyOpensBeforeSubscribersListen() throws IOException {
        try (Behind slow = new Behind();
                Wire subscriber = new Wire(slow.port())) {
            assertThat(subscriber.call("SUBSCRIBE", "STAY")).isEqualTo("[subscribe, STAY, :1]");
            hold();
            assertThat(drained()).contains("\"listeners\":1");
            await().until(() -> slow.network.stays);
            store.commit();
            await().pollDelay(Duration.ZERO) // it is not waited for long
                    .pollInterval(Duration.ofMillis(2))
                    .until(() -> slow.proxy.health().state() == RouteState.COMMITTED);
            assertThat(store.acknowledged(attempt, Step.CARRIED)).isFalse();
            slow.network.goOn();
            await().until(() -> store.acknowledged(attempt, Step.CARRIED));
            assertThat(atTarget.publish("STAY", "first")).isEqualTo(1);
            open();
            assertThat(subscriber.read()).isEqualTo("[message, STAY, first]");
        }
    }

    /** Others have opened meanwhile, and what they published it can't have heard. */
    @Test
    void aSubscriberThatListensTooLateIsClosed() throws IOException {
        try (Behind slow = new Behind();
                Wire subscriber = new Wire(slow.port())) {
            assertThat(subscriber.call("SUBSCRIBE", "STAY")).isEqualTo("[subscribe, STAY, :1]");
            hold();
            await().until(() -> slow.network.stays);
            store.commit();
            await().until(() -> slow.proxy.health().state() == RouteState.COMMITTED);
            store.away(true);
            store.stable();
            assertThat(atTarget.publish("STAY", "missed")).isZero();
            slow.network.goOn();
            await().until(() -> atTarget.pubsubNumSub("STAY").containsValue(1L)
                    || !atSource.clientList().contains(" sub=1 "));
            store.away(false);
            await().until(() -> store.acknowledged(attempt, Step.OPENED));
            assertThat(store.acknowledged(attempt, Step.CARRIED)).isFalse();
            atTarget.publish("STAY", "after");
            assertThatThrownBy(subscriber::read).isInstanceOf(EOFException.class);
        }
    }

    /** Another proxy, whose way to the target may take long; attempts drive it until it is closed. */
    private final class Behind implements AutoCloseable {
        private final MemoryRouteStore before = store;
        private final Relay network = new Relay(target.port(), true);
        private final RedisProxy proxy;

        Behind() throws IOException {
            store = new MemoryRouteStore(MemoryRouteStore.route(
                    MemoryRouteStore.backend("source", source.port()),
                    MemoryRouteStore.backend("target", network.port())));
            proxy = RedisProxy.start(config("p6"), store, new SimpleMeterRegistry());
        }

        int port() {
            return proxy.port();
        }

        @Override
        public void close() throws IOException {
            store = before;
            network.goOn();
            proxy.close();
            network.close();
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
    void whatIsToBeCachedNextIsKnownAfterAFlip() throws IOException {
        Wire client = client();
        client.call("HELLO", "3");
        assertThat(client.call("CLIENT", "TRACKING", "ON", "OPTIN")).isEqualTo("+OK");
        assertThat(client.call("CLIENT", "CACHING", "YES")).isEqualTo("+OK");
        hold();
        flip();
        assertThat(client.read()).isEqualTo(">[invalidate, (nil)]");
        assertThat(client.call("GET", "a")).isEqualTo("(nil)");
        atTarget.set("a", "1");
        assertThat(client.read()).isEqualTo(">[invalidate, [a]]");
        client.call("CLIENT", "CACHING", "YES");
        client.call("MULTI");
        client.call("PTTL", "b");
        hold();
        flip();
        assertThat(client.read()).isEqualTo(">[invalidate, (nil)]");
        client.call("GET", "b");
        assertThat(client.call("EXEC")).isEqualTo("[:-2, (nil)]");
        atSource.set("b", "1");
        assertThat(client.read()).isEqualTo(">[invalidate, [b]]");
        hold();
        flip();
        assertThat(client.read()).isEqualTo(">[invalidate, (nil)]");
        assertThat(client.call("GET", "a")).isEqualTo("1");
        atTarget.set("a", "2");
        assertThat(client.silent(Duration.ofMillis(50)))
                .as("it was said of one transaction")
                .isTrue();
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
