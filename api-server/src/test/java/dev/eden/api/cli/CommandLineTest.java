package dev.eden.api.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.eden.api.config.Configuration;
import dev.eden.api.config.Setting;
import dev.eden.api.json.Json;
import dev.eden.api.operations.Documents;
import dev.eden.api.problem.Reference;
import dev.eden.api.problem.StartupException;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

    /** That each line of it is understood, as of every document, is DocumentsTest's. */
    @Test
    void everyCommandIsInTheDocument() throws IOException {
        String document = document();
        assertThat(leaves()).allSatisfy(command -> assertThat(document).contains(command));
    }

    @Test
    void everyCommandExplainsItself() {
        List<CommandLine> lines = new ArrayList<>();
        collect(EdenCommand.commandLine(Terminal.system()), lines);
        assertThat(lines).isNotEmpty().allSatisfy(line -> {
            assertThat(line.getCommandSpec().usageMessage().description()).isNotEmpty();
            assertThat(line.getUsageMessage()).contains("--help");
        });
    }

    /** One that can be run as it stands is at the end of each help, and fits in it. */
    @Test
    void everyCommandHasAnExample() {
        List<CommandLine> lines = new ArrayList<>();
        collect(EdenCommand.commandLine(Terminal.system()), lines);
        lines.add(Objects.requireNonNull(
                EdenCommand.commandLine(Terminal.system()).getSubcommands().get("proxy")));
        assertThat(lines).allSatisfy(line -> {
            String name = line.getCommandSpec().qualifiedName();
            List<String> footer = List.of(line.getCommandSpec().usageMessage().footer());
            assertThat(footer).as(name).anyMatch(said -> said.startsWith("Example"));
            assertThat(footer)
                    .as(name)
                    .anyMatch(said -> said.matches(" +.*" + Pattern.quote(name) + "\\b.*"))
                    .allMatch(said -> said.replace("%%", "%").length() <= 110);
        });
    }

    @Test
    void everyExampleOfTheHelpIsUnderstood() {
        List<CommandLine> lines = new ArrayList<>();
        collect(EdenCommand.commandLine(Terminal.system()), lines);
        CommandLine eden = EdenCommand.commandLine(Terminal.system());
        int understood = 0;
        for (CommandLine line : lines) {
            Matcher examples = Pattern.compile("(?m)^ +(?:[A-Z_]+=\\S+ )?eden ([a-z][^#\\n>|&<(]+)")
                    .matcher(String.join(
                            "\n", line.getCommandSpec().usageMessage().footer()));
            while (examples.find()) {
                String example = examples.group(1).replace("%%", "%").strip();
                assertThat(eden.parseArgs(words(example)).errors()).as(example).isEmpty();
                understood++;
            }
        }
        assertThat(understood).isGreaterThan(80);
    }

    /** Its outlines, which are quick to make, say what the verbs themselves say. */
    @Test
    void theFirstHelpHasEveryVerb() {
        FakeTerminal terminal = new FakeTerminal(home);
        String whole = EdenCommand.commandLine(Terminal.system())
                .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF))
                .getUsageMessage();
        assertThat(terminal.run("--help").out()).isEqualTo(whole).contains("migration", "temporal", "help");
        assertThat(terminal.run().out()).isEqualTo(whole);
        assertThat(terminal.run("help", "migration").out()).contains("cutover");
    }

    @Test
    void anOldGoIsNoticedBeforeTemporalIsBuilt() throws IOException {
        FakeTerminal terminal = new FakeTerminal(home);
        FakeTerminal.Result nowhere = terminal.run("temporal", "install");
        assertThat(nowhere.code()).isEqualTo(1);
        assertThat(nowhere.err()).contains("TEMPORAL_ADDRESS");
        Path go = Files.writeString(home.resolve("go"), "#!/bin/sh\necho go1.20\n");
        assertThat(go.toFile().setExecutable(true)).isTrue();
        System.setProperty(
                TemporalCommand.HOME, Objects.requireNonNull(docs().getParent()).toString());
        try {
            terminal.with("XDG_CACHE_HOME", home.toString()).with("PATH", home + ":/usr/bin:/bin");
            FakeTerminal.Result old = terminal.run("temporal", "install");
            assertThat(old.code()).isEqualTo(1);
            assertThat(old.err()).contains("Go 1.20 is older than " + goWanted(), "https://go.dev/dl");
            // A patch release before the one that the module names is too old as well: its toolchain refuses to build
            // it.
            String before = goWanted().replaceFirst("\\.\\d+$", "");
            Files.writeString(go, "#!/bin/sh\necho go" + before + "\n");
            assertThat(terminal.run("temporal", "install").err())
                    .contains("Go " + before + " is older than " + goWanted());
            FakeTerminal.Result check = terminal.run("temporal", "install", "--check");
            assertThat(check.code()).isEqualTo(1);
            assertThat(check.err()).contains("is not there", "what to do: eden temporal install");
        } finally {
            System.clearProperty(TemporalCommand.HOME);
        }
    }

    /** The module says which Go it needs; whoever reads of it elsewhere is told the same. */
    @Test
    void theGoThatIsAskedForIsTheModules() throws IOException {
        String told = "Go " + goWanted() + " or newer";
        Path folder = Objects.requireNonNull(docs().getParent()).resolve("infra/temporal");
        assertThat(Files.readString(folder.resolve("README.md"))).contains(told);
        assertThat(Files.readString(folder.resolve("build"))).contains(told);
        assertThat(new FakeTerminal(home).run("temporal", "install", "--help").out())
                .contains(told);
    }

    private static String goWanted() throws IOException {
        Matcher line = Pattern.compile("(?m)^go (\\S+)$")
                .matcher(Files.readString(
                        Objects.requireNonNull(docs().getParent()).resolve("infra/temporal/go.mod")));
        assertThat(line.find()).isTrue();
        return line.group(1);
    }

    @Test
    void whatIsHalfTypedOrMistypedIsNamedAtEveryLevel() {
        FakeTerminal terminal = new FakeTerminal(home);
        for (String command : leaves()) {
            List<String> words = new ArrayList<>(List.of(command.split(" ")));
            String last = words.removeLast();
            words.removeFirst();
            for (String wrong : List.of(last.substring(0, last.length() - 1), last + last.charAt(0))) {
                List<String> typed = new ArrayList<>(words);
                typed.add(wrong);
                FakeTerminal.Result result = terminal.run(typed.toArray(String[]::new));
                assertThat(result.code()).as(String.join(" ", typed)).isEqualTo(ExitCode.USAGE.code());
                assertThat(result.err())
                        .as(String.join(" ", typed))
                        .contains("did you mean: ")
                        .contains(command);
            }
        }
    }

    @Test
    void whatIsNotKnownIsNoNumber() {
        String nothing = "{\"phase\":\"replicating\",\"progress\":{\"state\":\"%s\",\"keys_done\":0,\"keys_total\":0}}";
        assertThat(StatusText.line(Json.tree(nothing.formatted("loading")))).contains("copy not known yet");
        assertThat(StatusText.line(Json.tree(nothing.formatted("streaming")))).doesNotContain("copy");
        assertThat(StatusText.line(Json.tree("{\"phase\":\"replicating\",\"replication_lag_ms\":null}")))
                .contains("lag unknown");
        String lines = String.join("\n", StatusText.lines(Json.tree("""
                {"id": "m", "phase": "canary", "replication_lag_ms": 12, "canary": {"read_percentage": 0.1, "stage": 1},
                 "strategy": {"stages": [{}, {}, {}]},
                 "gates": {"max_error_rate": null, "max_latency_ratio": 1.5, "max_mismatch_rate": null, "max_lag_ms": 100}}"""), false));
        assertThat(lines)
                .contains("errors off, latency at most 1.5 times the source's, mismatches off, lag at most 100 ms")
                .contains("stage 1 of 3");
    }

    @Test
    void aStageThatWaitsSaysForWhatAndWhatItHasShown() {
        ObjectNode status = (ObjectNode) Json.tree("""
                {"id": "m", "phase": "canary", "gates": {"max_error_rate": 0.01, "max_lag_ms": 100},
                 "canary": {"read_percentage": 0.1, "stage": 1, "gates": {"max_error_rate": 0.001, "max_latency_ratio": 1.5, "min_samples": 1000},
                  "bake": {"began_at": "2026-01-01T00:00:00Z", "ends_at": "2026-01-01T00:01:00Z", "over": true,
                   "seen": {"reads": 37, "errors": 1, "error_rate": 0.027, "latency": null, "missing": ["37 of 1000 reads", "p99 needs 100"]}}}}""");
        String waits = "baked, waits for samples: 37 of 1000 reads, p99 needs 100";
        assertThat(StatusText.lines(status, false))
                .anyMatch(line -> line.startsWith("stage ") && line.endsWith(waits + "; 1 of 37 reads failed (2.7 %)"))
                .anyMatch(line -> line.contains("errors at most 0.1 %, latency at most 1.5 times the source's"));
        assertThat(StatusText.line(status)).contains(waits);
        ObjectNode bake = (ObjectNode) status.at("/canary/bake");
        bake.put("over", false);
        assertThat(StatusText.lines(status, false))
                .anyMatch(line -> line.contains("bakes until 2026-01-01T00:01:00Z, samples so far: 37 of 1000 reads"));
        assertThat(StatusText.line(status)).doesNotContain("baked", "samples");
        bake.put("over", true);
        ((ObjectNode) bake.path("seen")).putArray("missing");
        ((ObjectNode) bake.path("seen"))
                .set("latency", Json.tree("{\"ratio\": 1.254, \"interlay\": \"front\", \"proxy\": \"p1\"}"));
        assertThat(StatusText.lines(status, false))
                .anyMatch(line -> line.contains(
                        "baked; 1 of 37 reads failed (2.7 %); p99 at worst 1.25 times the source's (front:p1)"));
        status.withObject("/canary").putNull("bake");
        assertThat(StatusText.lines(status, false)).noneMatch(line -> line.startsWith("stage "));
    }

    @Test
    void aCanaryThatWaitsForSomebodySaysForWhat() {
        ObjectNode status = (ObjectNode) Json.tree("""
                {"id": "m", "phase": "canary", "strategy": {"stages": [{"read_percentage": 0.1}, {"read_percentage": 0.5}]},
                 "canary": {"read_percentage": 0.1, "stage": 1, "bake": null, "ineligible": {"stale": 12, "function": 1200, "settings": 0}}}""");
        assertThat(StatusText.lines(status, false))
                .anyMatch(line -> line.matches("stage +waits for advance"))
                .anyMatch(line -> line.matches("on source +function 1,200, stale 12"));
        status.withObject("/canary").put("read_percentage", 0.0);
        assertThat(StatusText.lines(status, false))
                .anyMatch(line -> line.matches("stage +held, its reads were taken back; waits for advance"));
        status.withObject("/canary").put("stage", 2).put("read_percentage", 0.5);
        assertThat(StatusText.lines(status, false))
                .anyMatch(line -> line.matches("stage +the last; waits for cutover"));
    }

    @ParameterizedTest
    @CsvSource({
        "replicating, not yet",
        "cutting_over, under way",
        "baking, done",
        "completed, done",
        "rolling_back, not now"
    })
    void whereNothingCanBeCutOverNothingIsCalledBlocked(String phase, String cutover) {
        ObjectNode status = (ObjectNode) Json.tree("{\"id\": \"m\", \"phase\": \"" + phase
                + "\", \"blockers\": [\"the phase is " + phase + ", a cutover starts from canary\"]}");
        assertThat(StatusText.line(status)).doesNotContain("blocked");
        assertThat(StatusText.lines(status, false))
                .noneMatch(line -> line.contains("starts from canary"))
                .anyMatch(line -> line.matches("cutover +" + cutover));
        status.withArray("allowed").add("recover");
        assertThat(StatusText.line(status)).as("its workflow is lost").contains("blocked: ");
    }

    @Test
    void aTextOfSomebodysStaysOnItsLine() {
        String reason = "one\ntwo\u001b[2Jthree";
        ObjectNode status = (ObjectNode) Json.tree("{\"id\": \"m\", \"phase\": \"canary\", \"failed\": true}");
        status.put("last_reason", reason).withArray("blockers").add(reason);
        assertThat(StatusText.line(status)).contains("failed: one two [2Jthree", "blocked: one two");
        assertThat(StatusText.lines(status, false))
                .allSatisfy(line -> assertThat(line).doesNotContain("\n", "\u001b"));
        ObjectNode event =
                Json.mapper().createObjectNode().put("event", "command.pause").put("actor", "x\ny");
        assertThat(MigrationCommand.line(event.put("reason", reason)))
                .contains("x y  one two [2Jthree")
                .doesNotContain("\n", "\u001b");
    }

    @Test
    void aPasswordKeepsItsBlanksAndLosesALinesEnd() {
        Map<String, String> environment = Map.of("P", " a b \r\n", "NONE", "\n", "V", " v ");
        Terminal terminal =
                Terminal.of(new StringWriter(), new StringWriter(), new StringReader(""), false, environment);
        assertThat(terminal.secret("P")).isEqualTo(" a b ");
        assertThat(terminal.secret("NONE")).isNull();
        assertThat(terminal.secret("UNSET")).isNull();
        assertThat(terminal.variable("V")).isEqualTo("v");
    }

    @Test
    void aBlankVariableSaysNothing() {
        Map<String, String> blank = new HashMap<>();
        for (String name :
                List.of("EDEN_LISTEN", "EDEN_LISTEN_POSTGRES", "EDEN_API_PORT", "EDEN_ADMIN_PORT", "EDEN_DATA_DIR")) {
            blank.put(name, " ");
        }
        Configuration configuration = dev(blank).configuration();
        assertThat(DevCommand.data(configuration)).endsWithRaw(Path.of("eden", "dev"));
        assertThat(DevCommand.fronts(configuration)).hasSize(1);
        assertThat(configuration.number(Setting.API_PORT)).isEqualTo(8000);
        blank.put("EDEN_DATA_DIR", "/data");
        blank.put("EDEN_LISTEN_POSTGRES", "127.0.0.1:0");
        assertThat(DevCommand.data(dev(blank).configuration())).isEqualTo(Path.of("/data"));
        assertThat(DevCommand.fronts(dev(blank).configuration())).hasSize(2);
    }

    private static DevCommand dev(Map<String, String> environment) {
        return new DevCommand(
                Terminal.of(new StringWriter(), new StringWriter(), new StringReader(""), false, environment));
    }

    @Test
    void whatIsWrongInTheEnvironmentIsALineAndNoTrace() {
        FakeTerminal.Result wrong =
                new FakeTerminal(home).with("EDEN_LOG", "yaml").run("key", "status");
        assertThat(wrong.code()).isEqualTo(ExitCode.FAILED.code());
        assertThat(wrong.err()).startsWith("eden: ").contains("EDEN_LOG", "correct it");
    }

    @Test
    void portsThatCannotBeWrittenAreNoticedBeforeAnythingStarts() {
        Path nowhere = home.resolve("none").resolve("ports.json");
        assertThatThrownBy(() -> Running.requireFolder(nowhere))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("none");
        Running.requireFolder(home.resolve("ports.json"));
        assertThatThrownBy(() -> Running.writePorts(nowhere, Map.of("api", 1))).isInstanceOf(StartupException.class);
    }

    @Test
    void aFullDiskIsAFailureAndAReaderThatHasEnoughIsNone() {
        FakeTerminal terminal = new FakeTerminal(home);
        FakeTerminal.Result full = terminal.writing(new Unwritable("No space left on device"), "config", "example");
        assertThat(full.code()).isEqualTo(ExitCode.FAILED.code());
        assertThat(full.err()).contains("No space left on device", "what to do:");
        FakeTerminal.Result read = terminal.writing(new Unwritable("Broken pipe"), "config", "example");
        assertThat(read.code()).isZero();
        assertThat(read.err()).isEmpty();
        FakeTerminal.Result worse =
                terminal.writing(new Unwritable("No space left on device"), "config", "example", "--nonsense");
        assertThat(worse.code())
                .as("what it says on standard error has its code")
                .isEqualTo(ExitCode.USAGE.code());
    }

    @Test
    void remediesNameCommandsThatThereAre() {
        CommandLine eden = EdenCommand.commandLine(Terminal.system());
        int understood = 0;
        for (Reference reference : Reference.values()) {
            Matcher command = Pattern.compile("\\beden ([a-z][^().,]+)").matcher(reference.command());
            while (command.find()) {
                assertThat(eden.parseArgs(words(command.group(1).strip())).errors())
                        .as(reference.command())
                        .isEmpty();
                understood++;
            }
        }
        assertThat(understood).isGreaterThan(8);
    }

    @Test
    void completionKnowsVerbsAndOptions() {
        FakeTerminal.Result script = new FakeTerminal(home).run("completion");
        assertThat(script.out()).contains("migration", "cutover", "--until", "complete -F");
    }

    private static List<String> leaves() {
        List<CommandLine> leaves = new ArrayList<>();
        collect(EdenCommand.commandLine(Terminal.system()), leaves);
        return leaves.stream()
                .map(line -> line.getCommandSpec().qualifiedName())
                .toList();
    }

    private static void collect(CommandLine line, List<CommandLine> leaves) {
        if (line.getCommandSpec().usageMessage().hidden()
                || line.getCommandSpec().userObject() instanceof CommandLine.HelpCommand) {
            return;
        }
        if (line.getSubcommands().isEmpty()) {
            leaves.add(line);
        }
        line.getSubcommands().values().forEach(sub -> collect(sub, leaves));
    }

    private static String[] words(String line) {
        return Documents.words(line).toArray(String[]::new);
    }

    private static String document() throws IOException {
        return Files.readString(docs().resolve("cli.md"));
    }

    private static Path docs() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("docs/cli.md"))) {
            folder = Objects.requireNonNull(folder.getParent());
        }
        return folder.resolve("docs");
    }
}
