package dev.eden.demo.check;

import java.util.List;
import java.util.Map;

/**
 * What a {@link dev.eden.demo.history.Journal} is held against: the tables as they stood at the end, read from the server that owned
 * them.
 *
 * @param inserts every row, duplicates included
 * @param batches rows by token
 * @param transfers every row, duplicates included
 * @param balances by account
 * @param lists by key
 */
public record JournalState(
        List<Row> inserts,
        Map<Long, Lines> batches,
        List<Transferred> transfers,
        Map<Integer, Long> balances,
        Map<Integer, long[]> lists) {

    /** A numbered row. */
    public record Row(long token, long id, long number) {}

    /** How many rows of a batch there are, and how many different ones; {@code sound} where each holds what was sent. */
    public record Lines(long rows, long different, boolean sound) {}

    /** A row that says that money moved. */
    public record Transferred(long token, int debit, int credit, long amount) {}
}
