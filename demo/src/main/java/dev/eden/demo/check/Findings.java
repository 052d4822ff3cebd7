package dev.eden.demo.check;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Counts anomalies, each once, and keeps the first few of every sort in words. */
final class Findings {
    private static final int EXAMPLES = 5;
    private final Map<Anomaly, Long> counts = new EnumMap<>(Anomaly.class);
    private final Map<Anomaly, List<String>> examples = new EnumMap<>(Anomaly.class);
    private final Set<String> seen = new HashSet<>();

    /** Adds an anomaly unless one of the same {@code subject} is known: three readers of one loss are one loss. */
    void add(Anomaly anomaly, String cell, Object subject, String words) {
        add(anomaly, cell, subject, words, 1);
    }

    void add(Anomaly anomaly, String cell, Object subject, String words, long count) {
        if (!seen.add(anomaly + "/" + cell + "/" + subject)) {
            return;
        }
        counts.merge(anomaly, count, Long::sum);
        List<String> kept = examples.computeIfAbsent(anomaly, _ -> new ArrayList<>());
        if (kept.size() < EXAMPLES) {
            kept.add(anomaly.name().toLowerCase(java.util.Locale.ROOT) + " " + cell + ": " + words);
        }
    }

    long count(Anomaly anomaly) {
        return counts.getOrDefault(anomaly, 0L);
    }

    Map<Anomaly, Long> counts() {
        return Map.copyOf(counts);
    }

    List<String> examples() {
        return examples.values().stream().flatMap(List::stream).toList();
    }
}
