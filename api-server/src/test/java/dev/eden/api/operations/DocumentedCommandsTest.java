package dev.eden.api.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.eden.api.operations.Documents.Block;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever pastes a page's commands has what they need: its variables are set, and what no test runs is marked so, wherever it stands. */
class DocumentedCommandsTest {
    private static final Pattern USED = Pattern.compile("\\$\\{?([A-Z][A-Z0-9_]*)");
    private static final Pattern SET = Pattern.compile("(?m)(?:^|[\\s;(])([A-Z][A-Z0-9_]*)=");
    private static final Pattern EXPLAINED = Pattern.compile("`(?:export )?([A-Z][A-Z0-9_]*)[`=]");
    private static final Pattern BEGINNING = Pattern.compile("goes on where\\s+\\[[^]]*]\\(([^)#]+)\\)");
    /** Verbs that ask a server, which need its address and a token. */
    private static final Pattern CLIENT =
            Pattern.compile("(?m)^ *(?:\\./)?eden (?:endpoint|interlay|migration|token|audit|proxy (?!-))");

    @Test
    void whatIsToldBetweenWordsIsMarkedAsNotRun() {
        List<Block> inline = Documents.all().stream()
                .flatMap(file -> Documents.inline(file).stream())
                .toList();
        assertThat(inline).hasSizeGreaterThan(30);
        assertThat(inline.stream().filter(command -> !Boolean.FALSE.equals(command.run())))
                .as("commands in sentences and tables under no mark, or under one that says that a test runs them")
                .isEmpty();
    }

    @Test
    void aCommandInATableIsSeen(@TempDir Path folder) throws IOException {
        Path page = Files.writeString(folder.resolve("page.md"), """
                # A page

                `mvn verify` is not marked, `eden migration list` and `infra/haproxy/codec.cfg` need no mark.

                <!-- commands: not run: minutes -->

                | command | |
                |---|---|
                | `docs/fuzz.sh 10` | many |
                """);
        assertThat(Documents.inline(page))
                .extracting(Block::text, Block::run, Block::by)
                .containsExactly(tuple("mvn verify", null, ""), tuple("docs/fuzz.sh 10", false, "minutes"));
    }

    /** A variable that nobody has set is an empty token, or a path without a server. */
    @Test
    void theVariablesOfAPageAreSetOrExplainedThereOrWhereItBegins() {
        List<String> unset = new ArrayList<>();
        for (Path file : Documents.all()) {
            Set<String> known = known(file);
            for (Block block : Documents.blocks(file)) {
                Set<String> used = found(USED, block.text());
                if (Files.exists(file.resolveSibling("your-own-redis.md"))
                        && CLIENT.matcher(block.text()).find()) {
                    used.addAll(List.of("EDEN_URL", "EDEN_TOKEN"));
                }
                used.removeAll(known);
                used.forEach(name -> unset.add(block + ": " + name));
            }
        }
        assertThat(unset).isEmpty();
    }

    private static Set<String> known(Path file) {
        Set<String> known = found(EXPLAINED, Documents.prose(file));
        Documents.blocks(file).forEach(block -> known.addAll(found(SET, block.text())));
        Matcher beginning = BEGINNING.matcher(Project.read(file));
        while (beginning.find()) {
            known.addAll(known(file.resolveSibling(beginning.group(1))));
        }
        return known;
    }

    private static Set<String> found(Pattern pattern, String text) {
        Set<String> names = new TreeSet<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            names.add(matcher.group(1));
        }
        return names;
    }
}
