package dev.eden.activities.postgres.validation;

import dev.eden.activities.store.ValidationLedger.Difference;
import java.util.ArrayList;
import java.util.List;

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

    synchronized PostgresValidation.Cursor cursor(PostgresValidation.Cursor start, List<String> done) {
        return new PostgresValidation.Cursor(
                start.report(), start.startedAt(), start.pair(), done, compared, suspicious, found, repaired, sample);
    }
}
