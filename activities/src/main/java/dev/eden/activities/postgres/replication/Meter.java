package dev.eden.activities.postgres.replication;

import dev.eden.activities.copy.CopyPace;
import dev.eden.activities.postgres.PostgresSession;
import java.util.concurrent.atomic.AtomicLong;

/** What has been copied of a table, by whatever lane, and the pace at which it goes on. */
record Meter(CopyPace pace, AtomicLong rows, AtomicLong bytes) {
    Meter(CopyPace pace) {
        this(pace, new AtomicLong(), new AtomicLong());
    }

    /** Waits until so many bytes may be written; not for sessions that somebody has ended meanwhile. */
    void pay(int count, PostgresSession source, PostgresSession target) {
        try {
            pace.pay(count, () -> {
                source.requireOpen();
                target.requireOpen();
            });
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted");
        }
        bytes.addAndGet(count);
    }
}
