package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.eden.proxy.RouteStore.Step;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** One side owns the writes, whatever becomes of the store, of the proxy or of an operator's word: who is not sure holds. */
class RedisOwnerIT extends RedisFixture {
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
}
