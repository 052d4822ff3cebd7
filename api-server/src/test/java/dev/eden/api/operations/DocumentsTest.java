package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.eden.api.cli.EdenCommand;
import dev.eden.api.cli.Terminal;
import dev.eden.api.operations.Documents.Block;
import dev.eden.workflows.SearchAttributesNeeded;
import dev.eden.workflows.activity.Failures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The documents say what is true: their commands are run or said not to be, their links lead somewhere, their lists are whole. */
class DocumentsTest {
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    /** Verbs of the launcher itself. */
    private static final Set<String> ELSEWHERE = Set.of("train", "probe");

    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.+)$");

    @Test
    void everyBlockOfCommandsIsRunByATestOrSaysThatItIsNot() {
        List<Block> blocks = Documents.all().stream()
                .flatMap(file -> Documents.blocks(file).stream())
                .toList();
        assertThat(blocks).hasSizeGreaterThan(20);
        assertThat(blocks.stream().filter(block -> block.run() == null))
                .as("blocks of commands without a mark")
                .isEmpty();
        Set<String> tests = Project.files(".", ".java").stream()
                .map(file -> String.valueOf(file.getFileName()).replace(".java", ""))
                .collect(Collectors.toSet());
        assertThat(blocks.stream()
                        .filter(block -> Boolean.TRUE.equals(block.run()))
                        .map(Block::by))
                .as("tests that marks name")
                .isNotEmpty()
                .isSubsetOf(tests);
    }

    /** A mark alone proves nothing: the test that it names takes the commands from this document. */
    @Test
    void testsThatMarksNameReadTheDocument() {
        for (Path file : Documents.all()) {
            String name = String.valueOf(file.getFileName()).replace(".md", "");
            Documents.blocks(file).stream()
                    .filter(block -> Boolean.TRUE.equals(block.run()))
                    .forEach(block -> {
                        String test = Project.read(
                                Project.files(".", "/" + block.by() + ".java").getFirst());
                        assertThat(test)
                                .as(block.toString())
                                .contains("\"" + block.by() + "\"")
                                .contains(name);
                    });
        }
    }

    /** What the check above rests on: a block stands under the mark above it, and under none where there is none. */
    @Test
    void aBlockWithoutAMarkIsSeen(@TempDir Path folder) throws IOException {
        String mark = "<!-- commands: not run: because -->";
        Path page = Files.writeString(folder.resolve("page.md"), """
                # A page

                ```bash
                ls
                ```

                ```
                eden migration list
                ```

                ```json
                {"eden": "is no command here"}
                ```

                %s

                ## Further down

                ```sh
                ls
                ```
                """.formatted(mark));
        assertThat(Documents.blocks(page))
                .extracting(Block::heading, Block::text, Block::run)
                .containsExactly(
                        tuple("A page", "ls\n", null),
                        tuple("A page", "eden migration list\n", null),
                        tuple("Further down", "ls\n", false));
    }

    /** Each line of a block that begins with {@code eden}, whoever runs it: name, options, how many arguments. */
    @Test
    void commandsInBlocksAreUnderstood() {
        List<String> wrong = new ArrayList<>();
        int understood = 0;
        for (Path file : Documents.all()) {
            for (Block block : Documents.blocks(file)) {
                for (String said : commands(block.text())) {
                    try {
                        if (!ELSEWHERE.contains(said.split(" ")[0])) {
                            Project.parse(Documents.words(said));
                        }
                        understood++;
                    } catch (CommandLine.ParameterException e) {
                        wrong.add(block + ": eden " + said + ": " + e.getMessage());
                    }
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(understood).isGreaterThan(80);
    }

    @Test
    void commandsAreTakenOutOfABlockAsAShellWould() {
        String block = """
                SECRET=s ./eden endpoint create a redis://h:1   # with a word
                "$INSTALLATION/eden" migration set m \\
                    read_percentage=25% --reason 'it is # 1' > /dev/null
                redis-cli -p 6379 eden
                """;
        assertThat(commands(block))
                .containsExactly(
                        "endpoint create a redis://h:1", "migration set m read_percentage=25% --reason 'it is # 1'");
        assertThat(Documents.words("a 'b c' \"d\" e f='g h'")).containsExactly("a", "b c", "d", "e", "f=g h");
        assertThatThrownBy(() -> Project.parse(Documents.words("migration cutover")))
                .isInstanceOf(CommandLine.ParameterException.class);
        assertThatThrownBy(() -> Project.parse(Documents.words("migration cutover m --reazon x")))
                .isInstanceOf(CommandLine.ParameterException.class);
    }

    /** The arguments of each {@code eden} of a block, as one line. */
    private static List<String> commands(String block) {
        return Pattern.compile(
                        "(?m)^ *(?:[A-Z_]+=\\S+ )*(?:\\./|\"\\$INSTALLATION/)?eden\"? ((?:'[^']*'|[^'#\\n>|&<;])*)")
                .matcher(block.replaceAll("\\\\\n\\s*", ""))
                .results()
                .map(command -> command.group(1).strip())
                .toList();
    }

    /** Commands between words: {@code eden …} has these verbs and options, a script that is named is there. */
    @Test
    void commandsInSentencesAreThere() {
        List<String> wrong = new ArrayList<>();
        for (Path file : Documents.all()) {
            Matcher inline = Pattern.compile("`(?:\\./)?(eden [^`]+|(?:docs|infra)/[^` ]+|\\.ci/[^` ]+)[^`]*`")
                    .matcher(Project.read(file).replaceAll("(?s)```.*?```", ""));
            while (inline.find()) {
                String said = inline.group(1);
                if (!(said.startsWith("eden ") ? understood(said) : Files.exists(Project.ROOT.resolve(said)))) {
                    wrong.add(Project.ROOT.relativize(file) + ": " + said);
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    /** As far as verbs and options go; what they need besides is left out in a sentence. */
    private static boolean understood(String said) {
        CommandLine command = EdenCommand.commandLine(Terminal.system());
        if (ELSEWHERE.contains(said.split(" ")[1])) {
            return true;
        }
        boolean verbs = true;
        for (String word : said.substring("eden ".length()).split(" ")) {
            CommandLine next = command.getSubcommands().get(word);
            if (verbs && next != null) {
                command = next;
            } else if (word.startsWith("--")) {
                verbs = false;
                if (command.getCommandSpec().findOption(word.split("=")[0]) == null) {
                    return false;
                }
            } else if (verbs && !command.getSubcommands().isEmpty() && !word.equals("…")) {
                return false;
            }
        }
        return true;
    }

    @Test
    void linksLeadToFilesAndHeadings() {
        List<String> broken = new ArrayList<>();
        for (Path file : Documents.all()) {
            Matcher link = LINK.matcher(Project.read(file));
            while (link.find()) {
                String target = link.group(1);
                if (target.matches("[a-z]+:.*")) {
                    continue;
                }
                String[] parts = target.split("#", 2);
                Path there = parts[0].isEmpty()
                        ? file
                        : file.resolveSibling(parts[0]).normalize();
                boolean found = Files.exists(there)
                        && (parts.length == 1 || anchors(there).contains(parts[1]));
                if (!found) {
                    broken.add(Project.ROOT.relativize(file) + " → " + target);
                }
            }
        }
        assertThat(broken).isEmpty();
    }

    @Test
    void everyAlertHasARunbookAndNamesIt() {
        Set<String> headings = headings("docs/operating.md");
        Set<String> alerts = MonitoringTest.rules().keySet();
        assertThat(headings).containsAll(alerts);
        assertThat(headings.stream().filter(heading -> heading.startsWith("Eden")))
                .as("runbooks of alerts that there are")
                .isSubsetOf(alerts);
        String rules = Project.text("infra/prometheus/rules.yml");
        alerts.forEach(
                alert -> assertThat(rules).contains("runbook: docs/operating.md#" + alert.toLowerCase(Locale.ROOT)));
    }

    /** A migration is parked with a reason that begins with one of these: what failed for good, or what the workflow says itself. */
    @Test
    void everyReasonToStopForAPersonHasARunbook() throws Exception {
        Set<String> headings = headings("docs/operating.md");
        for (var field : Failures.class.getFields()) {
            assertThat(headings).contains((String) field.get(null));
        }
        String workflow = Project.files("workflows/src/main/java", ".java").stream()
                .map(Project::read)
                .collect(Collectors.joining());
        Set<String> said = new TreeSet<>();
        for (String pattern : List.of(
                "\"; \", \"(preflight refused): \"",
                "\"(differences remain after) \" \\+",
                "\"(differences are left for a person) \\(",
                "ReplicationFailed\\(\"(replication ended): \"",
                "return \"(no answer): \"",
                "\"(leave nothing behind)\"")) {
            Matcher matcher = Pattern.compile(pattern).matcher(workflow);
            assertThat(matcher.find()).as("the workflow still says " + pattern).isTrue();
            said.add(matcher.group(1));
        }
        assertThat(workflow).contains("(forward ? \"cutover\" : \"rollback\") + \", attempt \"");
        said.add("rollback, attempt");
        assertThat(headings).containsAll(said);
        assertThat(Arrays.stream(workflow.split("new Event\\.Failed\\(")).count())
                .as("new failures of the workflow need a runbook: add it to docs/operating.md and here")
                .isEqualTo(5);
    }

    @Test
    void theTableOfSearchAttributesIsWhole() {
        Map<String, String> told = Pattern.compile("(?m)^\\| `(Eden\\w+)` \\| (\\w+) \\|")
                .matcher(Project.text("docs/operating.md"))
                .results()
                .collect(Collectors.toMap(row -> row.group(1), row -> row.group(2)));
        assertThat(told)
                .isEqualTo(SearchAttributesNeeded.ALL.entrySet().stream()
                        .collect(Collectors.toMap(Map.Entry::getKey, one -> switch (one.getValue()) {
                            case INDEXED_VALUE_TYPE_KEYWORD -> "Keyword";
                            case INDEXED_VALUE_TYPE_INT -> "Int";
                            case INDEXED_VALUE_TYPE_UNSPECIFIED,
                                    INDEXED_VALUE_TYPE_TEXT,
                                    INDEXED_VALUE_TYPE_DOUBLE,
                                    INDEXED_VALUE_TYPE_BOOL,
                                    INDEXED_VALUE_TYPE_DATETIME,
                                    INDEXED_VALUE_TYPE_KEYWORD_LIST,
                                    UNRECOGNIZED -> String.valueOf(one.getValue());
                        })));
    }

    private static Set<String> headings(String document) {
        return HEADING.matcher(Project.text(document))
                .results()
                .map(heading -> heading.group(1).strip())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** As code hosts make them: lower case, no punctuation, hyphens for spaces. */
    private static Set<String> anchors(Path file) {
        return HEADING.matcher(Project.read(file))
                .results()
                .map(heading -> heading.group(1)
                        .strip()
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .replace(' ', '-'))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
