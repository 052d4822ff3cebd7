package dev.eden.api.cli;

import dev.eden.api.config.Configuration;
import dev.eden.api.config.Kind;
import dev.eden.api.config.Setting;
import dev.eden.api.config.SettingsDocument;
import dev.eden.api.problem.StartupException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code eden config …}: configuration files. Needs no server. */
@Command(
        mixinStandardHelpOptions = true,
        name = "config",
        description = "Checks and explains configuration files of server and proxy.",
        footer = {
            "",
            "Examples:",
            "  eden config example > eden.yaml",
            "  eden config check eden.yaml && eden server --config eden.yaml"
        })
final class ConfigCommand extends Group {
    private final Terminal terminal;

    ConfigCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "check",
            description = {
                "Says what is wrong with a file, as FILE:LINE:COLUMN, and with this environment; exit code 2 then.",
                "Files that are named are read, too. Without FILE: the one that EDEN_CONFIG names, or the environment alone.",
                "Else shows every setting that a server or proxy would have here, and where it was said. Starts nothing."
            },
            footer = {"", "Examples:", "  eden config check eden.yaml", "  eden config check eden.yaml --for proxy"})
    int check(
            @Parameters(paramLabel = "FILE", arity = "0..1") @Nullable Path given,
            @Option(
                            names = "--for",
                            paramLabel = "VERB",
                            defaultValue = "server",
                            description = "server or proxy (default: ${DEFAULT-VALUE})")
                    String process) {
        Setting.Verb verb = switch (process) {
            case "server" -> Setting.Verb.SERVER;
            case "proxy" -> Setting.Verb.PROXY;
            default ->
                throw new CliFailure(ExitCode.USAGE, "--for " + process + " has no configuration", "server or proxy");
        };
        Path file = given != null ? given : SettingOptions.named(terminal);
        Configuration configuration;
        try {
            configuration = SettingOptions.checked(verb, Map.of(), terminal, file);
        } catch (StartupException e) {
            throw new CliFailure(ExitCode.USAGE, String.valueOf(e.getMessage()).strip(), e.remedy());
        }
        Table table = Table.of("SETTING", "VALUE", "FROM");
        for (Setting setting : Setting.of(verb)) {
            String origin = configuration.origin(setting);
            if (origin != null) {
                table.row(setting.key(), shown(configuration, setting), origin);
            }
        }
        if (verb == Setting.Verb.SERVER) {
            configuration
                    .receiverNames()
                    .forEach(name ->
                            table.row("notify.receivers." + name, "(a secret)", configuration.receiverOrigin(name)));
        }
        Page page = new Page(terminal);
        page.table(table, "");
        page.line((file == null ? "the environment" : file) + " is right");
        page.next("eden " + process + (file == null ? "" : " --config " + file));
        terminal.out().flush();
        configuration.unknownVariables().forEach(line -> terminal.err().println("warning: " + line));
        terminal.err().flush();
        return ExitCode.DONE.code();
    }

    /** Without what may be a password. */
    private static String shown(Configuration configuration, Setting setting) {
        if (setting.kind() instanceof Kind.Secret) {
            return "(a secret)";
        }
        String value = configuration.text(setting);
        return value == null
                ? ""
                : setting == Setting.DATABASE_URL
                        ? value.replaceAll("//[^@/]*@", "//***@").replaceAll("(?i)(password=)[^&]*", "$1***")
                        : value;
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "example",
            description = "Writes a file with every setting, its meaning and default, all commented out.",
            footer = {"", "Example:", "  eden config example > eden.yaml"})
    int example() {
        terminal.out().print(SettingsDocument.example());
        terminal.out().flush();
        return ExitCode.DONE.code();
    }
}
