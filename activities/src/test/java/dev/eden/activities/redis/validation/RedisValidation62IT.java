package dev.eden.activities.redis.validation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.store.ValidationLedger;
import dev.eden.activities.store.ValidationLedger.Difference;
import org.junit.jupiter.api.Test;

/** Redis 6.2 does not tell expiries: they are compared within a stated tolerance. */
class RedisValidation62IT {

    @Test
    void differencesBeyondTheStatedToleranceAreFoundAndRepaired() {
        try (ReplicatedPair pair = new ReplicatedPair("6.2");
                RespConnection source = pair.servers.connect("source")) {
            for (int i = 0; i < 500; i++) {
                source.call("SET", "s" + i, "v" + i, "PX", 3_600_000);
                source.call("RPUSH", "l" + i, "a", "b");
                source.call("HSET", "h" + i, "f", i);
            }
            pair.replicate();
            assertThat(pair.validate(true).sample()).isEmpty();
            try (RespConnection target = pair.damage()) {
                target.call("PEXPIRE", "s7", 3_500_000);
                target.call("LMOVE", "l7", "l7", "LEFT", "RIGHT");
                target.call("HSET", "h7", "f", "x");
                target.call("DEL", "s8");
                target.call("SET", "extra", "x");
            }
            ValidationLedger.Report report = pair.validate(true);
            assertThat(report.ttlToleranceMillis()).isPositive();
            assertThat(report.sample())
                    .extracting(Difference::key, Difference::kind, Difference::repaired)
                    .containsExactlyInAnyOrder(
                            org.assertj.core.groups.Tuple.tuple("s7", "ttl", true),
                            org.assertj.core.groups.Tuple.tuple("l7", "order", true),
                            org.assertj.core.groups.Tuple.tuple("h7", "field", true),
                            org.assertj.core.groups.Tuple.tuple("s8", "missing", true),
                            org.assertj.core.groups.Tuple.tuple("extra", "extra", true));
            assertThat(pair.validate(false).differencesFound()).isZero();
        }
    }
}
