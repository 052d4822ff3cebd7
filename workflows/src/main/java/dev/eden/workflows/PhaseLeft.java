package dev.eden.workflows;

import dev.eden.workflows.PhaseMachine.Event;

/**
 * Ends the phase that waits, from wherever it waits: what {@code InterruptedException} is to a thread. Caught by the run loop
 * of {@link MigrationRun} and nowhere swallowed.
 */
abstract sealed class PhaseLeft extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private PhaseLeft(String message) {
        super(message, null, false, false);
    }

    /** A command leads elsewhere, or begins the same phase anew. */
    static final class ByCommand extends PhaseLeft {
        private static final long serialVersionUID = 1L;
        final transient MigrationPhase next;
        final transient Command command;

        ByCommand(MigrationPhase next, Command command) {
            super(command.kind().label());
            this.next = next;
            this.command = command;
        }
    }

    /** Something happened by itself. */
    static final class ByEvent extends PhaseLeft {
        private static final long serialVersionUID = 1L;
        final transient Event event;

        ByEvent(Event event) {
            super(event.toString());
            this.event = event;
        }
    }

    /** The history is long enough: the next run enters the phase again. */
    static final class ByLength extends PhaseLeft {
        private static final long serialVersionUID = 1L;

        ByLength() {
            super("continue as new");
        }
    }
}
