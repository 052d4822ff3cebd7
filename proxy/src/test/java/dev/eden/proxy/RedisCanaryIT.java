package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** Reads that the standby may serve; the test plays the applier. */
class RedisCanaryIT extends RedisFixture {
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

    /** Also for a connection that has read nothing from the source since: what the standby had then it has no more. */
    @Test
    void aStandbyThatIsLoadedAgainServesNothing() throws IOException {
        replica();
        atSource.set("r1", "source");
        store.canary(new CanaryPolicy(1.0, CanaryPolicy.Consistency.SESSION, Duration.ofMillis(5)), false, "applied");
        Wire client = client();
        for (Runnable emptied : List.<Runnable>of(
                () -> atTarget.hset("applied", Map.of("replid", "", "offset", "0")),
                () -> atTarget.hset("applied", "offset", "0"),
                atTarget::flushAll)) {
            atTarget.set("r1", "target");
            applied();
            await().until(() -> {
                applied();
                return client.call("GET", "r1").equals("target");
            });
            emptied.run();
            atTarget.del("r1");
            await().until(() -> client.call("GET", "r1").equals("source"));
        }
    }

    /** It could be emptied meanwhile: who does that waits until nobody reads by what was seen before. */
    @Test
    void aStandbyThatHasNotBeenHeardOfForLongServesNothing() throws IOException {
        replica();
        atSource.set("r1", "source");
        atTarget.set("r1", "target");
        store.canary(new CanaryPolicy(1.0, CanaryPolicy.Consistency.SESSION, Duration.ofMillis(5)), false, "applied");
        Wire client = client();
        await().until(() -> {
            applied();
            return client.call("GET", "r1").equals("target");
        });
        target.suspend();
        try {
            assertThat(client.silent(Duration.ofMillis(1500))).isTrue();
            assertThat(client.call("GET", "r1")).isEqualTo("source");
        } finally {
            target.resume();
        }
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
    void whoNeverLoggedInReadsOnTheStandbyOnlyWhatTheActiveServerWouldShow() throws IOException {
        acl(atSource, "SETUSER", "eden-proxy", "on", ">pw", "~*", "&*", "+@all");
        acl(atTarget, "SETUSER", "eden-proxy", "on", ">pw", "~*", "&*", "+@all");
        replica();
        atTarget.set("r1", "target");
        atSource.set("r1", "source");
        try {
            active(true);
            store.canary(
                    new CanaryPolicy(1.0, CanaryPolicy.Consistency.SESSION, Duration.ofMillis(5)), false, "applied");
            Wire open = client();
            await().until(() -> {
                applied();
                return open.call("GET", "r1").equals("target");
            });
            active(false);
            // The route may come into force a moment later.
            await().until(() -> {
                applied();
                return open.call("GET", "r1").equals("source");
            });
            acl(atSource, "SETUSER", "default", "resetkeys", "~other:*");
            refused(open, "-NOPERM");
            acl(atSource, "SETUSER", "default", "resetkeys", "~*", "resetpass", ">pw");
            // What the route says of it may be older than the password.
            active(true);
            try (RedisProxy other = RedisProxy.start(config("p6"), store, new SimpleMeterRegistry())) {
                refused(connect(other.port()), "-NOAUTH");
            }
        } finally {
            acl(atSource, "SETUSER", "default", "resetkeys", "~*", "nopass");
            acl(atSource, "DELUSER", "eden-proxy");
            acl(atTarget, "DELUSER", "eden-proxy");
        }
    }

    /** What Eden's user may not do there is no error of the standby's: a gate would undo the migration for it. */
    @Test
    void whatEdensUserMayNotReadIsNeverAskedOfTheStandby() throws IOException {
        String[] rules = {"on", ">pw", "~*", "&*", "+@read", "-@dangerous", "-pfcount", "+info", "+ping", "+hello"};
        for (Jedis server : List.of(atSource, atTarget)) {
            acl(
                    server,
                    Stream.concat(Stream.of("SETUSER", "eden-proxy"), Stream.of(rules))
                            .toArray(String[]::new));
        }
        replica();
        atTarget.set("r1", "target");
        atSource.set("r1", "source");
        atSource.pfadd("visitors", "ada");
        atSource.rpush("list", "2", "1");
        try {
            active(true);
            store.canary(
                    new CanaryPolicy(1.0, CanaryPolicy.Consistency.SESSION, Duration.ofMillis(5)), false, "applied");
            Wire client = client();
            readsOn("target", client);
            store.reports.clear();
            for (int i = 0; i < 20; i++) {
                applied();
                assertThat(client.call("PFCOUNT", "visitors")).isEqualTo(":1");
                assertThat(client.call("SORT_RO", "list")).isEqualTo("[1, 2]");
                assertThat(client.call("EVAL_RO", "return redis.call('GET', KEYS[1])", "1", "r1"))
                        .isEqualTo("source");
            }
            readsOn("target", client);
            await().until(() -> store.reports.size() > 2);
            assertThat(store.reports)
                    .allSatisfy(report -> assertThat(report.standby().errors()).isZero());
        } finally {
            acl(atSource, "DELUSER", "eden-proxy");
            acl(atTarget, "DELUSER", "eden-proxy");
        }
    }

    /** An operator takes rights away while the canary runs: the route stays as it is. */
    @Test
    void whatIsKeptFromAClientSinceIsNotReadOnTheStandby() throws IOException {
        for (String user : List.of("eden-proxy", "müller")) {
            acl(atSource, "SETUSER", user, "on", ">pw", "~*", "&*", "+@all");
            acl(atTarget, "SETUSER", user, "on", ">pw", "~*", "&*", "+@all");
        }
        replica();
        atTarget.set("r1", "target");
        atSource.set("r1", "source");
        CanaryPolicy all = new CanaryPolicy(1.0, CanaryPolicy.Consistency.SESSION, Duration.ofMillis(5));
        try {
            active(true);
            store.canary(all, false, "applied");
            Wire stranger = client();
            readsOn("target", stranger);
            active(false, null, 0);
            readsOn("source", stranger);
            active(true, new Backend.Login("müller", new Secret("pw")), 1);
            Wire named = client();
            assertThat(named.call("AUTH", "müller", "pw")).isEqualTo("+OK");
            readsOn("target", named);
            readsOn("target", client());
            active(false, new Backend.Login("müller", new Secret("pw")), 0);
            readsOn("source", named);
            readsOn("source", client());
        } finally {
            for (String user : List.of("eden-proxy", "müller")) {
                acl(atSource, "DELUSER", user);
                acl(atTarget, "DELUSER", user);
            }
        }
    }

    private void readsOn(String side, Wire client) throws IOException {
        await().until(() -> {
            applied();
            return client.call("GET", "r1").equals(side);
        });
        if (side.equals("source")) {
            for (int i = 0; i < 20; i++) {
                applied();
                assertThat(client.call("GET", "r1")).isEqualTo(side);
            }
        }
    }

    private void refused(Wire client, String how) throws IOException {
        for (int i = 0; i < 100; i++) {
            applied();
            assertThat(client.call("GET", "r1")).startsWith(how);
            assertThat(client.silent(Duration.ofMillis(5))).isTrue();
        }
    }

    private void active(boolean openToAll) {
        active(openToAll, null, 1);
    }

    private void active(boolean openToAll, Backend.@Nullable Login login, int versions) {
        Backend.Login eden = new Backend.Login("eden-proxy", new Secret("pw"));
        store.change(r -> new Route(
                r.interlay(),
                r.version() + versions,
                r.epoch(),
                r.state(),
                r.attempt(),
                r.deadlineMillis(),
                new Backend("source", "127.0.0.1", source.port(), false, login, eden, null, openToAll),
                new Backend("target", "127.0.0.1", target.port(), false, login, eden, null, openToAll),
                r.activeTag(),
                r.appliedKey(),
                r.canary(),
                r.ackBoth()));
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
}
