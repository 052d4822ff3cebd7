package dev.eden.api.cli;

import dev.eden.api.Version;
import dev.eden.api.config.Configuration;
import dev.eden.api.config.Setting;
import dev.eden.api.problem.StartupException;
import dev.eden.demo.DemoCommand;
import dev.eden.demo.chaos.ChaosCommand;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The verbs. What a person can mend is one line and a remedy, with an exit code of {@link ExitCode}, never a stack trace; a wrong
 * command is answered with the one that was meant.
 */
@Command(
        name = "eden",
        description = "Moves a live Redis or PostgreSQL to another server while applications keep using it.",
        footer = {
            "",
            "Begin here (in a clone: ./eden):",
            "  eden demo                see a migration under load, on this machine",
            "  eden dev                 everything embedded, to try things out",
            "  eden migration --help    a migration from its beginning to its end",
            "",
            "The control plane with a proxy in front of a Redis, on a PostgreSQL and a Temporal of yours:",
            "  export EDEN_DATABASE_PASSWORD=… TEMPORAL_ADDRESS=temporal.example:7233",
            "  eden server --listen 0.0.0.0:6379 --database-url postgresql://eden@db.example/eden",
            "",
            "Every client command ends with the next sensible one; exit codes: docs/cli.md."
        },
        mixinStandardHelpOptions = true,
        version = "eden " + Version.EDEN)
public final class EdenCommand implements Runnable {
    private static final List<Class<?>> VERBS = List.of(
            ServerCommand.class,
            ProxyCommand.class,
            DevCommand.class,
            DemoCommand.class,
            ChaosCommand.class,
            EndpointCommand.class,
            InterlayCommand.class,
            MigrationCommand.class,
            NotifyCommand.class,
            TokenCommand.class,
            AuditCommand.class,
            ContextCommand.class,
            ConfigCommand.class,
            KeyCommand.class,
            TemporalCommand.class,
            CompletionCommand.class);

    private static final Set<String> LOGGING = Set.of("demo", "chaos", "key");

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /** Runs one verb and answers the process's exit code. */
    public static int run(String... arguments) {
        return run(Terminal.system(), arguments);
    }

    /** The same with other surroundings. */
    public static int run(Terminal terminal, String... arguments) {
        int code = commandLine(terminal, wanted(arguments)).execute(arguments);
        return terminal.lost().map(why -> unwritten(terminal, why, code)).orElse(code);
    }

    /** A reader that has enough is no failure; a full disk is one, whatever has been done. */
    private static int unwritten(Terminal terminal, IOException why, int code) {
        String message = String.valueOf(why.getMessage());
        if (message.toLowerCase(Locale.ROOT).contains("pipe")) {
            return code;
        }
        terminal.err().println("eden: what it says can't be written: " + message);
        terminal.err().println("what to do: make room there, or write elsewhere");
        terminal.err().flush();
        boolean well = code == ExitCode.DONE.code() || code == ExitCode.INTERRUPTED.code();
        return well ? ExitCode.FAILED.code() : code;
    }

    /** The whole command line, for those who look at it. */
    public static CommandLine commandLine(Terminal terminal) {
        return commandLine(terminal, _ -> true);
    }

    /**
     * The verbs that these arguments need to be known inside and out: to look at the members of every verb takes longer than all the
     * rest of a short command.
     */
    private static Predicate<String> wanted(String... arguments) {
        String first = arguments.length == 0 ? "--help" : arguments[0];
        if (first.startsWith("-")) {
            return _ -> false;
        }
        boolean one = VERBS.stream()
                .map(EdenCommand::annotation)
                .anyMatch(verb -> verb.name().equals(first));
        return one && !first.equals(annotation(CompletionCommand.class).name()) ? first::equals : _ -> true;
    }

    /** Verbs that are not wanted have a name and a description only. */
    private static CommandLine commandLine(Terminal terminal, Predicate<String> wanted) {
        Factory factory = new Factory(terminal);
        CommandLine line = new CommandLine(new EdenCommand(), factory);
        for (Class<?> verb : VERBS) {
            Command command = annotation(verb);
            if (wanted.test(command.name())) {
                line.addSubcommand(command.name(), new CommandLine(verb, factory));
            } else {
                CommandSpec outline = CommandSpec.create().name(command.name());
                outline.usageMessage().description(command.description()).hidden(command.hidden());
                line.addSubcommand(command.name(), outline);
            }
        }
        line.addSubcommand(new CommandLine.HelpCommand());
        if (wanted.test("server")) {
            SettingOptions.declare(subcommand(line, "server").getCommandSpec(), Setting.Verb.SERVER);
        }
        if (wanted.test("proxy")) {
            SettingOptions.declare(subcommand(line, "proxy").getCommandSpec(), Setting.Verb.PROXY);
        }
        if (wanted.test("key")) {
            subcommand(line, "key")
                    .getSubcommands()
                    .values()
                    .forEach(verb -> SettingOptions.declare(verb.getCommandSpec(), Setting.Verb.STORE));
        }
        line.setOut(terminal.out());
        line.setErr(terminal.err());
        line.setColorScheme(CommandLine.Help.defaultColorScheme(terminal.coloured() ? Ansi.ON : Ansi.OFF));
        line.setUsageHelpAutoWidth(false);
        line.setUsageHelpWidth(110);
        line.setExecutionStrategy(parsed -> {
            // Servers say for themselves how they log; a client verb does not, and is the faster for it.
            if (parsed.hasSubcommand()
                    && LOGGING.contains(parsed.subcommand().commandSpec().name())) {
                try {
                    Logging.configure(Configuration.load(Setting.Verb.SERVER, Map.of(), terminal.environment(), null));
                } catch (StartupException e) {
                    // Nobody catches what is thrown from here.
                    return failed(terminal, e);
                }
            }
            return new CommandLine.RunLast().execute(parsed);
        });
        line.setExecutionExceptionHandler((failure, command, _) -> failed(terminal, failure, command));
        line.setParameterExceptionHandler((failure, _) -> misunderstood(terminal, failure));
        return line;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    private static int failed(Terminal terminal, Exception failure, CommandLine command) throws Exception {
        switch (failure) {
            case StartupException startup -> {
                return failed(terminal, startup);
            }
            case CliFailure cli -> {
                var problem = cli.problem();
                List<?> json = command.getCommandSpec().findOption("--json") == null
                        ? List.of()
                        : command.getCommandSpec().findOption("--json").originalStringValues();
                if (problem != null && !json.isEmpty()) {
                    terminal.err().println(problem.toPrettyString());
                } else {
                    terminal.err().println("eden: " + cli.getMessage());
                    terminal.err().println("what to do: " + cli.remedy());
                    allowed(terminal, cli);
                }
                terminal.err().flush();
                return cli.exitCode().code();
            }
            case Output.Lost _ -> {
                return ExitCode.INTERRUPTED.code();
            }
            case ParameterException parameter -> {
                return misunderstood(terminal, parameter);
            }
            default -> throw failure;
        }
    }

    private static int failed(Terminal terminal, StartupException failure) {
        terminal.err().println("eden: " + failure.getMessage() + "; " + failure.remedy());
        terminal.err().flush();
        return ExitCode.FAILED.code();
    }

    private static void allowed(Terminal terminal, CliFailure failure) {
        var problem = failure.problem();
        if (problem != null && problem.path("allowed").isArray()) {
            terminal.err()
                    .println("allowed now: "
                            + (problem.path("allowed").isEmpty()
                                    ? "nothing"
                                    : ApiOptions.cell(problem.path("allowed"))));
        }
    }

    private static int misunderstood(Terminal terminal, ParameterException failure) {
        CommandLine at = failure.getCommandLine();
        String name = at.getCommandSpec().qualifiedName();
        if (failure instanceof UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            String word = unmatched.getUnmatched().getFirst();
            boolean command = !word.startsWith("-") && !at.getSubcommands().isEmpty();
            terminal.err().println("eden: " + (command ? name + " has no command " + word : failure.getMessage()));
            List<String> meant =
                    word.startsWith("-") ? unmatched.getSuggestions() : Suggestions.commands(whole(terminal, at), word);
            if (!meant.isEmpty()) {
                terminal.err().println("did you mean: " + String.join(", or ", meant));
            }
        } else {
            terminal.err().println("eden: " + failure.getMessage());
        }
        terminal.err().println("see: " + name + " --help");
        terminal.err().flush();
        return ExitCode.USAGE.code();
    }

    private static CommandLine subcommand(CommandLine line, String name) {
        return Objects.requireNonNull(line.getSubcommands().get(name), name);
    }

    /** The same place in the model of all verbs: what was meant may be below another one. */
    private static CommandLine whole(Terminal terminal, CommandLine at) {
        CommandLine parent = at.getParent();
        return parent == null ? commandLine(terminal) : subcommand(whole(terminal, parent), at.getCommandName());
    }

    private static Command annotation(Class<?> verb) {
        return Objects.requireNonNull(verb.getAnnotation(Command.class));
    }

    /** Commands and their mixins get what is around them by constructor. */
    private record Factory(Terminal terminal) implements CommandLine.IFactory {
        @Override
        public <K> K create(Class<K> type) throws Exception {
            for (Constructor<?> constructor : type.getDeclaredConstructors()) {
                if (List.of(constructor.getParameterTypes()).equals(List.of(Terminal.class))) {
                    constructor.setAccessible(true);
                    return type.cast(constructor.newInstance(terminal));
                }
            }
            return CommandLine.defaultFactory().create(type);
        }
    }
}
