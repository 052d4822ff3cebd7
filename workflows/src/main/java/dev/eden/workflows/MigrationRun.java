package dev.eden.workflows;

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
import io.temporal.common.InitialVersioningBehavior;
import io.temporal.failure.ActivityFailure;
import io.temporal.workflow.ContinueAsNewOptions;
import io.temporal.workflow.Workflow;

/**
 * The loop over {@link PhaseMachine}: does what the present phase takes, and goes where what happened, or a command, leads. One object a run of the
 * workflow.
 */
final class MigrationRun {
    private final MigrationInput input;
    private final MigrationState state;
    private final CommandInbox inbox;
    private final OnBehalf onBehalf;
    private final Journal journal;
    private final ReplicationStep replication;
    private final GateWatch watch;
    private final Waits waits;
    private final Phases phases;
    private final CanaryPhase canary;

    MigrationRun(MigrationInput input, MigrationState state, CommandInbox inbox) {
        this.input = input;
        this.state = state;
        this.inbox = inbox;
        onBehalf = new OnBehalf();
        journal = new Journal(state);
        replication = new ReplicationStep(state);
        watch = new GateWatch(state);
        waits = new Waits(state, inbox, new RunLength(input.continueAfterEvents()), replication, journal, onBehalf);
        ReadShare share = new ReadShare(state, waits, journal);
        Attempts attempts = new Attempts(state, journal);
        phases = new Phases(state, waits, journal, replication, watch, share, attempts);
        canary = new CanaryPhase(state, waits, journal, replication, watch, share, attempts);
    }

    /** Returns when the migration has ended; a run that was long enough ends otherwise. */
    void live() {
        onBehalf.begin();
        journal.publish();
        CarriedState carried = input.carried();
        if (carried != null && carried.revision() == 0) {
            journal.record(AuditEvents.RECOVERED, AuditEvents.EDEN, state.lastReason());
        }
        while (!state.phase().ended()) {
            try {
                waits.takeCommands();
                phases.whileFailed();
                happened(runPhase(state.phase()));
            } catch (PhaseLeft.ByCommand left) {
                onBehalf.workFor(left.command);
                // Without one, too: the reason of what was before explains nothing here.
                state.reason(left.command.reason());
                String why = left.command.reason();
                enter(left.next, left.command.kind().label(), left.command.actor(), why, why);
            } catch (PhaseLeft.ByEvent left) {
                happened(left.event);
            } catch (PhaseLeft.ByLength _) {
                continueAsNew();
            } catch (ActivityFailure failure) {
                happened(new Event.Failed(StepFailure.reason(failure)));
            }
        }
        // Commands that came too late are answered in the audit log.
        waits.takeCommands();
        Workflow.await(Workflow::isEveryHandlerFinished);
    }

    private Event runPhase(MigrationPhase phase) {
        return switch (phase) {
            case Created _ -> new Event.Started();
            case Initializing _ -> phases.initialize();
            case Replicating _ -> phases.replicate();
            case Validating _ -> phases.validate();
            case Canary _ -> canary.run();
            case CuttingOver cutting -> phases.cutOver(cutting);
            case Baking _ -> phases.bake();
            case RollingBack back -> back.flip() ? phases.flipBack() : phases.cleanUp(false);
            case NeedsOperator parked -> phases.waitForOperator(parked);
            case Completed _, RolledBack _ -> throw new IllegalStateException("ended: " + phase.label());
        };
    }

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
            case Event.LoadedAgain again -> {
                name = AuditEvents.PHASE_CHANGED;
                reason = again.reason();
                if (ReplicationStep.sparesClients()) {
                    state.loadsAgain();
                }
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
                            watch.leave();
                            state.hold();
                            state.reason(reason);
                            journal.publish();
                            journal.record(name, AuditEvents.EDEN, "read share back to 0: " + reason);
                            return;
                        }
                    }
                    case Event.Started _, Event.Prepared _, Event.CaughtUp _, Event.Validated _ -> {}
                    case Event.StageBaked _, Event.CutoverDue _, Event.Committed _, Event.CleanedUp _ -> {}
                    case Event.Aborted _, Event.NotReady _, Event.LoadedAgain _ -> {}
                }
                boolean goesOn = state.phase().flips() && next.flips();
                enter(next, name, AuditEvents.EDEN, reason, explains(event) ? reason : "");
                if (!goesOn) {
                    onBehalf.workForStarter();
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

    /** Whoever waits for a person goes on waiting for what it waited for before. */
    private boolean explains(Event event) {
        boolean waits = state.failed() || state.phase() instanceof NeedsOperator;
        return !(event instanceof Event.LoadedAgain && waits && ReplicationStep.sparesClients());
    }

    /** @param explanation of the phase, for people; empty: what was said before still holds */
    private void enter(MigrationPhase next, String event, String actor, String reason, String explanation) {
        watch.leave();
        state.enter(next, Workflow.currentTimeMillis());
        inbox.arrived();
        if (!explanation.isEmpty()) {
            state.reason(explanation);
        }
        journal.publish();
        journal.record(event, actor, reason);
    }

    /** Replication begins again in the next run: resuming is cheap and exact, its positions are on the servers. */
    private void continueAsNew() {
        watch.leave();
        replication.handOver().ifPresent(this::happened);
        Workflow.await(Workflow::isEveryHandlerFinished);
        onBehalf.workForStarter();
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
}
