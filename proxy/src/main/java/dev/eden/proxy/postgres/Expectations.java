package dev.eden.proxy.postgres;

import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * What a server still has to answer on one connection, in order: the ring that tells which answer belongs to what. Answers that the proxy gives
 * itself (a statement that the server already has) stand in it too and come when their turn does.
 */
final class Expectations {
    enum Kind {
        /** Answered by ParseComplete. */
        PARSE,
        /** The same, of an unnamed statement; its subject is the one before, as that of its CLOSE. */
        UNNAMED_PARSE,
        /** A Parse of the proxy's own: its answer is swallowed. */
        OWN_PARSE,
        /** The proxy answers ParseComplete. */
        KNOWN_PARSE,
        BIND,
        DESCRIBE,
        /** A Describe of the proxy's own, of a statement: its answer is swallowed. */
        OWN_DESCRIBE,
        EXECUTE,
        CLOSE,
        /** A Close of the proxy's own: its answer is swallowed. */
        OWN_CLOSE,
        /** The proxy answers CloseComplete. */
        KNOWN_CLOSE,
        /** Nothing: what stands before it was sent with all rows of its COPY. Never the first. */
        ROWS_END,
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
        do {
            subjects[head] = null;
            head = (head + 1) & (kinds.length - 1);
            size--;
        } while (size > 0 && kinds[head] == Kind.ROWS_END);
    }

    /** Whether something is expected with this subject. */
    boolean expects(Object subject) {
        for (int i = 0; i < size; i++) {
            if (subjects[(head + i) & (kinds.length - 1)] == subject) {
                return true;
            }
        }
        return false;
    }

    /** Whether the end of a batch is expected. */
    boolean expectsEndOfBatch() {
        for (int i = 0; i < size; i++) {
            if (kinds[(head + i) & (kinds.length - 1)].endsBatch()) {
                return true;
            }
        }
        return false;
    }

    /**
     * After an error: everything up to the end of the batch is skipped by the server, simple queries too; {@code skipped} sees what. False when that
     * end has not been sent yet.
     */
    boolean skipToEndOfBatch(BiConsumer<Kind, @Nullable Object> skipped) {
        if (size > 0 && kinds[head] == Kind.QUERY) {
            return true; // it is what failed
        }
        while (size > 0) {
            Kind kind = kinds[head];
            if (kind == Kind.SYNC || kind == Kind.EXCHANGE) {
                return true;
            }
            Object subject = subjects[head];
            remove();
            skipped.accept(kind, subject);
        }
        return false;
    }

    /** The rows of the COPY at the head have all been sent. */
    boolean hasRowsEnd() {
        for (int i = 0; i < size; i++) {
            if (kinds[(head + i) & (kinds.length - 1)] == Kind.ROWS_END) {
                return true;
            }
        }
        return false;
    }

    /** A COPY from the client began: the Syncs sent before the end of its rows are ignored by the server. Answers how many there were. */
    int dropSyncs() {
        int before = size;
        int kept = 0;
        int dropped = 0;
        boolean rows = true;
        for (int i = 0; i < before; i++) {
            int from = (head + i) & (kinds.length - 1);
            boolean drop = rows && (kinds[from] == Kind.SYNC || kinds[from] == Kind.ROWS_END);
            if (drop) {
                dropped += kinds[from] == Kind.SYNC ? 1 : 0;
                rows = kinds[from] == Kind.SYNC;
            } else {
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
        return dropped;
    }

    /** Whether a Parse of {@code variant} under its present name is under way. */
    Parsing parsing(Variant variant) {
        boolean sameBatch = true;
        for (int i = size - 1; i >= 0; i--) {
            int at = (head + i) & (kinds.length - 1);
            if (kinds[at].endsBatch()) {
                sameBatch = false;
            } else if ((kinds[at] == Kind.PARSE || kinds[at] == Kind.OWN_PARSE)
                    && subjects[at] instanceof ClientStatements.Entry entry
                    && entry.variant() == variant
                    && entry.generation() == variant.generation()) {
                return sameBatch ? Parsing.SAME_BATCH : Parsing.EARLIER_BATCH;
            }
        }
        return Parsing.NO;
    }

    /** Whether the proxy has asked for the types of {@code variant} under its present name, and has no answer yet. */
    boolean describing(Variant variant) {
        for (int i = size - 1; i >= 0; i--) {
            int at = (head + i) & (kinds.length - 1);
            if (kinds[at] == Kind.OWN_DESCRIBE
                    && subjects[at] instanceof ServerStatements.Described(var _, Variant of, int generation)
                    && of == variant
                    && generation == variant.generation()) {
                return true;
            }
        }
        return false;
    }

    /** Whether the Parse that a client's name stands for is under way. */
    Parsing parsing(ClientStatements.Entry named) {
        boolean sameBatch = true;
        for (int i = size - 1; i >= 0; i--) {
            int at = (head + i) & (kinds.length - 1);
            if (kinds[at].endsBatch()) {
                sameBatch = false;
            } else if ((kinds[at] == Kind.PARSE || kinds[at] == Kind.KNOWN_PARSE) && subjects[at] == named) {
                return sameBatch ? Parsing.SAME_BATCH : Parsing.EARLIER_BATCH;
            }
        }
        return Parsing.NO;
    }

    /** Whether something is under way that gives the server another unnamed statement, or none. */
    Parsing changingUnnamed() {
        boolean sameBatch = true;
        for (int i = size - 1; i >= 0; i--) {
            int at = (head + i) & (kinds.length - 1);
            if (kinds[at].endsBatch()) {
                sameBatch = false;
            } else if (ofUnnamed(at)) {
                return sameBatch ? Parsing.SAME_BATCH : Parsing.EARLIER_BATCH;
            }
        }
        return Parsing.NO;
    }

    private boolean ofUnnamed(int at) {
        return switch (kinds[at]) {
            case UNNAMED_PARSE -> true;
            case OWN_PARSE, OWN_CLOSE -> subjects[at] == null;
            case CLOSE -> subjects[at] != null;
            case PARSE,
                    KNOWN_PARSE,
                    BIND,
                    DESCRIBE,
                    OWN_DESCRIBE,
                    EXECUTE,
                    KNOWN_CLOSE,
                    ROWS_END,
                    SYNC,
                    QUERY,
                    EXCHANGE -> false;
        };
    }

    /** What is to change the client's unnamed statement next finds {@code former}; false: nothing is. */
    boolean changesUnnamed(Object former) {
        for (int i = 0; i < size; i++) {
            int at = (head + i) & (kinds.length - 1);
            if (kinds[at] == Kind.QUERY) {
                return true;
            }
            if (kinds[at] == Kind.UNNAMED_PARSE || kinds[at] == Kind.CLOSE && subjects[at] != null) {
                subjects[at] = former;
                return true;
            }
        }
        return false;
    }

    enum Parsing {
        NO,
        SAME_BATCH,
        /** Whether it will be there is not known before that batch has ended. */
        EARLIER_BATCH
    }
}
