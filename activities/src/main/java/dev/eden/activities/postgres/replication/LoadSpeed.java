package dev.eden.activities.postgres.replication;

/** Rows a second, of one run since it was first asked: what others have copied before it, and what an outage took, counts for nothing. Not thread-safe. */
final class LoadSpeed {
    private static final double LEAST_SECONDS = 0.2;

    private long generation = -1;
    private long rows;
    private long nanos;

    /** 0: not known yet. */
    double rate(long run, LoadProgress load, long nowNanos) {
        if (load.tableCount() == 0) {
            return 0;
        }
        if (run != generation || load.rowsDone() < rows) {
            generation = run;
            rows = load.rowsDone();
            nanos = nowNanos;
        }
        double seconds = (nowNanos - nanos) / 1e9;
        return seconds < LEAST_SECONDS ? 0 : (load.rowsDone() - rows) / seconds;
    }
}
