package dev.eden.activities.store;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Validation reports, stored and served. Keys are shown escaped, values never. */
public interface ValidationLedger {

    /** {@code kind}: missing, extra, type, value, ttl, field, order, encoding. {@code repaired}: copied again and equal afterwards. */
    record Difference(int database, String key, String kind, String detail, boolean repaired) {}

    /**
     * One thing that was compared, and how that came out.
     *
     * @param unit what {@code compared} counts
     * @param outcome equal, repaired (nothing remains), different
     */
    record Check(String name, String unit, long compared, long differences, long repaired, String outcome) {
        public static Check of(String name, String unit, long compared, DifferenceKinds.Count found) {
            String outcome =
                    found.found() == 0 ? "equal" : found.found() == found.repaired() ? "repaired" : "different";
            return new Check(name, unit, compared, found.found(), found.repaired(), outcome);
        }
    }

    /** @param checks what was compared; null where that was not told: the run began on a server from before */
    record Report(
            String id,
            String migration,
            String startedAt,
            String endedAt,
            long keysCompared,
            long suspicious,
            long differencesFound,
            long repaired,
            long remaining,
            long ttlToleranceMillis,
            List<Difference> sample,
            @Nullable List<Check> checks) {}

    void save(Report report);

    Optional<Report> latest(String migration);
}
