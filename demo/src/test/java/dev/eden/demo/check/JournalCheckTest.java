package dev.eden.demo.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.demo.check.JournalState.Lines;
import dev.eden.demo.check.JournalState.Row;
import dev.eden.demo.check.JournalState.Transferred;
import dev.eden.demo.history.Heard;
import dev.eden.demo.history.History.Window;
import dev.eden.demo.history.Journal;
import dev.eden.demo.history.Journal.Append;
import dev.eden.demo.history.Journal.Batch;
import dev.eden.demo.history.Journal.Insert;
import dev.eden.demo.history.Journal.ListStep;
import dev.eden.demo.history.Journal.ListTransaction;
import dev.eden.demo.history.Journal.Notice;
import dev.eden.demo.history.Journal.Read;
import dev.eden.demo.history.Journal.Snapshot;
import dev.eden.demo.history.Journal.Transfer;
import dev.eden.demo.history.Operation;
import dev.eden.demo.history.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Histories written by hand: each anomaly is named, and none where there is none. */
class JournalCheckTest {
    private static final int ACCOUNTS = 3;
    private static final long BALANCE = 100;

    private final Journal journal = new Journal(1);
    private final List<Heard> heard = new ArrayList<>();
    private final List<Window> sessionOnly = new ArrayList<>();
    private final List<Row> rows = new ArrayList<>();
    private final Map<Long, Lines> batches = new HashMap<>();
    private final List<Transferred> transfers = new ArrayList<>();
    private final Map<Integer, Long> balances = new HashMap<>(Map.of(0, BALANCE, 1, BALANCE, 2, BALANCE));
    private final Map<Integer, long[]> lists = new HashMap<>();
    private int index;

    private Verdict verdict() {
        return new JournalCheck(ACCOUNTS, BALANCE)
                .check(
                        List.of(journal),
                        heard,
                        sessionOnly,
                        new JournalState(rows, batches, transfers, balances, lists));
    }

    private void finds(Anomaly... anomalies) {
        assertThat(verdict().anomalies().keySet()).containsExactlyInAnyOrder(anomalies);
    }

    private void finds(String words, Anomaly... anomalies) {
        finds(anomalies);
        assertThat(verdict().examples())
                .anySatisfy(example -> assertThat(example).contains(words));
    }

    // Lists under SERIALIZABLE

    private void transaction(int client, Outcome outcome, long begun, long returned, ListStep... steps) {
        journal.add(new ListTransaction(client, 0, index++, outcome, begun, returned, List.of(steps)));
    }

    private void committed(int client, long begun, long returned, ListStep... steps) {
        transaction(client, Outcome.OK, begun, returned, steps);
    }

    private static Read saw(int key, long... elements) {
        return new Read(key, elements);
    }

    @Test
    void aSerialHistoryIsClean() {
        committed(1, 0, 10, new Append(7, 1), saw(8));
        committed(2, 20, 30, saw(7, 1), new Append(7, 2), saw(7, 1, 2));
        transaction(3, Outcome.FAILED, 20, 35, new Append(7, 3));
        transaction(3, Outcome.IN_DOUBT, 40, Operation.NEVER, new Append(7, 4), new Append(8, 5));
        committed(1, 50, 60, saw(7, 1, 2, 4), saw(8, 5));
        lists.put(7, new long[] {1, 2, 4});
        lists.put(8, new long[] {5});

        Verdict verdict = verdict();

        assertThat(verdict.examples()).isEmpty();
        assertThat(verdict.clean()).isTrue();
        assertThat(verdict.acknowledgedWrites()).isEqualTo(3);
        assertThat(verdict.inDoubt()).isEqualTo(1);
    }

    @Test
    void anAcknowledgedElementThatIsGoneIsLost() {
        committed(1, 0, 10, new Append(7, 1));
        committed(1, 20, 30, new Append(7, 2));
        lists.put(7, new long[] {2});
        finds("element 1:0 is gone", Anomaly.LOST);
    }

    @Test
    void anElementInDoubtThatWasReadMayNotGo() {
        transaction(1, Outcome.IN_DOUBT, 0, Operation.NEVER, new Append(7, 1));
        committed(2, 20, 30, saw(7, 1));
        finds("which is gone", Anomaly.LOST);
    }

    @Test
    void anElementTwiceIsADuplicate() {
        committed(1, 0, 10, new Append(7, 1));
        committed(1, 20, 30, new Append(7, 2));
        lists.put(7, new long[] {1, 2, 1});
        finds(Anomaly.DUPLICATED);
    }

    @Test
    void elementsOfOneClientStandInItsOrder() {
        committed(1, 0, 10, new Append(7, 1));
        committed(1, 10, 30, new Append(7, 2));
        lists.put(7, new long[] {2, 1});
        finds(Anomaly.REORDERED);
    }

    @Test
    void elementsStandInTheOrderOfTime() {
        committed(1, 0, 10, new Append(7, 1));
        committed(2, 11, 30, new Append(7, 2));
        lists.put(7, new long[] {2, 1});
        finds(Anomaly.REORDERED);
    }

    @Test
    void aReadThatIsNoPrefixIsNamed() {
        committed(1, 0, 10, new Append(7, 1));
        committed(2, 5, 15, new Append(7, 2));
        committed(3, 6, 30, saw(7, 2));
        lists.put(7, new long[] {1, 2});
        finds("where it is not", Anomaly.REORDERED);
    }

    @Test
    void anAbortedElementMayNeitherBeReadNorBeThere() {
        transaction(1, Outcome.FAILED, 0, 10, new Append(7, 1));
        committed(2, 20, 30, saw(7, 1));
        finds("which was rolled back", Anomaly.WRONG);
        lists.put(7, new long[] {1});
        finds("is of a transaction that was rolled back", Anomaly.WRONG);
    }

    @Test
    void anElementThatNobodyAddedIsWrong() {
        lists.put(7, new long[] {99});
        finds("was never added", Anomaly.WRONG);
    }

    @Test
    void anOldReadIsStaleUnlessReadsMayComeFromACopy() {
        committed(1, 0, 10, new Append(7, 1));
        committed(2, 20, 30, saw(7));
        lists.put(7, new long[] {1});
        finds(Anomaly.STALE);
        sessionOnly.add(new Window(15, 40));
        finds();
    }

    @Test
    void ownWritesMustBeSeenEvenOnACopy() {
        committed(1, 0, 10, new Append(7, 1));
        committed(1, 20, 30, saw(7));
        lists.put(7, new long[] {1});
        sessionOnly.add(new Window(0, 40));
        finds(Anomaly.STALE);
    }

    @Test
    void halfATransactionIsTorn() {
        committed(1, 0, 50, new Append(7, 1), new Append(7, 2));
        committed(2, 20, 30, saw(7, 1));
        lists.put(7, new long[] {1, 2});
        // Whoever reads half is also before and after the same transaction.
        finds("saw half", Anomaly.TORN, Anomaly.CYCLE);
    }

    @Test
    void halfATransactionInDoubtIsTorn() {
        transaction(1, Outcome.IN_DOUBT, 0, Operation.NEVER, new Append(7, 1), new Append(8, 2));
        lists.put(7, new long[] {1});
        finds("1 of 2", Anomaly.TORN);
    }

    @Test
    void writesInOppositeOrdersAreG0() {
        committed(1, 0, 50, new Append(7, 1), new Append(8, 2));
        committed(2, 0, 50, new Append(7, 3), new Append(8, 4));
        lists.put(7, new long[] {1, 3});
        lists.put(8, new long[] {4, 2});
        finds("G0", Anomaly.CYCLE);
    }

    @Test
    void readingEachOthersWritesIsG1c() {
        committed(1, 0, 50, new Append(7, 1), saw(8, 2));
        committed(2, 0, 50, new Append(8, 2), saw(7, 1));
        lists.put(7, new long[] {1});
        lists.put(8, new long[] {2});
        finds("G1c", Anomaly.CYCLE);
    }

    @Test
    void aReadSkewIsGSingle() {
        committed(1, 0, 50, new Append(7, 1), new Append(8, 2));
        committed(2, 0, 50, saw(7, 1), saw(8));
        lists.put(7, new long[] {1});
        lists.put(8, new long[] {2});
        finds("G-single", Anomaly.CYCLE);
    }

    @Test
    void aWriteSkewIsG2() {
        committed(1, 0, 50, saw(7), new Append(8, 1));
        committed(2, 0, 50, saw(8), new Append(7, 2));
        lists.put(7, new long[] {2});
        lists.put(8, new long[] {1});
        finds("G2", Anomaly.CYCLE);
    }

    @Test
    void aLongCycleIsFoundAmongManyTransactions() {
        int many = 300;
        for (int i = 0; i < many; i++) {
            committed(i, 0, 1000, saw(i), new Append((i + 1) % many, i + 1));
        }
        for (int i = 0; i < many; i++) {
            lists.put(i, new long[] {(i + many - 1) % many + 1});
        }
        finds("G2", Anomaly.CYCLE);
    }

    // Rows

    @Test
    void rowsThatAreThereOnceAreClean() {
        journal.add(new Insert(1, Outcome.OK, 10, 1000));
        journal.add(new Insert(2, Outcome.FAILED, 11, 1001));
        journal.add(new Insert(3, Outcome.IN_DOUBT, 0, 0));
        journal.add(new Insert(4, Outcome.IN_DOUBT, 0, 0));
        rows.add(new Row(1, 10, 1000));
        rows.add(new Row(3, 12, 1002));
        finds();
    }

    @Test
    void aRowThatIsGoneIsLost() {
        journal.add(new Insert(1, Outcome.OK, 10, 1000));
        finds(Anomaly.LOST);
    }

    @Test
    void aRowTwiceIsADuplicate() {
        journal.add(new Insert(1, Outcome.OK, 10, 1000));
        rows.add(new Row(1, 10, 1000));
        rows.add(new Row(1, 17, 1007));
        finds(Anomaly.DUPLICATED);
    }

    @Test
    void aNumberGivenTwiceIsADuplicate() {
        journal.add(new Insert(1, Outcome.OK, 10, 1000));
        journal.add(new Insert(2, Outcome.OK, 11, 1000));
        rows.add(new Row(1, 10, 1000));
        rows.add(new Row(2, 11, 1000));
        finds("the number 1000 was given twice", Anomaly.DUPLICATED);
    }

    @Test
    void anotherNumberThanAnsweredIsWrong() {
        journal.add(new Insert(1, Outcome.OK, 10, 1000));
        rows.add(new Row(1, 10, 1005));
        finds(Anomaly.WRONG);
    }

    @Test
    void aRowThatWasRolledBackIsWrong() {
        journal.add(new Insert(1, Outcome.FAILED, 10, 1000));
        rows.add(new Row(1, 10, 1000));
        finds(Anomaly.WRONG);
    }

    @Test
    void batchesAreThereWholeOrNotAtAll() {
        journal.add(new Batch(1, Outcome.OK, 20));
        journal.add(new Batch(2, Outcome.IN_DOUBT, 20));
        journal.add(new Batch(3, Outcome.IN_DOUBT, 20));
        batches.put(1L, new Lines(20, 20, true));
        batches.put(3L, new Lines(20, 20, true));
        finds();
        batches.put(2L, new Lines(7, 7, true));
        finds(Anomaly.TORN);
        batches.put(2L, new Lines(21, 20, true));
        finds(Anomaly.DUPLICATED);
        batches.put(2L, new Lines(20, 20, false));
        finds(Anomaly.WRONG);
        batches.remove(1L);
        batches.remove(2L);
        finds(Anomaly.LOST);
        batches.put(1L, new Lines(20, 20, true));
        batches.put(9L, new Lines(1, 1, true));
        finds(Anomaly.WRONG);
    }

    // Money

    private void transferred(long token, Outcome outcome, boolean there) {
        journal.add(new Transfer(token, outcome, 0, 1, 30));
        if (there) {
            transfers.add(new Transferred(token, 0, 1, 30));
            balances.merge(0, -30L, Long::sum);
            balances.merge(1, 30L, Long::sum);
        }
    }

    @Test
    void transfersThatAreWholeAreClean() {
        transferred(1, Outcome.OK, true);
        transferred(2, Outcome.IN_DOUBT, true);
        transferred(3, Outcome.IN_DOUBT, false);
        transferred(4, Outcome.FAILED, false);
        journal.add(new Snapshot(5, 3, 300));
        finds();
    }

    @Test
    void aTransferThatIsGoneWholeIsLost() {
        transferred(1, Outcome.OK, false);
        finds(Anomaly.LOST);
    }

    @Test
    void aTransferTwiceIsADuplicate() {
        transferred(1, Outcome.OK, true);
        transfers.add(new Transferred(1, 0, 1, 30));
        balances.merge(0, -30L, Long::sum);
        balances.merge(1, 30L, Long::sum);
        finds(Anomaly.DUPLICATED);
    }

    @Test
    void halfATransferIsTorn() {
        transferred(1, Outcome.OK, true);
        balances.put(0, BALANCE);
        finds("its transfers say 70", Anomaly.TORN);
    }

    @Test
    void aSumInBetweenIsTorn() {
        journal.add(new Snapshot(5, 3, 270));
        finds("3 accounts with 270 together", Anomaly.TORN);
    }

    @Test
    void aMissingAccountIsNoticed() {
        balances.remove(2);
        finds(Anomaly.LOST, Anomaly.TORN);
    }

    // Notifications

    private void notified(long token, Outcome outcome, long invoked, long returned) {
        journal.add(new Notice(token, outcome, invoked, returned));
    }

    @Test
    void whatWasSentIsHeardOnceInOrder() {
        notified(1, Outcome.OK, 5, 8);
        notified(2, Outcome.OK, 20, 30);
        notified(3, Outcome.FAILED, 20, 30);
        notified(4, Outcome.IN_DOUBT, 20, Operation.NEVER);
        notified(5, Outcome.OK, 40, 50);
        heard.add(new Heard("listener", 10, List.of(), List.of(2L, 5L)));
        finds();
        heard.set(0, new Heard("listener", 10, List.of(), List.of(2L)));
        finds(Anomaly.LOST);
        heard.set(0, new Heard("listener", 10, List.of(new Window(35, 45)), List.of(2L)));
        finds();
        heard.set(0, new Heard("listener", 10, List.of(), List.of(2L, 5L, 2L)));
        finds(Anomaly.DUPLICATED);
        heard.set(0, new Heard("listener", 10, List.of(), List.of(5L, 2L)));
        finds(Anomaly.REORDERED);
        heard.set(0, new Heard("listener", 10, List.of(), List.of(2L, 3L, 5L)));
        finds(Anomaly.WRONG);
    }

    @Test
    void anAnswerThatMustBeAnotherIsWrong() {
        journal.surprise("SELEKT 1 gave no error");
        finds("SELEKT", Anomaly.WRONG);
    }
}
