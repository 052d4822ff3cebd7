package dev.eden.api.cli;

import dev.eden.api.config.ConfigFile;
import dev.eden.api.config.SettingsDocument;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
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
            description = "Says what is wrong with a file, as FILE:LINE:COLUMN; exit code 2 then.")
    int check(@Parameters(paramLabel = "FILE") Path file) {
        List<ConfigFile.Fault> faults = ConfigFile.read(file).faults();
        faults.forEach(fault -> terminal.err().println(fault));
        terminal.err().flush();
        if (!faults.isEmpty()) {
            return ExitCode.USAGE.code();
        }
        Page page = new Page(terminal);
        page.line(file + " is right");
        page.next("eden server --config " + file);
        terminal.out().flush();
        return ExitCode.DONE.code();
    }

    @Command(
            mixinStandardHelpOptions = true,
            name = "example",
            description = "Writes a file with every setting, its meaning and default, all commented out.")
    int example() {
        terminal.out().print(SettingsDocument.example());
        terminal.out().flush();
        return ExitCode.DONE.code();
    }
}
