package dev.eden.demo.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.eden.demo.check.Anomaly;
import dev.eden.demo.check.Checker;
import dev.eden.demo.check.FinalState;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.history.History;
import dev.eden.embedded.EmbeddedRedis;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.Jedis;

/** The load and the checker against a real Redis, one for each test, behind a front that keeps or breaks its promises. */
@Execution(ExecutionMode.CONCURRENT)
class LoadAndCheckIT {
    private static final int KEYS = 4000;
    private static final LoadOptions OPTIONS = new LoadOptions(24, 6000, 7);

    private final EmbeddedRedis redis = EmbeddedRedis.start();

    @AfterEach
    void stop() {
        redis.close();
    }

    @Test
    void anHonestServerPasses() throws Exception {
        Outcome outcome = run(Fault.NONE, 1, 16_000, Duration.ofSeconds(30));

        assertThat(outcome.verdict.examples()).isEmpty();
        assertThat(outcome.verdict.clean()).isTrue();
        assertThat(outcome.verdict.acknowledgedWrites()).isGreaterThan(5000);
        assertThat(outcome.verdict.inDoubt()).isZero();
        assertThat(outcome.stats.messages()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(value = Fault.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
    void aBrokenPromiseIsNoticed(Fault fault) throws Exception {
        int every = switch (fault) {
            case NO_WATCH, TORN_SCRIPT, DROP_PERSIST -> 1;
            case RESURRECT_DELETED -> 2;
            case POP_TWICE, POP_LOST, POP_YOUNGEST -> 3;
            case NONE, DROP_SET, DROP_PUSH, DROP_INCREMENT, DOUBLE_APPEND, DOUBLE_PUSH -> 20;
            case DOUBLE_INCREMENT, DELAY_PUSH, RESURRECT_EXPIRED, STALE_GET, STALE_RANGE, CORRUPT_GET -> 20;
        };
        Outcome outcome = run(fault, every, 8_000, Duration.ofSeconds(30));

        assertThat(outcome.planted).isPositive();
        assertThat(fault.expected)
                .as("%d planted, found %s", outcome.planted, outcome.verdict.anomalies())
                .anyMatch(anomaly -> outcome.verdict.count(anomaly) > 0);
    }

    @Test
    void oneChangeBehindTheLoadsBackIsNoticed() throws Exception {
        Outcome outcome = run(Fault.NONE, 1, 4000, Duration.ofSeconds(30), jedis -> {
            Keyspace keyspace = new Keyspace(KEYS);
            jedis.lrem(keyspace.key(Family.LIST, 2), 1, jedis.lindex(keyspace.key(Family.LIST, 2), 0));
        });

        assertThat(outcome.verdict.anomalies()).isEqualTo(Map.of(Anomaly.LOST, 1L));
    }

    @Test
    void whatStandsStillIsReadTheSameTwice() {
        StillLife still = new StillLife(new Keyspace(KEYS), 3);
        try (Jedis jedis = new Jedis(redis.host(), redis.port())) {
            still.fill(jedis);
            Map<String, String> before = still.read(jedis);
            assertThat(before).hasSizeGreaterThan(100);
            assertThat(before.values()).noneMatch(content -> content.startsWith("none"));
            assertThat(still.read(jedis)).isEqualTo(before);

            jedis.zincrby(new Keyspace(KEYS).key(Family.STILL, 9), 1, "member0");

            assertThat(still.read(jedis)).isNotEqualTo(before);
        }
    }

    private record Outcome(Verdict verdict, LoadStats stats, int planted) {}

    private interface Meddler {
        void meddle(Jedis jedis);
    }

    private Outcome run(Fault fault, int every, long operations, Duration atMost) throws Exception {
        return run(fault, every, operations, atMost, _ -> {});
    }

    private Outcome run(Fault fault, int every, long operations, Duration atMost, Meddler meddler) throws Exception {
        Keyspace keyspace = new Keyspace(KEYS);
        History history = new History();
        try (Jedis direct = new Jedis(redis.host(), redis.port());
                FaultyFront front = new FaultyFront(fault, every, redis.host(), redis.port())) {
            new Preload(keyspace, 7).fill(direct, history, 300);
            LoadGenerator load =
                    LoadGenerator.start(List.of(front.address(), front.address()), keyspace, OPTIONS, history);
            try (load) {
                await().atMost(atMost).until(() -> load.stats().operations() >= operations);
            }
            meddler.meddle(direct);
            FinalReader reader = new FinalReader(keyspace, history);
            try (Jedis through = new Jedis(front.address())) {
                List<FinalState> states = List.of(reader.read("the server", direct), reader.read("the front", through));
                Verdict verdict = new Checker(keyspace, 100_000).check(history, states);
                return new Outcome(verdict, load.stats(), front.planted());
            }
        }
    }
}
