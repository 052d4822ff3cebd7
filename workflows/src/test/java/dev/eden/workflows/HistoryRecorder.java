package dev.eden.workflows;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.temporal.common.WorkflowExecutionHistory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Lives every {@link Scenario} and keeps the histories of all its runs for {@link ReplayTest}:
 *
 * <pre>mvn -pl workflows test -Dtest=HistoryRecorder -Dhistories.record=judged_stages</pre>
 *
 * <p>Run it when the workflow changes on purpose in a way that running migrations need not survive, or to add a scenario. A
 * change that old histories must survive goes behind {@code Workflow.getVersion} instead, and the old files stay.
 */
@EnabledIfSystemProperty(
        named = "histories.record",
        matches = ".*",
        disabledReason = "rewrites src/test/resources/histories; asked for by -Dhistories.record")
class HistoryRecorder {
    static final Path DIRECTORY = Path.of("src/test/resources/histories");

    @ParameterizedTest
    @EnumSource(Scenario.class)
    void records(Scenario scenario) throws IOException {
        String only = System.getProperty("histories.record", "");
        assumeTrue(only.isEmpty() || only.equals("true") || only.equals(scenario.file()), "only " + only);
        List<WorkflowExecutionHistory> histories;
        try (Bench bench = scenario.bench()) {
            scenario.run(bench);
            histories = runs(bench);
        }
        Files.createDirectories(DIRECTORY);
        try (Stream<Path> old = Files.list(DIRECTORY)) {
            for (Path file : old.filter(f -> f.getFileName().toString().startsWith(scenario.file() + "."))
                    .toList()) {
                Files.delete(file);
            }
        }
        for (int run = 0; run < histories.size(); run++) {
            Files.writeString(
                    DIRECTORY.resolve(scenario.file() + "." + (run + 1) + ".json"),
                    histories.get(run).toJson(true) + "\n");
        }
    }

    /** First to last along continue-as-new. */
    private static List<WorkflowExecutionHistory> runs(Bench bench) {
        List<WorkflowExecutionHistory> runs = new ArrayList<>();
        String run = bench.firstRun();
        while (!run.isEmpty()) {
            WorkflowExecutionHistory history = bench.client().fetchHistory(MigrationWorkflow.workflowId(Bench.ID), run);
            runs.add(history);
            run = history.getLastEvent()
                    .getWorkflowExecutionContinuedAsNewEventAttributes()
                    .getNewExecutionRunId();
        }
        return runs;
    }
}
