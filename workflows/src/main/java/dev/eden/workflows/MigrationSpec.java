package dev.eden.workflows;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a migration was asked to do. It names endpoints and interlays by id and never holds an address or a credential, so
 * that it may live in a workflow history.
 */
public record MigrationSpec(
        String id,
        String description,
        String engine,
        String source,
        String target,
        List<String> interlays,
        Strategy strategy,
        Data data,
        Gates gates,
        FailureHandling failureHandling,
        CutoverBudget budget,
        @Nullable Validation validation) {

    /** True where what the comparison finds different is copied again; else it waits for a person. Specifications of before say nothing. */
    public boolean repairs() {
        return validation == null || validation.repair();
    }

    /** The same under another strategy. */
    public MigrationSpec withStrategy(Strategy other) {
        return new MigrationSpec(
                id,
                description,
                engine,
                source,
                target,
                interlays,
                other,
                data,
                gates,
                failureHandling,
                budget,
                validation);
    }

    /** The same under other gates. */
    MigrationSpec withGates(Gates other) {
        return new MigrationSpec(
                id,
                description,
                engine,
                source,
                target,
                interlays,
                strategy,
                data,
                other,
                failureHandling,
                budget,
                validation);
    }

    /**
     * {@code type}: {@code scan}, {@code logical} or {@code none}; {@code mechanism}: {@code auto}, {@code psync}, {@code logical}; {@code replace}:
     * {@code replace}, {@code skip}, {@code fail}.
     *
     * @param ddl changes of a PostgreSQL's schema while it moves: {@code frozen} (null too) or {@code additive}
     */
    public record Data(
            String type,
            String mechanism,
            String replace,
            @Nullable String ddl) {
        public static final String ADDITIVE = "additive";

        public Data(String type, String mechanism, String replace) {
            this(type, mechanism, replace, null);
        }

        /** True where what only adds to the schema is carried to the standby. */
        public boolean additive() {
            return ADDITIVE.equals(ddl);
        }
    }

    /** Canary gates; a negative number means "not gated". {@code onBreach}: {@code rollback} or {@code hold} (back to 0 %). */
    public record Gates(
            double maxErrorRate,
            double maxLatencyRatio,
            double maxMismatchRate,
            long minSamples,
            long maxLagMs,
            String onBreach) {

        /** With defaults for what is left out. */
        static Gates of(
                @Nullable Double maxErrorRate,
                @Nullable Double maxLatencyRatio,
                @Nullable Double maxMismatchRate,
                @Nullable Long minSamples,
                @Nullable Long maxLagMs,
                @Nullable String onBreach) {
            Gates or = defaults();
            return new Gates(
                    maxErrorRate == null ? or.maxErrorRate : maxErrorRate,
                    maxLatencyRatio == null ? or.maxLatencyRatio : maxLatencyRatio,
                    maxMismatchRate == null ? or.maxMismatchRate : maxMismatchRate,
                    minSamples == null ? or.minSamples : minSamples,
                    maxLagMs == null ? or.maxLagMs : maxLagMs,
                    onBreach == null ? or.onBreach : onBreach);
        }

        /** True where some figure of the target's reads is gated, so that reads have to be seen before a stage can pass. */
        public boolean judgesReads() {
            return maxErrorRate >= 0 || maxLatencyRatio >= 0;
        }

        /** No gate but the lag gate of 100 ms. */
        public static Gates defaults() {
            return new Gates(-1, -1, -1, 100, 100, "hold");
        }
    }

    /** Of the full comparison before the canary. No cutover goes without an empty one. */
    public record Validation(boolean repair) {}

    /** What becomes of the migration when a phase fails for good. */
    public enum FailureHandling {
        ROLLBACK_ALL,
        PAUSE,
        NEEDS_OPERATOR
    }

    /**
     * Limits of one attempt, in milliseconds; {@code deadlineMs} counts from PREPARED (default 100).
     *
     * @param openTransactions what becomes of a PostgreSQL's that do not end in time: {@code cancel}, or {@code abort} (null too), which calls the attempt off
     */
    public record CutoverBudget(
            long deadlineMs, int maxAttempts, @Nullable String openTransactions) {
        public static final String CANCEL = "cancel";

        public CutoverBudget(long deadlineMs, int maxAttempts) {
            this(deadlineMs, maxAttempts, null);
        }

        /** True where open transactions are ended shortly before the deadline. */
        public boolean cancels() {
            return CANCEL.equals(openTransactions);
        }

        public static CutoverBudget defaults() {
            return new CutoverBudget(100, 5);
        }
    }
}
