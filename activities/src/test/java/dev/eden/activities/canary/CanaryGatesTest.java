package dev.eden.activities.canary;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.activities.canary.CanaryGates.Totals;
import dev.eden.workflows.MigrationSpec.Gates;
import org.junit.jupiter.api.Test;

class CanaryGatesTest {
    private static final Totals NOTHING = new Totals(0, 0, 0, 0, 0, 0, 0);

    private static Totals compared(long compared, long mismatched) {
        return new Totals(1000, 0, 0, compared, mismatched, 1, 1);
    }

    private static Gates mismatches(double most) {
        return new Gates(-1, -1, most, 100, 100, "hold");
    }

    @Test
    void oneConfirmedDifferenceIsTooManyWhereNoneIsAllowed() {
        assertThat(CanaryGates.breach(mismatches(0), NOTHING, compared(3, 1)))
                .hasValueSatisfying(words -> assertThat(words).contains("1 of 3 reads"));
    }

    @Test
    void aRateNeedsItsSamples() {
        assertThat(CanaryGates.breach(mismatches(0.01), NOTHING, compared(99, 50)))
                .isEmpty();
        assertThat(CanaryGates.breach(mismatches(0.01), NOTHING, compared(100, 2)))
                .isPresent();
        assertThat(CanaryGates.breach(mismatches(0.02), NOTHING, compared(100, 2)))
                .isEmpty();
    }

    @Test
    void whatWasThereBeforeTheWindowDoesNotCount() {
        assertThat(CanaryGates.breach(mismatches(0), compared(50, 1), compared(200, 1)))
                .isEmpty();
    }

    @Test
    void nobodyAskedForTheGate() {
        assertThat(CanaryGates.breach(Gates.defaults(), NOTHING, compared(100, 100)))
                .isEmpty();
    }
}
