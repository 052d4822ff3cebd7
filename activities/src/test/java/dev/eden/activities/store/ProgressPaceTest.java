package dev.eden.activities.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.eden.activities.store.ReplicationLedger.Progress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressPaceTest {
    private final List<Long> stored = new ArrayList<>();
    private final List<Long> beaten = new ArrayList<>();
    private final ProgressPace pace =
            new ProgressPace(progress -> stored.add(progress.atMillis()), progress -> beaten.add(progress.atMillis()));

    /** Ten looks a second at a replicator, as the loop around it does. */
    private void look(long fromMillis, long toMillis, java.util.function.LongUnaryOperator offset) {
        for (long at = fromMillis; at < toMillis; at += 100) {
            long now = Duration.ofMillis(at).toNanos();
            if (pace.due(now)) {
                pace.tell(at(at, offset.applyAsLong(at)), now);
            }
        }
    }

    @Test
    void aRestingMigrationSaysSoOnceASecondAndBeatsEveryTwo() {
        look(0, 10_000, _ -> 7);
        assertThat(stored).containsExactly(0L, 1_000L, 2_000L, 3_000L, 4_000L, 5_000L, 6_000L, 7_000L, 8_000L, 9_000L);
        assertThat(beaten).containsExactly(0L, 2_000L, 4_000L, 6_000L, 8_000L);
    }

    @Test
    void whatChangesIsStoredWithinAFifthOfASecond() {
        look(0, 2_000, _ -> 7);
        stored.clear();
        look(2_000, 3_000, at -> at);
        assertThat(stored).containsExactly(2_000L, 2_200L, 2_400L, 2_600L, 2_800L);
    }

    @Test
    void whatAHeartbeatThrowsEndsIt() {
        ProgressPace cancelled = new ProgressPace(progress -> stored.add(progress.atMillis()), progress -> {
            throw new IllegalStateException("cancelled");
        });
        assertThatThrownBy(() -> cancelled.tell(at(0, 0), 0)).hasMessage("cancelled");
    }

    private static Progress at(long millis, long offset) {
        return new Progress("streaming", 1, 1, 1, 0, 0, 0, offset, offset, true, 0, null, millis);
    }
}
