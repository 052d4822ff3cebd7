package dev.eden.activities.redis.validation;

import dev.eden.activities.redis.EscapedKey;
import dev.eden.activities.redis.replication.DbKey;
import dev.eden.activities.store.DifferenceKinds;
import dev.eden.activities.store.ValidationLedger;
import dev.eden.activities.store.ValidationLedger.Check;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a validation has counted. SCAN may give a key twice: each counts as a difference once. */
final class ValidationTally {
    private static final int REMEMBERED = 100_000;
    private static final String LIBRARY = "library";
    private static final String KEYS = "keys";

    private final int sampleLimit;
    private final Set<DbKey> known = new HashSet<>();
    private final List<ValidationLedger.Difference> sample = new ArrayList<>();
    private long keysCompared;
    private long suspicious;
    private long differencesFound;
    private long repaired;
    private OptionalLong libraries = OptionalLong.empty();
    private @Nullable DifferenceKinds kinds = DifferenceKinds.NONE;

    ValidationTally(int sampleLimit) {
        this.sampleLimit = sampleLimit;
    }

    void resume(ValidationCursor cursor) {
        keysCompared = cursor.keysCompared();
        suspicious = cursor.suspicious();
        differencesFound = cursor.differencesFound();
        repaired = cursor.repaired();
        sample.addAll(cursor.sample());
        kinds = cursor.kinds();
    }

    void compared(long keys) {
        keysCompared += keys;
    }

    /** Never told where the servers have none to compare. */
    void librariesCompared(long count) {
        libraries = OptionalLong.of(count);
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
        count(
                difference.kind(),
                new ValidationLedger.Difference(
                        key.database(), EscapedKey.of(key.key()), difference.kind(), difference.detail(), mended));
    }

    /** A function library; it belongs to no database, so it counts in the first. */
    void library(String name, Verdict.Different difference, boolean mended) {
        count(
                LIBRARY,
                new ValidationLedger.Difference(
                        0, "function library " + name, difference.kind(), difference.detail(), mended));
    }

    private void count(String kind, ValidationLedger.Difference difference) {
        kinds = kinds == null ? null : kinds.plus(kind, difference.repaired());
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
                List.copyOf(sample),
                kinds);
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
                List.copyOf(sample),
                kinds == null ? null : checks(kinds));
    }

    /** Every key is looked at for all of these, in this order: the first that differs is its difference. */
    private List<Check> checks(DifferenceKinds found) {
        List<Check> checks = new ArrayList<>(List.of(
                Check.of("keys", KEYS, keysCompared, found.of("missing", "extra")),
                Check.of("types", KEYS, keysCompared, found.of("type")),
                Check.of("values", KEYS, keysCompared, found.of("value", "field", "order")),
                Check.of("expiries", KEYS, keysCompared, found.of("ttl")),
                Check.of("encodings", KEYS, keysCompared, found.of("encoding"))));
        libraries.ifPresent(count -> checks.add(Check.of("functions", "function libraries", count, found.of(LIBRARY))));
        return List.copyOf(checks);
    }
}
