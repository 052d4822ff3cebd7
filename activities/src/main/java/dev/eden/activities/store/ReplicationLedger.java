package dev.eden.activities.store;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The store's side of replication: which direction applies, under which generation, from where. The applied position itself lives
 * on the server that is written (see {@link #appliedKey}), in the same transaction as the data.
 */
public interface ReplicationLedger {
    /** Keys that begin so are Eden's own, whatever the migration: neither copied nor compared. */
    byte[] RESERVED = "eden:{".getBytes(StandardCharsets.US_ASCII);

    /** Whether a key of a Redis is Eden's own. */
    static boolean reserves(byte[] key) {
        return key.length >= RESERVED.length && Arrays.equals(key, 0, RESERVED.length, RESERVED, 0, RESERVED.length);
    }

    /** {@code hash} with fields {@code replid}, {@code offset}, {@code suspects} in db 0 of the server that is written. */
    static String appliedKey(String migration) {
        return "eden:{" + migration + "}:applied";
    }

    /**
     * @param from endpoint whose log is read; the active side of the committed route
     * @param to endpoint that is written
     * @param generation of the applier's identity; each start takes a new one
     * @param startReplid,startOffset where this direction's log begins (null, 0: a full load is due or running)
     * @param loaded the full load has ended
     * @param attemptRunning a route row is not STABLE: the applier's identity may be taken away and must not be given back by the replicator
     */
    record Direction(
            String from,
            String to,
            long epoch,
            long generation,
            @Nullable String startReplid,
            long startOffset,
            boolean loaded,
            boolean attemptRunning) {}

    /** The direction the committed route asks for. */
    Direction current(String migration);

    /** What {@link #current} said a moment ago (50 ms at most): for whoever looks all the time. However many do, they share the looks. */
    default Direction lately(String migration) {
        return current(migration);
    }

    /**
     * Takes the next generation, only while the routes are STABLE at {@code epoch}; else empty. From then on older generations must not
     * write: the caller deletes their user on the server before it makes its own.
     */
    java.util.OptionalLong nextGeneration(String migration, long epoch);

    /** The full load has ended at this position of {@code from}'s log. */
    void loaded(String migration, long epoch, long generation, String replid, long offset);

    /** A new full load begins (the log was lost): positions are void. Where one had ended, that is a {@linkplain #lossUntold loss}. */
    void restartLoad(String migration, long epoch, long generation);

    /** A full load that had ended is void, the next has not ended, and nobody is known to have told the migration's workflow. */
    boolean lossUntold(String migration);

    /** The migration's workflow knows what was lost before. */
    void lossTold(String migration);

    /** Progress for status and metrics; cheap, at most a few times a second. */
    void progress(String migration, Progress progress);

    /** {@link Progress#atMillis} is by this machine's clock, however far off the teller's is. */
    java.util.Optional<Progress> progress(String migration);

    /** What an operator has set, half a second ago at most; asked about twice a second. */
    Tuning tuning(String migration);

    /** {@code state}: {@code loading}, {@code streaming}, {@code waiting}, {@code stopped}; {@code lagMs}: age of the oldest source position not applied yet. */
    record Progress(
            String state,
            long keysDone,
            long keysTotal,
            long bytes,
            double keysPerSecond,
            long etaSeconds,
            long lagMs,
            long sourceOffset,
            long appliedOffset,
            boolean reverseProven,
            long conflicts,
            @Nullable String problem,
            long atMillis,
            java.util.@Nullable List<TableProgress> tables,
            @Nullable Long retainedBytes) {

        /** Without log that is kept: Redis bounds its own. */
        public Progress(
                String state,
                long keysDone,
                long keysTotal,
                long bytes,
                double keysPerSecond,
                long etaSeconds,
                long lagMs,
                long sourceOffset,
                long appliedOffset,
                boolean reverseProven,
                long conflicts,
                @Nullable String problem,
                long atMillis,
                java.util.@Nullable List<TableProgress> tables) {
            this(
                    state,
                    keysDone,
                    keysTotal,
                    bytes,
                    keysPerSecond,
                    etaSeconds,
                    lagMs,
                    sourceOffset,
                    appliedOffset,
                    reverseProven,
                    conflicts,
                    problem,
                    atMillis,
                    tables,
                    null);
        }

        /** Without tables: Redis has none, and after the load they say nothing more. */
        public Progress(
                String state,
                long keysDone,
                long keysTotal,
                long bytes,
                double keysPerSecond,
                long etaSeconds,
                long lagMs,
                long sourceOffset,
                long appliedOffset,
                boolean reverseProven,
                long conflicts,
                @Nullable String problem,
                long atMillis) {
            this(
                    state,
                    keysDone,
                    keysTotal,
                    bytes,
                    keysPerSecond,
                    etaSeconds,
                    lagMs,
                    sourceOffset,
                    appliedOffset,
                    reverseProven,
                    conflicts,
                    problem,
                    atMillis,
                    null);
        }

        /** Differs in nothing but the time. */
        public boolean saysTheSameAs(@Nullable Progress other) {
            return other != null && equals(other.at(atMillis));
        }

        public Progress at(long millis) {
            return with(millis, retainedBytes);
        }

        /** {@code bytes}: of log that the owner of writes keeps for the other server; null: not known. */
        public Progress retaining(@Nullable Long bytes) {
            return with(atMillis, bytes);
        }

        private Progress with(long millis, @Nullable Long retained) {
            return new Progress(
                    state,
                    keysDone,
                    keysTotal,
                    bytes,
                    keysPerSecond,
                    etaSeconds,
                    lagMs,
                    sourceOffset,
                    appliedOffset,
                    reverseProven,
                    conflicts,
                    problem,
                    millis,
                    tables,
                    retained);
        }
    }

    /**
     * @param state {@code waiting}, {@code copying}, {@code catching up}, {@code ready}
     * @param rowsTotal an estimate
     * @param rate rows a second since the table was begun; 0 when it is not known or over
     * @param etaSeconds -1: not known
     */
    record TableProgress(
            String name, String state, long rows, long rowsTotal, long bytes, double rate, long etaSeconds) {

        /** Without a rate. */
        public TableProgress(String name, String state, long rows, long rowsTotal, long bytes) {
            this(name, state, rows, rowsTotal, bytes, 0, state.equals("ready") ? 0 : -1);
        }
    }
}
