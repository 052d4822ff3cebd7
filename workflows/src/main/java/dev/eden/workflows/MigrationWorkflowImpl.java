package dev.eden.workflows;

import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.MigrationPhase.Baking;
import dev.eden.workflows.MigrationPhase.Canary;
import dev.eden.workflows.MigrationPhase.Completed;
import dev.eden.workflows.MigrationPhase.Created;
import dev.eden.workflows.MigrationPhase.CuttingOver;
import dev.eden.workflows.MigrationPhase.Initializing;
import dev.eden.workflows.MigrationPhase.NeedsOperator;
import dev.eden.workflows.MigrationPhase.Replicating;
import dev.eden.workflows.MigrationPhase.RolledBack;
import dev.eden.workflows.MigrationPhase.RollingBack;
import dev.eden.workflows.MigrationPhase.Validating;
import dev.eden.workflows.PhaseMachine.Event;
import dev.eden.workflows.PhaseMachine.Moved;
import dev.eden.workflows.PhaseMachine.Refused;
import dev.eden.workflows.activity.CanaryActivities;
import dev.eden.workflows.activity.CanaryActivities.CanaryRequest;
import dev.eden.workflows.activity.CanaryActivities.CanaryVerdict;
import dev.eden.workflows.activity.CleanupActivities.CleanupRequest;
import dev.eden.workflows.activity.CutoverActivities.AttemptRequest;
import dev.eden.workflows.activity.CutoverActivities.AttemptResult;
import dev.eden.workflows.activity.CutoverActivities.Readiness;
import dev.eden.workflows.activity.DirectoryActivities.PhaseRecord;
import dev.eden.workflows.activity.PreparationActivities.Preflight;
import dev.eden.workflows.activity.ReplicationActivities.CaughtUpRequest;
import dev.eden.workflows.activity.ValidationActivities.ValidationRequest;
import dev.eden.workflows.activity.ValidationActivities.ValidationSummary;
import io.temporal.common.InitialVersioningBehavior;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.TimeoutFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.CompletablePromise;
import io.temporal.workflow.ContinueAsNewOptions;
import io.temporal.workflow.Functions;
import io.temporal.workflow.Promise;
import io.temporal.workflow.TimerOptions;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInfo;
import io.temporal.workflow.WorkflowInit;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The run loop over {@link PhaseMachine}. Handlers only queue commands; this loop obeys them, at every point where it waits.
 * A wait ends by its result, by a command that leads elsewhere, by the end of replication, or because the history is long
 * enough for a new run. An attempt of the cutover protocol is never interrupted: commands that arrive meanwhile are judged
 * again by the phase that its outcome leads to.
 *
 * <p>Cancelling the workflow (Temporal CLI, Web UI) is an abort: it rolls back in order instead of leaving things behind.
 */
public final class MigrationWorkflowImpl implements MigrationWorkflow {
    /** Comparisons with repair before a difference that stays counts as a failure. */
    static final int VALIDATION_ROUNDS = 5;

    /** Change id: a stage passes by the watch's verdict over all its reads, no longer by time alone. */
    private static final String STAGES_JUDGED = "stages-judged";

    private static final int HANDED_OVER_EVENTS = 50;
    private static final Duration BETWEEN_ROUNDS = Duration.ofSeconds(2);
    private static final Duration AFTER_A_FAILED_SERIES = Duration.ofSeconds(30);
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    private static final Duration LONGEST_ASK = Duration.ofSeconds(60);

    private final MigrationInput input;
    private final MigrationState state;
    private final CommandInbox inbox;

    private @Nullable CancellationScope replicationScope;
    private @Nullable Promise<?> replication;
    private @Nullable CancellationScope watchScope;

    /** The request that started the migration, as far as this run knows it. */
    private Correlation starter = new Correlation(null, null);

    /** The request whose command led into the present phase; {@link #starter} where none did. */
    private Correlation asker = starter;

    /** State lives in the constructor: a handler may run before {@link #run}. */
    @WorkflowInit
    public MigrationWorkflowImpl(MigrationInput input) {
        this.input = input;
        CarriedState carried = input.carried();
        boolean indexed = Workflow.getTypedSearchAttributes().containsKey(SearchAttributesNeeded.PHASE);
        // Revisions begin with the clock: a workflow that starts again under the same id goes on where the lost one
        // was.
        if (carried == null) {
            state = new MigrationState(input.spec(), Workflow.currentTimeMillis(), indexed);
            inbox = new CommandInbox(List.of(), List.of());
        } else {
            state = new MigrationState(input.spec(), carried);
            if (state.isRecovered()) {
                state.beginsAt(Workflow.currentTimeMillis(), indexed);
            }
            inbox = new CommandInbox(carried.pending(), carried.seenCommandIds());
        }
    }

    @Override
    public MigrationOutcome run(MigrationInput ignored) {
        starter = Correlation.current();
        asker = starter;
        CancellationScope.current().getCancellationRequest().thenApply(reason -> {
            inbox.receive(new Command(Kind.ABORT, "", "temporal", "workflow cancelled", null));
            return reason;
        });
        Workflow.newDetachedCancellationScope(this::live).run();
        return new MigrationOutcome(state.phase().label(), state.flips());
    }

    private void live() {
        publish();
        CarriedState carried = input.carried();
        if (carried != null && carried.revision() == 0) {
            record(AuditEvents.RECOVERED, AuditEvents.EDEN, state.lastReason());
        }
        while (!state.phase().ended()) {
            try {
                takeCommands();
                waitWhileFailed();
                happened(runPhase(state.phase()));
            } catch (PhaseLeft.ByCommand left) {
                workFor(askerOf(left.command));
                enter(left.next, left.command.kind().label(), left.command.actor(), left.command.reason());
            } catch (PhaseLeft.ByEvent left) {
                happened(left.event);
            } catch (PhaseLeft.ByLength _) {
                continueAsNew();
            } catch (ActivityFailure failure) {
                happened(new Event.Failed(reason(failure)));
            }
        }
        refuseTheRest();
        Workflow.await(Workflow::isEveryHandlerFinished);
    }

    private Event runPhase(MigrationPhase phase) {
        return switch (phase) {
            case Created _ -> new Event.Started();
            case Initializing _ -> initialize();
            case Replicating _ -> replicate();
            case Validating _ -> validate();
            case Canary _ -> canary();
            case CuttingOver cutting -> cutOver(cutting);
            case Baking _ -> bake();
            case RollingBack back -> back.flip() ? flipBack() : cleanUp(false);
            case NeedsOperator parked -> waitForOperator(parked);
            case Completed _, RolledBack _ -> throw new IllegalStateException("ended: " + phase.label());
        };
    }

    // Phases. Each returns what happened; waits inside may end it otherwise (PhaseLeft).

    private Event initialize() {
        holdWhilePaused();
        Preflight preflight = work(() -> Steps.preparation("preflight").preflight(state.spec()));
        if (preflight.refused()) {
            return new Event.Failed(preflight.findings().stream()
                    .filter(finding -> finding.severity().equals("failure"))
                    .map(finding -> finding.id() + ": " + finding.message())
                    .collect(Collectors.joining("; ", "preflight refused: ", "")));
        }
        holdWhilePaused();
        work(() -> {
            Steps.preparation("prepare both servers").prepare(state.spec());
            return true;
        });
        holdWhilePaused();
        return new Event.Prepared();
    }

    private Event replicate() {
        ensureReplication();
        applyShare();
        holdWhilePaused();
        long maxLag = state.spec().gates().maxLagMs();
        longWork(() -> Steps.replication("wait until caught up")
                .awaitCaughtUp(new CaughtUpRequest(state.spec(), maxLag < 0 ? Long.MAX_VALUE : maxLag)));
        holdWhilePaused();
        return new Event.CaughtUp();
    }

    private Event validate() {
        ensureReplication();
        applyShare();
        ValidationSummary summary = null;
        for (int round = 1; round <= VALIDATION_ROUNDS; round++) {
            holdWhilePaused();
            if (summary != null) {
                sleep(BETWEEN_ROUNDS, "before the next comparison");
            }
            String title = "compare and repair, round " + round;
            summary = longWork(() -> Steps.validation(title).validate(new ValidationRequest(state.spec(), true)));
            if (summary.remaining() == 0) {
                holdWhilePaused();
                return new Event.Validated();
            }
        }
        return new Event.Failed("differences remain after " + VALIDATION_ROUNDS + " rounds of repair: "
                + Objects.requireNonNull(summary).remaining());
    }

    /** Shifts reads, watches the gates, advances by itself where a plan says so, until somebody asks for more. */
    private Event canary() {
        ensureReplication();
        Duration ask = state.attempts() == 0 ? Duration.ZERO : AFTER_A_FAILED_SERIES;
        Promise<CanaryVerdict> watch = null;
        Promise<Void> bake = null;
        Promise<Void> askAgain = null;
        boolean judged = state.bakeUntilMillis() > 0
                && Workflow.getVersion(STAGES_JUDGED, Workflow.DEFAULT_VERSION, 1) != Workflow.DEFAULT_VERSION;
        String passed = null;
        while (true) {
            if (!state.isApplied()) {
                leaveCanary();
                watch = null;
                passed = null;
                applyShare();
                continue;
            }
            boolean judging = judged && state.shareInForce() > 0;
            if (watch == null && state.shareInForce() > 0) {
                watch = startWatch(
                        "watch the gates",
                        judging && passed == null ? state.bakeUntilMillis() : 0,
                        CanaryActivities::watch);
            }
            if (bake == null && state.bakeUntilMillis() > 0 && !judging) {
                bake = timer(
                        Duration.ofMillis(Math.max(1, state.bakeUntilMillis() - Workflow.currentTimeMillis())),
                        "stage " + (state.stage() + 1) + " bakes");
            }
            if (askAgain == null && cutsOverByItself()) {
                askAgain = ask.isZero()
                        ? Workflow.newPromise(null)
                        : timer(ask, "before asking again whether the cutover is ready");
            }
            Promise<CanaryVerdict> watched = watch;
            Promise<Void> baked = bake;
            Promise<Void> asked = askAgain;
            boolean mayPass = passed != null;
            waitFor(() -> !state.isApplied()
                    || (mayPass && advancesByItself())
                    || (watched != null && watched.isCompleted())
                    || (baked != null && baked.isCompleted() && advancesByItself())
                    || (asked == null ? cutsOverByItself() : asked.isCompleted() && cutsOverByItself()));
            if (watched != null && watched.isCompleted()) {
                watch = null;
                CanaryVerdict verdict = watched.get();
                if (verdict.breached()) {
                    return new Event.GateBreached(verdict.reason());
                }
                passed = verdict.passed() ? verdict.reason() : passed;
            } else if (passed != null && advancesByItself()) {
                return new Event.StageBaked(passed);
            } else if (baked != null && baked.isCompleted() && advancesByItself()) {
                return new Event.StageBaked("");
            } else if (asked != null && asked.isCompleted() && cutsOverByItself()) {
                if (isReady()) {
                    return new Event.CutoverDue();
                }
                askAgain = null;
                ask = ask.isZero() ? Duration.ofSeconds(1) : shorter(ask.multipliedBy(2), LONGEST_ASK);
            }
        }
    }

    private boolean cutsOverByItself() {
        return state.strategy().type().equals(Strategy.IMMEDIATE) && !state.held() && !state.paused();
    }

    private boolean advancesByItself() {
        return state.bakeUntilMillis() > 0 && !state.held() && !state.paused();
    }

    private boolean isReady() {
        Readiness readiness = work(() -> Steps.readiness("ready for cutover?").readiness(request(true)));
        if (!readiness.ready()) {
            state.reason("not ready for cutover: " + String.join("; ", readiness.blockers()));
            publish();
        }
        return readiness.ready();
    }

    private Event cutOver(CuttingOver cutting) {
        ensureReplication();
        if (cutting.attempt() > 1) {
            sleep(betweenAttempts(), "before the next attempt");
        }
        holdWhilePaused();
        return attempt(true);
    }

    /** The target owns writes; the reverse stream keeps the source current until somebody decides. */
    private Event bake() {
        if (!state.finalizing()) {
            ensureReplication();
            applyShare();
            if (Workflow.getVersion("watch while baking", Workflow.DEFAULT_VERSION, 1) == Workflow.DEFAULT_VERSION) {
                waitFor(state::finalizing);
                return cleanUp(true);
            }
            leaveCanary();
            Promise<CanaryVerdict> watch = startWatch("watch the new owner", 0, CanaryActivities::watchOwner);
            waitFor(() -> state.finalizing() || (watch.isCompleted() && !state.paused()));
            if (!state.finalizing()) {
                CanaryVerdict verdict = watch.get();
                if (verdict.breached()) {
                    return new Event.GateBreached(verdict.reason());
                }
                waitFor(state::finalizing);
            }
            leaveCanary();
        }
        return cleanUp(true);
    }

    private Event flipBack() {
        ensureReplication();
        if (state.series() > 0) {
            sleep(betweenAttempts(), "before the next attempt to roll back");
        }
        holdWhilePaused();
        return attempt(false);
    }

    /** Ends replication, then leaves nothing of Eden's on either server. */
    private Event cleanUp(boolean completed) {
        applyShare();
        stopReplication();
        work(() -> {
            Steps.cleanup("leave nothing behind")
                    .cleanUp(new CleanupRequest(state.spec(), completed, !completed && state.emptyTarget()));
            return true;
        });
        return new Event.CleanedUp();
    }

    private Event waitForOperator(NeedsOperator parked) {
        switch (parked.resumeTo()) {
            case Replicating _, Validating _, Canary _, CuttingOver _, Baking _ -> {
                if (!state.finalizing()) {
                    ensureReplication();
                }
            }
            case RollingBack back -> {
                if (back.flip()) {
                    ensureReplication();
                }
            }
            case Created _, Initializing _, Completed _, RolledBack _, NeedsOperator _ -> {}
        }
        try {
            applyShare();
        } catch (ActivityFailure failure) {
            record(AuditEvents.STEP_FAILED, AuditEvents.EDEN, reason(failure));
        }
        waitFor(() -> false);
        throw new IllegalStateException("only a command ends " + parked.label());
    }

    // The attempt: never interrupted, one try, settled where its outcome is unknown.

    private AttemptRequest request(boolean forward) {
        return new AttemptRequest(state.spec(), forward, state.attempts(), state.lastReason());
    }

    private Event attempt(boolean forward) {
        state.attemptStarts();
        String title = (forward ? "cutover" : "rollback") + ", attempt " + state.attempts();
        AttemptRequest request = request(forward);
        AttemptResult result;
        try {
            result = Steps.attempt(title).attempt(request);
        } catch (ActivityFailure lost) {
            record(AuditEvents.ATTEMPT_LOST, AuditEvents.EDEN, title + ": " + reason(lost));
            result = Steps.settle("settle " + title).settle(request);
        }
        if (result.committed()) {
            state.flipped(forward);
            publish();
            record(
                    AuditEvents.FLIPPED,
                    AuditEvents.EDEN,
                    title + " committed, pause " + result.pauseMicros() / 1_000 + " ms");
            return new Event.Committed();
        }
        String why = title + " " + result.outcome() + ": " + String.join("; ", result.blockers());
        return result.outcome().equals("refused") ? new Event.NotReady(why) : new Event.Aborted(why);
    }

    private Duration betweenAttempts() {
        return Duration.ofSeconds(Math.min(10, 1L << Math.min(4, Math.max(0, state.series() - 1))));
    }

    // What happened and where it leads.

    private void happened(Event event) {
        String name;
        String reason;
        switch (event) {
            case Event.Failed failed -> {
                name = AuditEvents.STEP_FAILED;
                reason = failed.reason();
            }
            case Event.ReplicationFailed failed -> {
                name = AuditEvents.STEP_FAILED;
                reason = failed.reason();
                state.replicationStopped();
            }
            case Event.Aborted aborted -> {
                name = AuditEvents.ATTEMPT_ABORTED;
                reason = aborted.reason();
            }
            case Event.NotReady notReady -> {
                name = AuditEvents.ATTEMPT_REFUSED;
                reason = notReady.reason();
            }
            case Event.GateBreached breach -> {
                name = AuditEvents.GATE_BREACHED;
                reason = breach.reason();
            }
            case Event.Started _, Event.Prepared _, Event.CaughtUp _, Event.Validated _ -> {
                name = AuditEvents.PHASE_CHANGED;
                reason = "";
            }
            case Event.StageBaked baked -> {
                name = baked.numbers().isEmpty() ? AuditEvents.PHASE_CHANGED : AuditEvents.STAGE_PROMOTED;
                reason = baked.numbers();
            }
            case Event.CutoverDue _, Event.Committed _, Event.CleanedUp _ -> {
                name = AuditEvents.PHASE_CHANGED;
                reason = "";
            }
        }
        switch (PhaseMachine.onEvent(state.phase(), event, state.facts())) {
            case Moved moved -> {
                MigrationPhase next = moved.phase();
                switch (event) {
                    case Event.Failed _, Event.ReplicationFailed _ -> failedTo(next, reason);
                    case Event.GateBreached _ -> {
                        if (next instanceof Canary) {
                            leaveCanary();
                            state.hold();
                            state.reason(reason);
                            publish();
                            record(name, AuditEvents.EDEN, "read share back to 0: " + reason);
                            return;
                        }
                    }
                    case Event.Started _, Event.Prepared _, Event.CaughtUp _, Event.Validated _ -> {}
                    case Event.StageBaked _, Event.CutoverDue _, Event.Committed _, Event.CleanedUp _ -> {}
                    case Event.Aborted _, Event.NotReady _ -> {}
                }
                boolean goesOn = flips(state.phase()) && flips(next);
                enter(next, name, AuditEvents.EDEN, reason);
                if (!goesOn) {
                    workFor(starter);
                }
            }
            case Refused refused -> throw new IllegalStateException(refused.why());
        }
    }

    private void failedTo(MigrationPhase next, String reason) {
        switch (next) {
            case RollingBack _ -> state.giveUp();
            case NeedsOperator _, Completed _, RolledBack _ -> {}
            case Created _, Initializing _, Replicating _, Validating _ -> state.pauseBecause(reason);
            case Canary _, CuttingOver _, Baking _ -> state.pauseBecause(reason);
        }
    }

    private void enter(MigrationPhase next, String event, String actor, String reason) {
        leaveCanary();
        state.enter(next, Workflow.currentTimeMillis());
        if (!reason.isEmpty()) {
            state.reason(reason);
        }
        publish();
        record(event, actor, reason);
    }

    // Waiting.

    /** Waits until {@code condition}, obeying commands meanwhile. */
    private void waitFor(Supplier<Boolean> condition) {
        while (true) {
            takeCommands();
            if (replicationEnded()) {
                throw new PhaseLeft.ByEvent(new Event.ReplicationFailed(whyReplicationEnded()));
            }
            if (isLong()) {
                throw new PhaseLeft.ByLength();
            }
            if (condition.get()) {
                return;
            }
            // What a command caused beside the phase has been scheduled.
            asker.become();
            Workflow.await(() -> condition.get() || !inbox.isEmpty() || replicationEnded() || isLong());
        }
    }

    /** After a failure under failure handling {@code pause} the phase begins again when an operator says resume. */
    private void waitWhileFailed() {
        if (state.failed()) {
            ensureReplicationAfterResume();
            waitFor(() -> !state.failed());
        }
    }

    /** While paused nothing new begins. */
    private void holdWhilePaused() {
        waitFor(() -> !state.paused());
        ensureReplicationAfterResume();
    }

    private void sleep(Duration duration, String summary) {
        if (duration.isZero()) {
            return;
        }
        Promise<Void> timer = timer(duration, summary);
        waitFor(timer::isCompleted);
    }

    private static Promise<Void> timer(Duration duration, String summary) {
        return Workflow.newTimer(
                duration, TimerOptions.newBuilder().setSummary(summary).build());
    }

    /** Runs an activity that may take hours; where the phase ends meanwhile it is cancelled, and its end awaited, first. */
    private <T> T longWork(Functions.Func<T> activity) {
        return work(activity, Duration.ZERO);
    }

    /** Runs an activity that takes a moment: where the phase ends meanwhile it is cancelled only if it keeps failing. */
    private <T> T work(Functions.Func<T> activity) {
        return work(activity, PATIENCE);
    }

    /** The in-process test server fails for good when an activity is cancelled that ended a moment ago, hence the patience. */
    private <T> T work(Functions.Func<T> activity, Duration patience) {
        CompletablePromise<T> result = Workflow.newPromise();
        CancellationScope scope = Workflow.newCancellationScope(() -> result.completeFrom(Async.function(activity)));
        scope.run();
        try {
            waitFor(result::isCompleted);
        } catch (PhaseLeft left) {
            if (patience.isZero() || !Workflow.await(patience, result::isCompleted)) {
                scope.cancel();
                Workflow.await(result::isCompleted);
            }
            throw left;
        }
        return result.get();
    }

    // Commands.

    /** Obeys everything that is pending; throws {@link PhaseLeft} at the first that leads elsewhere. */
    private void takeCommands() {
        for (Command command = inbox.poll(); command != null; command = inbox.poll()) {
            Optional<CommandRefusal> refusal = refusal(command, state.phase(), state.facts());
            askerOf(command).become();
            if (refusal.isPresent()) {
                record(
                        AuditEvents.COMMAND_REFUSED,
                        command.actor(),
                        command.kind().label() + ": " + refusal.get().why());
                asker.become();
                continue;
            }
            MigrationPhase next =
                    ((Moved) PhaseMachine.onCommand(state.phase(), command.effect(), state.facts())).phase();
            boolean anew = state.obey(command);
            if (!next.equals(state.phase()) && command.effect() != Kind.PATCH_STRATEGY || anew) {
                throw new PhaseLeft.ByCommand(command.effect() == Kind.PATCH_STRATEGY ? state.phase() : next, command);
            }
            if (!command.reason().isEmpty()) {
                state.reason(command.reason());
            }
            publish();
            record(command.kind().label(), command.actor(), command.reason());
            if (command.kind() == Kind.FINALIZE) {
                workFor(askerOf(command));
            } else if (flips(state.phase())) {
                asker.become();
            }
        }
    }

    /** A command from Temporal's own tools comes with no request: what it causes is then the starter's, too. */
    private Correlation askerOf(Command command) {
        return command.asker().isNone() ? starter : command.asker();
    }

    /** From here until a command or an event leads elsewhere activities are scheduled on behalf of {@code whom}. */
    private void workFor(Correlation whom) {
        asker = whom;
        whom.become();
    }

    /** One phase of a flip or a rollback, which goes on over several attempts and phases. */
    private static boolean flips(MigrationPhase phase) {
        return switch (phase) {
            case CuttingOver _, RollingBack _ -> true;
            case Created _, Initializing _, Replicating _, Validating _, Canary _ -> false;
            case Baking _, NeedsOperator _, Completed _, RolledBack _ -> false;
        };
    }

    /** Commands that came too late are answered in the audit log. */
    private void refuseTheRest() {
        takeCommands();
    }

    private static Optional<CommandRefusal> refusal(Command command, MigrationPhase phase, PhaseMachine.Facts facts) {
        if (command.kind() == Kind.PATCH_STRATEGY) {
            Strategy strategy = command.strategy();
            Optional<String> problem =
                    strategy == null ? Optional.of("patch_strategy needs a strategy") : strategy.problem();
            if (problem.isPresent()) {
                return Optional.of(new CommandRefusal(problem.get(), PhaseMachine.allowed(phase, facts), List.of()));
            }
        }
        return switch (PhaseMachine.onCommand(phase, command.effect(), facts)) {
            case Moved _ -> Optional.empty();
            case Refused refused ->
                Optional.of(new CommandRefusal(
                        refused.why(),
                        refused.allowed(),
                        command.effect() == Kind.CUTOVER ? facts.blockers(phase) : List.of()));
        };
    }

    private CommandReceipt receive(Kind kind, @Nullable Command received) {
        Command command = CommandInbox.complete(kind, received);
        boolean fresh = inbox.receive(command);
        return new CommandReceipt(command.id(), !fresh, state.view());
    }

    /** Judges as if everything that is pending had been obeyed. A repeated command was accepted before and is again. */
    private void check(Kind kind, @Nullable Command received) {
        Command command = CommandInbox.complete(kind, received);
        if (inbox.knows(command.id())) {
            return;
        }
        MigrationPhase phase = state.phase();
        PhaseMachine.Facts facts = state.facts();
        for (Command earlier : inbox.pending()) {
            if (refusal(earlier, phase, facts).isEmpty()
                    && PhaseMachine.onCommand(phase, earlier.effect(), facts) instanceof Moved moved) {
                facts = facts.after(earlier.effect());
                phase = moved.phase();
            }
        }
        refusal(command, phase, facts).ifPresent(refused -> {
            throw refused.failure();
        });
    }

    // Replication: one activity for as long as the migration lives.

    private void ensureReplication() {
        if (replication != null || state.replicationIsStopped()) {
            return;
        }
        CompletablePromise<Boolean> ended = Workflow.newPromise();
        replicationScope = Workflow.newCancellationScope(() -> ended.completeFrom(Async.function(() -> {
            Steps.replication("replicate").replicate(state.spec());
            return true;
        })));
        replicationScope.run();
        replication = ended;
    }

    /** After a failure replication waits for the resume command. */
    private void ensureReplicationAfterResume() {
        switch (state.phase()) {
            case Replicating _, Validating _, Canary _, CuttingOver _, Baking _ -> ensureReplication();
            case RollingBack back -> {
                if (back.flip()) {
                    ensureReplication();
                }
            }
            case Created _, Initializing _, NeedsOperator _, Completed _, RolledBack _ -> {}
        }
    }

    private boolean replicationEnded() {
        return replication != null && replication.isCompleted();
    }

    private String whyReplicationEnded() {
        Promise<?> ended = Objects.requireNonNull(replication);
        replication = null;
        replicationScope = null;
        RuntimeException failure = ended.getFailure();
        return "replication ended: " + (failure == null ? "by itself" : reason(failure));
    }

    private void stopReplication() {
        Promise<?> running = replication;
        CancellationScope scope = replicationScope;
        replication = null;
        replicationScope = null;
        if (running != null && scope != null) {
            scope.cancel();
            Workflow.await(running::isCompleted);
        }
    }

    // The canary's share and the watch over its gates.

    /** Tells the proxies the wanted share, unless they have never been told one and none is wanted. */
    private void applyShare() {
        Strategy wanted = state.wanted();
        boolean canary = state.phase() instanceof Canary;
        if (state.isApplied() || (!canary && state.shareInForce() == 0 && !state.targetOwnsWrites())) {
            return;
        }
        CanaryRequest request = new CanaryRequest(state.spec(), wanted);
        state.applying(wanted);
        work(() -> {
            Steps.share("read share " + percent(wanted.readPercentage())).apply(request);
            // Known even where a command ends the phase meanwhile.
            state.applied(wanted);
            return true;
        });
        publish();
    }

    private Promise<CanaryVerdict> startWatch(
            String title, long bakedAtMillis, Functions.Func2<CanaryActivities, CanaryRequest, CanaryVerdict> what) {
        CompletablePromise<CanaryVerdict> verdict = Workflow.newPromise();
        CanaryRequest request = new CanaryRequest(state.spec().withGates(state.gates()), state.wanted(), bakedAtMillis);
        CancellationScope scope = Workflow.newCancellationScope(
                () -> verdict.completeFrom(Async.function(() -> what.apply(Steps.watch(title), request))));
        scope.run();
        watchScope = scope;
        return verdict;
    }

    /** Nobody waits for the watch any more. */
    private void leaveCanary() {
        cancel(watchScope);
        watchScope = null;
    }

    private static void cancel(@Nullable CancellationScope scope) {
        if (scope != null) {
            scope.cancel();
        }
    }

    // Continue as new.

    private boolean isLong() {
        return Workflow.getInfo().isContinueAsNewSuggested()
                || isOfFormerVersion()
                || (input.continueAfterEvents() > 0
                        && Workflow.getInfo().getHistoryLength() > input.continueAfterEvents());
    }

    /**
     * Another version of the workers has become the current one. A run that was handed over itself takes some steps first: where an
     * operator holds a migration at a version against the current one, it would be handed over for ever.
     */
    private static boolean isOfFormerVersion() {
        WorkflowInfo info = Workflow.getInfo();
        return info.isTargetWorkerDeploymentVersionChanged()
                && (info.getContinuedExecutionRunId().isEmpty() || info.getHistoryLength() > HANDED_OVER_EVENTS);
    }

    /** Replication begins again in the next run: resuming is cheap and exact, its positions are on the servers. */
    private void continueAsNew() {
        leaveCanary();
        stopReplication();
        Workflow.await(Workflow::isEveryHandlerFinished);
        starter.become();
        MigrationInput next = new MigrationInput(input.spec(), state.carried(inbox), input.continueAfterEvents());
        if (Workflow.getInfo().isTargetWorkerDeploymentVersionChanged()) {
            Workflow.continueAsNew(
                    ContinueAsNewOptions.newBuilder()
                            .setInitialVersioningBehavior(InitialVersioningBehavior.AUTO_UPGRADE)
                            .build(),
                    next);
        }
        Workflow.continueAsNew(next);
    }

    // What people see.

    private void publish() {
        Workflow.setCurrentDetails(PhaseTable.markdown(state));
        if (state.indexed()) {
            Workflow.upsertTypedSearchAttributes(
                    SearchAttributesNeeded.PHASE.valueSet(state.phase().label()),
                    SearchAttributesNeeded.STRATEGY.valueSet(state.strategy().type()),
                    SearchAttributesNeeded.READ_PERCENTAGE.valueSet(Math.round(state.shareInForce() * 100)));
        }
    }

    private void record(String event, String actor, String reason) {
        PhaseRecord record = new PhaseRecord(
                state.spec().id(),
                state.nextRevision(),
                state.phase().label(),
                ViewJson.write(state.view()),
                actor,
                event,
                reason,
                event.equals(Kind.PATCH_STRATEGY.label()) ? state.strategy() : null);
        Steps.directory(event + " → " + state.phase().label()).record(record);
    }

    private static String percent(double share) {
        return Math.round(share * 1_000) / 10.0 + " %";
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }

    private static String reason(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ApplicationFailure application) {
                return application.getType() + ": " + application.getOriginalMessage();
            }
            if (cause instanceof TimeoutFailure timeout) {
                return "no answer: " + timeout.getTimeoutType();
            }
        }
        return String.valueOf(failure.getMessage());
    }

    @Override
    public MigrationView view() {
        return state.view();
    }

    // Updates and signals of the same names.

    @Override
    public CommandReceipt advance(@Nullable Command command) {
        return receive(Kind.ADVANCE, command);
    }

    @Override
    public void validateAdvance(@Nullable Command command) {
        check(Kind.ADVANCE, command);
    }

    @Override
    public void advanceSignal(@Nullable Command command) {
        receive(Kind.ADVANCE, command);
    }

    @Override
    public CommandReceipt pause(@Nullable Command command) {
        return receive(Kind.PAUSE, command);
    }

    @Override
    public void validatePause(@Nullable Command command) {
        check(Kind.PAUSE, command);
    }

    @Override
    public void pauseSignal(@Nullable Command command) {
        receive(Kind.PAUSE, command);
    }

    @Override
    public CommandReceipt resume(@Nullable Command command) {
        return receive(Kind.RESUME, command);
    }

    @Override
    public void validateResume(@Nullable Command command) {
        check(Kind.RESUME, command);
    }

    @Override
    public void resumeSignal(@Nullable Command command) {
        receive(Kind.RESUME, command);
    }

    @Override
    public CommandReceipt abort(@Nullable Command command) {
        return receive(Kind.ABORT, command);
    }

    @Override
    public void validateAbort(@Nullable Command command) {
        check(Kind.ABORT, command);
    }

    @Override
    public void abortSignal(@Nullable Command command) {
        receive(Kind.ABORT, command);
    }

    @Override
    public CommandReceipt cutover(@Nullable Command command) {
        return receive(Kind.CUTOVER, command);
    }

    @Override
    public void validateCutover(@Nullable Command command) {
        check(Kind.CUTOVER, command);
    }

    @Override
    public void cutoverSignal(@Nullable Command command) {
        receive(Kind.CUTOVER, command);
    }

    @Override
    public CommandReceipt rollback(@Nullable Command command) {
        return receive(Kind.ROLLBACK, command);
    }

    @Override
    public void validateRollback(@Nullable Command command) {
        check(Kind.ROLLBACK, command);
    }

    @Override
    public void rollbackSignal(@Nullable Command command) {
        receive(Kind.ROLLBACK, command);
    }

    @Override
    public CommandReceipt finalizeMigration(@Nullable Command command) {
        return receive(Kind.FINALIZE, command);
    }

    @Override
    public void validateFinalize(@Nullable Command command) {
        check(Kind.FINALIZE, command);
    }

    @Override
    public void finalizeSignal(@Nullable Command command) {
        receive(Kind.FINALIZE, command);
    }

    @Override
    public CommandReceipt patchStrategy(@Nullable Command command) {
        return receive(Kind.PATCH_STRATEGY, command);
    }

    @Override
    public void validatePatchStrategy(@Nullable Command command) {
        check(Kind.PATCH_STRATEGY, command);
    }

    @Override
    public void patchStrategySignal(@Nullable Command command) {
        receive(Kind.PATCH_STRATEGY, command);
    }
}
