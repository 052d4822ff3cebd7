package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.RouteStore.Step;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** A proxy between real clients and two real servers, driven through attempts by hand. */
@Order(1) // the longest: others run beside it
class RedisProxyIT {
    private static EmbeddedRedis source;
    private static EmbeddedRedis target;

    private MemoryRouteStore store;
    private RedisProxy proxy;
    private Jedis atSource;
    private Jedis atTarget;
    private final List<Wire> clients = new ArrayList<>();
    private long attempt;

    @BeforeAll
    static void servers() {
        source = EmbeddedRedis.start();
        target = EmbeddedRedis.start();
    }

    @AfterAll
    static void stop() {
        source.close();
        target.close();
    }

    @BeforeEach
    void start() {
        store = new MemoryRouteStore(MemoryRouteStore.route(
                MemoryRouteStore.backend("source", source.port()), MemoryRouteStore.backend("target", target.port())));
        proxy = RedisProxy.start(config("p1"), store, new SimpleMeterRegistry());
        atSource = new Jedis("127.0.0.1", source.port());
        atTarget = new Jedis("127.0.0.1", target.port());
        atSource.flushAll();
        atTarget.flushAll();
    }

    static RedisProxyConfig config(String name) {
        return RedisProxyConfig.of(
                new ProxyIdentity(name, "1", "127.0.0.1", "test"), "test", new InetSocketAddress("127.0.0.1", 0));
    }

    @AfterEach
    void end() throws IOException {
        for (Wire client : clients) {
            client.close();
        }
        proxy.close();
        atSource.close();
        atTarget.close();
    }

    private Wire client() throws IOException {
        Wire client = new Wire(proxy.port());
        clients.add(client);
        return client;
    }

    private void arm() {
        attempt++;
        store.state(RouteState.ARMED, attempt, 0);
        await().until(() -> store.acknowledged(attempt, Step.ARMED));
    }

    private void hold() {
        arm();
        store.state(RouteState.PREPARED, attempt, 30_000);
        await().until(() -> store.acknowledged(attempt, Step.DRAINED));
    }

    private void flip() {
        store.commit();
        open();
    }

    private void abort() {
        store.state(RouteState.ABORTING, attempt, 0);
        open();
    }

    private void open() {
        store.stable();
        await().until(() -> store.acknowledged(attempt, Step.OPENED));
    }

    @Test
    void forwardsEverythingAndKeepsOrder() throws IOException {
        Wire client = client();
        assertThat(client.call("SET", "a", "1")).isEqualTo("+OK");
        assertThat(client.call("GET", "a")).isEqualTo("1");
        assertThat(atSource.get("a")).isEqualTo("1");
        assertThat(atTarget.get("a")).isNull();
        for (int i = 0; i < 200; i++) {
            client.send("RPUSH", "l", Integer.toString(i));
            if (i % 7 == 0) {
                client.send("EVAL", "return redis.call('LLEN', KEYS[1])", "1", "l");
            }
            if (i % 11 == 0) {
                client.send("CLIENT", "GETNAME");
            }
        }
        for (int i = 0; i < 200; i++) {
            assertThat(client.read()).isEqualTo(":" + (i + 1));
            if (i % 7 == 0) {
                assertThat(client.read()).isEqualTo(":" + (i + 1));
            }
            if (i % 11 == 0) {
                assertThat(client.read()).isEqualTo("(nil)");
            }
        }
    }

    @Test
    void understandsRequestsCutAnywhere() throws IOException {
        byte[] bytes = Wire.encode("SET", "cut", "some value");
        Wire client = client();
        for (int at = 1; at < bytes.length; at++) {
            client.raw(java.util.Arrays.copyOf(bytes, at));
            assertThat(client.silent(Duration.ofMillis(2))).isTrue();
            client.raw(java.util.Arrays.copyOfRange(bytes, at, bytes.length));
            assertThat(client.read()).isEqualTo("+OK");
        }
        client.raw("SET inline \"two words\"\r\nGET inline\r\n".getBytes());
        assertThat(client.read()).isEqualTo("+OK");
        assertThat(client.read()).isEqualTo("two words");
    }

    @Test
    void refusesWhatIsNoProtocol() throws IOException {
        Wire client = client();
        client.raw("*1\r\n!3\r\nfoo\r\n".getBytes());
        assertThat(client.read()).isEqualTo("-ERR Protocol error: expected '$', got '!'");
        assertThatThrownBy(client::read).isInstanceOf(EOFException.class);
        Wire other = client();
        other.raw("*1\r\n$-3\r\n".getBytes());
        assertThat(other.read()).isEqualTo("-ERR Protocol error: invalid bulk length");
        assertThat(client().call("PSYNC", "?", "-1")).startsWith("-ERR eden: psync");
    }

    @Test
    void carriesLargeValuesBothWays() throws IOException {
        Wire client = client();
        for (int size : new int[] {60_000, 1_000_000, 1_100_000, 20_000_000}) {
            String value = "x".repeat(size);
            assertThat(client.call("SET", "big", value)).isEqualTo("+OK");
            assertThat(client.call("GET", "big")).hasSize(size);
        }
        assertThat(client.call("PING")).isEqualTo("+PONG");
    }

    @Test
    void keepsStateOfConnections() throws IOException {
        Wire client = client();
        assertThat(client.call("SELECT", "3")).isEqualTo("+OK");
        assertThat(client.call("SET", "three", "x")).isEqualTo("+OK");
        assertThat(client().call("GET", "three")).isEqualTo("(nil)");
        assertThat(client.call("SELECT", "99")).startsWith("-ERR DB index");
        assertThat(client.call("GET", "three")).isEqualTo("x");
        assertThat(client.call("HELLO", "3", "SETNAME", "me")).contains("proto, :3");
        assertThat(client.call("CLIENT", "GETNAME")).isEqualTo("me");
        assertThat(client.call("HGETALL", "none")).isEqualTo("[]");
        client.send("CLIENT", "REPLY", "SKIP");
        client.send("SET", "skipped", "1");
        assertThat(client.call("GET", "skipped")).isEqualTo("1");
        client.send("CLIENT", "REPLY", "OFF");
        client.send("SET", "off", "1");
        assertThat(client.call("CLIENT", "REPLY", "ON")).isEqualTo("+OK");
        assertThat(client.call("RESET")).isEqualTo("+RESET");
        assertThat(client.call("GET", "three")).isEqualTo("(nil)");
        assertThat(client.call("QUIT")).isEqualTo("+OK");
        assertThatThrownBy(client::read).isInstanceOf(EOFException.class);
    }

    @Test
    void logsClientsIn() throws IOException {
        atSource.sendCommand(() -> "ACL".getBytes(), "SETUSER", "ada", "on", ">secret", "~*", "+@all", "-flushall");
        try {
            Wire client = client();
            assertThat(client.call("AUTH", "ada", "wrong")).startsWith("-WRONGPASS");
            assertThat(client.call("ACL", "WHOAMI")).isEqualTo("default");
            assertThat(client.call("AUTH", "ada", "secret")).isEqualTo("+OK");
            assertThat(client.call("ACL", "WHOAMI")).isEqualTo("ada");
            assertThat(client.call("FLUSHALL")).startsWith("-NOPERM");
            assertThat(client.call("MULTI")).isEqualTo("+OK");
            assertThat(client.call("ACL", "WHOAMI")).isEqualTo("+QUEUED");
            assertThat(client.call("EXEC")).isEqualTo("[ada]");
        } finally {
            atSource.sendCommand(() -> "ACL".getBytes(), "DELUSER", "ada");
        }
    }

    @Test
    void isolatesTransactions() throws IOException {
        Wire one = client();
        Wire two = client();
        assertThat(one.call("WATCH", "w")).isEqualTo("+OK");
        assertThat(two.call("SET", "w", "2")).isEqualTo("+OK");
        assertThat(one.call("MULTI")).isEqualTo("+OK");
        assertThat(one.call("SET", "w", "1")).isEqualTo("+QUEUED");
        assertThat(one.call("EXEC")).isEqualTo("(nil)");
        assertThat(one.call("MULTI")).isEqualTo("+OK");
        assertThat(one.call("NOSUCH")).startsWith("-ERR unknown");
        assertThat(one.call("EXEC")).startsWith("-EXECABORT");
        assertThat(one.call("GET", "w")).isEqualTo("2");
        assertThat(one.call("EXEC")).isEqualTo("-ERR EXEC without MULTI");
    }

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
    void takesBlockedCommandsBack() throws IOException {
        Wire pop = client();
        Wire move = client();
        Wire stream = client();
        atSource.xadd("s", redis.clients.jedis.StreamEntryID.NEW_ENTRY, java.util.Map.of("f", "old"));
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
    void commandsBehindARefusedMultiDoNotRunAlone() throws IOException {
        RedisProxyConfig base = config("p6");
        RedisProxyConfig withoutPins = new RedisProxyConfig(
                base.identity(), base.interlay(), base.listen(), base.eventLoops(), base.poolSize(), 0, base.limits());
        try (RedisProxy other = RedisProxy.start(withoutPins, store, new SimpleMeterRegistry());
                Wire client = new Wire(other.port())) {
            client.send("MULTI");
            client.send("INCR", "m");
            client.send("SELECT", "3");
            client.send("EXEC");
            client.send("SET", "after", "1");
            assertThat(client.read()).isEqualTo("+OK");
            assertThat(client.read()).isEqualTo("+QUEUED");
            assertThat(client.read()).isEqualTo("+QUEUED");
            assertThat(client.read()).startsWith("-EXECABORT").contains("no exclusive connection left");
            assertThat(client.read()).isEqualTo("+OK");
            assertThat(atSource.exists("m")).isFalse();
            assertThat(atSource.get("after")).isEqualTo("1");
            client.send("WATCH", "m");
            client.send("MULTI");
            client.send("DISCARD");
            assertThat(client.read()).startsWith("-ERR eden: no exclusive");
            assertThat(client.read()).isEqualTo("+OK");
            assertThat(client.read()).isEqualTo("+OK");
            assertThat(client.call("GET", "after")).isEqualTo("1");
        }
    }

    @Test
    void aDiscardedSelectSelectsNothing() throws IOException {
        Wire client = client();
        client.call("MULTI");
        client.call("SELECT", "3");
        assertThat(client.call("DISCARD")).isEqualTo("+OK");
        client.call("SET", "here", "1");
        assertThat(atSource.get("here")).isEqualTo("1");
        client.call("MULTI");
        client.call("SELECT", "3");
        client.call("NOSUCH");
        assertThat(client.call("EXEC")).startsWith("-EXECABORT");
        assertThat(client.call("GET", "here")).isEqualTo("1");
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
        await().until(() -> atTarget.publish("c", "two") == 2);
        assertThat(two.silent(Duration.ofMillis(50))).isTrue();
        flip();
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
            await().until(() -> atTarget.publish("c", "kept") == 3);
            three.send("GET", "x");
            three.send("SET", "x", "1");
            three.send("ACL", "WHOAMI");
            nobody.send("ACL", "WHOAMI");
            flip();
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

    private static void acl(Jedis server, String... arguments) {
        server.sendCommand(() -> "ACL".getBytes(), arguments);
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
        java.util.Set<String> seen = new java.util.TreeSet<>();
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
    void stopsServingWhenTheLeaseRunsOut() throws IOException {
        Wire client = client();
        arm();
        assertThat(client.call("PING")).isEqualTo("+PONG");
        store.away(true);
        await().atMost(Duration.ofSeconds(5)).until(() -> !proxy.health().serving());
        client.send("SET", "lease", "1");
        assertThat(client.silent(Duration.ofMillis(300))).isTrue();
        assertThat(atSource.get("lease")).isNull();
        store.away(false);
        abort();
        assertThat(client.read()).isEqualTo("+OK");
    }

    /** The store goes away in the pause; the operator knows that nothing was committed. */
    @Test
    void anOperatorOpensItWhileTheStoreIsAway() throws IOException {
        Wire client = client();
        assertThat(client.call("SET", "hand", "0")).isEqualTo("+OK");
        assertThat(force("source")).isEqualTo(ForcedOpening.Outcome.STORE_ANSWERS);
        hold();
        client.send("SET", "hand", "1");
        store.away(true);
        await().until(() -> !proxy.health().storeReadable());
        assertThat(force("elsewhere")).isEqualTo(ForcedOpening.Outcome.UNKNOWN_OWNER);
        assertThat(client.silent(Duration.ofMillis(300))).isTrue();

        assertThat(force("source")).isEqualTo(ForcedOpening.Outcome.OPENED);

        assertThat(client.read()).isEqualTo("+OK");
        assertThat(client.call("INCR", "hand")).isEqualTo(":2");
        assertThat(atSource.get("hand")).isEqualTo("2");
        assertThat(force("source")).isEqualTo(ForcedOpening.Outcome.ALREADY_SERVING);
        assertThat(proxy.health().detail()).contains("opened by hand on source");
        store.away(false);
        await().until(() -> store.row().state() == RouteState.ABORTING);
        assertThat(client.call("INCR", "hand")).as("serves on meanwhile").isEqualTo(":3");
        open();
        assertThat(store.forced).containsExactly("operator ada: the store agrees");
        assertThat(proxy.health().detail()).isEmpty();
        hold();
        flip();
        assertThat(client.call("SET", "hand", "4")).isEqualTo("+OK");
        assertThat(atTarget.get("hand")).isEqualTo("4");
    }

    /** The store goes away in the pause; the operator knows that the attempt was committed. */
    @Test
    void anOperatorOpensItOnTheNewOwner() throws IOException {
        Wire client = client();
        hold();
        client.send("SET", "hand", "1");
        store.away(true);
        await().until(() -> !proxy.health().storeReadable());
        assertThat(force("target")).isEqualTo(ForcedOpening.Outcome.OPENED);
        assertThat(client.read()).isEqualTo("+OK");
        assertThat(atTarget.get("hand")).isEqualTo("1");
        store.commit();
        store.away(false);
        await().until(() -> proxy.health().storeReadable());
        assertThat(client.call("INCR", "hand")).isEqualTo(":2");
        open();
        assertThat(store.forced).containsExactly("operator ada: the store agrees");
        assertThat(client.call("INCR", "hand")).isEqualTo(":3");
        assertThat(atTarget.get("hand")).isEqualTo("3");
    }

    /** A wrong word ends in a proxy that holds, not in two owners for longer than it takes to read the row. */
    @Test
    void aWrongWordIsFoundOutWhenTheStoreIsBack() throws IOException {
        Wire client = client();
        hold();
        store.away(true);
        await().until(() -> !proxy.health().storeReadable());
        assertThat(force("source")).isEqualTo(ForcedOpening.Outcome.OPENED);
        assertThat(client.call("SET", "wrong", "1")).isEqualTo("+OK");
        store.commit();
        store.away(false);
        await().until(() -> !store.forced.isEmpty());
        assertThat(store.forced).containsExactly("operator ada: the store says that the other side owns the writes");
        client.send("SET", "wrong", "2");
        store.stable();
        assertThat(client.silent(Duration.ofMillis(600))).isTrue();
        assertThat(proxy.health().detail()).contains("start this process anew");
    }

    @Test
    void nobodysWordCountsAgainstACommitThatWasRead() throws IOException {
        Wire client = client();
        hold();
        store.commit();
        await().until(() -> proxy.health().state() == RouteState.COMMITTED);
        store.away(true);
        await().until(() -> !proxy.health().storeReadable());
        assertThat(force("source")).isEqualTo(ForcedOpening.Outcome.CONTRADICTS_THE_ROW);
        client.send("SET", "read", "1");
        assertThat(client.silent(Duration.ofMillis(300))).isTrue();
        assertThat(force("target")).isEqualTo(ForcedOpening.Outcome.OPENED);
        assertThat(client.read()).isEqualTo("+OK");
        assertThat(atTarget.get("read")).isEqualTo("1");
    }

    /** Opened by hand, then stopped for a while: the same word opens it again, another does not, and the store is away all the time. */
    @Test
    void anOperatorOpensItAgainAfterItSlept() throws IOException {
        Wire client = client();
        hold();
        store.away(true);
        await().until(() -> !proxy.health().storeReadable());
        assertThat(force("source")).isEqualTo(ForcedOpening.Outcome.OPENED);
        assertThat(client.call("SET", "slept", "1")).isEqualTo("+OK");
        proxy.wakefulness()
                .sleeps(System.nanoTime()
                        + Duration.ofMillis(2 * Wakefulness.LIMIT_MILLIS).toNanos());
        assertThat(proxy.health().serving()).isFalse();
        client.send("INCR", "slept");
        assertThat(client.silent(Duration.ofMillis(300))).isTrue();
        assertThat(force("target")).isEqualTo(ForcedOpening.Outcome.CONTRADICTS_THE_ROW);
        assertThat(client.silent(Duration.ofMillis(300))).isTrue();

        assertThat(force("source")).isEqualTo(ForcedOpening.Outcome.OPENED);

        assertThat(client.read()).isEqualTo(":2");
        assertThat(atSource.get("slept")).isEqualTo("2");
        store.away(false);
        await().until(() -> store.row().state() == RouteState.ABORTING);
        open();
        assertThat(store.forced).containsExactly("operator ada: the store agrees");
        assertThat(client.call("INCR", "slept")).isEqualTo(":3");
    }

    private ForcedOpening.Outcome force(String owner) {
        return proxy.forceOpen(new ForcedOpening(owner, "operator ada", "the store is lost"));
    }

    @Test
    void servesForEverOutsideAnAttempt() throws IOException {
        Wire client = client();
        store.away(true);
        await().until(() -> !proxy.health().storeReadable());
        assertThat(client.call("SET", "a", "1")).isEqualTo("+OK");
        assertThat(client().call("GET", "a")).isEqualTo("1");
        assertThat(proxy.health().serving()).isTrue();
        store.away(false);
        MemoryRouteStore down = new MemoryRouteStore(store.row());
        down.away(true);
        assertThatThrownBy(() -> RedisProxy.start(config("p2"), down, new SimpleMeterRegistry()))
                .isInstanceOf(RouteStoreException.class);
    }

    @Test
    void aRemovedProxyHoldsUntilItHasJoinedAnewAndTheAttemptWithoutItIsOver() throws IOException {
        Wire client = client();
        assertThat(client.call("SET", "before", "1")).isEqualTo("+OK");
        store.removedBeforeAttempt(++attempt);
        await().until(() -> store.joins == 2 && !proxy.health().serving());
        client.send("SET", "after", "1");
        assertThat(client.silent(Duration.ofMillis(200))).isTrue();
        assertThat(store.acknowledged(attempt, Step.ARMED))
                .as("nobody waits for its promise")
                .isFalse();
        store.commit();
        assertThat(client.silent(Duration.ofMillis(100))).isTrue();
        store.stable();
        assertThat(client.read()).isEqualTo("+OK");
        assertThat(atTarget.get("after")).isEqualTo("1");
        assertThat(atSource.get("after")).isNull();
        assertThat(proxy.health().serving()).isTrue();
        hold();
        abort();
        assertThat(client.call("GET", "after")).as("it takes part again").isEqualTo("1");
    }

    @Test
    void aProxyThatWasReplacedUnderItsNameHolds() throws IOException {
        Wire client = client();
        assertThat(client.call("SET", "before", "1")).isEqualTo("+OK");
        store.replaced();
        await().until(() -> !proxy.health().serving());
        client.send("SET", "after", "1");
        assertThat(client.silent(Duration.ofMillis(200))).isTrue();
        assertThat(proxy.health().detail()).contains("another process has joined under this name");
        assertThat(store.joins).as("it takes the name from nobody").isEqualTo(1);
    }

    @Test
    void abortsPastTheDeadlineAndIgnoresLateRows() throws IOException {
        Wire client = client();
        arm();
        Route late = store.row();
        store.state(RouteState.PREPARED, attempt, 100);
        await().until(() -> store.aborts.size() == 1);
        assertThat(store.row().state()).isEqualTo(RouteState.ABORTING);
        client.send("PING");
        assertThat(client.silent(Duration.ofMillis(200))).isTrue();
        store.change(_ -> late); // a replica of the store that lags
        assertThat(client.silent(Duration.ofMillis(300))).isTrue();
        assertThat(proxy.health().serving()).isFalse();
        store.change(r -> new Route(
                "test",
                late.version() + 5,
                1,
                RouteState.STABLE,
                0,
                0,
                r.active(),
                r.standby(),
                1,
                null,
                CanaryPolicy.NONE,
                false));
        assertThat(client.read()).isEqualTo("+PONG");
    }

    @Test
    void closesWhatIsInDoubtAndNothingElse() throws IOException {
        EmbeddedRedis fragile = EmbeddedRedis.start();
        MemoryRouteStore own =
                new MemoryRouteStore(MemoryRouteStore.route(MemoryRouteStore.backend("fragile", fragile.port()), null));
        SimpleMeterRegistry meters = new SimpleMeterRegistry();
        try (RedisProxy other = RedisProxy.start(config("p3"), own, meters);
                Wire idle = new Wire(other.port());
                Wire busy = new Wire(other.port())) {
            assertThat(idle.call("PING")).isEqualTo("+PONG");
            assertThat(busy.call("PING")).isEqualTo("+PONG");
            fragile.suspend();
            busy.send("INCR", "n");
            assertThat(busy.silent(Duration.ofMillis(100))).isTrue();
            fragile.kill();
            assertThatThrownBy(busy::read).isInstanceOf(IOException.class);
            await("every loop knows that its connection is gone")
                    .until(() -> meters.get("eden_backend_connections").gauge().value() == 0);
            assertThat(idle.call("INCR", "n")).startsWith("-ERR eden: ").contains("endpoint fragile");
            fragile.restart();
            await().until(() -> idle.call("PING").equals("+PONG"));
        } finally {
            fragile.close();
        }
    }

    @Test
    void saysWhenThereIsNoEndpoint() throws IOException {
        MemoryRouteStore unbound = new MemoryRouteStore(MemoryRouteStore.route(null, null));
        try (RedisProxy other = RedisProxy.start(config("p4"), unbound, new SimpleMeterRegistry());
                Wire client = new Wire(other.port())) {
            assertThat(client.call("GET", "a")).isEqualTo("-ERR eden: interlay has no endpoint yet");
            unbound.change(r -> new Route(
                    "test",
                    2,
                    1,
                    RouteState.STABLE,
                    0,
                    0,
                    MemoryRouteStore.backend("source", source.port()),
                    null,
                    1,
                    null,
                    CanaryPolicy.NONE,
                    false));
            await().until(() -> client.call("GET", "a").equals("(nil)"));
        }
        assertThat(unbound.left).isTrue();
    }

    @Test
    void waitsForASlowReaderAndClosesAStuckOne() throws IOException {
        atSource.set("big", "x".repeat(1_000_000));
        RedisProxyConfig usual = config("p5");
        RedisProxyConfig.Limits d = RedisProxyConfig.Limits.defaults();
        RedisProxyConfig impatient = new RedisProxyConfig(
                usual.identity(),
                usual.interlay(),
                usual.listen(),
                1,
                1,
                10,
                new RedisProxyConfig.Limits(
                        3,
                        d.largeRequest(),
                        d.inputBytes(),
                        1 << 20,
                        Duration.ofSeconds(2),
                        d.totalBytes(),
                        d.recordedBytes(),
                        d.connectTimeout()));
        try (RedisProxy other = RedisProxy.start(impatient, store, new SimpleMeterRegistry());
                Wire slow = new Wire(other.port());
                Wire stuck = new Wire(other.port());
                Wire third = new Wire(other.port())) {
            for (int i = 0; i < 30; i++) {
                slow.send("GET", "big");
            }
            await().until(() -> slow.socket().getInputStream().available() > 100_000);
            for (int i = 0; i < 30; i++) {
                assertThat(slow.read().length()).isEqualTo(1_000_000);
            }
            for (int i = 0; i < 60; i++) {
                stuck.send("GET", "big");
            }
            assertThat(third.call("SET", "a", "1"))
                    .isEqualTo("+OK"); // at the latest when the stuck one has been closed
            try (Wire fourth = new Wire(other.port())) {
                String answer = fourth.call("PING");
                assertThat(answer).isIn("-ERR max number of clients reached", "+PONG");
            }
            await().until(() -> stuck.socket().getInputStream().available() >= 0
                    && store.reports.stream().anyMatch(r -> r.connections() == 2));
        }
    }

    /** Plays the applier: what the source has now is applied. */
    private void applied() {
        String info = atSource.info("replication");
        atTarget.hset(
                "applied",
                java.util.Map.of(
                        "replid", field(info, "master_replid:"), "offset", field(info, "master_repl_offset:")));
    }

    private static String field(String info, String name) {
        int at = info.indexOf(name) + name.length();
        return info.substring(at, info.indexOf('\r', at));
    }

    /** A replica link, so that the source counts its offset. */
    private Wire replica() throws IOException {
        Wire replica = new Wire(source.port());
        clients.add(replica);
        replica.send("PSYNC", "?", "-1");
        await().until(() -> {
            // A log that nothing is written to stays at 0 until the server's next ping, ten seconds later.
            atSource.set("logged", "x");
            return !field(atSource.info("replication"), "master_repl_offset:").equals("0");
        });
        return replica;
    }

    @Test
    void letsTheStandbyServeFreshReads() throws IOException {
        replica();
        for (int i = 0; i < 200; i++) {
            atSource.set("r" + i, "source");
            atTarget.set("r" + i, "target");
        }
        Wire client = client();
        assertThat(client.call("SET", "mine", "1")).isEqualTo("+OK");
        store.canary(new CanaryPolicy(1.0, CanaryPolicy.Consistency.SESSION, Duration.ofMillis(5)), false, "applied");
        // nothing is known of the standby: the source serves
        assertThat(client.call("GET", "r1")).isEqualTo("source");
        applied();
        await().until(() -> client.call("GET", "r1").equals("target"));
        assertThat(client.call("MGET", "r1", "r2")).isEqualTo("[target, target]");
        // own write: the standby has not applied it
        assertThat(client.call("SET", "r1", "written")).isEqualTo("+OK");
        assertThat(client.call("GET", "r1")).isEqualTo("written");
        // an error there is never shown
        atTarget.lpush("list", "x");
        atSource.set("list", "string");
        applied();
        await().until(() -> client.call("GET", "r2").equals("target"));
        assertThat(client.call("GET", "list")).isEqualTo("string");
        // by key, about the share, always the same side
        store.canary(new CanaryPolicy(0.25, CanaryPolicy.Consistency.SESSION, Duration.ofMillis(5)), false, "applied");
        applied();
        await().atMost(Duration.ofSeconds(10)).until(() -> {
            int target = 0;
            for (int i = 10; i < 200; i++) {
                applied();
                if (client.call("GET", "r" + i).equals("target")) {
                    target++;
                }
            }
            return target > 20 && target < 75;
        });
        store.canary(CanaryPolicy.NONE, false, "applied");
        await().until(() -> client.call("GET", "r2").equals("source"));
        await().until(() -> !store.reports.isEmpty());
        await().until(() -> {
            TrafficReport last = store.reports.getLast();
            return last.servedByStandby() > 0
                    && last.eligibleReads() >= last.chosenReads()
                    && last.standby().samples() >= 0;
        });
    }

    /** A read behind the client's own write; the canary may come into force a moment later. */
    private static void sendAReadThatWaits(Wire client) {
        await().until(() -> {
            assertThat(client.call("SET", "mine", "1")).isEqualTo("+OK");
            client.send("GET", "waited");
            if (client.silent(Duration.ofMillis(100))) {
                return true;
            }
            client.read();
            return false;
        });
    }

    @Test
    void aReadThatWaitedForTheStandbyLeavesNoTraceOnTheNext() throws IOException {
        replica();
        CanaryPolicy patient = new CanaryPolicy(1.0, CanaryPolicy.Consistency.SESSION, Duration.ofSeconds(30));
        atSource.set("waited", "source");
        atTarget.set("waited", "target");
        store.canary(patient, false, "applied");
        Wire client = client();
        sendAReadThatWaits(client);
        store.canary(CanaryPolicy.NONE, false, "applied");
        assertThat(client.read()).isEqualTo("source");
        store.canary(patient, false, "applied");
        applied();
        await().until(() -> {
            applied();
            return client.call("GET", "waited").equals("target");
        });
        client.send("SET", "other", "1");
        client.send("GET", "waited");
        store.canary(CanaryPolicy.NONE, false, "applied");
        assertThat(client.read()).isEqualTo("+OK");
        assertThat(client.read()).isIn("source", "target");
        // The wait was cut short by the end of the canary, and the canary comes back: what is pipelined stays in order.
        store.canary(patient, false, "applied");
        sendAReadThatWaits(client);
        store.canary(CanaryPolicy.NONE, false, "applied");
        assertThat(client.read()).isEqualTo("source");
        atSource.clientPause(400);
        store.canary(patient, false, "applied");
        applied();
        client.send("SET", "mine", "3");
        client.send("GET", "waited");
        assertThat(client.read()).isEqualTo("+OK");
        // On a slow machine the read may have come after the write's answer: then it waits for the standby again.
        await().until(() -> {
            applied();
            return client.ready();
        });
        assertThat(client.read()).isIn("source", "target");
    }

    @Test
    void keepsRepliesUntilTheStandbyHasApplied() throws IOException {
        replica();
        store.canary(CanaryPolicy.NONE, true, "applied");
        Wire client = client();
        applied();
        await().until(() -> {
            applied();
            return client.call("PING").equals("+PONG");
        });
        // The demand for both may come into force a moment later.
        await().until(() -> {
            client.send("SET", "both", "1");
            if (client.silent(Duration.ofMillis(300))) {
                return true;
            }
            client.read();
            return false;
        });
        client.send("GET", "both");
        assertThat(client.silent(Duration.ofMillis(300))).isTrue();
        assertThat(atSource.get("both")).isEqualTo("1");
        await().until(() -> {
            applied();
            return client.ready();
        });
        assertThat(client.read()).isEqualTo("+OK");
        await().until(() -> {
            applied();
            return client.ready();
        });
        assertThat(client.read()).isEqualTo("1");
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

    @Test
    void waitsForTheFenceOfTheNewSide() throws IOException {
        Wire client = client();
        client.call("SET", "f", "0");
        hold();
        client.send("SET", "f", "1");
        atTarget.sendCommand(() -> "ACL".getBytes(), "SETUSER", "default", "-set");
        try {
            flip();
            assertThat(client.silent(Duration.ofMillis(200))).isTrue();
        } finally {
            atTarget.sendCommand(() -> "ACL".getBytes(), "SETUSER", "default", "+set");
        }
        assertThat(client.read()).isEqualTo("+OK");
        assertThat(atTarget.get("f")).isEqualTo("1");
    }

    @Test
    void learnsTheCommandsOfTheServer() {
        assertThat(dev.eden.proxy.redis.CommandTableProbe.differences(source.port()))
                .isEmpty();
    }

    @Test
    void saysWhenThePortIsTaken() {
        RedisProxyConfig usual = config("p6");
        RedisProxyConfig same = new RedisProxyConfig(
                usual.identity(),
                usual.interlay(),
                new InetSocketAddress("127.0.0.1", proxy.port()),
                0,
                8,
                10,
                usual.limits());
        assertThatThrownBy(() -> RedisProxy.start(same, store, new SimpleMeterRegistry()))
                .isInstanceOf(java.io.UncheckedIOException.class)
                .hasMessageContaining("cannot listen on");
    }

    @Test
    void servesManyClientsOverFewConnections() throws IOException {
        List<Wire> many = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            many.add(client());
        }
        for (int round = 0; round < 5; round++) {
            for (Wire one : many) {
                one.send("INCR", "counter");
            }
            for (Wire one : many) {
                assertThat(one.read()).startsWith(":");
            }
        }
        assertThat(atSource.get("counter")).isEqualTo("1500");
        long shared = atSource.clientList()
                .lines()
                .filter(l -> l.contains("name=eden:p1"))
                .count();
        assertThat(shared).isBetween(1L, 12L);
    }
}
