package dev.eden.demo.history;

import java.util.ArrayList;
import java.util.List;

/**
 * The operations of one client in program order, 32 bytes each. Written by that client's thread alone and read by others
 * only after the thread has ended.
 */
public final class OperationLog {
    private static final int WORDS = 4;
    private static final int CHUNK = 8192;
    private static final OperationKind[] KINDS = OperationKind.values();
    private static final Outcome[] OUTCOMES = Outcome.values();

    private final int client;
    private final long originNanos;
    private final List<long[]> chunks = new ArrayList<>();
    private int size;

    OperationLog(int client, long originNanos) {
        this.client = client;
        this.originNanos = originNanos;
    }

    public int client() {
        return client;
    }

    public int size() {
        return size;
    }

    /** Adds an operation; times are {@link System#nanoTime()}. A history spans at most 70 minutes. */
    public void add(
            OperationKind kind,
            Outcome outcome,
            int session,
            int cell,
            long value,
            long extra,
            long invokedNanos,
            long returnedNanos) {
        long invoked = Math.max(0, Math.floorDiv(invokedNanos - originNanos, 1000L));
        long returned = Math.max(invoked, Math.ceilDiv(returnedNanos - originNanos, 1000L));
        addMicros(kind, outcome, session, cell, value, extra, invoked, returned);
    }

    /** As {@link #add}, with times in microseconds since the history began. */
    public void addMicros(
            OperationKind kind,
            Outcome outcome,
            int session,
            int cell,
            long value,
            long extra,
            long invoked,
            long returned) {
        if (invoked > 0xFFFF_FFFFL) {
            throw new IllegalStateException("a history spans at most 70 minutes");
        }
        int offset = (size % CHUNK) * WORDS;
        if (offset == 0) {
            chunks.add(new long[CHUNK * WORDS]);
        }
        long[] chunk = chunks.getLast();
        chunk[offset] = invoked << 32 | Math.min(returned - invoked, 0xFFFF_FFFFL);
        chunk[offset + 1] =
                (long) kind.ordinal() << 56 | (long) outcome.ordinal() << 48 | (session & 0xFFFFL) << 32 | cell;
        chunk[offset + 2] = value;
        chunk[offset + 3] = extra;
        size++;
    }

    /** The operation at {@code index}, from 0. */
    public Operation get(int index) {
        long[] chunk = chunks.get(index / CHUNK);
        int offset = (index % CHUNK) * WORDS;
        long times = chunk[offset];
        long what = chunk[offset + 1];
        Outcome outcome = OUTCOMES[(int) (what >>> 48) & 0xFF];
        long invoked = times >>> 32;
        long returned = outcome == Outcome.IN_DOUBT ? Operation.NEVER : invoked + (times & 0xFFFF_FFFFL);
        return new Operation(
                client,
                (int) (what >>> 32) & 0xFFFF,
                index,
                KINDS[(int) (what >>> 56)],
                outcome,
                (int) what,
                chunk[offset + 2],
                chunk[offset + 3],
                invoked,
                returned);
    }

    int cellAt(int index) {
        return (int) chunks.get(index / CHUNK)[(index % CHUNK) * WORDS + 1];
    }

    /** Moment the operation at {@code index} was sent, in microseconds since the history began. */
    public long invokedAt(int index) {
        return chunks.get(index / CHUNK)[(index % CHUNK) * WORDS] >>> 32;
    }

    /** Microseconds between sending and the whole answer (or the loss of the connection). */
    public long durationAt(int index) {
        return chunks.get(index / CHUNK)[(index % CHUNK) * WORDS] & 0xFFFF_FFFFL;
    }

    /** What kind of operation is at {@code index}. */
    public OperationKind kindAt(int index) {
        return KINDS[(int) (chunks.get(index / CHUNK)[(index % CHUNK) * WORDS + 1] >>> 56)];
    }
}
