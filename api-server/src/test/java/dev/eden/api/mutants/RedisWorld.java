package dev.eden.api.mutants;

import dev.eden.activities.cutover.RedisCutover;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.redis.replication.RedisReplicator;
import dev.eden.activities.redis.replication.ReplicationConfig;
import dev.eden.activities.redis.replication.ReplicatorRegistry;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.api.route.StoreChanges;
import dev.eden.api.store.Database;
import dev.eden.demo.check.Checker;
import dev.eden.demo.check.FinalState;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.history.History;
import dev.eden.demo.load.FinalReader;
import dev.eden.demo.load.Keyspace;
import dev.eden.demo.load.LoadGenerator;
import dev.eden.demo.load.LoadOptions;
import dev.eden.demo.load.Preload;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.ProxyIdentity;
import dev.eden.proxy.RedisProxy;
import dev.eden.proxy.RedisProxyConfig;
import dev.eden.workflows.MigrationSpec;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;

/** {@link World} of a Redis: both servers are behind {@linkplain Link links}, before them two proxies or some side-cars. */
final class RedisWorld extends World<RedisWorld> {
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final long EXPIRY_TOLERANCE_MICROS = 500_000;
    private static final int KEYS = 2_000;

    static final class Ports extends World.Ports<RedisWorld> {
        /** Clients that go to the source itself, past Eden, for every four that do not. */
        int strangers;

        /** Two of a server's size, or as many side-cars as this. */
        int sidecars;

        Ports() {
            super(16, 500);
        }
    }

    final EmbeddedRedis source;
    final EmbeddedRedis target;
    final Link applierToTarget;
    final Link proxiesToSource;
    final Link proxiesToTarget;
    private final Ports ports;
    final EndpointDirectory direct;
    private final EndpointDirectory forProxies;
    private final List<RedisProxy> proxies = new ArrayList<>();
    private final Keyspace keyspace = new Keyspace(KEYS);
    private final History history = new History();

    RedisWorld(Database database, StoreChanges changes, Ports ports) {
        super(database, changes, "redis", new MigrationSpec.Data("scan", "auto", "replace"), ports);
        this.ports = ports;
        source = part(EmbeddedRedis.start());
        target = part(EmbeddedRedis.start());
        applierToTarget = part(new Link(target.host(), target.port()));
        proxiesToSource = part(new Link(source.host(), source.port()));
        proxiesToTarget = part(new Link(target.host(), target.port()));
        direct = endpoints(source.port(), target.port());
        try (Jedis jedis = new Jedis(source.host(), source.port())) {
            new Preload(keyspace, 7).fill(jedis, history, 2_000);
        }
        new RedisPreparation(direct, records, routes::read).prepare(spec);
        routes.attach(MIGRATION, "source", "target", List.of("front"));
        forProxies = endpoints(proxiesToSource.port(), proxiesToTarget.port());
        for (int i = 1; i <= Math.max(2, ports.sidecars); i++) {
            proxies.add(part(proxy("p" + i, 0)));
        }
        RedisReplicator replicator = new RedisReplicator(
                ReplicationConfig.of(MIGRATION, "source", "target", ReplicationConfig.Existing.REPLACE),
                endpoints(source.port(), applierToTarget.port()),
                records,
                replicatorLedger(),
                new ReplicatorRegistry(),
                Clock.systemUTC());
        replicate(() -> replicator.run(_ -> {}), replicator);
        coordinate(new RedisCutover(direct, records));
        work(LoadGenerator.start(addresses(), keyspace, new LoadOptions(ports.clients, ports.rate, 7), history));
        awaitReady(true);
    }

    /** Starts one more proxy of the front; port 0: a free one. */
    RedisProxy proxy(String name, int port) {
        RedisProxyConfig config = RedisProxyConfig.of(
                new ProxyIdentity(name, "1", "127.0.0.1:" + port, "test"),
                "front",
                new InetSocketAddress("127.0.0.1", port));
        if (ports.sidecars > 0) {
            config = new RedisProxyConfig(
                    config.identity(), config.interlay(), config.listen(), 1, 1, config.maxPinned(), config.limits());
        }
        return RedisProxy.start(config, proxyRoutes(forProxies), new SimpleMeterRegistry());
    }

    /** The proxies that were there from the start. */
    List<RedisProxy> proxies() {
        return List.copyOf(proxies);
    }

    private static EndpointDirectory endpoints(int sourcePort, int targetPort) {
        return id -> switch (id) {
            case "source" -> new Endpoint(id, "redis", "127.0.0.1", sourcePort, false, null);
            case "target" -> new Endpoint(id, "redis", "127.0.0.1", targetPort, false, null);
            default -> throw new NoSuchElementException(id);
        };
    }

    private List<HostAndPort> addresses() {
        List<HostAndPort> addresses = new ArrayList<>();
        for (int i = 0; i < Math.max(4, ports.sidecars); i++) {
            addresses.add(
                    new HostAndPort("127.0.0.1", proxies.get(i % proxies.size()).port()));
        }
        for (int i = 0; i < ports.strangers; i++) {
            addresses.add(new HostAndPort(source.host(), source.port()));
        }
        return addresses;
    }

    @Override
    boolean stranger(int client) {
        return ports.sidecars == 0 && client % (4 + ports.strangers) >= 4;
    }

    /** Of the applier that may write the target now. */
    long generation() {
        return replication.current(MIGRATION).generation();
    }

    /** With Eden's control user, straight to the server. */
    RespConnection control(String endpoint) {
        int port = endpoint.equals("source") ? source.port() : target.port();
        return RespConnection.connect(
                new Endpoint(endpoint, "redis", "127.0.0.1", port, false, null),
                records.login(MIGRATION, endpoint, EdenUsers.CONTROL_LOGIN, EdenUsers.control(MIGRATION)),
                "test",
                TIMEOUT);
    }

    @Override
    Verdict verdict(String owner) {
        FinalReader reader = new FinalReader(keyspace, history);
        List<FinalState> states = new ArrayList<>();
        EmbeddedRedis server = owner.equals("source") ? source : target;
        states.add(read(reader, owner, server.port()));
        for (RedisProxy proxy : proxies.subList(0, 2)) {
            states.add(read(reader, "a proxy", proxy.port()));
        }
        return new Checker(keyspace, EXPIRY_TOLERANCE_MICROS).check(history, states);
    }

    private static FinalState read(FinalReader reader, String place, int port) {
        try (Jedis jedis = new Jedis("127.0.0.1", port, 60_000)) {
            return reader.read(place, jedis);
        }
    }
}
