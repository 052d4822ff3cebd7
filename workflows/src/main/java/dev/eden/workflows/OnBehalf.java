package dev.eden.workflows;

/**
 * For whom activities are scheduled: whose command led into the present phase, else whoever started the migration, as far as this run knows. Every
 * method that changes it gives it to the workflow's thread as well.
 */
final class OnBehalf {
    private Correlation starter = new Correlation(null, null);
    private Correlation asker = starter;

    /** A run begins, in the context that it was started with. */
    void begin() {
        starter = Correlation.current();
        asker = starter;
    }

    /** From here until a command or an event leads elsewhere. */
    void workFor(Command command) {
        asker = of(command);
        asker.become();
    }

    void workForStarter() {
        asker = starter;
        asker.become();
    }

    /** For as long as what a command causes beside the phase is being scheduled; {@link #goOn} ends it. */
    void serve(Command command) {
        of(command).become();
    }

    void goOn() {
        asker.become();
    }

    /** A command from Temporal's own tools comes with no request: what it causes is then the starter's, too. */
    private Correlation of(Command command) {
        return command.asker().isNone() ? starter : command.asker();
    }
}
