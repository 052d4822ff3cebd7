package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.redis.preparation.InMemoryServerRecords;
import dev.eden.activities.redis.preparation.RedisServers;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ReplicationWatcher;
import dev.eden.embedded.EmbeddedRedis;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Two real servers, the store's ports in memory, and replicators between them. */
public final class Pair implements AutoCloseable {
    static final String MIGRATION = RedisServers.MIGRATION;
    static final Duration TIMEOUT = Duration.ofSeconds(10);

    public final RedisServers servers;
    public final InMemoryServerRecords records = new InMemoryServerRecords();
    public final InMemoryReplicationLedger ledger = new InMemoryReplicationLedger();
    public final ReplicatorRegistry registry = new ReplicatorRegistry();
    final EmbeddedRedis source;
    final EmbeddedRedis target;

    /** Servers that are not prepared yet. */
    public Pair(RedisServers servers) {
        this.servers = servers;
        this.source = servers.source;
        this.target = servers.target;
    }

    Pair(EmbeddedRedis.Options options) {
        this(options, options);
    }

    Pair(EmbeddedRedis.Options source, EmbeddedRedis.Options target) {
        this(RedisServers.of(EmbeddedRedis.start(source), EmbeddedRedis.start(target)));
        for (String id : new String[] {"source", "target"}) {
            try (RespConnection admin = connect(id)) {
                EdenUsers.create(admin, MIGRATION, endpoint(id), records);
            }
        }
    }

    static Pair start() {
        return new Pair(
                EmbeddedRedis.Options.defaults().withConfig("repl-backlog-size 64mb", "repl-diskless-sync-delay 0"));
    }

    Endpoint endpoint(String id) {
        return servers.endpoint(id);
    }

    /** As the server's default user. */
    RespConnection connect(String id) {
        return servers.connect(id);
    }

    ReplicationConfig config(ReplicationConfig.Existing existing) {
        return ReplicationConfig.of(MIGRATION, "source", "target", existing);
    }

    public Running replicate() {
        return replicate(config(ReplicationConfig.Existing.REPLACE));
    }

    Running replicate(ReplicationConfig config) {
        return replicate(config, this::endpoint);
    }

    Running replicate(ReplicationConfig config, EndpointDirectory directory) {
        return new Running(new RedisReplicator(config, directory, records, ledger, registry, Clock.systemUTC()));
    }

    /** The endpoint as reached through a relay. */
    Endpoint through(CuttingRelay relay, String id) {
        return new Endpoint(id, "redis", "127.0.0.1", relay.port(), false, null);
    }

    @Override
    public void close() {
        servers.close();
    }

    /** A replicator on its own thread. */
    public static final class Running implements AutoCloseable {
        public final RedisReplicator replicator;
        final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        final List<String> loadsAgain = new CopyOnWriteArrayList<>();
        private final Thread thread;

        Running(RedisReplicator replicator) {
            this.replicator = replicator;
            this.thread = Thread.ofPlatform().start(() -> {
                try {
                    replicator.run(new ReplicationWatcher() {
                        @Override
                        public void beat(ReplicationLedger.Progress progress) {}

                        @Override
                        public void loadsAgain(String why) {
                            loadsAgain.add(why);
                        }
                    });
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
        }

        boolean ended() {
            return !thread.isAlive();
        }

        @Override
        public void close() {
            replicator.close();
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
