package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.workflows.Strategy.Stage;
import dev.eden.workflows.Strategy.WriteMode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StrategyTest {
    @ParameterizedTest
    @CsvSource({
        "canary, 0.5, dual_write, , ''",
        "canary, 0.5, dual_write, 0, ''",
        "canary, 1.0, cutover, 1.0, ''",
        "canary, 1.0, cutover, , ''",
        "canary, 0.5, dual_write, 0.5, split brain",
        "canary, 0.5, cutover, 0.001, split brain",
        "canary, 0.5, cutover, 0, contradicts",
        "canary, 0.5, dual_write, 1, is a cutover",
        "canary, 0.5, dual_write, 2, fraction",
        "canary, -0.1, dual_write, , fraction",
        "canary, 1.1, dual_write, , fraction",
        "canary, NaN, dual_write, , fraction",
        "purple, 0.5, dual_write, , purple",
    })
    void problems(String type, double reads, String mode, Double writes, String problem) {
        var strategy = new Strategy(type, reads, "session", 5, null, new WriteMode(mode, null, "source", writes));
        if (problem.isEmpty()) {
            assertThat(strategy.problem()).isEmpty();
        } else {
            assertThat(strategy.problem())
                    .hasValueSatisfying(text -> assertThat(text).contains(problem));
        }
    }

    @Test
    void stagesAreChecked() {
        assertThat(Bench.canary(0.1, new Stage(1.5, 0)).problem()).isPresent();
    }

    @Test
    void onlyACanaryShiftsReads() {
        assertThat(Bench.canary(0.1).shareOf(0)).isEqualTo(0.1);
        assertThat(Bench.canary(0.1, new Stage(0.2, 0), new Stage(0.4, 0)).shareOf(1))
                .isEqualTo(0.4);
        for (String type : List.of(Strategy.BLUE_GREEN, Strategy.IMMEDIATE)) {
            var strategy = new Strategy(
                    type,
                    0.5,
                    "session",
                    5,
                    List.of(new Stage(0.5, 1)),
                    new WriteMode("dual_write", null, "source", null));
            assertThat(strategy.shareOf(0)).isZero();
            assertThat(strategy.plan()).isEmpty();
        }
    }
}
