package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.preparation.RedisPreparation;
import dev.eden.activities.redis.preparation.RedisServers;
import dev.eden.activities.redis.replication.Pair;
import dev.eden.activities.store.ValidationLedger;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** A prepared pair of servers with a replicator between them and Eden's store in memory. */
final class ReplicatedPair implements AutoCloseable {
    private final Pair pair;
    final RedisServers servers;
    final Reports reports = new Reports();
    private Pair.@Nullable Running running;

    ReplicatedPair(String version) {
        servers = RedisServers.start(version);
        pair = new Pair(servers);
    }

    /** Fence, load, stream; returns when the stream runs. */
    void replicate() {
        new RedisPreparation(servers, pair.records, _ -> Optional.empty()).prepare(RedisServers.spec("replace"));
        running = pair.replicate();
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> pair.ledger.state().equals("streaming"));
    }

    /** The other side has the writes from now on. */
    void turn() {
        pair.ledger.flip("", 0);
        pair.ledger.attempt(false);
    }

    RedisValidation validation() {
        return validation(ValidationOptions.defaults());
    }

    RedisValidation validation(ValidationOptions options) {
        return validation(options, ReplicatorPositions.of(pair.registry));
    }

    /** As in a process that does not replicate. */
    RedisValidation elsewhere() {
        return validation(ValidationOptions.defaults(), _ -> Optional.empty());
    }

    private RedisValidation validation(
            ValidationOptions options, Function<String, Optional<EqualPositions>> positions) {
        return new RedisValidation(servers, pair.records, pair.ledger, reports, positions, options, Clock.systemUTC());
    }

    ValidationLedger.Report validate(boolean repair) {
        return validation().validate(RedisServers.spec("replace"), repair, null, cursor -> {});
    }

    /** Behind Eden's back: as a user that the fence does not hold. */
    RespConnection damage() {
        return RespConnection.connect(
                servers.endpoint("target"),
                pair.records.login(
                        RedisServers.MIGRATION, "target", "login:control", "eden-control-" + RedisServers.MIGRATION),
                "damage",
                Duration.ofSeconds(10));
    }

    @Override
    public void close() {
        if (running != null) {
            running.close();
        }
        pair.close();
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
}
