package dev.eden.activities.postgres.validation;

import dev.eden.activities.store.DifferenceKinds;
import dev.eden.activities.store.ValidationLedger.Difference;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Counts of one report; thread-safe. */
final class Tally {
    private final int most;
    private final List<Difference> sample;
    private long compared;
    private long suspicious;
    private long found;
    private long repaired;
    private long ranges;
    private @Nullable DifferenceKinds kinds;

    Tally(int most, PostgresValidation.Cursor start) {
        this.most = most;
        this.sample = new ArrayList<>(start.sample());
        this.compared = start.compared();
        this.suspicious = start.suspicious();
        this.found = start.found();
        this.repaired = start.repaired();
        this.ranges = start.ranges();
        this.kinds = start.kinds();
    }

    /** Of a part. */
    Tally(int most) {
        this.most = most;
        this.sample = new ArrayList<>();
        this.kinds = DifferenceKinds.NONE;
    }

    /** A part that nobody counts in any more. */
    synchronized void add(Tally part) {
        compared += part.compared;
        suspicious += part.suspicious;
        found += part.found;
        repaired += part.repaired;
        ranges += part.ranges;
        DifferenceKinds before = kinds;
        DifferenceKinds more = part.kinds;
        kinds = before == null || more == null ? null : before.plus(more);
        sample.addAll(part.sample.subList(0, Math.min(part.sample.size(), most - sample.size())));
    }

    /** A range of a table, or one without a key whole. */
    synchronized void compared(long rows) {
        compared += rows;
        ranges++;
    }

    synchronized void suspicious(long rows) {
        suspicious += rows;
    }

    synchronized void different(String key, String kind, String detail, boolean mended) {
        kinds = kinds == null ? null : kinds.plus(kind, mended);
        object(key, kind, detail, mended);
    }

    /** As {@link #different}, of what is no row. */
    synchronized void object(String key, String kind, String detail, boolean mended) {
        found++;
        repaired += mended ? 1 : 0;
        if (sample.size() < most) {
            sample.add(new Difference(0, key, kind, detail, mended));
        }
    }

    synchronized PostgresValidation.Cursor cursor(
            PostgresValidation.Cursor start, @Nullable String last, PostgresValidation.@Nullable Next next) {
        return new PostgresValidation.Cursor(
                start.report(),
                start.startedAt(),
                start.pair(),
                List.of(),
                compared,
                suspicious,
                found,
                repaired,
                sample,
                ranges,
                kinds,
                next,
                last);
    }
}
