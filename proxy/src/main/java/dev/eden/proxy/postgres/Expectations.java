package dev.eden.proxy.postgres;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a server still has to answer on one connection, in order: the ring that tells which answer belongs to what. Answers that the proxy gives
 * itself (a statement that the server already has) stand in it too and come when their turn does.
 */
final class Expectations {
    enum Kind {
        /** Answered by ParseComplete. */
        PARSE,
        /** A Parse of the proxy's own: its answer is swallowed. */
        OWN_PARSE,
        /** The proxy answers ParseComplete. */
        KNOWN_PARSE,
        BIND,
        DESCRIBE,
        EXECUTE,
        CLOSE,
        /** A Close of the proxy's own: its answer is swallowed. */
        OWN_CLOSE,
        /** The proxy answers CloseComplete. */
        KNOWN_CLOSE,
        /** Answered by ReadyForQuery, as everything below. */
        SYNC,
        QUERY,
        /** A query of the proxy's own: all of its answers are swallowed. */
        EXCHANGE;

        boolean endsBatch() {
            return this == SYNC || this == QUERY || this == EXCHANGE;
        }

        boolean answeredHere() {
            return this == KNOWN_PARSE || this == KNOWN_CLOSE;
        }
    }

    private Kind[] kinds = new Kind[16];
    private @Nullable Object[] subjects = new @Nullable Object[16];
    private long[] times = new long[16];
    private int head;
    private int size;

    void add(Kind kind, @Nullable Object subject, long time) {
        if (size == kinds.length) {
            grow();
        }
        int at = (head + size) & (kinds.length - 1);
        kinds[at] = kind;
        subjects[at] = subject;
        times[at] = time;
        size++;
    }

    private void grow() {
        Kind[] moreKinds = new Kind[size * 2];
        @Nullable Object[] moreSubjects = new @Nullable Object[size * 2];
        long[] moreTimes = new long[size * 2];
        for (int i = 0; i < size; i++) {
            int at = (head + i) & (size - 1);
            moreKinds[i] = kinds[at];
            moreSubjects[i] = subjects[at];
            moreTimes[i] = times[at];
        }
        kinds = moreKinds;
        subjects = moreSubjects;
        times = moreTimes;
        head = 0;
    }

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    /** Null when nothing is expected. */
    @Nullable
    Kind first() {
        return size == 0 ? null : kinds[head];
    }

    @Nullable
    Object subject() {
        return size == 0 ? null : subjects[head];
    }

    long time() {
        return times[head];
    }

    void remove() {
        subjects[head] = null;
        head = (head + 1) & (kinds.length - 1);
        size--;
    }

    /**
     * After an error: everything up to the end of the batch is skipped by the server; {@code skipped} sees the subjects. False when that end
     * has not been sent yet.
     */
    boolean skipToEndOfBatch(Consumer<Object> skipped) {
        while (size > 0) {
            if (kinds[head].endsBatch()) {
                return true;
            }
            Object subject = subjects[head];
            remove();
            if (subject != null) {
                skipped.accept(subject);
            }
        }
        return false;
    }

    /** A COPY from the client began: the Syncs sent with it are ignored by the server. Answers how many there were. */
    int dropSyncs() {
        int before = size;
        int kept = 0;
        for (int i = 0; i < before; i++) {
            int from = (head + i) & (kinds.length - 1);
            if (kinds[from] != Kind.SYNC) {
                int to = (head + kept) & (kinds.length - 1);
                kinds[to] = kinds[from];
                subjects[to] = subjects[from];
                times[to] = times[from];
                kept++;
            }
        }
        for (int i = kept; i < before; i++) {
            subjects[(head + i) & (kinds.length - 1)] = null;
        }
        size = kept;
        return before - kept;
    }

    /** Whether a Parse of {@code statement} is under way. */
    Parsing parsing(Prepared statement) {
        boolean sameBatch = true;
        for (int i = size - 1; i >= 0; i--) {
            int at = (head + i) & (kinds.length - 1);
            if (kinds[at].endsBatch()) {
                sameBatch = false;
            } else if ((kinds[at] == Kind.PARSE || kinds[at] == Kind.OWN_PARSE)
                    && subjects[at] instanceof ClientStatements.Entry entry
                    && entry.statement() == statement) {
                return sameBatch ? Parsing.SAME_BATCH : Parsing.EARLIER_BATCH;
            }
        }
        return Parsing.NO;
    }

    enum Parsing {
        NO,
        SAME_BATCH,
        /** Whether it will be there is not known before that batch has ended. */
        EARLIER_BATCH
    }
}
