package dev.eden.demo.check;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What the checker found.
 *
 * @param examples the first few anomalies of each sort, in words
 */
public record Verdict(
        long operations, long acknowledgedWrites, long inDoubt, Map<Anomaly, Long> anomalies, List<String> examples) {

    public long count(Anomaly anomaly) {
        return anomalies.getOrDefault(anomaly, 0L);
    }

    /** Both findings in one. */
    public Verdict and(Verdict other) {
        Map<Anomaly, Long> all = new EnumMap<>(Anomaly.class);
        all.putAll(anomalies);
        other.anomalies.forEach((anomaly, count) -> all.merge(anomaly, count, Long::sum));
        List<String> words = new ArrayList<>(examples);
        words.addAll(other.examples);
        return new Verdict(
                operations + other.operations,
                acknowledgedWrites + other.acknowledgedWrites,
                inDoubt + other.inDoubt,
                all,
                words);
    }

    /** True where nothing was found. */
    public boolean clean() {
        return anomalies.values().stream().allMatch(count -> count == 0);
    }
}
