package dev.eden.workflows;

import dev.eden.workflows.MigrationPhase.Baking;
import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.MigrationPhase.CuttingOver;
import dev.eden.workflows.MigrationPhase.RollingBack;
import dev.eden.workflows.MigrationSpec.FailureHandling;
import dev.eden.workflows.PhaseMachine.Facts;
import dev.eden.workflows.activity.DirectoryActivities.Glance;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What a running migration knows of itself. Changed by the run loop only; handlers and queries read it. */
final class MigrationState {
    /** Change ids. */
    private static final String HELD_ANEW = "held-stage-anew";

    private static final String PARKED_ANEW = "parked-plan-anew";
    /** No stage has begun of the plan. */
    private static final int NONE = -1;

    private final MigrationSpec spec;

    private MigrationPhase phase = new MigrationPhase.Created();
    private Strategy strategy;
    private boolean paused;
    private boolean diffEmpty;
    private int stage;
    private int attempts;
    private int flips;
    private String lastReason = "";
    private double share;
    private boolean held;
    private boolean failed;
    private @Nullable Strategy applied;
    private boolean appliedForSure;
    private long bakeUntilMillis;
    private int series;
    private boolean targetOwnsWrites;
    private boolean finalizing;
    private boolean ending;
    private boolean emptyTarget;
    private boolean replicationStopped;
    private boolean withdraws;
    private long revision;
    private boolean indexed;
    private boolean reloads;
    private @Nullable Glance glance;
    private long glanceMillis;

    /** A new migration; {@code revision} is where its records begin to count, so that a restart under the same id goes on. */
    MigrationState(MigrationSpec spec, long revision, boolean indexed) {
        this.spec = spec;
        this.strategy = spec.strategy();
        this.share = strategy.shareOf(0);
        this.revision = revision;
        this.indexed = indexed;
    }

    MigrationState(MigrationSpec spec, CarriedState carried) {
        this.spec = spec;
        phase = carried.phase();
        strategy = carried.strategy();
        paused = carried.paused();
        diffEmpty = carried.diffEmpty();
        stage = carried.stage();
        attempts = carried.attempts();
        flips = carried.flips();
        lastReason = carried.lastReason();
        share = carried.share();
        held = carried.held();
        failed = carried.failed();
        applied = carried.applied();
        appliedForSure = carried.appliedForSure();
        bakeUntilMillis = carried.bakeUntilMillis();
        series = carried.series();
        targetOwnsWrites = carried.targetOwnsWrites();
        finalizing = carried.finalizing();
        ending = carried.ending();
        emptyTarget = carried.emptyTarget();
        replicationStopped = carried.replicationStopped();
        revision = carried.revision();
        indexed = carried.indexed();
        reloads = carried.reloads();
    }

    /** Made by {@link MigrationInput#recovering}, not by continue-as-new. */
    boolean isRecovered() {
        return revision == 0;
    }

    void beginsAt(long firstRevision, boolean knowsSearchAttributes) {
        revision = firstRevision;
        indexed = knowsSearchAttributes;
    }

    CarriedState carried(CommandInbox inbox) {
        return new CarriedState(
                phase,
                strategy,
                paused,
                diffEmpty,
                stage,
                attempts,
                flips,
                lastReason,
                inbox.pending(),
                inbox.seen(),
                share,
                held,
                failed,
                applied,
                appliedForSure,
                bakeUntilMillis,
                series,
                targetOwnsWrites,
                finalizing,
                ending,
                emptyTarget,
                replicationStopped,
                revision,
                indexed,
                reloads);
    }

    /** The specification under the present strategy. */
    MigrationSpec spec() {
        return spec.withStrategy(strategy);
    }

    Facts facts() {
        return new Facts(
                paused,
                targetOwnsWrites,
                diffEmpty,
                !replicationStopped,
                finalizing,
                ending,
                held,
                failed,
                stage,
                strategy.plan().size(),
                Math.max(0, spec.budget().maxAttempts() - series),
                spec.failureHandling(),
                "rollback".equals(gates().onBreach()),
                flips > 0 && !targetOwnsWrites,
                false);
    }

    /** The gates in force: the present stage's own, or the migration's. */
    MigrationSpec.Gates gates() {
        List<Strategy.Stage> plan = strategy.plan();
        MigrationSpec.Gates own =
                phase instanceof Canary && stage < plan.size() ? plan.get(stage).gates() : null;
        return own == null ? spec.gates() : own;
    }

    MigrationView view() {
        List<String> blockers = facts().blockers(phase);
        return new MigrationView(
                phase,
                paused,
                targetOwnsWrites ? 1 : wanted().readPercentage(),
                diffEmpty,
                blockers.isEmpty(),
                blockers,
                attempts,
                flips,
                lastReason,
                PhaseMachine.allowed(phase, facts()),
                failed,
                phase instanceof Canary && bakeUntilMillis > 0 ? (Long) bakeUntilMillis : null);
    }

    /** The share of reads that the proxies were told; all of them once the target owns writes. */
    double shareInForce() {
        if (targetOwnsWrites) {
            return 1;
        }
        return applied == null ? 0 : applied.readPercentage();
    }

    /** What the route's canary policy should be now. */
    Strategy wanted() {
        boolean reads = !isWithdrawn() && (phase instanceof Canary || phase instanceof CuttingOver);
        Strategy wanted = strategy.withReadPercentage(reads ? share : 0);
        // A reply that waits for both sides would wait for the whole load, or for the operator.
        boolean behind = reloads || (isWithdrawn() && replicationStopped);
        return behind ? wanted.acknowledgedBySource() : wanted;
    }

    /** From now on no reads are wanted of the target while the migration waits for a person. Not carried: the next run says it again. */
    void withdraw() {
        withdraws = true;
    }

    boolean isWithdrawn() {
        return withdraws && (failed || phase instanceof MigrationPhase.NeedsOperator);
    }

    /** The target is loaded anew: until the canary begins again nobody reads there, nor waits for it. */
    void loadsAgain() {
        reloads = !targetOwnsWrites;
    }

    boolean reloads() {
        return reloads;
    }

    /** Whether the proxies were told something that can't be left to them while the target is loaded anew. */
    boolean toldTooMuch() {
        return reloads && applied != null && applied.writeMode().ack().equals("both");
    }

    /** Whether the proxies may know of any policy at all. */
    boolean wasTold() {
        return applied != null;
    }

    boolean isApplied() {
        return appliedForSure && wanted().equals(applied);
    }

    /** The proxies are about to be told; from now on they may know. */
    void applying(Strategy given) {
        applied = given;
        appliedForSure = false;
    }

    void applied(Strategy given) {
        applied = given;
        appliedForSure = true;
    }

    /** Enters {@code next} at {@code nowMillis} and changes what a phase's beginning changes. */
    void enter(MigrationPhase next, long nowMillis) {
        switch (next) {
            case Canary canary -> {
                switch (phase) {
                    case MigrationPhase.Validating _, Canary _ -> {
                        diffEmpty = true;
                        boolean waits = reloads && held;
                        enterStage(canary.stage(), nowMillis);
                        if (waits) {
                            hold();
                        }
                        reloads = false;
                    }
                    case RollingBack _ -> {
                        hold();
                        emptyTarget = false; // nothing has ended; who ends it later says so anew
                    }
                    case MigrationPhase.NeedsOperator _ -> {
                        if (canary.stage() != stage) {
                            enterStage(canary.stage(), nowMillis); // NONE: of a plan that was patched meanwhile
                        }
                    }
                    case CuttingOver _, Baking _ -> {}
                    case MigrationPhase.Created _, MigrationPhase.Initializing _, MigrationPhase.Replicating _ -> {}
                    case MigrationPhase.Completed _, MigrationPhase.RolledBack _ -> {}
                }
            }
            case CuttingOver cutting -> series = cutting.attempt() - 1;
            case RollingBack _ -> {
                if (!(phase instanceof RollingBack)) {
                    paused = false;
                    failed = false;
                    series = 0;
                }
            }
            case MigrationPhase.Replicating _, MigrationPhase.Validating _ -> diffEmpty = false;
            case Baking _, MigrationPhase.NeedsOperator _ -> series = 0;
            case MigrationPhase.Created _, MigrationPhase.Initializing _ -> {}
            case MigrationPhase.Completed _, MigrationPhase.RolledBack _ -> {}
        }
        phase = next;
    }

    private void enterStage(int number, long nowMillis) {
        stage = number;
        held = false;
        share = strategy.shareOf(number);
        List<Strategy.Stage> plan = strategy.plan();
        long bakeSeconds = number + 1 < plan.size() ? plan.get(number).bakeSeconds() : 0;
        bakeUntilMillis = bakeSeconds > 0 ? nowMillis + bakeSeconds * 1_000 : 0;
    }

    /** No reads for the target until somebody decides. */
    void hold() {
        share = 0;
        held = true;
        bakeUntilMillis = 0;
    }

    /** Takes over what a command says beside the phase that it leads to. True where that phase begins anew even if it is the present one. {@code decides} is asked with a change id, only where the decision is another than before. */
    boolean obey(Command command, Predicate<String> decides) {
        switch (command.effect()) {
            case PAUSE -> paused = true;
            case RESUME -> {
                paused = false;
                failed = false;
                replicationStopped = false;
            }
            case ABORT -> {
                ending = true;
                paused = false;
                failed = false;
                replicationStopped = false;
                emptyTarget = Boolean.TRUE.equals(command.emptyTarget());
            }
            case ROLLBACK -> {
                ending = false;
                paused = false;
                failed = false;
                replicationStopped = false;
                emptyTarget = Boolean.TRUE.equals(command.emptyTarget());
            }
            case FINALIZE -> {
                finalizing = true;
                paused = false;
                failed = false;
            }
            case ADVANCE -> {
                return true;
            }
            case PATCH_STRATEGY -> {
                Strategy next = command.onto(strategy);
                if (Boolean.FALSE.equals(command.shareNamed())) {
                    strategy = strategy.withTermsOf(next);
                    return false;
                }
                return patch(next, Boolean.TRUE.equals(command.shareNamed()), decides);
            }
            case CUTOVER -> {}
        }
        return false;
    }

    /**
     * A new plan begins with its first stage. A patch that names another read percentage, or no plan, ends the plan: the share
     * is then what the operator said. True where a new plan begins now, or a stage anew that was held.
     *
     * @param named the plan is the caller's word, be it the same one
     */
    private boolean patch(Strategy next, boolean named, Predicate<String> decides) {
        boolean newPlan = !next.plan().isEmpty() && !next.plan().equals(strategy.plan());
        boolean samePlan = !next.plan().isEmpty() && !newPlan;
        boolean keepsPlan = samePlan && next.readPercentage() == strategy.readPercentage();
        if (newPlan) {
            strategy = next;
            share = next.shareOf(0);
            held = held && !reloads;
            if (phase instanceof Canary) {
                phase = new Canary(0);
                return true;
            }
            if (phase instanceof MigrationPhase.NeedsOperator parked
                    && parked.resumeTo() instanceof Canary
                    && decides.test(PARKED_ANEW)) {
                stage = NONE;
                phase = new MigrationPhase.NeedsOperator(parked.reason(), new Canary(0));
            }
        } else if (keepsPlan) {
            strategy = next;
            if (named && held && !paused && phase instanceof Canary && decides.test(HELD_ANEW)) {
                phase = new Canary(stage);
                return true;
            }
        } else {
            strategy = next.withoutStages();
            share = strategy.shareOf(0);
            held = false;
            bakeUntilMillis = 0;
        }
        return false;
    }

    /** Failure handling {@code pause}: not even what goes on in a pause is tried again before an operator says resume. */
    void pauseBecause(String reason) {
        paused = true;
        failed = true;
        lastReason = reason;
    }

    void attemptStarts() {
        attempts++;
        series++;
    }

    /** An attempt committed; {@code forward}: the target owns writes from now on. */
    void flipped(boolean forward) {
        flips++;
        targetOwnsWrites = forward;
    }

    void reason(String reason) {
        lastReason = reason;
    }

    void replicationStopped() {
        replicationStopped = true;
        diffEmpty = targetOwnsWrites && diffEmpty;
    }

    /** Failure handling {@code rollback_all} gives the migration up. */
    void giveUp() {
        ending = true;
        replicationStopped = false;
    }

    /** Not carried into a next run: that has a look of its own with its first record. */
    void glanced(Glance seen, long nowMillis) {
        glance = seen;
        glanceMillis = nowMillis;
    }

    @Nullable
    Glance glance() {
        return glance;
    }

    long glanceMillis() {
        return glanceMillis;
    }

    long nextRevision() {
        return ++revision;
    }

    MigrationPhase phase() {
        return phase;
    }

    Strategy strategy() {
        return strategy;
    }

    boolean paused() {
        return paused;
    }

    boolean failed() {
        return failed;
    }

    boolean held() {
        return held;
    }

    int stage() {
        return stage;
    }

    int attempts() {
        return attempts;
    }

    int series() {
        return series;
    }

    int flips() {
        return flips;
    }

    String lastReason() {
        return lastReason;
    }

    long bakeUntilMillis() {
        return bakeUntilMillis;
    }

    boolean targetOwnsWrites() {
        return targetOwnsWrites;
    }

    boolean finalizing() {
        return finalizing;
    }

    boolean emptyTarget() {
        return emptyTarget;
    }

    boolean replicationIsStopped() {
        return replicationStopped;
    }

    boolean indexed() {
        return indexed;
    }

    FailureHandling failureHandling() {
        return spec.failureHandling();
    }
}
