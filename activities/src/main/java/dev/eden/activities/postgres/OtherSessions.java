package dev.eden.activities.postgres;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Sessions of whoever was there before: what a stalled process began may not go on beside what comes now. */
public final class OtherSessions {
    private static final long LOOK_NANOS = 300_000;

    private OtherSessions() {}

    /**
     * Returns when the server has none of them any more. Its own wait, {@code pg_terminate_backend(pid, timeout)}, looks every 100 ms.
     *
     * @param which a condition on {@code pg_stat_activity}; the asking session is never meant
     */
    public static void end(PostgresSession session, Duration limit, String which, Object... parameters) {
        Long[] ending = session.query(
                        "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND ("
                                + which + ")",
                        row -> row.getLong(1),
                        parameters)
                .toArray(Long[]::new);
        long until = System.nanoTime() + limit.toNanos();
        while (ending.length > 0
                && session.number(
                                "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (?::bigint[])", (Object) ending)
                        > 0) {
            if (System.nanoTime() - until > 0) {
                throw new IllegalStateException("a session of an earlier attempt does not end");
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }
}
