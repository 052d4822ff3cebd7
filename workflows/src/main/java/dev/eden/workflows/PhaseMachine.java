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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The only place that says which phase follows which. Pure: the same table answers the update validators, which must not
 * change anything, and the run loop, which does.
 *
 * <pre>
 * Created ─► Initializing ─► Replicating ─► Validating ─► Canary(stage) ─► CuttingOver(attempt) ─► Baking ─► Completed
 *    │             │              │              │          │  ▲  ▲  ▲            │    │             │  finalize
 *    │             │              │              │          │  │  │  └────────────┘    │             │
 *    │             │              │              │          │  │  │  refused, or every │             │
 *    │             │              │              │          │  │  │  attempt aborted   │             │
 *    │             │              │              │          │  │  └── advance, bake    │             │
 *    ▼             ▼              ▼              ▼          ▼  │                       ▼             ▼
 *  rollback, abort: RollingBack(flip=false) ◄───────────────┘  └──────────── RollingBack(flip=true) ◄┘
 *                        │              ▲                     rollback              │
 *                        ▼              └───────────────────────────────────────────┘
 *                    RolledBack               abort, failure_handling rollback_all
 *
 * any phase ── failure_handling needs_operator, rollback exhausted ──► NeedsOperator ── resume ──► the same phase
 * </pre>
 *
 * <p>A rollback after a flip takes writes back to the source and keeps the migration alive: both sides were kept equal by the
 * log, so it returns to the canary with a read share of 0 and may be cut over again. An abort takes writes back and ends it.
 * Once a flip was taken back a rollback has nothing left to do: one that comes twice must not end the migration.
 */
final class PhaseMachine {
    private PhaseMachine() {}

    /**
     * What the table needs to know beside the phase.
     *
     * @param ending a flip back is followed by the end of the migration
     * @param held the canary does not advance by itself: a gate was breached or writes were taken back
     * @param failed it is paused because a step failed, not because somebody said so
     * @param stages number of planned stages, 0 without a plan
     * @param attemptsLeft further tries that the budget of the present series allows
     * @param takenBack writes were with the target, and are the source's again
     * @param asBefore whether it is asked for a run of before, which took more: see {@link #ofBefore()}
     */
    record Facts(
            boolean paused,
            boolean targetOwnsWrites,
            boolean diffEmpty,
            boolean replicating,
            boolean finalizing,
            boolean ending,
            boolean held,
            boolean failed,
            int stage,
            int stages,
            int attemptsLeft,
            MigrationSpec.FailureHandling failureHandling,
            boolean breachRollsBack,
            boolean takenBack,
            boolean asBefore) {

        /** For what runs of before have taken: a rollback that ends a migration whose flip was taken back, and a pause of the cleanup. */
        Facts ofBefore() {
            return new Facts(
                    paused,
                    targetOwnsWrites,
                    diffEmpty,
                    replicating,
                    finalizing,
                    ending,
                    held,
                    failed,
                    stage,
                    stages,
                    attemptsLeft,
                    failureHandling,
                    breachRollsBack,
                    takenBack,
                    true);
        }

        /** The facts as they will be once a command of this kind is obeyed, which leads to that phase. */
        Facts after(Kind kind, MigrationPhase next) {
            Facts taken = switch (kind) {
                case PAUSE -> withFlags(true, failed, finalizing, ending);
                case RESUME -> withFlags(false, false, finalizing, ending);
                case FINALIZE -> withFlags(false, false, true, ending);
                case ABORT -> withFlags(false, false, finalizing, true);
                case ROLLBACK -> withFlags(false, false, finalizing, false);
                case ADVANCE, CUTOVER, PATCH_STRATEGY -> this;
            };
            return next instanceof Canary canary && (kind == Kind.ADVANCE || canary.stage() != stage)
                    ? taken.inStage(canary.stage())
                    : taken;
        }

        private Facts inStage(int number) {
            return new Facts(
                    paused,
                    targetOwnsWrites,
                    diffEmpty,
                    replicating,
                    finalizing,
                    ending,
                    false,
                    failed,
                    number,
                    stages,
                    attemptsLeft,
                    failureHandling,
                    breachRollsBack,
                    takenBack,
                    asBefore);
        }

        private Facts withFlags(boolean isPaused, boolean hasFailed, boolean isFinalizing, boolean isEnding) {
            return new Facts(
                    isPaused,
                    targetOwnsWrites,
                    diffEmpty,
                    replicating,
                    isFinalizing,
                    isEnding,
                    held,
                    hasFailed,
                    stage,
                    stages,
                    attemptsLeft,
                    failureHandling,
                    breachRollsBack,
                    takenBack,
                    asBefore);
        }

        /** What stands in the way of a cutover as far as the workflow knows; lag and health are checked by the attempt itself. */
        List<String> blockers(MigrationPhase phase) {
            var blockers = new ArrayList<String>();
            if (!(phase instanceof Canary)) {
                blockers.add("the phase is " + phase.label() + ", a cutover starts from canary");
            }
            if (!diffEmpty) {
                blockers.add("no full comparison has ended without a difference yet");
            }
            if (paused) {
                blockers.add("the migration is paused");
            }
            if (!replicating) {
                blockers.add("replication is stopped");
            }
            return List.copyOf(blockers);
        }
    }

    /** What happens to a migration by itself, as opposed to by a command. */
    sealed interface Event {
        record Started() implements Event {}

        record Prepared() implements Event {}

        record CaughtUp() implements Event {}

        record Validated() implements Event {}

        /** The stage has baked for its time and no gate was breached. {@code numbers}: what was judged; empty where nothing was. */
        record StageBaked(String numbers) implements Event {}

        /** Strategy {@code immediate}: ready, nobody needs to ask. */
        record CutoverDue() implements Event {}

        record GateBreached(String reason) implements Event {}

        /** An attempt committed, in the direction of the phase. */
        record Committed() implements Event {}

        record Aborted(String reason) implements Event {}

        /** The attempt's own check said no; nothing was touched. */
        record NotReady(String reason) implements Event {}

        record CleanedUp() implements Event {}

        /** A step failed for good. */
        record Failed(String reason) implements Event {}

        /** Replication ended by itself: what was validated before counts no more. */
        record ReplicationFailed(String reason) implements Event {}

        /** Replication goes on by itself, with a new full load: what was validated before counts no more. */
        record LoadedAgain(String reason) implements Event {}
    }

    sealed interface Transition {}

    /** Go there; the same phase means that the input is taken and the phase stays. */
    record Moved(MigrationPhase phase) implements Transition {}

    /** Not here. {@code allowed}: labels of the commands that would be taken now. */
    record Refused(String why, List<String> allowed) implements Transition {}

    /** Labels of the commands that {@link #onCommand} takes here, in the order of {@link Kind}. */
    static List<String> allowed(MigrationPhase phase, Facts facts) {
        return Arrays.stream(Kind.values())
                .filter(kind -> decide(phase, kind, facts) instanceof Yes)
                .map(Kind::label)
                .toList();
    }

    static Transition onCommand(MigrationPhase phase, Kind kind, Facts facts) {
        return switch (decide(phase, kind, facts)) {
            case Yes yes -> new Moved(yes.phase());
            case No no -> new Refused(no.why(), allowed(phase, facts));
        };
    }

    static Transition onEvent(MigrationPhase phase, Event event, Facts facts) {
        Decision decision = switch (event) {
            case Event.Started _ -> phase instanceof Created ? yes(new Initializing()) : unexpected(phase, event);
            case Event.Prepared _ -> phase instanceof Initializing ? yes(new Replicating()) : unexpected(phase, event);
            case Event.CaughtUp _ -> phase instanceof Replicating ? yes(new Validating()) : unexpected(phase, event);
            case Event.Validated _ -> phase instanceof Validating ? yes(new Canary(0)) : unexpected(phase, event);
            case Event.StageBaked _ ->
                phase instanceof Canary && nextStage(facts)
                        ? yes(new Canary(facts.stage() + 1))
                        : unexpected(phase, event);
            case Event.CutoverDue _ -> phase instanceof Canary ? yes(new CuttingOver(1)) : unexpected(phase, event);
            case Event.GateBreached _ -> breached(phase, event, facts);
            case Event.Committed _ -> committed(phase, facts);
            case Event.Aborted aborted -> notCommitted(phase, facts, aborted.reason(), true);
            case Event.NotReady notReady -> notCommitted(phase, facts, notReady.reason(), false);
            case Event.CleanedUp _ -> cleanedUp(phase, facts);
            case Event.Failed failed -> failed(phase, phase, failed.reason(), facts);
            case Event.ReplicationFailed failed ->
                failed(phase, withoutReplication(phase, facts), failed.reason(), facts);
            case Event.LoadedAgain _ ->
                phase.ended() ? unexpected(phase, event) : yes(withoutReplication(phase, facts));
        };
        return switch (decision) {
            case Yes yes -> new Moved(yes.phase());
            case No no -> new Refused(no.why(), allowed(phase, facts));
        };
    }

    private static Decision decide(MigrationPhase phase, Kind kind, Facts facts) {
        return switch (phase) {
            case Created _, Initializing _, Replicating _, Validating _ -> beforeCanary(phase, kind, facts);
            case Canary canary -> canary(canary, kind, facts);
            case CuttingOver _ -> cuttingOver(phase, kind, facts);
            case Baking _ -> baking(phase, kind, facts);
            case RollingBack back -> rollingBack(back, kind, facts);
            case NeedsOperator parked -> parked(parked, kind, facts);
            case Completed _, RolledBack _ -> no("the migration has ended: " + phase.label());
        };
    }

    private static Decision beforeCanary(MigrationPhase phase, Kind kind, Facts facts) {
        return switch (kind) {
            case PAUSE -> pause(phase, facts);
            case RESUME -> resume(phase, facts);
            case ROLLBACK -> takenBack(facts) ? nothingToTakeBack() : yes(new RollingBack(false));
            case ABORT -> yes(new RollingBack(false));
            case PATCH_STRATEGY -> yes(phase);
            case ADVANCE -> no("stages begin with the canary; the phase is " + phase.label());
            case CUTOVER -> notReady(phase, facts);
            case FINALIZE ->
                no("only a migration whose target owns writes can be finalised; the phase is " + phase.label());
        };
    }

    private static Decision canary(Canary canary, Kind kind, Facts facts) {
        return switch (kind) {
            case PAUSE -> pause(canary, facts);
            case RESUME -> resume(canary, facts);
            case ROLLBACK -> takenBack(facts) ? nothingToTakeBack() : yes(new RollingBack(false));
            case ABORT -> yes(new RollingBack(false));
            case PATCH_STRATEGY -> yes(canary);
            case ADVANCE -> advance(canary, facts);
            case CUTOVER -> facts.blockers(canary).isEmpty() ? yes(new CuttingOver(1)) : notReady(canary, facts);
            case FINALIZE -> no("only a migration whose target owns writes can be finalised; cut over first");
        };
    }

    private static Decision advance(Canary canary, Facts facts) {
        if (facts.paused()) {
            return no("the migration is paused; resume first");
        }
        if (facts.stages() == 0) {
            return no("the strategy has no stages; patch its read percentage or cut over");
        }
        if (facts.held()) {
            return yes(canary);
        }
        return nextStage(facts)
                ? yes(new Canary(facts.stage() + 1))
                : no("stage " + (facts.stage() + 1) + " is the last; cut over");
    }

    private static Decision cuttingOver(MigrationPhase phase, Kind kind, Facts facts) {
        return switch (kind) {
            case PAUSE -> pause(phase, facts);
            case RESUME -> resume(phase, facts);
            case ROLLBACK ->
                takenBack(facts)
                        ? no("a cutover is running: roll back once it has committed; pause lets no other attempt begin,"
                                + " abort ends the migration")
                        : yes(new RollingBack(facts.targetOwnsWrites()));
            case ABORT -> yes(new RollingBack(facts.targetOwnsWrites()));
            case CUTOVER -> no("a cutover is running");
            case ADVANCE, FINALIZE, PATCH_STRATEGY -> no("a cutover is running; wait for its outcome");
        };
    }

    private static Decision baking(MigrationPhase phase, Kind kind, Facts facts) {
        return switch (kind) {
            case PAUSE -> pause(phase, facts);
            case RESUME -> resume(phase, facts);
            case ROLLBACK, ABORT -> takeBack(facts);
            case FINALIZE -> {
                if (facts.finalizing()) {
                    yield no("the migration is being finalised");
                }
                // After a failure it is what ends a migration whose way back is gone: resuming would fail again.
                yield facts.paused() && !facts.failed() ? no("the migration is paused; resume first") : yes(phase);
            }
            case CUTOVER -> no("the target owns writes already");
            case ADVANCE, PATCH_STRATEGY -> no("the target owns writes and serves every read; finalise or roll back");
        };
    }

    private static Decision rollingBack(RollingBack back, Kind kind, Facts facts) {
        return switch (kind) {
            case PAUSE ->
                back.flip() || facts.asBefore()
                        ? pause(back, facts)
                        : no("cleaning up is not paused: it ends by itself");
            case RESUME -> resume(back, facts);
            case ABORT -> back.flip() && !facts.ending() ? yes(back) : no("the migration is being ended already");
            case ROLLBACK -> no("the migration is being rolled back already");
            case ADVANCE, CUTOVER, FINALIZE, PATCH_STRATEGY -> no("the migration is being rolled back");
        };
    }

    private static Decision parked(NeedsOperator parked, Kind kind, Facts facts) {
        return switch (kind) {
            case RESUME -> yes(parked.resumeTo());
            case ROLLBACK ->
                takenBack(facts) && !(parked.resumeTo() instanceof RollingBack) ? nothingToTakeBack() : takeBack(facts);
            case ABORT -> takeBack(facts);
            case PATCH_STRATEGY ->
                facts.targetOwnsWrites() || parked.resumeTo() instanceof RollingBack
                        ? no("the migration waits for an operator after its cutover; resume, roll back or finalise")
                        : yes(parked);
            case FINALIZE ->
                facts.targetOwnsWrites()
                        ? yes(new Baking())
                        : no("only a migration whose target owns writes can be finalised");
            case ADVANCE, PAUSE, CUTOVER -> no("the migration waits for an operator: " + parked.reason());
        };
    }

    private static Decision pause(MigrationPhase phase, Facts facts) {
        if (facts.finalizing()) {
            return no("the migration is being finalised");
        }
        return facts.paused() ? no("the migration is paused already") : yes(phase);
    }

    private static Decision resume(MigrationPhase phase, Facts facts) {
        return facts.paused() ? yes(phase) : no("the migration is not paused");
    }

    private static Decision takeBack(Facts facts) {
        return facts.finalizing()
                ? no("finalising has begun: the source is no longer kept current")
                : yes(new RollingBack(facts.targetOwnsWrites()));
    }

    private static boolean takenBack(Facts facts) {
        return facts.takenBack() && !facts.asBefore();
    }

    private static Decision nothingToTakeBack() {
        return no("the source owns the writes again: there is nothing to take back; abort ends the migration");
    }

    private static Decision notReady(MigrationPhase phase, Facts facts) {
        return no("not ready for cutover: " + String.join("; ", facts.blockers(phase)));
    }

    /** After a flip the breach takes writes back whatever the gates say of reads: clients are not served. */
    private static Decision breached(MigrationPhase phase, Event event, Facts facts) {
        return switch (phase) {
            case Canary _ -> yes(facts.breachRollsBack() ? new RollingBack(false) : phase);
            case Baking _ -> facts.finalizing() ? unexpected(phase, event) : yes(new RollingBack(true));
            case Created _, Initializing _, Replicating _, Validating _, CuttingOver _, RollingBack _ ->
                unexpected(phase, event);
            case NeedsOperator _, Completed _, RolledBack _ -> unexpected(phase, event);
        };
    }

    private static Decision committed(MigrationPhase phase, Facts facts) {
        return switch (phase) {
            case CuttingOver _ -> yes(new Baking());
            case RollingBack back
            when back.flip() -> yes(facts.ending() ? new RollingBack(false) : new Canary(facts.stage()));
            case RollingBack _, Created _, Initializing _, Replicating _, Validating _, Canary _, Baking _ ->
                unexpected(phase, new Event.Committed());
            case NeedsOperator _, Completed _, RolledBack _ -> unexpected(phase, new Event.Committed());
        };
    }

    private static Decision notCommitted(MigrationPhase phase, Facts facts, String reason, boolean again) {
        return switch (phase) {
            case CuttingOver cutting ->
                yes(
                        again && facts.attemptsLeft() > 0
                                ? new CuttingOver(cutting.attempt() + 1)
                                : new Canary(facts.stage()));
            // Somebody wants the source back: a rollback that was not ready tries again as well.
            case RollingBack back
            when back.flip() -> yes(facts.attemptsLeft() > 0 ? back : new NeedsOperator(reason, back));
            case RollingBack _, Created _, Initializing _, Replicating _, Validating _, Canary _, Baking _ ->
                unexpected(phase, new Event.Aborted(reason));
            case NeedsOperator _, Completed _, RolledBack _ -> unexpected(phase, new Event.Aborted(reason));
        };
    }

    private static Decision cleanedUp(MigrationPhase phase, Facts facts) {
        return switch (phase) {
            case RollingBack back when !back.flip() -> yes(new RolledBack());
            case Baking _ when facts.finalizing() -> yes(new Completed());
            case Created _, Initializing _, Replicating _, Validating _, Canary _, CuttingOver _, Baking _ ->
                unexpected(phase, new Event.CleanedUp());
            case RollingBack _, NeedsOperator _, Completed _, RolledBack _ -> unexpected(phase, new Event.CleanedUp());
        };
    }

    /** Where a migration goes on after replication had to start again: before a flip it may have loaded everything anew. */
    private static MigrationPhase withoutReplication(MigrationPhase phase, Facts facts) {
        return switch (phase) {
            case Validating _, Canary _, CuttingOver _ -> facts.targetOwnsWrites() ? phase : new Replicating();
            case Created _, Initializing _, Replicating _, Baking _, RollingBack _ -> phase;
            case NeedsOperator parked ->
                new NeedsOperator(parked.reason(), withoutReplication(parked.resumeTo(), facts));
            case Completed _, RolledBack _ -> phase;
        };
    }

    private static Decision failed(MigrationPhase phase, MigrationPhase resumeTo, String reason, Facts facts) {
        return switch (phase) {
            // Parked already: whatever else fails waits for the same operator.
            case NeedsOperator _ -> yes(resumeTo);
            case Completed _, RolledBack _ -> unexpected(phase, new Event.Failed(reason));
            case RollingBack _ -> yes(new NeedsOperator(reason, resumeTo));
            case Created _, Initializing _, Replicating _, Validating _, Canary _, CuttingOver _, Baking _ -> {
                if (facts.finalizing()) {
                    yield yes(new NeedsOperator(reason, resumeTo));
                }
                yield yes(
                        switch (facts.failureHandling()) {
                            case ROLLBACK_ALL -> new RollingBack(facts.targetOwnsWrites());
                            case PAUSE -> resumeTo;
                            case NEEDS_OPERATOR -> new NeedsOperator(reason, resumeTo);
                        });
            }
        };
    }

    private static boolean nextStage(Facts facts) {
        return facts.stage() + 1 < facts.stages();
    }

    private sealed interface Decision {}

    private record Yes(MigrationPhase phase) implements Decision {}

    private record No(String why) implements Decision {}

    private static Decision yes(MigrationPhase phase) {
        return new Yes(phase);
    }

    private static Decision no(String why) {
        return new No(why);
    }

    private static Decision unexpected(MigrationPhase phase, Event event) {
        return new No(event.getClass().getSimpleName() + " does not happen in " + phase.label());
    }
}
