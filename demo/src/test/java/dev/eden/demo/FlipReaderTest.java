package dev.eden.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.eden.demo.history.History;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.OperationLog;
import dev.eden.demo.history.Outcome;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.Test;

class FlipReaderTest {
    private final History history = new History();

    @Test
    void reportedTimesAreTranslatedToTheHistorysClock() throws Exception {
        OperationLog log = history.open(0);
        long nowMicros = history.now();
        long wallMicros = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        log.addMicros(OperationKind.READ, Outcome.OK, 0, 0, 1, 0, nowMicros + 100_000, nowMicros + 150_000);
        log.addMicros(OperationKind.READ, Outcome.OK, 0, 0, 1, 0, nowMicros + 500_000, nowMicros + 700_000);
        JsonNode attempts = attempts("""
                [{"direction": "forward", "outcome": "committed",
                  "report": {"hold_at_micros": %d, "opened_at_micros": %d}},
                 {"direction": "rollback", "outcome": "aborted"}]
                """.formatted(wallMicros + 110_000, wallMicros + 140_000));

        List<Flip> flips = FlipReader.read(attempts, List.of(), history);

        assertThat(flips).hasSize(2);
        assertThat(flips.getFirst().committed()).isTrue();
        assertThat(flips.getFirst().reported()).isTrue();
        assertThat(flips.getFirst().pause().requests()).isEqualTo(1);
        assertThat(flips.getFirst().pause().maxMillis()).isEqualTo(50.0);
        assertThat(flips.getLast().committed()).isFalse();
    }

    @Test
    void withoutReportedTimesTheSlowestRequestTellsWhereTheFlipWas() throws Exception {
        OperationLog log = history.open(0);
        log.addMicros(OperationKind.READ, Outcome.OK, 0, 0, 1, 0, 1_000_000, 1_001_000);
        log.addMicros(OperationKind.READ, Outcome.OK, 0, 0, 1, 0, 2_000_000, 2_040_000);

        List<Flip> flips = FlipReader.read(attempts("[]"), List.of(new History.Window(900_000, 3_000_000)), history);

        assertThat(flips).hasSize(1);
        assertThat(flips.getFirst().reported()).isFalse();
        assertThat(flips.getFirst().direction()).isEqualTo("forward");
        assertThat(flips.getFirst().pause().maxMillis()).isEqualTo(40.0);
    }

    private static JsonNode attempts(String json) throws Exception {
        return new ObjectMapper().readTree(json);
    }
}
