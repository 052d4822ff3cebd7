package dev.eden.api.operations;

import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The table of docs/metrics.md. */
public final class MetricsTable {
    private static final Pattern ROW = Pattern.compile(
            "\\| `(eden_[a-z_]+)` \\| ([a-z, ]+) \\| ([^|]+) \\| ([^|]+) \\|([^|]*)\\| ([^|]+) \\|([^|]*)\\|");
    private static final Pattern ALERT = Pattern.compile("`(Eden[A-Za-z]+)`");
    private static final Pattern METRIC = Pattern.compile("\\beden_[a-z_]+\\b");

    private MetricsTable() {}

    /** @param where {@code proxy}, {@code server} or both; {@code alerts} that look at it */
    public record Metric(String name, List<String> where, String type, String unit, Set<String> alerts) {

        /** As a scrape of that kind of process says it. */
        public String typeOn(String process) {
            return process.equals("server") && type.contains("on a server ")
                    ? type.substring(type.indexOf("on a server ") + "on a server ".length())
                    : type.replaceFirst(";.*", "");
        }
    }

    public static List<Metric> metrics() {
        return Project.text("docs/metrics.md")
                .lines()
                .map(ROW::matcher)
                .filter(Matcher::matches)
                .map(row -> new Metric(
                        row.group(1),
                        List.of(row.group(2).split(", ")),
                        row.group(3).strip(),
                        row.group(4).strip(),
                        alerts(row.group(7))))
                .toList();
    }

    /** All names of alerts anywhere in a text. */
    static Set<String> alerts(String text) {
        return find(ALERT, text, 1);
    }

    /** All names of metrics anywhere in a text. */
    static Set<String> named(String text) {
        return find(METRIC, text, 0);
    }

    private static Set<String> find(Pattern pattern, String text, int group) {
        return pattern.matcher(text)
                .results()
                .map(found -> found.group(group))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
