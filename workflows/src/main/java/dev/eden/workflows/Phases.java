package dev.eden.workflows;

import dev.eden.workflows.MigrationPhase.CuttingOver;
import dev.eden.workflows.MigrationPhase.NeedsOperator;
import dev.eden.workflows.MigrationPhase.RollingBack;
import dev.eden.workflows.PhaseMachine.Event;
import dev.eden.workflows.activity.CanaryActivities;
import dev.eden.workflows.activity.CanaryActivities.CanaryVerdict;
import dev.eden.workflows.activity.CleanupActivities.CleanupRequest;
import dev.eden.workflows.activity.Failures;
import dev.eden.workflows.activity.PreparationActivities.Preflight;
import dev.eden.workflows.activity.ReplicationActivities.CaughtUpRequest;
import dev.eden.workflows.activity.ValidationActivities.ValidationRequest;
import dev.eden.workflows.activity.ValidationActivities.ValidationSummary;
import io.temporal.failure.ActivityFailure;
import io.temporal.workflow.Functions;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/** What is done in each phase but the canary's ({@link CanaryPhase}). Each returns what happened; waits inside may end it otherwise ({@link PhaseLeft}). */
final class Phases {
    /** Comparisons with repair before a difference that stays counts as a failure. */
    static final int VALIDATION_ROUNDS = 5;

    /** Attempts to prepare or clean up before people are told why it does not end: seconds. */
    private static final int UNTIL_TOLD = 4;
    /** Attempts to prepare or compare before it counts as failed: some minutes. */
    static final int UNTIL_DECIDED = 40;
    /** Afterwards, before they are told what it is by then: minutes, for the sake of the history's length. */
    private static final int ONCE_TOLD = 100;
    /** Change id: whoever waits for a person after a failure has no reads on the target, and no reply waits for it. */
    private static final String WITHDRAWN = "share-withdrawn";
    /** Change id: what was seen of the new owner while paused is told, and nothing is taken back for it later. */
    private static final String WATCHED_ANEW = "watched-anew";

    private static final Duration BETWEEN_ROUNDS = Duration.ofSeconds(2);

    private final MigrationState state;
    private final Waits waits;
    private final Journal journal;
    private final ReplicationStep replication;
    private final GateWatch watch;
    private final ReadShare share;
    private final Attempts attempts;

    Phases(
            MigrationState state,
            Waits waits,
            Journal journal,
            ReplicationStep replication,
            GateWatch watch,
            ReadShare share,
            Attempts attempts) {
        this.state = state;
        this.waits = waits;
        this.journal = journal;
        this.replication = replication;
        this.watch = watch;
        this.share = share;
        this.attempts = attempts;
    }

    Event initialize() {
        waits.whilePaused();
        Preflight preflight =
                prepare(attempts -> Steps.preparation("preflight", attempts).preflight(state.spec()));
        if (preflight.refused()) {
            return new Event.Failed(preflight.findings().stream()
                    .filter(finding -> finding.severity().equals("failure"))
                    .map(finding -> finding.id() + ": " + finding.message())
                    .collect(Collectors.joining("; ", "preflight refused: ", "")));
        }
        waits.whilePaused();
        prepare(attempts -> {
            Steps.preparation("prepare both servers", attempts).prepare(state.spec());
            return true;
        });
        waits.whilePaused();
        return new Event.Prepared();
    }

    /** A server may be away for a moment, and one may refuse for good: people are told after seconds, and decide after minutes. */
    private <T> T prepare(Functions.Func1<Integer, T> step) {
        String told;
        try {
            return waits.work(() -> step.apply(UNTIL_TOLD));
        } catch (ActivityFailure failure) {
            // No history of before comes here: its steps have no limit.
            if (!StepFailure.isExhausted(failure)) {
                throw failure;
            }
            told = StepFailure.reason(failure);
        }
        tell(AuditEvents.STEP_FAILED, told);
        T done = waits.work(() -> step.apply(UNTIL_DECIDED));
        if (state.lastReason().equals(told)) {
            state.reason("");
        }
        return done;
    }

    Event replicate() {
        if (state.reloads()) {
            // A load begins by emptying the target.
            share.apply();
        }
        replication.ensure();
        share.apply();
        waits.whilePaused();
        long maxLag = state.spec().gates().maxLagMs();
        waits.longWork(() -> Steps.replication("wait until caught up")
                .awaitCaughtUp(new CaughtUpRequest(state.spec(), maxLag < 0 ? Long.MAX_VALUE : maxLag)));
        waits.whilePaused();
        return new Event.CaughtUp();
    }

    Event validate() {
        replication.ensure();
        share.apply();
        boolean repair = state.spec().repairs();
        int rounds = repair ? VALIDATION_ROUNDS : 1;
        ValidationSummary summary = null;
        for (int round = 1; round <= rounds; round++) {
            waits.whilePaused();
            if (summary != null) {
                waits.sleep(BETWEEN_ROUNDS, "before the next comparison");
            }
            String title = repair ? "compare and repair, round " + round : "compare";
            summary = waits.longWork(
                    () -> Steps.validation(title, UNTIL_DECIDED).validate(new ValidationRequest(state.spec(), repair)));
            if (summary.remaining() == 0) {
                waits.whilePaused();
                return new Event.Validated();
            }
        }
        long remaining = Objects.requireNonNull(summary).remaining();
        return new Event.Failed(
                repair
                        ? "differences remain after " + VALIDATION_ROUNDS + " rounds of repair: " + remaining
                        : "differences are left for a person (validation.repair is false): " + remaining);
    }

    Event cutOver(CuttingOver cutting) {
        replication.ensure();
        if (cutting.attempt() > 1) {
            waits.sleep(attempts.pause(), "before the next attempt");
        }
        waits.whilePaused();
        return attempts.attempt(true);
    }

    /** The target owns writes; the reverse stream keeps the source current until somebody decides. */
    Event bake() {
        if (!state.finalizing()) {
            replication.ensure();
            share.apply();
            if (Workflow.getVersion("watch while baking", Workflow.DEFAULT_VERSION, 1) == Workflow.DEFAULT_VERSION) {
                waits.until(state::finalizing);
                return cleanUp(true);
            }
            Optional<Event> breached = watchOwner();
            if (breached.isPresent()) {
                return breached.get();
            }
            watch.leave();
        }
        return cleanUp(true);
    }

    /** Empty where finalising has begun. */
    private Optional<Event> watchOwner() {
        while (true) {
            watch.leave();
            Promise<CanaryVerdict> watching = watch.start("watch the new owner", 0, CanaryActivities::watchOwner);
            waits.until(() -> state.finalizing() || watching.isCompleted());
            boolean heldBack = !state.finalizing()
                    && state.paused()
                    && watching.getFailure() == null
                    && Workflow.getVersion(WATCHED_ANEW, Workflow.DEFAULT_VERSION, 1) != Workflow.DEFAULT_VERSION;
            if (heldBack) {
                tell(
                        AuditEvents.GATE_BREACHED,
                        "while paused: " + watching.get().reason());
            }
            waits.until(() -> state.finalizing() || !state.paused());
            if (state.finalizing()) {
                return Optional.empty();
            }
            if (!heldBack) {
                return Optional.of(new Event.GateBreached(watching.get().reason()));
            }
        }
    }

    Event flipBack() {
        replication.ensure();
        if (state.series() > 0) {
            waits.sleep(attempts.pause(), "before the next attempt to roll back");
        }
        waits.whilePaused();
        return attempts.attempt(false);
    }

    /** Ends replication, then leaves nothing of Eden's on either server. Tries for ever, and says what it waits for. */
    Event cleanUp(boolean completed) {
        share.apply();
        replication.stop();
        boolean tells = Workflow.getVersion("tell what cleaning up waits for", Workflow.DEFAULT_VERSION, 1)
                != Workflow.DEFAULT_VERSION;
        int attempts = tells ? UNTIL_TOLD : 0;
        while (true) {
            try {
                leaveNothing(completed, attempts);
                break;
            } catch (ActivityFailure failure) {
                if (!tells || StepFailure.isForGood(failure)) {
                    throw failure;
                }
                tell(AuditEvents.STEP_FAILED, StepFailure.reason(failure));
                attempts = ONCE_TOLD;
            }
        }
        if (state.lastReason().startsWith(Failures.CLEANUP_INCOMPLETE)) {
            state.reason("");
        }
        return new Event.CleanedUp();
    }

    private void leaveNothing(boolean completed, int attempts) {
        waits.work(() -> {
            Steps.cleanup("leave nothing behind", attempts)
                    .cleanUp(new CleanupRequest(state.spec(), completed, !completed && state.emptyTarget()));
            return true;
        });
    }

    private void tell(String event, String reason) {
        if (!reason.equals(state.lastReason())) {
            state.reason(reason);
            journal.publish();
            journal.record(event, AuditEvents.EDEN, reason);
        }
    }

    /** After a failure under failure handling {@code pause} the phase begins again when an operator says resume. */
    void whileFailed() {
        if (!state.failed()) {
            return;
        }
        tellBeforeLoad();
        replication.ensureFor(state.phase());
        if (withdraws()) {
            share.withdrawnUntil(() -> !state.failed());
        } else {
            waits.until(() -> !state.failed());
        }
    }

    Event waitForOperator(NeedsOperator parked) {
        tellBeforeLoad();
        if (!state.finalizing() || parked.resumeTo() instanceof RollingBack) {
            replication.ensureFor(parked.resumeTo());
        }
        if (withdraws()) {
            share.withdrawnUntil(() -> false);
        } else {
            share.tryToApply();
            waits.until(() -> false);
        }
        throw new IllegalStateException("only a command ends " + parked.label());
    }

    private void tellBeforeLoad() {
        if (state.reloads()) {
            share.tryToApply();
        }
    }

    private static boolean withdraws() {
        return Workflow.getVersion(WITHDRAWN, Workflow.DEFAULT_VERSION, 1) != Workflow.DEFAULT_VERSION;
    }
}
