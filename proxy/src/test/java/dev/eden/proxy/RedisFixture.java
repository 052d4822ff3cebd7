package dev.eden.proxy;

import static org.awaitility.Awaitility.await;

import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.RouteStore.Step;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;
import redis.clients.jedis.Jedis;

/** Two real servers for the class alone, empty before each test; a proxy before them, a route driven by hand. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class RedisFixture {
    EmbeddedRedis source;
    EmbeddedRedis target;
    MemoryRouteStore store;
    RedisProxy proxy;
    Jedis atSource;
    Jedis atTarget;
    long attempt;
    private final List<Wire> clients = new ArrayList<>();

    @BeforeAll
    void servers() {
        source = EmbeddedRedis.start();
        target = EmbeddedRedis.start();
    }

    @AfterAll
    void stop() {
        source.close();
        target.close();
    }

    @BeforeEach
    void start() {
        attempt = 0;
        store = new MemoryRouteStore(MemoryRouteStore.route(
                MemoryRouteStore.backend("source", source.port()), MemoryRouteStore.backend("target", target.port())));
        proxy = RedisProxy.start(config("p1"), store, new SimpleMeterRegistry());
        atSource = new Jedis("127.0.0.1", source.port());
        atTarget = new Jedis("127.0.0.1", target.port());
        atSource.flushAll();
        atTarget.flushAll();
    }

    @AfterEach
    void end() throws IOException {
        for (Wire client : clients) {
            client.close();
        }
        clients.clear();
        proxy.close();
        atSource.close();
        atTarget.close();
    }

    static RedisProxyConfig config(String name) {
        return RedisProxyConfig.of(
                new ProxyIdentity(name, "1", "127.0.0.1", "test"), "test", new InetSocketAddress("127.0.0.1", 0));
    }

    /** One event loop, and one connection to each server for every login. */
    static RedisProxyConfig oneConnection(String name) {
        RedisProxyConfig usual = config(name);
        return new RedisProxyConfig(usual.identity(), usual.interlay(), usual.listen(), 1, 1, 10, usual.limits());
    }

    Wire client() throws IOException {
        return connect(proxy.port());
    }

    /** Closed after the test. */
    Wire connect(int port) throws IOException {
        Wire client = new Wire(port);
        clients.add(client);
        return client;
    }

    static void acl(Jedis server, String... arguments) {
        server.sendCommand(() -> "ACL".getBytes(), arguments);
    }

    // ---- attempts

    void arm() {
        attempt++;
        store.state(RouteState.ARMED, attempt, 0);
        await().until(() -> store.acknowledged(attempt, Step.ARMED));
    }

    void hold() {
        arm();
        store.state(RouteState.PREPARED, attempt, 30_000);
        await().until(() -> store.acknowledged(attempt, Step.DRAINED));
    }

    /** As a coordinator does it: subscribers listen before anybody opens. */
    void flip() {
        carry();
        open();
    }

    /** The authority has moved, subscribers listen over there, and nobody is let in yet. */
    void carry() {
        store.commit();
        if (drained().contains("\"listeners\"")) {
            await().until(() -> store.acknowledged(attempt, Step.CARRIED));
        }
    }

    /** What the proxy said when it had drained. */
    String drained() {
        return store.acknowledgements.stream()
                .filter(one -> one.attempt() == attempt && one.step() == Step.DRAINED)
                .map(MemoryRouteStore.Acknowledged::detail)
                .findFirst()
                .orElse("");
    }

    void abort() {
        store.state(RouteState.ABORTING, attempt, 0);
        open();
    }

    void open() {
        store.stable();
        await().until(() -> store.acknowledged(attempt, Step.OPENED));
    }

    // ---- replication

    /** Plays the applier: what the source has now is applied. */
    void applied() {
        String info = atSource.info("replication");
        atTarget.hset(
                "applied",
                Map.of("replid", field(info, "master_replid:"), "offset", field(info, "master_repl_offset:")));
    }

    static String field(String info, String name) {
        int at = info.indexOf(name) + name.length();
        return info.substring(at, info.indexOf('\r', at));
    }

    /** A replica link, so that the source counts its offset. */
    void replica() throws IOException {
        Wire replica = connect(source.port());
        replica.send("PSYNC", "?", "-1");
        await().until(() -> {
            // A log that nothing is written to stays at 0 until the server's next ping, ten seconds later.
            atSource.set("logged", "x");
            return !field(atSource.info("replication"), "master_repl_offset:").equals("0");
        });
    }
}
