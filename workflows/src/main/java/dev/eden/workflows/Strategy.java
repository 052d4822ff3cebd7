package dev.eden.workflows;

import com.fasterxml.jackson.annotation.JsonAlias;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How reads and writes move. {@code type} is {@code canary}, {@code blue_green} or {@code immediate}; fractions are 0…1.
 * Additive evolution only: instances live in workflow histories. In signals typed by hand the words of the REST API are
 * understood, too, but for durations: {@code bake_seconds}, {@code max_wait_ms}.
 */
public record Strategy(
        String type,
        @JsonAlias("read_percentage") double readPercentage,
        String consistency,
        @JsonAlias("max_wait_ms") long maxWaitMs,
        @Nullable List<Stage> stages,
        @JsonAlias("write_mode") WriteMode writeMode) {

    public static final String CANARY = "canary";
    public static final String BLUE_GREEN = "blue_green";
    public static final String IMMEDIATE = "immediate";

    /** Terms, as a patch names them. */
    public static final String CONSISTENCY = "consistency";

    public static final String MAX_WAIT = "max_wait";
    public static final String ACK = "ack";

    /** Of a read for the target, where a request does not say. */
    public static final long DEFAULT_MAX_WAIT_MS = 5;

    private static final Set<String> TYPES = Set.of(CANARY, BLUE_GREEN, IMMEDIATE);

    /** What a command typed by hand leaves out gets its default. */
    public Strategy {
        if (consistency == null) {
            consistency = "session";
        }
        if (writeMode == null) {
            writeMode = new WriteMode("dual_write", "old_authoritative", "source", null);
        }
    }

    /** {@code mode} is {@code dual_write} or {@code cutover}; {@code ack} is {@code source} or {@code both}. */
    public record WriteMode(
            String mode,
            @Nullable String policy,
            String ack,
            @JsonAlias("write_percentage") @Nullable Double writePercentage) {
        public WriteMode {
            if (mode == null) {
                mode = "dual_write";
            }
            if (ack == null) {
                ack = "source";
            }
        }

        /** True where the caller asks for cutover: {@code {"mode":"cutover","write_percentage":1.0}}. */
        public boolean asksForCutover() {
            return mode.equals("cutover");
        }
    }

    /**
     * One step of a canary that advances by itself after {@code bakeSeconds} when the gates hold; 0 waits for {@code advance}.
     *
     * @param gates in force during this stage; null: the migration's
     */
    public record Stage(
            @JsonAlias("read_percentage") double readPercentage,
            @JsonAlias("bake_seconds") long bakeSeconds,
            MigrationSpec.@Nullable Gates gates) {

        /** Under the migration's gates. */
        public Stage(double readPercentage, long bakeSeconds) {
            this(readPercentage, bakeSeconds, null);
        }
    }

    /** The same with another share of reads. */
    public Strategy withReadPercentage(double share) {
        return new Strategy(type, share, consistency, maxWaitMs, stages, writeMode);
    }

    /** The same with replies that wait for the source alone. */
    Strategy acknowledgedBySource() {
        WriteMode mode = new WriteMode(writeMode.mode(), writeMode.policy(), "source", writeMode.writePercentage());
        return new Strategy(type, readPercentage, consistency, maxWaitMs, stages, mode);
    }

    /** The same share and stages, under what {@code other} says of everything else. */
    Strategy withTermsOf(Strategy other) {
        return new Strategy(type, readPercentage, other.consistency(), other.maxWaitMs(), stages, other.writeMode());
    }

    /** The same, with those terms of {@code present} that are not among {@code named}. */
    Strategy withUnnamedTermsOf(Strategy present, List<String> named) {
        String ack = named.contains(ACK) ? writeMode.ack() : present.writeMode().ack();
        return new Strategy(
                type,
                readPercentage,
                named.contains(CONSISTENCY) ? consistency : present.consistency(),
                named.contains(MAX_WAIT) ? maxWaitMs : present.maxWaitMs(),
                stages,
                new WriteMode(writeMode.mode(), writeMode.policy(), ack, writeMode.writePercentage()));
    }

    Strategy withoutStages() {
        return new Strategy(type, readPercentage, consistency, maxWaitMs, null, writeMode);
    }

    /** The planned stages; empty for every strategy but a canary with a plan. */
    List<Stage> plan() {
        return stages == null || !type.equals(CANARY) ? List.of() : stages;
    }

    /** The share of reads that is wanted when the canary's {@code stage} begins. */
    double shareOf(int stage) {
        if (!type.equals(CANARY)) {
            return 0;
        }
        List<Stage> plan = plan();
        return plan.isEmpty()
                ? readPercentage
                : plan.get(Math.min(stage, plan.size() - 1)).readPercentage();
    }

    /** What is wrong with it, in words for the caller. */
    public Optional<String> problem() {
        if (type == null) {
            return Optional.of("the strategy names no type: canary, blue_green or immediate");
        }
        if (!TYPES.contains(type)) {
            return Optional.of("strategy type must be canary, blue_green or immediate, not " + type);
        }
        if (stages != null && stages.stream().anyMatch(Objects::isNull)) {
            return Optional.of("a stage is null");
        }
        if (!fraction(readPercentage) || plan().stream().anyMatch(stage -> !fraction(stage.readPercentage()))) {
            return Optional.of("read_percentage is a fraction from 0 to 1");
        }
        Double writes = writeMode.writePercentage();
        if (writes != null && !fraction(writes)) {
            return Optional.of("write_percentage is a fraction from 0 to 1");
        }
        if (writes != null && writes > 0 && writes < 1) {
            return Optional.of(
                    "write_percentage strictly between 0 and 1 would let two servers order writes to the same"
                            + " keys (split brain); it is 0 before the cutover and 1 after it");
        }
        if (writeMode.asksForCutover() && writes != null && writes == 0) {
            return Optional.of("write_mode cutover with write_percentage 0 contradicts itself");
        }
        if (!writeMode.asksForCutover() && writes != null && writes == 1) {
            return Optional.of("write_percentage 1 is a cutover: ask for it with write_mode cutover");
        }
        return Optional.empty();
    }

    private static boolean fraction(double value) {
        return value >= 0 && value <= 1;
    }
}
