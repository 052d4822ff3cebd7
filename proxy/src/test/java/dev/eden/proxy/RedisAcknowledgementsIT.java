package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Replies that wait for the standby; the test plays the applier. */
class RedisAcknowledgementsIT extends RedisFixture {
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
    void noReplyOvertakesOneThatIsKept() throws IOException {
        replica();
        store.canary(CanaryPolicy.NONE, true, "applied");
        Wire client = client();
        await().until(() -> {
            client.send("SET", "both", "1");
            if (client.silent(Duration.ofMillis(300))) {
                return true;
            }
            client.read();
            return false;
        });
        assertThat(next(client)).isEqualTo("+OK");
        client.send("EVAL", "return redis.call('SET', 'n', 1)", "0");
        client.send("MULTI");
        client.send("INCR", "n");
        client.send("SELECT", "3");
        client.send("NOSUCH");
        client.send("EXEC");
        assertThat(client.silent(Duration.ofMillis(300))).isTrue();
        assertThat(next(client)).isEqualTo("+OK");
        assertThat(next(client)).isEqualTo("+OK");
        assertThat(next(client)).isEqualTo("+QUEUED");
        assertThat(next(client)).isEqualTo("+QUEUED");
        assertThat(next(client)).startsWith("-ERR unknown");
        assertThat(next(client)).startsWith("-EXECABORT");
        client.send("GET", "n");
        assertThat(next(client)).isEqualTo("1");
        // Too large to be collected: kept all the same.
        client.send("SET", "large", "x".repeat(2 << 20));
        await().until(() -> atSource.exists("large"));
        assertThat(client.silent(Duration.ofMillis(300))).isTrue();
        assertThat(next(client)).isEqualTo("+OK");
    }

    /** What comes when the standby has it. */
    private String next(Wire client) throws IOException {
        await().until(() -> {
            applied();
            return client.ready();
        });
        return client.read();
    }

    @Test
    void aStandbyThatDoesNotComeOnStopsNobodyForLong() throws IOException {
        replica();
        store.canary(CanaryPolicy.NONE, true, "applied");
        MeterRegistry registry = new SimpleMeterRegistry();
        try (RedisProxy one = RedisProxy.start(oneConnection("p7"), store, registry);
                Wire client = new Wire(one.port());
                Wire other = new Wire(one.port())) {
            client.send("SET", "n", "1");
            client.send("INCR", "n");
            client.send("GET", "n");
            assertThat(client.silent(Duration.ofMillis(300))).isTrue();
            assertThat(client.read()).isEqualTo("+OK");
            assertThat(client.read()).isEqualTo(":2");
            assertThat(client.read()).isEqualTo("2");
            other.send("INCR", "n");
            assertThat(other.silent(Duration.ofSeconds(1)))
                    .as("the loop has waited once")
                    .isFalse();
            assertThat(other.read()).isEqualTo(":3");
            await().until(() -> acknowledgedAlone(registry) == 4);
            // As soon as the standby is there again, replies wait for it.
            sendAWriteThatWaits(client);
            assertThat(next(client)).startsWith(":");
        }
    }

    private static double acknowledgedAlone(MeterRegistry registry) {
        var counter = registry.find("eden_proxy_events_total")
                .tag("event", "acknowledged_alone")
                .functionCounter();
        return counter == null ? 0 : counter.count();
    }

    @Test
    void whatIsKeptForAClientThatSendsOnIsBounded() throws IOException {
        replica();
        store.canary(CanaryPolicy.NONE, true, "applied");
        atSource.set("big", "x".repeat(1_000_000));
        try (RedisProxy one = RedisProxy.start(oneConnection("p8"), store, new SimpleMeterRegistry());
                Wire client = new Wire(one.port())) {
            client.raw(times(3000, "INCR", "n"));
            await().until(() -> atSource.exists("n") && Integer.parseInt(atSource.get("n")) >= 1024);
            assertThat(client.silent(Duration.ofMillis(200))).isTrue();
            assertThat(atSource.get("n")).isEqualTo("1024");
            for (int i = 1; i <= 3000; i++) {
                assertThat(client.read()).isEqualTo(":" + i);
            }
            // More bytes than are kept for one client: its server waits meanwhile.
            sendAWriteThatWaits(client);
            client.raw(times(150, "GET", "big"));
            assertThat(client.read()).startsWith(":");
            for (int i = 0; i < 150; i++) {
                assertThat(client.read()).hasSize(1_000_000);
            }
        }
    }

    /** One that the standby has not, once it has been there. */
    private void sendAWriteThatWaits(Wire client) {
        await().until(() -> {
            applied();
            client.send("INCR", "n");
            if (client.silent(Duration.ofMillis(300))) {
                return true;
            }
            client.read();
            return false;
        });
    }

    private static byte[] times(int count, String... command) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            all.writeBytes(Wire.encode(command));
        }
        return all.toByteArray();
    }
}
