package dev.eden.workflows;

import dev.eden.workflows.Command.Kind;
import dev.eden.workflows.PhaseMachine.Moved;
import dev.eden.workflows.PhaseMachine.Refused;
import java.util.List;
import java.util.Optional;

/** Whether a command may be obeyed, and why not. Changes nothing. */
final class CommandJudge {
    private CommandJudge() {}

    /** As if everything {@code before} had been obeyed. */
    static Optional<CommandRefusal> refusal(Command command, List<Command> before, MigrationState state) {
        MigrationPhase phase = state.phase();
        PhaseMachine.Facts facts = state.facts();
        for (Command earlier : before) {
            if (refusal(earlier, phase, facts).isEmpty()
                    && PhaseMachine.onCommand(phase, earlier.effect(), facts) instanceof Moved moved) {
                facts = facts.after(earlier.effect(), moved.phase());
                phase = moved.phase();
            }
        }
        return refusal(command, phase, facts);
    }

    /** In that phase. */
    static Optional<CommandRefusal> refusal(Command command, MigrationPhase phase, PhaseMachine.Facts facts) {
        try {
            return judged(command, phase, facts);
        } catch (RuntimeException e) {
            // Signals are typed by hand: what nobody thought of is refused, it must not keep the workflow from its next
            // step for ever.
            return Optional.of(new CommandRefusal(
                    "the command is not understood (" + e.getClass().getSimpleName() + ")",
                    PhaseMachine.allowed(phase, facts),
                    List.of()));
        }
    }

    private static Optional<CommandRefusal> judged(Command command, MigrationPhase phase, PhaseMachine.Facts facts) {
        String only = command.phase();
        if (only != null && !only.equals(phase.label())) {
            return Optional.of(new CommandRefusal(
                    command.kind().label() + " was meant for phase " + only + ", and the phase is " + phase.label(),
                    PhaseMachine.allowed(phase, facts),
                    List.of()));
        }
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
}
