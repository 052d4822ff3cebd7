package dev.eden.activities.postgres.replication;

import java.util.concurrent.TimeUnit;

/** Rows a second, of one run and of its last five to ten seconds: what was copied before it, and what an outage took, counts for nothing. Not thread-safe. */
final class LoadSpeed {
    private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final double LEAST_SECONDS = 0.2;

    private long generation = -1;
    private Look from = new Look(0, 0);
    private Look next = from;

    private record Look(long rows, long nanos) {}

    /** 0: not known yet. */
    double rate(long run, LoadProgress load, long nowNanos) {
        if (load.tableCount() == 0) {
            return 0;
        }
        Look now = new Look(load.rowsDone(), nowNanos);
        if (run != generation || now.rows() < next.rows()) {
            generation = run;
            from = now;
            next = now;
        } else if (nowNanos - next.nanos() >= WINDOW_NANOS) {
            from = next;
            next = now;
        }
        double seconds = (nowNanos - from.nanos()) / 1e9;
        return seconds < LEAST_SECONDS ? 0 : (now.rows() - from.rows()) / seconds;
    }
}
