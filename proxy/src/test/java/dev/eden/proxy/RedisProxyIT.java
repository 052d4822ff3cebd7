package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.redis.CommandTableProbe;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A client has through the proxy what it has of the server itself, whatever it sends and whoever else is there. No attempt runs. */
class RedisProxyIT extends RedisFixture {
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
            client.raw(Arrays.copyOf(bytes, at));
            assertThat(client.silent(Duration.ofMillis(2))).isTrue();
            client.raw(Arrays.copyOfRange(bytes, at, bytes.length));
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
        acl(atSource, "SETUSER", "ada", "on", ">secret", "~*", "+@all", "-flushall");
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
            acl(atSource, "DELUSER", "ada");
        }
    }

    /** A connection goes from client to client: what one does to it must not be found by the next. */
    @Test
    void noTransactionChangesWhoAConnectionBelongsTo() throws IOException {
        acl(atSource, "SETUSER", "ada", "on", ">secret", "~*", "&*", "+@all");
        acl(atSource, "SETUSER", "bob", "on", ">secret", "~*", "&*", "+@all", "-flushall");
        try (RedisProxy other = RedisProxy.start(oneConnection("p8"), store, new SimpleMeterRegistry())) {
            for (List<String> command : List.of(
                    List.of("AUTH", "ada", "secret"),
                    List.of("HELLO", "3", "AUTH", "ada", "secret"),
                    List.of("SUBSCRIBE", "c"),
                    List.of("PSUBSCRIBE", "c"),
                    List.of("MONITOR"),
                    List.of("CLIENT", "REPLY", "OFF"),
                    List.of("CLIENT", "TRACKING", "ON"),
                    List.of("CLIENT", "NO-EVICT", "ON"),
                    List.of("CLIENT", "UNBLOCK", "1"),
                    List.of("SCRIPT", "DEBUG", "YES"),
                    List.of("PSYNC", "?", "-1"))) {
                Wire one = connect(other.port());
                assertThat(one.call("AUTH", "bob", "secret")).isEqualTo("+OK");
                one.send("MULTI");
                one.send("SET", "half", "1");
                one.send(command.toArray(String[]::new));
                one.send("GET", "half");
                one.send("EXEC");
                assertThat(one.read()).isEqualTo("+OK");
                assertThat(one.read()).isEqualTo("+QUEUED");
                assertThat(one.read())
                        .as("%s", command)
                        .startsWith("-ERR eden: ")
                        .contains("not available");
                assertThat(one.read()).isEqualTo("+QUEUED");
                assertThat(one.read()).startsWith("-EXECABORT");
                assertThat(one.call("ACL", "WHOAMI")).isEqualTo("bob");
                Wire two = connect(other.port());
                assertThat(two.call("AUTH", "bob", "secret")).isEqualTo("+OK");
                assertThat(two.call("FLUSHALL")).startsWith("-NOPERM");
                two.call("MULTI");
                two.call("ACL", "WHOAMI");
                assertThat(two.call("EXEC")).isEqualTo("[bob]");
                assertThat(two.call("GET", "half")).isEqualTo("(nil)");
                one.close();
                two.close();
            }
        } finally {
            acl(atSource, "DELUSER", "ada");
            acl(atSource, "DELUSER", "bob");
        }
    }

    @Test
    void nobodyPutsTheScriptsOfOthersIntoTheDebugger() throws IOException {
        assertThat(client().call("SCRIPT", "DEBUG", "YES")).startsWith("-ERR eden: SCRIPT DEBUG");
        assertThat(client().call("EVAL", "return 'run'", "0")).isEqualTo("run");
    }

    @Test
    void nobodyKillsAStrangersConnectionByItsNumber() throws IOException {
        Wire client = client();
        assertThat(client.call("CLIENT", "KILL", "ID", "1")).startsWith("-ERR eden: CLIENT KILL by ID");
        assertThat(client.call("CLIENT", "KILL", "TYPE", "pubsub", "ID", "1")).startsWith("-ERR eden: CLIENT KILL");
        assertThat(client.call("CLIENT", "KILL", "TYPE", "pubsub")).startsWith(":");
        client.call("MULTI");
        assertThat(client.call("CLIENT", "KILL", "ID", "1")).startsWith("-ERR eden: CLIENT KILL");
        assertThat(client.call("EXEC")).startsWith("-EXECABORT");
    }

    @Test
    void passwordsNeedNotBeText() throws IOException {
        // the SHA-256 of the two bytes ff fe
        acl(
                atSource,
                "SETUSER",
                "raw",
                "on",
                "#" + HexFormat.of().formatHex(sha256(new byte[] {(byte) 0xff, (byte) 0xfe})),
                "~*",
                "+@all");
        try {
            for (String command : List.of("*3\r\n$4\r\nAUTH\r\n", "*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n")) {
                Wire client = client();
                client.raw((command + "$3\r\nraw\r\n$2\r\n\u00ff\u00fe\r\n").getBytes(StandardCharsets.ISO_8859_1));
                assertThat(client.read()).doesNotStartWith("-");
                assertThat(client.call("ACL", "WHOAMI")).isEqualTo("raw");
            }
        } finally {
            acl(atSource, "DELUSER", "raw");
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void whatAClientIsCanBeSaidInARequestOfAnySize() throws IOException {
        Wire subscriber = client();
        String[] subscribe = new String[30_001];
        String[] watch = new String[2_001]; // the server looks through all of them for each
        subscribe[0] = "SUBSCRIBE";
        watch[0] = "WATCH";
        for (int i = 1; i < subscribe.length; i++) {
            subscribe[i] = "channel:" + "x".repeat(30) + ":" + i;
        }
        for (int i = 1; i < watch.length; i++) {
            watch[i] = "key:" + "x".repeat(600) + ":" + i;
        }
        subscriber.send(subscribe);
        for (int i = 1; i < subscribe.length; i++) {
            assertThat(subscriber.read()).isEqualTo("[subscribe, " + subscribe[i] + ", :" + i + "]");
        }
        assertThat(atSource.publish(subscribe[7], "here")).isEqualTo(1);
        assertThat(subscriber.read()).isEqualTo("[message, " + subscribe[7] + ", here]");
        Wire watching = client();
        assertThat(watching.call(watch)).isEqualTo("+OK");
        assertThat(client().call("SET", watch[9], "changed")).isEqualTo("+OK");
        watching.call("MULTI");
        watching.call("SET", watch[9], "lost");
        assertThat(watching.call("EXEC")).isEqualTo("(nil)");
        Wire client = client();
        client.raw("*2\r\n$6\r\nSELECT\r\n$20000000\r\n".getBytes());
        assertThat(client.read()).startsWith("-ERR Protocol error: select of more than");
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
    void aSelectThatDidNotRunSelectsNothing() throws IOException {
        Wire client = client();
        Wire other = client();
        client.call("WATCH", "w");
        other.call("SET", "w", "1");
        client.call("MULTI");
        client.call("SELECT", "3");
        assertThat(client.call("EXEC")).isEqualTo("(nil)");
        assertThat(client.call("SET", "here", "1")).isEqualTo("+OK");
        assertThat(atSource.get("here")).isEqualTo("1");
        client.call("MULTI");
        client.call("SELECT", "3");
        client.call("SET", "there", "1");
        client.call("SELECT", "99");
        assertThat(client.call("EXEC")).isEqualTo("[+OK, +OK, -ERR DB index is out of range]");
        assertThat(client.call("GET", "there")).isEqualTo("1");
        assertThat(client.call("GET", "here")).isEqualTo("(nil)");
    }

    @Test
    void aSkippedReplyStaysSkippedHoweverLongItsRequestWaits() throws IOException {
        Wire client = client();
        client.send("CLIENT", "REPLY", "SKIP");
        client.send("SET", "a", "1");
        client.send("CLIENT", "REPLY", "SKIP");
        client.send("EVAL", "return redis.call('INCR', 'a')", "0");
        client.send("CLIENT", "REPLY", "SKIP");
        client.send("SELECT", "3");
        client.send("CLIENT", "REPLY", "SKIP");
        client.send("HELLO", "3");
        assertThat(client.call("PING")).isEqualTo("+PONG");
        assertThat(client.call("GET", "a")).isEqualTo("(nil)");
        assertThat(atSource.get("a")).isEqualTo("2");
    }

    @Test
    void learnsTheCommandsOfTheServer() {
        assertThat(CommandTableProbe.differences(source.port())).isEmpty();
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
            assertThat(other.health().bound()).isFalse();
            assertThat(other.health().detail()).contains("no endpoint yet");
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
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("cannot listen on");
    }
}
