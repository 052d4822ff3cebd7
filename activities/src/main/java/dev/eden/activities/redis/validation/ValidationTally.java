package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.EscapedKey;
import dev.eden.activities.redis.replication.DbKey;
import dev.eden.activities.store.ValidationLedger;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What a validation has counted. SCAN may give a key twice: each counts as a difference once. */
final class ValidationTally {
    private static final int REMEMBERED = 100_000;

    private final int sampleLimit;
    private final Set<DbKey> known = new HashSet<>();
    private final List<ValidationLedger.Difference> sample = new ArrayList<>();
    private long keysCompared;
    private long suspicious;
    private long differencesFound;
    private long repaired;

    ValidationTally(int sampleLimit) {
        this.sampleLimit = sampleLimit;
    }

    void resume(ValidationCursor cursor) {
        keysCompared = cursor.keysCompared();
        suspicious = cursor.suspicious();
        differencesFound = cursor.differencesFound();
        repaired = cursor.repaired();
        sample.addAll(cursor.sample());
    }

    void compared(long keys) {
        keysCompared += keys;
    }

    void suspicious(long keys) {
        suspicious += keys;
    }

    /** True for a key whose difference has been counted. */
    boolean knows(DbKey key) {
        return known.contains(key);
    }

    void difference(DbKey key, Verdict.Different difference, boolean mended) {
        if (known.size() < REMEMBERED && !known.add(key)) {
            return;
        }
        count(new ValidationLedger.Difference(
                key.database(), EscapedKey.of(key.key()), difference.kind(), difference.detail(), mended));
    }

    /** A function library; it belongs to no database, so it counts in the first. */
    void library(String name, Verdict.Different difference, boolean mended) {
        count(new ValidationLedger.Difference(
                0, "function library " + name, difference.kind(), difference.detail(), mended));
    }

    private void count(ValidationLedger.Difference difference) {
        differencesFound++;
        if (difference.repaired()) {
            repaired++;
        }
        if (sample.size() < sampleLimit) {
            sample.add(difference);
        }
    }

    ValidationCursor cursor(String report, String startedAt, String pair, String pass, int database, String scan) {
        return new ValidationCursor(
                report,
                startedAt,
                pair,
                pass,
                database,
                scan,
                keysCompared,
                suspicious,
                differencesFound,
                repaired,
                List.copyOf(sample));
    }

    ValidationLedger.Report report(
            String id, String migration, String startedAt, String endedAt, long ttlToleranceMillis) {
        return new ValidationLedger.Report(
                id,
                migration,
                startedAt,
                endedAt,
                keysCompared,
                suspicious,
                differencesFound,
                repaired,
                differencesFound - repaired,
                ttlToleranceMillis,
                List.copyOf(sample));
    }
}
