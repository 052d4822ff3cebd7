package dev.eden.api.cli;

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
     * else what is spelt alike. Whole commands, at most three.
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
                .filter(command -> distance(last(command), wanted) <= allowed(wanted))
                .sorted(Comparator.<String>comparingInt(command -> distance(last(command), wanted))
                        .thenComparing(command -> command.startsWith(here + " ") ? 0 : 1)
                        .thenComparing(command -> command.startsWith("eden migration") ? 0 : 1))
                .limit(3)
                .toList();
    }

    /** The one of {@code known} that is spelt most alike, if any is near. */
    static Optional<String> nearest(String word, Collection<String> known) {
        return known.stream()
                .filter(candidate -> distance(candidate, word) <= allowed(word))
                .min(Comparator.comparingInt(candidate -> distance(candidate, word)));
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

    /** Levenshtein's, where two letters in the wrong order count once. */
    static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            d[i][0] = i;
        }
        for (int j = 0; j <= b.length(); j++) {
            d[0][j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            for (int j = 1; j <= b.length(); j++) {
                int cost = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                d[i][j] = Math.min(Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1), d[i - 1][j - 1] + cost);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
