package dev.eden.api.cli;

import dev.eden.api.problem.StartupException;
import dev.eden.demo.DemoCommand;
import dev.eden.demo.chaos.ChaosCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The verbs. What a person can mend is one line and a remedy, exit code 1 (2 for wrong arguments), never a stack trace. */
@Command(
        name = "eden",
        description = "Moves a live Redis to another server while applications keep using it.",
        subcommands = {
            ServerCommand.class,
            ProxyCommand.class,
            DevCommand.class,
            DemoCommand.class,
            ChaosCommand.class,
            EndpointCommand.class,
            MigrationCommand.class,
            CommandLine.HelpCommand.class
        },
        mixinStandardHelpOptions = true,
        version = "eden 0.1.0")
public final class EdenCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /** Runs one verb and answers the process's exit code. */
    public static int run(String... arguments) {
        Logging.configure();
        CommandLine line = new CommandLine(new EdenCommand());
        line.setExecutionExceptionHandler((failure, command, _) -> {
            if (failure instanceof StartupException startup) {
                command.getErr().println("eden: " + startup.getMessage() + "; " + startup.remedy());
                return 1;
            }
            throw failure;
        });
        return line.execute(arguments);
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
