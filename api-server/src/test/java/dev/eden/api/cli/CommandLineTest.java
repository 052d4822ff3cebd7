package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What holds of every command, and what docs/cli.md says of them. */
class CommandLineTest {
    @TempDir
    private Path home;

    @Test
    void theDocumentHasEveryExitCodeAndNoOther() throws IOException {
        List<String> rows = new ArrayList<>();
        for (ExitCode code : ExitCode.values()) {
            rows.add("| " + code.code() + " | " + code.meaning() + " | " + code.remedy() + " |");
        }
        List<String> documented = document()
                .lines()
                .filter(line -> line.matches("\\| \\d+ \\|.*"))
                .toList();
        assertThat(documented).containsExactlyElementsOf(rows);
    }

    @Test
    void everyCommandOfTheDocumentIsUnderstoodAndEveryCommandIsInIt() throws IOException {
        String document = document();
        Matcher commands =
                Pattern.compile("(?m)^(?:[A-Z_]+=\\S+ )?eden ([^#\\n>|&<]+)").matcher(document);
        int understood = 0;
        while (commands.find()) {
            String line = commands.group(1).strip();
            CommandLine eden = EdenCommand.commandLine(Terminal.system());
            assertThat(eden.parseArgs(words(line)).errors()).as(line).isEmpty();
            understood++;
        }
        assertThat(understood).isGreaterThan(20);
        assertThat(leaves()).allSatisfy(command -> assertThat(document).contains(command));
    }

    @Test
    void everyCommandExplainsItself() {
        FakeTerminal shell = new FakeTerminal(home);
        assertThat(leaves()).isNotEmpty().allSatisfy(command -> {
            String[] words = (command + " --help").substring("eden ".length()).split(" ");
            FakeTerminal.Result help = shell.run(words);
            assertThat(help.code()).isZero();
            assertThat(help.err()).isEmpty();
            assertThat(help.out().lines().count()).isGreaterThan(4);
        });
    }

    @Test
    void completionKnowsVerbsAndOptions() {
        FakeTerminal.Result script = new FakeTerminal(home).run("completion");
        assertThat(script.out()).contains("migration", "cutover", "--until", "complete -F");
    }

    private static List<String> leaves() {
        List<String> leaves = new ArrayList<>();
        collect(EdenCommand.commandLine(Terminal.system()), leaves);
        return leaves;
    }

    private static void collect(CommandLine line, List<String> leaves) {
        if (line.getCommandSpec().usageMessage().hidden()
                || line.getCommandSpec().userObject() instanceof CommandLine.HelpCommand) {
            return;
        }
        if (line.getSubcommands().isEmpty()) {
            leaves.add(line.getCommandSpec().qualifiedName());
        }
        line.getSubcommands().values().forEach(sub -> collect(sub, leaves));
    }

    /** Words as a shell takes them apart: quotes keep spaces. */
    private static String[] words(String line) {
        List<String> words = new ArrayList<>();
        Matcher word = Pattern.compile("'([^']*)'|(\\S+)").matcher(line);
        while (word.find()) {
            words.add(word.group(1) != null ? word.group(1) : word.group(2));
        }
        return words.toArray(String[]::new);
    }

    private static String document() throws IOException {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("docs/cli.md"))) {
            folder = folder.getParent();
        }
        return Files.readString(folder.resolve("docs/cli.md"));
    }
}
