package dev.eden.api.mutants;

import dev.eden.demo.check.Anomaly;
import dev.eden.demo.check.Verdict;
import dev.eden.demo.load.LoadStats.Trouble;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the demo's checker found, and what the clients behind Eden met (strangers left out). */
record Judgement(Verdict verdict, List<Trouble> troubles) {
    long anomalies() {
        return verdict.anomalies().values().stream().mapToLong(Long::longValue).sum();
    }

    /** Error replies: nothing of Eden's may ever show one for a request that a single server would have served. */
    long errors() {
        return troubles.stream().filter(trouble -> !trouble.connection()).count();
    }

    long disconnects() {
        return troubles.size() - errors();
    }

    /** In words, for a table. */
    String summary() {
        Map<Anomaly, Long> found = new TreeMap<>();
        verdict.anomalies().forEach((anomaly, count) -> {
            if (count > 0) {
                found.put(anomaly, count);
            }
        });
        return found + ", " + errors() + " errors, " + disconnects() + " disconnects, "
                + verdict.acknowledgedWrites() + " acknowledged writes"
                + (verdict.examples().isEmpty() ? "" : "; " + verdict.examples().getFirst())
                + troubles.stream().map(Trouble::message).distinct().limit(5).toList();
    }
}
