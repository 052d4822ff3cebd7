package dev.eden.api.rest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.workflows.MigrationSpec;
import dev.eden.workflows.Strategy;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PlanStepsTest {
    @Test
    void whatIsNotRepairedIsNotSaidToBe() {
        assertThat(validating(null)).contains("repair, compare again");
        assertThat(validating(new MigrationSpec.Validation(true))).contains("repair, compare again");
        assertThat(validating(new MigrationSpec.Validation(false)))
                .contains("left for a person")
                .doesNotContain("repair");
    }

    private static String validating(MigrationSpec.@Nullable Validation validation) {
        return String.join(
                "\n",
                PlanSteps.of(new MigrationSpec(
                                "m",
                                "",
                                "redis",
                                "old",
                                "new",
                                List.of("front"),
                                new Strategy(
                                        "canary",
                                        0.1,
                                        "session",
                                        5,
                                        List.of(),
                                        new Strategy.WriteMode("dual_write", null, "source", null)),
                                new MigrationSpec.Data("scan", "auto", "replace"),
                                MigrationSpec.Gates.defaults(),
                                MigrationSpec.FailureHandling.PAUSE,
                                new MigrationSpec.CutoverBudget(100, 1),
                                validation))
                        .stream()
                        .filter(step -> step.startsWith("validating"))
                        .toList());
    }
}
