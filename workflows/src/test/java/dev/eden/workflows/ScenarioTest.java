package dev.eden.workflows;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The life of a migration, on the in-process Temporal server. */
@Execution(ExecutionMode.CONCURRENT)
@Timeout(300)
class ScenarioTest {
    @ParameterizedTest
    @EnumSource(Scenario.class)
    void lives(Scenario scenario) {
        try (Bench bench = scenario.bench()) {
            scenario.run(bench);
        }
    }
}
