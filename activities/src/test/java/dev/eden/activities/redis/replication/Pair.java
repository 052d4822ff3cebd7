package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ServerRecords;
import dev.eden.embedded.EmbeddedRedis;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Two real servers, the store's ports in memory, and replicators between them. */
final class Pair implements AutoCloseable {
    static final String MIGRATION = "m1";
    static final Duration TIMEOUT = Duration.ofSeconds(10);

    final EmbeddedRedis source;
    final EmbeddedRedis target;
    final Records records = new Records();
    final Ledger ledger = new Ledger();
    final ReplicatorRegistry registry = new ReplicatorRegistry();

    Pair(EmbeddedRedis.Options options) {
        source = EmbeddedRedis.start(options);
        target = EmbeddedRedis.start(options);
        for (String id : new String[] {"blue", "green"}) {
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
        return switch (id) {
            case "blue" -> new Endpoint(id, "redis", source.host(), source.port(), false, null);
            case "green" -> new Endpoint(id, "redis", target.host(), target.port(), false, null);
            default -> throw new NoSuchElementException(id);
        };
    }

    /** As the server's default user. */
    RespConnection connect(String id) {
        return RespConnection.connect(endpoint(id), "test", TIMEOUT);
    }

    ReplicationConfig config(ReplicationConfig.Existing existing) {
        return ReplicationConfig.of(MIGRATION, "blue", "green", existing);
    }

    Running replicate() {
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
        source.close();
        target.close();
    }

    /** A replicator on its own thread. */
    static final class Running implements AutoCloseable {
        final RedisReplicator replicator;
        final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        private final Thread thread;

        Running(RedisReplicator replicator) {
            this.replicator = replicator;
            this.thread = Thread.ofPlatform().start(() -> {
                try {
                    replicator.run(progress -> {});
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

    static final class Records implements ServerRecords {
        private final Map<String, String> values = new ConcurrentHashMap<>();

        @Override
        public Backend.Login login(String migration, String endpoint, String name, String user) {
            return new Backend.Login(
                    user,
                    new Secret(putIfAbsent(
                            migration, endpoint, name, UUID.randomUUID().toString())));
        }

        @Override
        public String putIfAbsent(String migration, String endpoint, String name, String value) {
            String former = values.putIfAbsent(migration + "/" + endpoint + "/" + name, value);
            return former == null ? value : former;
        }

        @Override
        public void put(String migration, String endpoint, String name, String value) {
            values.put(migration + "/" + endpoint + "/" + name, value);
        }

        @Override
        public Optional<String> get(String migration, String endpoint, String name) {
            return Optional.ofNullable(values.get(migration + "/" + endpoint + "/" + name));
        }

        @Override
        public void remove(String migration, String endpoint, String name) {
            values.remove(migration + "/" + endpoint + "/" + name);
        }

        @Override
        public void removeAll(String migration) {
            values.clear();
        }
    }

    static final class Ledger implements ReplicationLedger {
        private Direction direction = new Direction("blue", "green", 1, 0, null, 0, false, false);
        private @Nullable Progress progress;
        int restarts;

        @Override
        public synchronized Direction current(String migration) {
            return direction;
        }

        synchronized void attempt(boolean running) {
            Direction d = direction;
            direction = new Direction(
                    d.from(), d.to(), d.epoch(), d.generation(), d.startReplid(), d.startOffset(), d.loaded(), running);
        }

        /** What a commit does; STABLE comes with {@link #attempt}. */
        synchronized void flip(String replid, long offset) {
            Direction d = direction;
            direction = new Direction(d.to(), d.from(), d.epoch() + 1, d.generation(), replid, offset, true, true);
        }

        @Override
        public synchronized OptionalLong nextGeneration(String migration, long epoch) {
            Direction d = direction;
            if (d.attemptRunning() || d.epoch() != epoch) {
                return OptionalLong.empty();
            }
            direction = new Direction(
                    d.from(),
                    d.to(),
                    d.epoch(),
                    d.generation() + 1,
                    d.startReplid(),
                    d.startOffset(),
                    d.loaded(),
                    false);
            return OptionalLong.of(d.generation() + 1);
        }

        @Override
        public synchronized void loaded(String migration, long epoch, long generation, String replid, long offset) {
            Direction d = direction;
            direction = new Direction(
                    d.from(), d.to(), d.epoch(), d.generation(), replid, offset, true, d.attemptRunning());
        }

        @Override
        public synchronized void restartLoad(String migration, long epoch, long generation) {
            Direction d = direction;
            restarts++;
            direction = new Direction(d.from(), d.to(), d.epoch(), d.generation(), null, 0, false, d.attemptRunning());
        }

        @Override
        public synchronized void progress(String migration, Progress reported) {
            progress = reported;
        }

        @Override
        public synchronized Optional<Progress> progress(String migration) {
            return Optional.ofNullable(progress);
        }

        synchronized String state() {
            Progress now = progress;
            return now == null ? "" : now.state();
        }
    }
}
