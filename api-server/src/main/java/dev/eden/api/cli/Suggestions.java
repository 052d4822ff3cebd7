package dev.eden.api.cli;

import dev.eden.api.config.Spelling;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** What somebody may have meant who typed a command that there is not. */
final class Suggestions {
    private Suggestions() {}

    /**
     * For a word that {@code at} does not know: the same word below another noun ({@code eden status} for {@code eden migration status}),
     * what is spelt alike, what it begins ({@code cut} for {@code cutover}), or, at the same place, what it is short for ({@code ls} for
     * {@code list}) or a part of ({@code interlay} for {@code add-interlay}). Whole commands, at most three.
     */
    static List<String> commands(CommandLine at, String word) {
        CommandLine root = at;
        while (root.getParent() != null) {
            root = root.getParent();
        }
        List<String> known = new ArrayList<>();
        collect(root, known);
        String wanted = word.toLowerCase(Locale.ROOT);
        String here = at.getCommandSpec().qualifiedName();
        return known.stream()
                .filter(command -> meant(last(command), wanted, parent(command).equals(here)))
                .sorted(Comparator.<String>comparingInt(command -> apart(last(command), wanted))
                        .thenComparing(command -> command.startsWith(here + " ") ? 0 : 1)
                        .thenComparing(command -> command.startsWith("eden migration") ? 0 : 1))
                .limit(3)
                .toList();
    }

    /** The one of {@code known} that is spelt most alike, if any is near. */
    static Optional<String> nearest(String word, Collection<String> known) {
        return known.stream()
                .filter(candidate -> Spelling.distance(candidate, word) <= allowed(word))
                .min(Comparator.comparingInt(candidate -> Spelling.distance(candidate, word)));
    }

    private static boolean meant(String command, String wanted, boolean here) {
        return apart(command, wanted) <= allowed(wanted)
                || here
                        && (shortFor(command, wanted)
                                || List.of(command.split("-")).contains(wanted));
    }

    /** What somebody has only begun to type is as near as one wrong letter. */
    private static int apart(String command, String wanted) {
        int distance = Spelling.distance(command, wanted);
        return wanted.length() > 1 && command.startsWith(wanted) ? Math.min(1, distance) : distance;
    }

    private static boolean shortFor(String command, String wanted) {
        if (wanted.length() < 2 || command.charAt(0) != wanted.charAt(0)) {
            return false;
        }
        int at = 0;
        for (int i = 0; i < wanted.length(); i++) {
            at = command.indexOf(wanted.charAt(i), at) + 1;
            if (at == 0) {
                return false;
            }
        }
        return true;
    }

    private static String parent(String command) {
        return command.substring(0, Math.max(0, command.lastIndexOf(' ')));
    }

    private static int allowed(String word) {
        return word.length() <= 4 ? 1 : word.length() <= 8 ? 2 : 3;
    }

    private static void collect(CommandLine line, List<String> into) {
        line.getSubcommands().values().forEach(sub -> {
            CommandSpec spec = sub.getCommandSpec();
            if (!spec.usageMessage().hidden() && !into.contains(spec.qualifiedName())) {
                into.add(spec.qualifiedName());
                collect(sub, into);
            }
        });
    }

    private static String last(String command) {
        return command.substring(command.lastIndexOf(' ') + 1);
    }
}
