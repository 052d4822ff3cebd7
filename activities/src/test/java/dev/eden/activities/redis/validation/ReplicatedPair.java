package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.preparation.InMemoryServerRecords;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.redis.preparation.RedisServers;
import dev.eden.activities.redis.replication.RedisReplicator;
import dev.eden.activities.redis.replication.ReplicationConfig;
import dev.eden.activities.redis.replication.ReplicatorRegistry;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.ValidationLedger;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** A prepared pair of servers with a replicator between them and Eden's store in memory. */
final class ReplicatedPair implements AutoCloseable {
    final RedisServers servers;
    final InMemoryServerRecords records = new InMemoryServerRecords();
    final ReplicatorRegistry registry = new ReplicatorRegistry();
    final Ledger ledger = new Ledger();
    final Reports reports = new Reports();
    private @Nullable RedisReplicator replicator;
    private @Nullable Thread thread;

    ReplicatedPair(String version) {
        servers = RedisServers.start(version);
    }

    /** Fence, load, stream; returns when the stream runs. */
    void replicate() {
        new RedisPreparation(servers, records, _ -> Optional.empty()).prepare(RedisServers.spec("replace"));
        RedisReplicator running = new RedisReplicator(
                ReplicationConfig.of(RedisServers.MIGRATION, "source", "target", ReplicationConfig.Existing.REPLACE),
                servers,
                records,
                ledger,
                registry,
                Clock.systemUTC());
        replicator = running;
        thread = Thread.ofPlatform().start(() -> running.run(progress -> {}));
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> ledger.state().equals("streaming"));
    }

    RedisValidation validation() {
        return validation(ValidationOptions.defaults());
    }

    RedisValidation validation(ValidationOptions options) {
        return new RedisValidation(
                servers, records, ledger, reports, ReplicatorPositions.of(registry), options, Clock.systemUTC());
    }

    ValidationLedger.Report validate(boolean repair) {
        return validation().validate(RedisServers.spec("replace"), repair, null, cursor -> {});
    }

    /** Behind Eden's back: as a user that the fence does not hold. */
    RespConnection damage() {
        return RespConnection.connect(
                servers.endpoint("target"),
                records.login(
                        RedisServers.MIGRATION, "target", "login:control", "eden-control-" + RedisServers.MIGRATION),
                "damage",
                Duration.ofSeconds(10));
    }

    @Override
    public void close() {
        if (replicator != null && thread != null) {
            replicator.close();
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        servers.close();
    }

    static final class Reports implements ValidationLedger {
        private @Nullable Report latest;

        @Override
        public synchronized void save(Report report) {
            latest = report;
        }

        @Override
        public synchronized Optional<Report> latest(String migration) {
            return Optional.ofNullable(latest);
        }
    }

    static final class Ledger implements ReplicationLedger {
        private Direction direction = new Direction("source", "target", 1, 0, null, 0, false, false);
        private final AtomicReference<@Nullable Progress> progress = new AtomicReference<>();

        @Override
        public synchronized Direction current(String migration) {
            return direction;
        }

        @Override
        public synchronized OptionalLong nextGeneration(String migration, long epoch) {
            Direction d = direction;
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
            direction = new Direction(d.from(), d.to(), d.epoch(), d.generation(), replid, offset, true, false);
        }

        @Override
        public synchronized void restartLoad(String migration, long epoch, long generation) {
            if (epoch == 1) {
                throw new IllegalStateException("the load was lost");
            }
        }

        @Override
        public void progress(String migration, Progress reported) {
            progress.set(reported);
        }

        @Override
        public Optional<Progress> progress(String migration) {
            return Optional.ofNullable(progress.get());
        }

        String state() {
            Progress now = progress.get();
            return now == null ? "" : now.state();
        }

        synchronized void turn() {
            Direction d = direction;
            direction = new Direction(d.to(), d.from(), d.epoch() + 1, d.generation(), "", 0, true, false);
        }
    }
}
