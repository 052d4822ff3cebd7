package dev.eden.workflows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.temporal.common.WorkflowExecutionHistory;
import io.temporal.testing.WorkflowReplayer;
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
        WorkflowReplayer.replayWorkflowExecution(history(file), MigrationWorkflowImpl.class);
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
        assertThatThrownBy(() -> WorkflowReplayer.replayWorkflowExecution(changed, MigrationWorkflowImpl.class))
                .isInstanceOf(RuntimeException.class);
    }

    private static WorkflowExecutionHistory history(Path file) throws IOException {
        return WorkflowExecutionHistory.fromJson(Files.readString(file));
    }
}
