package dev.eden.activities.postgres.validation;

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

    Tally(int most, PostgresValidation.Cursor start) {
        this.most = most;
        this.sample = new ArrayList<>(start.sample());
        this.compared = start.compared();
        this.suspicious = start.suspicious();
        this.found = start.found();
        this.repaired = start.repaired();
    }

    /** Of a part. */
    Tally(int most) {
        this.most = most;
        this.sample = new ArrayList<>();
    }

    /** A part that nobody counts in any more. */
    synchronized void add(Tally part) {
        compared += part.compared;
        suspicious += part.suspicious;
        found += part.found;
        repaired += part.repaired;
        sample.addAll(part.sample.subList(0, Math.min(part.sample.size(), most - sample.size())));
    }

    synchronized void compared(long rows) {
        compared += rows;
    }

    synchronized void suspicious(long rows) {
        suspicious += rows;
    }

    synchronized void different(String key, String kind, String detail, boolean mended) {
        found++;
        repaired += mended ? 1 : 0;
        if (sample.size() < most) {
            sample.add(new Difference(0, key, kind, detail, mended));
        }
    }

    synchronized PostgresValidation.Cursor cursor(
            PostgresValidation.Cursor start, List<String> done, PostgresValidation.@Nullable Next next) {
        return new PostgresValidation.Cursor(
                start.report(),
                start.startedAt(),
                start.pair(),
                done,
                compared,
                suspicious,
                found,
                repaired,
                sample,
                next);
    }
}
