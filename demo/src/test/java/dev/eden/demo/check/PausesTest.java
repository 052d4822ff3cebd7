package dev.eden.demo.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.demo.history.History;
import dev.eden.demo.history.History.Window;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.OperationLog;
import dev.eden.demo.history.Outcome;
import org.junit.jupiter.api.Test;

class PausesTest {
    private final History history = new History();

    @Test
    void everyRequestThatOverlapsCountsOnce() {
        OperationLog one = history.open(0);
        add(one, OperationKind.READ, 1_000, 2_000);
        add(one, OperationKind.READ, 9_000, 31_000);
        add(one, OperationKind.WRITE, 9_000, 31_000);
        add(one, OperationKind.READ, 40_000, 41_000);
        OperationLog other = history.open(1);
        add(other, OperationKind.WRITE, 19_000, 24_000);
        add(other, OperationKind.READ, 25_000, 26_000);
        add(other, OperationKind.POP, 26_000, 900_000);

        Pauses.Pause pause = Pauses.overlapping(history, new Window(10_000, 24_500));

        assertThat(pause.requests()).isEqualTo(2);
        assertThat(pause.maxMillis()).isEqualTo(22.0);
    }

    @Test
    void p99LeavesOutTheLongestOfHundred() {
        OperationLog log = history.open(0);
        for (int i = 0; i < 100; i++) {
            add(log, OperationKind.READ, 1000 * i, 1000 * i + 10 * (i + 1));
        }

        Pauses.Pause pause = Pauses.overlapping(history, new Window(0, 200_000));

        assertThat(pause.requests()).isEqualTo(100);
        assertThat(pause.maxMillis()).isEqualTo(1.0);
        assertThat(pause.p99Millis()).isEqualTo(0.99);
    }

    @Test
    void readersOfTheFinalStateDoNotCount() {
        add(history.open(Operation.FIRST_FINAL_CLIENT), OperationKind.READ, 0, 500_000);

        assertThat(Pauses.overlapping(history, new Window(10, 20)).requests()).isZero();
    }

    @Test
    void theSlowestRequestIsFound() {
        OperationLog log = history.open(0);
        add(log, OperationKind.READ, 1_000, 2_000);
        add(log, OperationKind.READ, 3_000, 9_000);
        add(log, OperationKind.READ, 10_000, 90_000);

        assertThat(Pauses.slowest(history, new Window(500, 9_500))).isEqualTo(new Window(3_000, 9_000));
    }

    private static void add(OperationLog log, OperationKind kind, long from, long to) {
        log.addMicros(kind, Outcome.OK, 0, 0, 1, 0, from, to);
    }
}
