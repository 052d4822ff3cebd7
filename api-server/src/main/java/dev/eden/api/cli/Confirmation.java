package dev.eden.api.cli;

import picocli.CommandLine.Option;

/** What is hard to take back is typed by a person or announced by a script: {@code --yes}. */
final class Confirmation {
    @Option(names = "--yes", description = "does not ask; for scripts")
    private boolean yes;

    /** Whether a person is to be asked ({@code what} is a sentence); refuses where none can be, before anything is asked of the server. */
    boolean wanted(Terminal terminal, String what) {
        if (!yes && !terminal.interactive()) {
            throw new CliFailure(
                    ExitCode.NOT_CONFIRMED,
                    what + "; that needs a confirmation, and there is no terminal to ask at",
                    "add --yes if it is meant");
        }
        return !yes;
    }

    /** As {@link #ask(Terminal, String, String)}, with the server that it goes to. */
    void ask(ApiOptions api, String what, String word) {
        if (wanted(api.terminal(), what)) {
            ask(api.terminal(), what + "; the server is " + api.server(), word);
        }
    }

    /** Returns only where somebody has said yes. */
    void ask(Terminal terminal, String what, String word) {
        if (!wanted(terminal, what)) {
            return;
        }
        terminal.out().println(what + ".");
        terminal.out().print("Type " + word + " to go on: ");
        terminal.out().flush();
        if (!terminal.line().equals(word)) {
            throw new CliFailure(ExitCode.NOT_CONFIRMED, "not confirmed", "nothing has been done");
        }
    }
}
