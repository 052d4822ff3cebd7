package dev.eden.demo.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.demo.history.History;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.OperationKind;
import dev.eden.demo.history.OperationLog;
import dev.eden.demo.history.Outcome;
import dev.eden.demo.history.Tail;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Histories written by hand: one cell each, times in microseconds. */
class CheckerTest {
    private static final int REGISTER = 0;
    private static final int COUNTER = 1;
    private static final int SEQUENCE = 2;
    private static final int QUEUE = 3;
    private static final int PAIR = 4;
    private static final long INITIAL = 77;
    private static final int FINAL = Operation.FIRST_FINAL_CLIENT;

    private final History history = new History();
    private final Map<Integer, OperationLog> logs = new HashMap<>();
    private final Map<Integer, long[]> elements = new HashMap<>(Map.of(SEQUENCE, new long[0], QUEUE, new long[0]));

    @Test
    void readsOfTheNewestValueAreFine() {
        write(1, 10, 100, 200);
        read(2, INITIAL, 50, 90);
        read(2, 10, 150, 160);
        read(2, 10, 300, 310);
        read(FINAL, 10, 1000, 1010);
        assertThat(found()).isEmpty();
    }

    @Test
    void anAcknowledgedWriteThatIsNotThereIsLost() {
        write(1, 10, 100, 200);
        read(FINAL, INITIAL, 1000, 1010);
        assertThat(found()).isEqualTo(Map.of(Anomaly.LOST, 1L));
    }

    @Test
    void aWriteInDoubtMayBeThereOrNot() {
        doubt(OperationKind.WRITE, 1, REGISTER, 10, 100);
        read(2, INITIAL, 300, 310);
        assertThat(found()).isEmpty();
        read(2, 10, 400, 410);
        read(FINAL, 10, 1000, 1010);
        assertThat(found()).isEmpty();
    }

    @Test
    void aWriteInDoubtThatWasSeenMayNotGoAgain() {
        doubt(OperationKind.WRITE, 1, REGISTER, 10, 100);
        read(2, 10, 400, 410);
        read(2, INITIAL, 500, 510);
        assertThat(found()).containsOnlyKeys(Anomaly.STALE);
    }

    @Test
    void aRefusedWriteMustNotShow() {
        log(1).addMicros(OperationKind.WRITE, Outcome.FAILED, 0, REGISTER, 10, 0, 100, 200);
        read(2, 10, 300, 310);
        assertThat(found()).containsOnlyKeys(Anomaly.WRONG);
    }

    @Test
    void anOldValueAfterTheNewOneWasAcknowledgedIsStale() {
        write(1, 10, 100, 200);
        write(1, 20, 300, 400);
        read(2, 10, 500, 510);
        assertThat(found()).isEqualTo(Map.of(Anomaly.STALE, 1L));
    }

    @Test
    void insideASessionOnlyWindowOnlyTheOwnSessionCounts() {
        history.sessionOnly(new History.Window(450, 900));
        write(1, 10, 100, 200);
        write(1, 20, 300, 400);
        read(2, 10, 500, 510);
        assertThat(found()).isEmpty();
        read(2, 20, 520, 530);
        read(2, 10, 540, 550);
        assertThat(found()).isEqualTo(Map.of(Anomaly.STALE, 1L));
        read(1, 10, 600, 610);
        assertThat(found()).isEqualTo(Map.of(Anomaly.STALE, 2L));
    }

    @Test
    void whatOneReaderHasSeenTheNextOneMustSee() {
        write(1, 10, 100, 200);
        write(1, 20, 300, 900);
        read(2, 20, 400, 410);
        read(3, 10, 500, 510);
        assertThat(found()).isEqualTo(Map.of(Anomaly.STALE, 1L));
    }

    @Test
    void programOrderHoldsInsideOnePipeline() {
        write(1, 10, 100, 200);
        write(1, 20, 100, 200);
        read(1, 10, 100, 200);
        assertThat(found()).isEqualTo(Map.of(Anomaly.STALE, 1L));
    }

    @Test
    void aDeletedValueThatIsThereAgainIsResurrected() {
        write(1, 10, 100, 200);
        write(1, Operation.ABSENT, 300, 400);
        read(2, Operation.ABSENT, 500, 510);
        read(FINAL, 10, 1000, 1010);
        assertThat(found()).isEqualTo(Map.of(Anomaly.RESURRECTED, 1L));
    }

    @Test
    void anExpiryCountsFromItsMomentOn() {
        expiring(1, 10, 1, 100, 200);
        read(2, 10, 900, 910);
        read(2, Operation.ABSENT, 1150, 1160);
        read(2, Operation.ABSENT, 1500, 1510);
        assertThat(found()).isEmpty();
        read(2, 10, 2000, 2010);
        assertThat(found()).containsKey(Anomaly.RESURRECTED);
    }

    @Test
    void anExpiredValueIsNotGoneTooEarly() {
        expiring(1, 10, 5, 100, 200);
        read(2, Operation.ABSENT, 2000, 2010);
        assertThat(found()).containsOnlyKeys(Anomaly.LOST);
    }

    @Test
    void persistKeepsAValueForGood() {
        expiring(1, 10, 1, 100, 200);
        log(1).addMicros(OperationKind.PERSIST, Outcome.OK, 0, REGISTER, 1, 0, 300, 310);
        read(2, 10, 5000, 5010);
        assertThat(found()).isEmpty();
        read(FINAL, Operation.ABSENT, 9000, 9010);
        assertThat(found()).containsOnlyKeys(Anomaly.LOST);
    }

    @Test
    void aPersistOfALaterWriteDoesNotKeepAnEarlierOne() {
        expiring(1, 10, 1, 100, 200);
        expiring(1, 20, 1, 5000, 5100);
        log(1).addMicros(OperationKind.PERSIST, Outcome.OK, 0, REGISTER, 1, 0, 5200, 5210);
        read(2, Operation.ABSENT, 3000, 3010);
        read(FINAL, 20, 9000, 9010);
        assertThat(found()).isEmpty();
    }

    @Test
    void counterAnswersAreUniqueAndTheSumIsRight() {
        increment(1, 1, 100, 200);
        increment(2, 2, 150, 250);
        count(FINAL, 2, 1000);
        assertThat(found()).isEmpty();
    }

    @Test
    void anIncrementThatIsMissingIsLost() {
        increment(1, 1, 100, 200);
        increment(2, 2, 300, 400);
        count(FINAL, 1, 1000);
        assertThat(found()).isEqualTo(Map.of(Anomaly.LOST, 1L));
    }

    @Test
    void twoIncrementsWithOneAnswerAreALostUpdate() {
        increment(1, 1, 100, 200);
        increment(2, 1, 110, 210);
        count(FINAL, 1, 1000);
        assertThat(found()).isEqualTo(Map.of(Anomaly.LOST, 1L));
    }

    @Test
    void anIncrementTwiceIsNoticedUnlessOneIsInDoubt() {
        increment(1, 1, 100, 200);
        increment(1, 3, 300, 400);
        count(FINAL, 3, 1000);
        assertThat(found()).isEqualTo(Map.of(Anomaly.DUPLICATED, 1L));
        doubt(OperationKind.INCREMENT, 2, COUNTER, 0, 150);
        assertThat(found()).isEmpty();
    }

    @Test
    void aDoubleHiddenByALossIsStillBoth() {
        increment(1, 2, 100, 200);
        increment(1, 2, 300, 400);
        count(FINAL, 2, 1000);
        assertThat(found()).containsOnlyKeys(Anomaly.LOST, Anomaly.DUPLICATED);
    }

    @Test
    void countersGoForwardForEveryReader() {
        increment(1, 1, 100, 200);
        increment(1, 2, 300, 400);
        count(2, 1, 350);
        count(2, 2, 500);
        assertThat(found()).isEmpty();
        count(2, 1, 600);
        assertThat(found()).isEqualTo(Map.of(Anomaly.STALE, 1L));
    }

    @Test
    void aSequenceInOrderIsFine() {
        append(1, 10, 1, 100, 200);
        append(2, 20, 2, 150, 250);
        tail(3, 300, 10, 20);
        elements.put(SEQUENCE, new long[] {10, 20});
        assertThat(found()).isEmpty();
    }

    @Test
    void anElementThatIsGoneIsLost() {
        append(1, 10, 1, 100, 200);
        append(1, 20, 2, 300, 400);
        elements.put(SEQUENCE, new long[] {10});
        assertThat(found()).isEqualTo(Map.of(Anomaly.LOST, 1L));
    }

    @Test
    void anElementInDoubtMayBeThereOnceOnly() {
        append(1, 10, 1, 100, 200);
        doubt(OperationKind.APPEND, 1, SEQUENCE, 20, 300);
        elements.put(SEQUENCE, new long[] {10});
        assertThat(found()).isEmpty();
        elements.put(SEQUENCE, new long[] {10, 20});
        assertThat(found()).isEmpty();
        elements.put(SEQUENCE, new long[] {10, 20, 20});
        assertThat(found()).isEqualTo(Map.of(Anomaly.DUPLICATED, 1L));
    }

    @Test
    void elementsAgainstTheOrderOfTimeAreReordered() {
        append(1, 10, 1, 100, 200);
        append(2, 20, 2, 300, 400);
        elements.put(SEQUENCE, new long[] {20, 10});
        assertThat(found()).isEqualTo(Map.of(Anomaly.REORDERED, 1L));
    }

    @Test
    void elementsOfOnePipelineKeepTheirOrder() {
        append(1, 10, 1, 100, 200);
        append(1, 20, 2, 100, 200);
        elements.put(SEQUENCE, new long[] {20, 10});
        assertThat(found()).isEqualTo(Map.of(Anomaly.REORDERED, 1L));
    }

    @Test
    void aTailThatForgetsIsStale() {
        append(1, 10, 1, 100, 200);
        append(1, 20, 2, 300, 400);
        tail(2, 500, 10);
        elements.put(SEQUENCE, new long[] {10, 20});
        assertThat(found()).isEqualTo(Map.of(Anomaly.STALE, 1L));
    }

    @Test
    void anElementThatNobodyAddedIsWrong() {
        elements.put(SEQUENCE, new long[] {99});
        assertThat(found()).isEqualTo(Map.of(Anomaly.WRONG, 1L));
    }

    @Test
    void everyElementOfAQueueIsHandedOutOnce() {
        push(1, 10, 100);
        push(1, 20, 200);
        pop(2, 10, 50);
        elements.put(QUEUE, new long[] {20});
        assertThat(found()).isEmpty();
        pop(3, 10, 400);
        assertThat(found()).isEqualTo(Map.of(Anomaly.DUPLICATED, 1L));
    }

    @Test
    void anElementThatIsHandedOutAndStaysIsResurrected() {
        push(1, 10, 100);
        pop(2, 10, 150);
        elements.put(QUEUE, new long[] {10});
        assertThat(found()).isEqualTo(Map.of(Anomaly.RESURRECTED, 1L));
    }

    @Test
    void anElementThatIsNowhereIsLostUnlessATakeIsInDoubt() {
        push(1, 10, 100);
        assertThat(found()).isEqualTo(Map.of(Anomaly.LOST, 1L));
        doubt(OperationKind.POP, 2, QUEUE, 0, 300);
        assertThat(found()).isEmpty();
    }

    @Test
    void theOldestElementGoesFirst() {
        push(1, 10, 100);
        push(1, 20, 200);
        pop(2, 20, 300);
        pop(2, 10, 400);
        assertThat(found()).isEqualTo(Map.of(Anomaly.REORDERED, 1L));
    }

    @Test
    void halfOfATransactionIsTorn() {
        log(1).addMicros(OperationKind.PAIR, Outcome.OK, 0, PAIR, 10, 10, 100, 200);
        assertThat(found()).isEmpty();
        log(1).addMicros(OperationKind.PAIR, Outcome.OK, 0, PAIR, 10, 20, 300, 400);
        assertThat(found()).isEqualTo(Map.of(Anomaly.TORN, 1L));
    }

    @Test
    void placesThatDisagreeAtTheEndAreNoticed() {
        append(1, 10, 1, 100, 200);
        elements.put(SEQUENCE, new long[] {10});
        FinalState server = new FinalState("the server", elements);
        FinalState front = new FinalState("a proxy", Map.of(SEQUENCE, new long[0], QUEUE, new long[0]));
        assertThat(new Checker(new Cells(), 50)
                        .check(history, List.of(server, front))
                        .anomalies())
                .isEqualTo(Map.of(Anomaly.STALE, 1L));
    }

    private Map<Anomaly, Long> found() {
        return new Checker(new Cells(), 50)
                .check(history, List.of(new FinalState("the server", elements)))
                .anomalies();
    }

    private OperationLog log(int client) {
        return logs.computeIfAbsent(client, history::open);
    }

    private void write(int client, long value, long from, long to) {
        log(client).addMicros(OperationKind.WRITE, Outcome.OK, 0, REGISTER, value, 0, from, to);
    }

    private void expiring(int client, long value, long millis, long from, long to) {
        log(client).addMicros(OperationKind.EXPIRING_WRITE, Outcome.OK, 0, REGISTER, value, millis, from, to);
    }

    private void doubt(OperationKind kind, int client, int cell, long value, long from) {
        log(client).addMicros(kind, Outcome.IN_DOUBT, 0, cell, value, 0, from, from + 10);
    }

    private void read(int client, long value, long from, long to) {
        log(client).addMicros(OperationKind.READ, Outcome.OK, 0, REGISTER, value, 0, from, to);
    }

    private void increment(int client, long answer, long from, long to) {
        log(client).addMicros(OperationKind.INCREMENT, Outcome.OK, 0, COUNTER, answer, 0, from, to);
    }

    private void count(int client, long value, long at) {
        log(client).addMicros(OperationKind.COUNT, Outcome.OK, 0, COUNTER, value, 0, at, at + 10);
    }

    private void append(int client, long value, long length, long from, long to) {
        log(client).addMicros(OperationKind.APPEND, Outcome.OK, 0, SEQUENCE, value, length, from, to);
    }

    private void tail(int client, long at, long... ids) {
        long digest = Tail.digest(ids, 0, ids.length);
        log(client).addMicros(OperationKind.TAIL, Outcome.OK, 0, SEQUENCE, ids[ids.length - 1], digest, at, at + 10);
    }

    private void push(int client, long value, long at) {
        log(client).addMicros(OperationKind.PUSH, Outcome.OK, 0, QUEUE, value, 0, at, at + 10);
    }

    private void pop(int client, long value, long at) {
        log(client).addMicros(OperationKind.POP, Outcome.OK, 0, QUEUE, value, 0, at, at + 60);
    }

    private static final class Cells implements CellModel {
        @Override
        public int cells() {
            return 5;
        }

        @Override
        public Kind kind(int cell) {
            return Kind.values()[cell];
        }

        @Override
        public String name(int cell) {
            return kind(cell).name();
        }

        @Override
        public long initial(int cell) {
            return cell == REGISTER ? INITIAL : 0;
        }

        @Override
        public long[] initialElements(int cell) {
            return new long[0];
        }
    }
}
