package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.RedisProxyConfig.Limits;
import dev.eden.proxy.RouteStore.Step;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** What those hear who hear without asking, over a flip and an aborted attempt: everything, in their rights, or the end of their connection. Attempts are driven by hand. */
class RedisListenersFlipIT extends RedisFixture {
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
        carry();
        assertThat(atTarget.publish("c", "first")).isEqualTo(1);
        // More than sockets hold besides.
        for (int i = 0; i < 20; i++) {
            atTarget.publish("c", "x".repeat(1 << 20));
        }
        await().until(() -> atTarget.clientList()
                .lines()
                .filter(line -> line.contains(" sub=1 "))
                .allMatch(line -> line.contains(" omem=0 ")));
        open();
        assertThatThrownBy(flooded::read).isInstanceOf(EOFException.class);
    }

    /** Of writes that are copied there, say; it hears of them from the old server. */
    @Test
    void whatTheNewSideSaidBeforeTheCommitClosesNobody() throws IOException {
        Wire subscriber = client();
        assertThat(subscriber.call("SUBSCRIBE", "c")).isEqualTo("[subscribe, c, :1]");
        hold();
        await().until(() -> atTarget.publish("c", "first") == 1);
        for (int i = 0; i < 3; i++) {
            atTarget.publish("c", "x".repeat(1 << 20));
        }
        flip();
        assertThat(atTarget.publish("c", "after")).isEqualTo(1);
        assertThat(subscriber.read()).isEqualTo("[message, c, after]");
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
}
