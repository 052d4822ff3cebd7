package dev.eden.demo.check;

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

    /** True where nothing was found. */
    public boolean clean() {
        return anomalies.values().stream().allMatch(count -> count == 0);
    }
}
