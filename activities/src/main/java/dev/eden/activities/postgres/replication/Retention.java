package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.HostDisk;
import dev.eden.activities.postgres.PostgresSession;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * Watches the log that a side keeps for the other. Its applications come first: where the disk is nearly full of it, the slot has to go. Where the server
 * has a bound of its own (max_slot_wal_keep_size), that one is reached first and shows as a lost slot.
 *
 * @param leastFree bytes of the log's disk that must stay free
 */
record Retention(long leastFree) {
    static final Retention DEFAULT = new Retention(512L << 20);

    /** Asking costs a process on the server. */
    static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** Log that would go with the slot; less does not help. Bytes. */
    private static final long WORTH_IT = 16L << 20;

    /** Bytes of log that a side keeps for the slots. */
    static long kept(PostgresSession side, List<String> slots) {
        return side.number(
                "SELECT max(pg_current_wal_lsn() - restart_lsn) FROM pg_replication_slots WHERE slot_name = ANY (?)",
                (Object) slots.toArray(String[]::new));
    }

    /** Why the slot has to go, if it has to. */
    Optional<String> gate(PostgresSession side, long kept) {
        if (kept < WORTH_IT) {
            return Optional.empty();
        }
        OptionalLong free = HostDisk.free(side, "pg_wal");
        return free.isPresent() && free.getAsLong() < leastFree
                ? Optional.of("the slot keeps " + (kept >> 20) + " MiB of log, and only " + (free.getAsLong() >> 20)
                        + " MiB are free on that disk")
                : Optional.empty();
    }
}
