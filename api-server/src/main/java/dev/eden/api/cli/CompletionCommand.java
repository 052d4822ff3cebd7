package dev.eden.api.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Writes the script that completes commands and options. */
@Command(
        mixinStandardHelpOptions = true,
        name = "completion",
        description = "Writes a completion script for bash and zsh.",
        footer = {
            "",
            "Examples:",
            "  source <(eden completion)                                      (this shell)",
            "  eden completion > ~/.local/share/bash-completion/completions/eden   (every bash from now on)"
        })
final class CompletionCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    CompletionCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        terminal.out().println(AutoComplete.bash("eden", spec.root().commandLine()));
        terminal.out().flush();
        return ExitCode.DONE.code();
    }
}
