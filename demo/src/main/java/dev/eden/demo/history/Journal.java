package dev.eden.demo.history;

import java.util.ArrayList;
import java.util.List;

/**
 * What one client of a relational load did that cannot be judged cell by cell: whole transactions, rows, transfers. Written by that
 * client's thread alone and read by others only after the thread has ended. Times are microseconds since the history began;
 * {@code returned} is {@link Operation#NEVER} where the outcome is in doubt.
 */
public final class Journal {
    private final int client;
    private final List<ListTransaction> transactions = new ArrayList<>();
    private final List<Insert> inserts = new ArrayList<>();
    private final List<Batch> batches = new ArrayList<>();
    private final List<Transfer> transfers = new ArrayList<>();
    private final List<Snapshot> snapshots = new ArrayList<>();
    private final List<Notice> notices = new ArrayList<>();
    private final List<String> surprises = new ArrayList<>();

    public Journal(int client) {
        this.client = client;
    }

    /**
     * A serializable transaction of appends to lists and reads of whole lists.
     *
     * @param index place in the client's program order
     * @param begun when its first statement was sent: its snapshot is no older
     */
    public record ListTransaction(
            int client, int session, int index, Outcome outcome, long begun, long returned, List<ListStep> steps) {
        public ListTransaction {
            steps = List.copyOf(steps);
        }
    }

    /** A step of a {@link ListTransaction}. */
    public sealed interface ListStep {
        int key();
    }

    /** {@code element} was put at the end of the list. */
    public record Append(int key, long element) implements ListStep {}

    /** The whole list was {@code seen}; nobody changes the array. */
    @SuppressWarnings("ArrayRecordComponent")
    public record Read(int key, long[] seen) implements ListStep {}

    /**
     * A row that the server numbered.
     *
     * @param token unique, made by the client
     * @param id of the identity column, 0 where unknown
     * @param number of a sequence, 0 where unknown
     */
    public record Insert(long token, Outcome outcome, long id, long number) {}

    /** Rows that came in by one COPY: all of them or none. */
    public record Batch(long token, Outcome outcome, int lines) {}

    /** Money from one account to another, with a row that says so. */
    public record Transfer(long token, Outcome outcome, int debit, int credit, long amount) {}

    /** All accounts, read by one statement. */
    public record Snapshot(long invoked, long accounts, long sum) {}

    /** A notification sent to all listeners. */
    public record Notice(long token, Outcome outcome, long invoked, long returned) {}

    public int client() {
        return client;
    }

    public void add(ListTransaction transaction) {
        transactions.add(transaction);
    }

    public void add(Insert insert) {
        inserts.add(insert);
    }

    public void add(Batch batch) {
        batches.add(batch);
    }

    public void add(Transfer transfer) {
        transfers.add(transfer);
    }

    public void add(Snapshot snapshot) {
        snapshots.add(snapshot);
    }

    public void add(Notice notice) {
        notices.add(notice);
    }

    /** An answer that differs from the only one possible, in words. */
    public void surprise(String words) {
        surprises.add(words);
    }

    public List<ListTransaction> transactions() {
        return List.copyOf(transactions);
    }

    public List<Insert> inserts() {
        return List.copyOf(inserts);
    }

    public List<Batch> batches() {
        return List.copyOf(batches);
    }

    public List<Transfer> transfers() {
        return List.copyOf(transfers);
    }

    public List<Snapshot> snapshots() {
        return List.copyOf(snapshots);
    }

    public List<Notice> notices() {
        return List.copyOf(notices);
    }

    public List<String> surprises() {
        return List.copyOf(surprises);
    }
}
