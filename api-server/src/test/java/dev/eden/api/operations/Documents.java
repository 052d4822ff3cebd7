package dev.eden.api.operations;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The documents' commands, in blocks and between words, each with the mark above it: {@code <!-- commands: run: TEST -->} or
 * {@code … not run: REASON -->}.
 */
public final class Documents {
    private static final Pattern MARK = Pattern.compile("<!-- commands: (run|not run): (.+) -->");
    /** A word at the beginning of a line that makes a block without a language one of commands. */
    private static final Pattern COMMAND = Pattern.compile(
            "(?m)^(\\$ )?(\\./eden|eden|mvn|curl|docker|kubectl|psql|redis-cli|temporal|infra/|docs/|\\.ci/|go|git|export|printf|apt-get)\\b.*");

    /** What a sentence or a table tells somebody to type, as far as no other test holds it: verbs of {@code eden} are parsed by one. */
    private static final Pattern INLINE =
            Pattern.compile("`((?:mvn|docker[- ]compose|go|\\.ci/run|docs/\\S+\\.sh|infra/\\S+)(?: [^`]*)?)`");

    private Documents() {}

    /** What one file has: blocks, and commands between words. */
    private record Page(List<Block> blocks, List<Block> inline) {}

    /** @param heading below which it stands. {@code run}: whether the mark says that a test runs it; null without a mark. {@code by}: the test or the reason */
    public record Block(
            Path file,
            int line,
            String heading,
            String text,
            @Nullable Boolean run,
            String by) {
        @Override
        public String toString() {
            return Project.ROOT.relativize(file) + ":" + line;
        }
    }

    static List<Path> all() {
        return Stream.concat(
                        Project.files("docs", ".md").stream(),
                        Stream.concat(
                                Project.files("infra", ".md").stream(),
                                Stream.of("README.md", "CONTRIBUTING.md").map(Project.ROOT::resolve)))
                .toList();
    }

    /** What a test runs of one document, in order. */
    public static List<Block> runBy(String test, String document) {
        return blocks(Project.ROOT.resolve(document)).stream()
                .filter(block -> Boolean.TRUE.equals(block.run()) && block.by().equals(test))
                .toList();
    }

    /** The only one that a test runs below a heading of a document. */
    public static Block runBy(String test, String document, String heading) {
        List<Block> found = runBy(test, document).stream()
                .filter(block -> block.heading().equals(heading))
                .toList();
        if (found.size() != 1) {
            throw new AssertionError(
                    document + ", " + heading + ": " + found.size() + " blocks that " + test + " runs");
        }
        return found.getFirst();
    }

    /** Words as a shell takes them apart: quotes keep spaces. */
    public static List<String> words(String line) {
        return Pattern.compile("(?:'[^']*'|\"[^\"]*\"|[^\\s'\"])+")
                .matcher(line)
                .results()
                .map(word -> word.group().replaceAll("'([^']*)'|\"([^\"]*)\"", "$1$2"))
                .toList();
    }

    static List<Block> blocks(Path file) {
        return page(file).blocks();
    }

    /** Commands in sentences and tables. */
    static List<Block> inline(Path file) {
        return page(file).inline();
    }

    /** What stands between the blocks. */
    static String prose(Path file) {
        return Project.read(file).replaceAll("(?ms)^ *```.*?^ *```", "");
    }

    /** A mark holds for everything below it until the next mark. */
    private static Page page(Path file) {
        List<Block> blocks = new ArrayList<>();
        List<Block> inline = new ArrayList<>();
        @Nullable Boolean run = null;
        String by = "";
        String heading = "";
        @Nullable StringBuilder open = null;
        boolean shell = false;
        boolean other = false;
        int from = 0;
        int number = 0;
        for (String line : Project.read(file).lines().toList()) {
            number++;
            if (open != null && line.strip().equals("```")) {
                String text = open.toString();
                if (shell || !other && COMMAND.matcher(text).find()) {
                    blocks.add(new Block(file, from, heading, text, run, by));
                }
                open = null;
            } else if (open != null) {
                open.append(line).append('\n');
            } else if (line.startsWith("#")) {
                heading = line.replaceFirst("#+ ", "").strip();
            } else if (line.strip().startsWith("```")) {
                String language = line.strip().substring(3);
                open = new StringBuilder();
                shell = language.matches("bash|sh|shell|console");
                from = number;
                other = !shell && !language.isEmpty();
            } else {
                Matcher mark = MARK.matcher(line);
                if (mark.find()) {
                    run = mark.group(1).equals("run");
                    by = mark.group(2).strip();
                }
                Matcher command = INLINE.matcher(line);
                while (command.find()) {
                    if (runs(command.group(1))) {
                        inline.add(new Block(file, number, heading, command.group(1), run, by));
                    }
                }
            }
        }
        return new Page(blocks, inline);
    }

    /** A path below {@code infra} may be of a file that is read, and no command. */
    private static boolean runs(String said) {
        Path file = Project.ROOT.resolve(said.split(" ")[0]);
        return !said.startsWith("infra/") || Files.isRegularFile(file) && Files.isExecutable(file);
    }
}
