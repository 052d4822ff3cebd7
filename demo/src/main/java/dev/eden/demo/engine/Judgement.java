package dev.eden.demo.engine;

import dev.eden.demo.check.Verdict;
import java.util.List;

/**
 * What a workload found.
 *
 * @param stillLost units that nobody touched and that are not what they were
 * @param failures whatever else must be otherwise, in words
 */
public record Judgement(Verdict checked, long stillLost, List<String> failures) {
    public Judgement {
        failures = List.copyOf(failures);
    }
}
