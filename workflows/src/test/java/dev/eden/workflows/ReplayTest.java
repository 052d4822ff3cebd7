package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.temporal.common.WorkflowExecutionHistory;
import io.temporal.testing.TestWorkflowEnvironment;
import io.temporal.testing.WorkflowReplayer;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Today's code takes up yesterday's migrations: it replays every kept history without another decision. */
class ReplayTest {
    static List<Path> histories() {
        try (Stream<Path> files = Files.list(HistoryRecorder.DIRECTORY)) {
            return files.filter(file -> file.toString().endsWith(".json"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("histories")
    void replays(Path file) throws Exception {
        replay(history(file));
    }

    @ParameterizedTest
    @EnumSource(Scenario.class)
    void everyScenarioHasItsHistory(Scenario scenario) {
        assertThat(histories())
                .as("record it: mvn -pl workflows test -Dtest=HistoryRecorder -Dhistories.record")
                .anyMatch(file -> file.getFileName().toString().startsWith(scenario.file() + "."));
    }

    @Test
    void continueAsNewIsAmongThem() {
        assertThat(HistoryRecorder.DIRECTORY.resolve(Scenario.CONTINUED_AS_NEW.file() + ".2.json"))
                .exists();
    }

    @Test
    void aDecisionThatTheCodeWouldNotTakeIsNoticed() throws Exception {
        String json =
                Files.readString(HistoryRecorder.DIRECTORY.resolve(Scenario.ROLLBACK_BEFORE_FLIP.file() + ".1.json"));
        var changed = WorkflowExecutionHistory.fromJson(json.replace("\"Prepare\"", "\"Prepare2\""));
        assertThatThrownBy(() -> replay(changed)).isInstanceOf(RuntimeException.class);
    }

    /** The SDK calls a workflow's thread that got no processor for a second a deadlock; a busy machine makes none of that. */
    private static void replay(WorkflowExecutionHistory history) throws Exception {
        try (TestWorkflowEnvironment environment = TestWorkflowEnvironment.newInstance()) {
            Worker worker = environment.newWorker(
                    "replay",
                    WorkerOptions.newBuilder()
                            .setDefaultDeadlockDetectionTimeout(30_000)
                            .build());
            worker.registerWorkflowImplementationTypes(MigrationWorkflowImpl.class);
            WorkflowReplayer.replayWorkflowExecution(history, worker);
        }
    }

    private static WorkflowExecutionHistory history(Path file) throws IOException {
        return WorkflowExecutionHistory.fromJson(Files.readString(file));
    }
}
