package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.Backend;
import dev.eden.proxy.MemoryRouteStore;
import dev.eden.proxy.Secret;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Servers that let a proxy in and say nothing from then on, as behind a network that is cut. */
class SilentServersTest {
    private static final Backend SOURCE = backend("source");
    private static final Backend TARGET = backend("target");

    private final EmbeddedChannel home = new EmbeddedChannel();
    private final Cancels cancels = new Cancels("p1");
    private final PeerCancels peers =
            new PeerCancels(new MemoryRouteStore(MemoryRouteStore.route(null, null)), "test", cancels);
    private final PostgresLoop loop = SingleLoop.of(Set.of(), cancels, peers, home.eventLoop(), FakeServer.class, 2);
    private final List<String> told = new ArrayList<>();

    private static Backend backend(String name) {
        return new Backend(name, "127.0.0.1", 1, false, null, new Backend.Login("eden", new Secret("eden")), "eden");
    }

    @AfterEach
    void close() {
        loop.allPools().forEach(ServerPool::close);
        home.runPendingTasks();
        FakeServer.closeAll();
        peers.close();
        home.finishAndReleaseAll();
    }

    @Test
    void theDrainWaitsForTheActiveSideOnly() {
        loop.gate.install(MemoryRouteStore.route(SOURCE, TARGET));
        ask(clients(TARGET));
        assertThat(drains()).as("the standby is asked something").isTrue();
        loop.gate.install(MemoryRouteStore.route(SOURCE, TARGET));
        ask(clients(SOURCE));
        assertThat(drains()).as("the active side is asked something").isFalse();
        answerAll();
        assertThat(drains()).isTrue();
    }

    @Test
    void whoDoesNotAnswerTheCleaningIsLost() {
        loop.gate.install(MemoryRouteStore.route(SOURCE, TARGET));
        ServerPool pool = clients(SOURCE);
        ask(pool);
        answerAll();
        loop.gate.install(MemoryRouteStore.route(TARGET, SOURCE));
        pool.tidy();
        loop.schedule();
        home.runPendingTasks();
        pool.each(connection -> assertThat(connection.busy()).isTrue());
        after(4);
        assertThat(pool.open()).isEqualTo(1);
        after(1);
        assertThat(pool.open()).isZero();
    }

    @Test
    void whoDoesNotSayTheLastWordsIsLost() {
        loop.gate.install(MemoryRouteStore.route(SOURCE, TARGET));
        ServerPool pool = clients(SOURCE);
        ask(pool);
        answerAll();
        pool.each(ServerConnection::hearOut);
        after(4);
        assertThat(pool.open()).isEqualTo(1);
        after(1);
        assertThat(pool.open()).isZero();
    }

    /** All logins of a loop ask by one connection. */
    @Test
    void whoDoesNotAnswerALookupIsLostAndTheNextAsksAnew() {
        loop.gate.install(MemoryRouteStore.route(SOURCE, TARGET));
        ServerPool pool = loop.edenPool(SOURCE, new Backend.Login("eden", new Secret("eden")));
        ask(pool);
        after(9);
        assertThat(told).isEmpty();
        after(1);
        assertThat(told).containsExactly("08006");
        ask(pool);
        answerAll();
        assertThat(told).containsExactly("08006", "");
        after(10);
        assertThat(pool.open()).as("who has answered stays").isEqualTo(1);
    }

    private ServerPool clients(Backend server) {
        return loop.pool(new PoolKey(ServerAddress.of(server), "eden", "app", Map.of()));
    }

    /** It is let in, and then has asked. */
    private void ask(ServerPool pool) {
        pool.exchange("SELECT 1", outcome -> {
            ErrorMessage error = outcome.error();
            told.add(error == null ? "" : error.sqlState());
        });
        loop.schedule();
        home.runPendingTasks();
        FakeServer.answerAll();
        home.runPendingTasks();
        int[] busy = new int[1];
        pool.each(connection -> busy[0] += connection.busy() ? 1 : 0);
        assertThat(busy[0]).isEqualTo(1);
    }

    private boolean drains() {
        CompletableFuture<Gate.Drained> drained = loop.gate.hold();
        home.runPendingTasks();
        return drained.isDone();
    }

    private void answerAll() {
        do {
            home.runPendingTasks();
        } while (FakeServer.answerAll());
    }

    private void after(int seconds) {
        home.advanceTimeBy(seconds, TimeUnit.SECONDS);
        home.runScheduledPendingTasks();
        home.runPendingTasks();
    }
}
