package dev.eden.activities.postgres.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.postgres.replication.Retention.Enough;
import dev.eden.activities.postgres.replication.Retention.LetGo;
import dev.eden.activities.postgres.replication.Retention.Scarce;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetentionTest {
    @Test
    void aSlotMayKeepWhatTheDiskHasRoomFor() {
        assertThat(Retention.DEFAULT.judge(OptionalLong.empty(), 1L << 40)).isEqualTo(new Enough());
    }

    /** In MiB. */
    @ParameterizedTest
    @CsvSource({"500, 40", "300, 100", "511, 255", "100, 60", "2, 10"})
    void aDiskThatIsFullOfOtherThingsCostsNoWayBack(long free, long kept) {
        assertThat(Retention.DEFAULT.judge(OptionalLong.of(free << 20), kept << 20))
                .isInstanceOfSatisfying(
                        Scarce.class, scarce -> assertThat(scarce.what()).contains(kept + " MiB", free + " MiB"));
    }

    /** As much as is free, on a disk that never had more: it is half of what there was. */
    @ParameterizedTest
    @CsvSource({"500, 256", "511, 100000", "200, 200", "60, 100", "0, 16"})
    void aSlotGoesThatHasItsShareInIt(long free, long kept) {
        assertThat(Retention.DEFAULT.judge(OptionalLong.of(free << 20), kept << 20))
                .isInstanceOfSatisfying(
                        LetGo.class, gone -> assertThat(gone.why()).contains(kept + " MiB", free + " MiB"));
    }
}
