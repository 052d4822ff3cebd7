package dev.eden.proxy;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.RouteStore.Step;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is half done when a hold comes: waiting for a connection, half read, half answered, or answered while nobody is sure. */
class RedisHoldIT extends RedisFixture {
    @Test
    void loginAndDatabaseThatWaitForTheFormerSideAreAskedOfTheNewOne() throws IOException {
        try (ServerSocket mute = new ServerSocket(0);
                Moving moving = moving(mute.getLocalPort());
                Wire select = new Wire(moving.port());
                Wire hello = new Wire(moving.port());
                Wire auth = new Wire(moving.port())) {
            acl(atTarget, "SETUSER", "ada", "on", ">pw", "~*", "&*", "+@all");
            select.send("SELECT", "3");
            hello.send("HELLO", "3");
            auth.send("AUTH", "ada", "pw");
            assertThat(select.silent(Duration.ofMillis(100))).isTrue();
            hold();
            flip();
            assertThat(select.read()).isEqualTo("+OK");
            assertThat(select.call("SET", "three", "x")).isEqualTo("+OK");
            assertThat(hello.read()).contains("proto, :3");
            assertThat(auth.read()).isEqualTo("+OK");
            assertThat(auth.call("ACL", "WHOAMI")).isEqualTo("ada");
            assertThat(atTarget.exists("three")).isFalse();
        } finally {
            acl(atTarget, "DELUSER", "ada");
        }
    }

    @Test
    void aSubscriptionThatIsConfirmedInTheHoldIsCarriedToo() throws IOException {
        Wire client = client();
        client.call("SUBSCRIBE", "before");
        client.call("SUBSCRIBE", "left");
        source.suspend();
        client.send("SUBSCRIBE", "late");
        client.send("UNSUBSCRIBE", "left");
        assertThat(client.silent(Duration.ofMillis(100))).isTrue();
        drainAfter(source::resume);
        flip();
        assertThat(client.read()).isEqualTo("[subscribe, late, :3]");
        assertThat(client.read()).isEqualTo("[unsubscribe, left, :2]");
        await().until(() -> atTarget.publish("before", "1") == 1);
        assertThat(atTarget.publish("late", "2")).isEqualTo(1);
        assertThat(atTarget.publish("left", "3")).isZero();
        assertThat(client.read()).isEqualTo("[message, before, 1]");
        assertThat(client.read()).isEqualTo("[message, late, 2]");
    }

    @Test
    void whoSubscribesInTheHoldListensOnTheSideThatOpens() throws IOException {
        for (boolean committed : new boolean[] {false, true}) {
            hold();
            Wire client = client();
            Wire tracking = client();
            client.send("SUBSCRIBE", "c");
            client.send("PSUBSCRIBE", "p*");
            client.send("SSUBSCRIBE", "s");
            tracking.send("HELLO", "3");
            tracking.send("CLIENT", "TRACKING", "ON");
            tracking.send("GET", "t");
            assertThat(client.silent(Duration.ofMillis(50))).isTrue();
            if (committed) {
                flip();
            } else {
                abort();
            }
            assertThat(client.read()).isEqualTo("[subscribe, c, :1]");
            assertThat(client.read()).isEqualTo("[psubscribe, p*, :2]");
            assertThat(client.read()).isEqualTo("[ssubscribe, s, :1]");
            assertThat(tracking.read()).contains("proto, :3");
            assertThat(tracking.read()).isEqualTo("+OK");
            assertThat(tracking.read()).isEqualTo("(nil)");
            Wire other = client();
            assertThat(other.call("PUBLISH", "c", "1")).isEqualTo(":1");
            other.call("SET", "t", "1");
            other.call("DEL", "t");
            assertThat(client.read()).isEqualTo("[message, c, 1]");
            assertThat(tracking.read()).isEqualTo(">[invalidate, [t]]");
            client.close();
            tracking.close();
            await().until(() -> atSource.publish("c", "nobody") == 0);
        }
    }

    /** The server did it, and the answer was lost with its connection. */
    @Test
    void aCommandTakenBackWithoutAWordIsSentAgain() throws IOException {
        AtomicReference<ScriptedRedis.@Nullable Connection> blocked = new AtomicReference<>();
        try (ScriptedRedis server = new ScriptedRedis((request, connection) -> {
                    switch (request.getFirst()) {
                        case "BLPOP" -> blocked.set(connection);
                        case "CLIENT" -> {
                            requireNonNull(blocked.get()).write("*-1\r\n");
                            connection.close();
                        }
                        default -> {
                            return "+OK\r\n";
                        }
                    }
                    return "";
                });
                Moving moving = moving(server.port());
                Wire pop = new Wire(moving.port())) {
            pop.send("BLPOP", "q", "0");
            await().until(() -> blocked.get() != null);
            hold();
            await("nobody else may be unblocked in its place").until(() -> requireNonNull(blocked.get()).ended);
            flip();
            assertThat(pop.silent(Duration.ofMillis(100))).isTrue();
            atTarget.rpush("q", "x");
            assertThat(pop.read()).isEqualTo("[q, x]");
        }
    }

    @Test
    void aRequestHalfReadGoesToTheSideThatOpens() throws IOException {
        byte[] small = Wire.encode("SET", "small", "some value");
        Wire half = client();
        half.raw(Arrays.copyOf(small, 20));
        hold();
        half.raw(Arrays.copyOfRange(small, 20, small.length));
        Wire large = client();
        large.send("SET", "large", "x".repeat(3_000_000));
        assertThat(half.silent(Duration.ofMillis(100))).isTrue();
        flip();
        assertThat(half.read()).isEqualTo("+OK");
        assertThat(large.read()).isEqualTo("+OK");
        assertThat(atTarget.get("small")).isEqualTo("some value");
        assertThat(atTarget.strlen("large")).isEqualTo(3_000_000);
        assertThat(atSource.dbSize()).isZero();
    }

    @Test
    void aLargeRequestHalfSentIsFinishedWhereItBegan() throws IOException {
        byte[] bytes = Wire.encode("SET", "large", "x".repeat(3_000_000));
        Wire client = client();
        client.raw(Arrays.copyOf(bytes, 2_000_000));
        await("it is being sent")
                .until(() -> atSource.clientList().contains("multi-mem=0")
                        && atSource.clientList()
                                .lines()
                                .anyMatch(l -> l.contains("name=eden:p1") && !l.contains(" qbuf=0 ")));
        drainAfter(() -> {
            assertThat(store.acknowledged(attempt, Step.DRAINED)).isFalse();
            client.raw(Arrays.copyOfRange(bytes, 2_000_000, bytes.length));
        });
        assertThat(client.read()).isEqualTo("+OK");
        assertThat(atSource.strlen("large")).isEqualTo(3_000_000);
        flip();
        assertThat(client.call("EXISTS", "large")).isEqualTo(":0");
    }

    @Test
    void whatWaitsInATransactionDoesNotWait() throws IOException {
        Wire client = client();
        client.call("MULTI");
        for (List<String> one : List.of(
                List.of("BLPOP", "q", "0"),
                List.of("XREAD", "BLOCK", "0", "STREAMS", "s", "$"),
                List.of("WAIT", "5", "0"))) {
            assertThat(client.call(one.toArray(String[]::new))).isEqualTo("+QUEUED");
        }
        hold();
        abort();
        hold();
        flip();
        hold();
        flip();
        assertThat(client.call("EXEC")).isEqualTo("[(nil), (nil), :0]");
        client.send("WAIT", "5", "0");
        client.send("PING");
        assertThat(client.silent(Duration.ofMillis(50))).isTrue();
        hold();
        assertThat(client.read()).isEqualTo(":0");
        abort();
        assertThat(client.read()).isEqualTo("+PONG");
    }

    @Test
    void whatAClientSaidOfItselfStays() throws IOException {
        Wire client = client();
        client.call("CLIENT", "SETNAME", "me");
        String id = client.call("CLIENT", "ID");
        client.send("CLIENT", "REPLY", "OFF");
        client.send("SET", "a", "1");
        await().until(() -> atSource.exists("a"));
        hold();
        client.send("SET", "a", "2");
        flip();
        await().until(() -> "2".equals(atTarget.get("a")));
        assertThat(client.call("CLIENT", "REPLY", "ON")).isEqualTo("+OK");
        assertThat(client.call("CLIENT", "GETNAME")).isEqualTo("me");
        assertThat(client.call("CLIENT", "ID")).isEqualTo(id);
        client.call("SELECT", "3");
        client.call("MULTI");
        hold();
        client.send("RESET");
        client.send("SET", "a", "3");
        flip();
        assertThat(client.read()).isEqualTo("+RESET");
        assertThat(client.read()).isEqualTo("+OK");
        assertThat(atSource.get("a")).isEqualTo("3");
    }

    @Test
    void aClientThatTakesNoRepliesDoesNotStopAnAttempt() throws IOException {
        atSource.configResetStat();
        atSource.set("big", "x".repeat(1_000_000));
        try (Wire stuck = client()) {
            for (int i = 0; i < 40; i++) {
                stuck.send("GET", "big");
            }
            await().until(() -> atSource.info("commandstats").contains("cmdstat_get:calls=40"));
            hold();
            flip();
            for (int i = 0; i < 40; i++) {
                assertThat(stuck.read()).hasSize(1_000_000);
            }
            assertThat(stuck.call("EXISTS", "big")).isEqualTo(":0");
        }
    }

    // ---- attempts

    private interface Action {
        void run() throws IOException;
    }

    /** Shuts the gate while something is under way that {@code ends} lets go on. */
    private void drainAfter(Action ends) throws IOException {
        arm();
        store.state(RouteState.PREPARED, attempt, 30_000);
        await().until(() -> proxy.health().state() == RouteState.PREPARED);
        ends.run();
        await().until(() -> store.acknowledged(attempt, Step.DRAINED));
    }

    /** Another proxy, whose route leaves {@code former} for the target; attempts drive it until it is closed. */
    private Moving moving(int former) {
        return new Moving(former);
    }

    private final class Moving implements AutoCloseable {
        private final MemoryRouteStore before = store;
        private final RedisProxy other;

        Moving(int former) {
            store = new MemoryRouteStore(MemoryRouteStore.route(
                    MemoryRouteStore.backend("former", former), MemoryRouteStore.backend("target", target.port())));
            other = RedisProxy.start(config("p9"), store, new SimpleMeterRegistry());
        }

        int port() {
            return other.port();
        }

        @Override
        public void close() {
            other.close();
            store = before;
        }
    }
}
