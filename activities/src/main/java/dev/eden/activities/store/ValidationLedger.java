package dev.eden.activities.store;

import java.util.List;
import java.util.Optional;

/** Validation reports, stored and served. Keys are shown escaped, values never. */
public interface ValidationLedger {

    /** {@code kind}: missing, extra, type, value, ttl, field, order, encoding. {@code repaired}: copied again and equal afterwards. */
    record Difference(int database, String key, String kind, String detail, boolean repaired) {}

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
            List<Difference> sample) {}

    void save(Report report);

    Optional<Report> latest(String migration);
}
