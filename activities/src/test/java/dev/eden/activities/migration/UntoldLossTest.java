package dev.eden.activities.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.redis.replication.InMemoryReplicationLedger;
import dev.eden.workflows.activity.Failures;
import io.temporal.failure.ApplicationFailure;
import org.junit.jupiter.api.Test;

/** A worker goes on where another one was: only a load that had ended is lost. */
class UntoldLossTest {
    private static final String MIGRATION = "m";

    private final InMemoryReplicationLedger ledger = new InMemoryReplicationLedger();

    private void attempt(int number) {
        MigrationReplication.tellLoss(ledger, MIGRATION, number);
    }

    @Test
    void aFirstLoadGoesOverToAnotherWorker() {
        attempt(1);
        attempt(2);
        ledger.restartLoad(MIGRATION, 1, 0);
        attempt(3);
    }

    @Test
    void aLossIsToldUntilItIsKnown() {
        ledger.loaded(MIGRATION, 1, 0, "r", 1);
        attempt(2);
        ledger.restartLoad(MIGRATION, 1, 0);
        for (int number = 2; number < 4; number++) {
            int again = number;
            assertThatThrownBy(() -> attempt(again)).isInstanceOfSatisfying(ApplicationFailure.class, failure -> {
                assertThat(failure.getType()).isEqualTo(Failures.LOADED_AGAIN);
                assertThat(failure.isNonRetryable()).isTrue();
            });
        }
        attempt(1);
        attempt(2);
        ledger.loaded(MIGRATION, 1, 0, "r", 2);
        attempt(3);
    }
}
