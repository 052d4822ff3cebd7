package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.HostDisk;
import dev.eden.activities.postgres.PostgresSession;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * Watches the log that a side keeps for the other. Its applications come first: where the disk is nearly full of it, the slot has to go. A disk that is
 * full of other things gains nothing by that, and the way back would be lost for it. Where the server has a bound of its own (max_slot_wal_keep_size),
 * and room for it, that one is reached first and shows as a lost slot.
 *
 * @param leastFree bytes of the log's disk that must stay free
 * @param atFault bytes of log from which on a slot has its share in there being less; on a disk with less than that, as much as is free
 */
public record Retention(long leastFree, long atFault) {
    public static final Retention DEFAULT = new Retention(512L << 20, 256L << 20);

    /** Asking costs a process on the server. */
    static final long EVERY_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** Log that would go with the slot; less does not help. Bytes. */
    private static final long WORTH_IT = 16L << 20;

    /** What there is to do about a slot. */
    sealed interface Verdict {}

    record Enough() implements Verdict {}

    /** The disk is short, and not of the slot's log. */
    record Scarce(String what) implements Verdict {}

    record LetGo(String why) implements Verdict {}

    /** Bytes of log that a side keeps for the slots. */
    static long kept(PostgresSession side, List<String> slots) {
        return side.number(
                "SELECT max(pg_current_wal_lsn() - restart_lsn) FROM pg_replication_slots WHERE slot_name = ANY (?)",
                (Object) slots.toArray(String[]::new));
    }

    Verdict gate(PostgresSession side, long kept) {
        return kept < WORTH_IT ? new Enough() : judge(freeBelow(side, needed(side, leastFree, kept)), kept);
    }

    /** Bytes that must be free on the disk of a side's log before it begins to keep log for the other. */
    public long needed(PostgresSession side) {
        return needed(side, leastFree, 0);
    }

    /** {@code most} bytes, or what the server lets slots keep beside the {@code kept} ones where that is less: up to its own bound, and what comes between two checkpoints, with which it looks at it. */
    public static long needed(PostgresSession side, long most, long kept) {
        long bound = mebibytes(side, "max_slot_wal_keep_size");
        return bound < 0 ? most : Math.min(most, Math.max(0, bound - kept) + mebibytes(side, "max_wal_size"));
    }

    /** Bytes; below zero: none. */
    private static long mebibytes(PostgresSession side, String setting) {
        return side.number("SELECT setting::bigint * 1048576 FROM pg_settings WHERE name = ?", setting);
    }

    /** What is free on the disk of a side's log where less is than {@link #needed}; empty also where it cannot be said. */
    public OptionalLong tooLittle(PostgresSession side) {
        return freeBelow(side, needed(side));
    }

    private static OptionalLong freeBelow(PostgresSession side, long bytes) {
        OptionalLong free = HostDisk.free(side, "pg_wal");
        return free.isPresent() && free.getAsLong() < bytes ? free : OptionalLong.empty();
    }

    Verdict judge(OptionalLong scarce, long kept) {
        if (scarce.isEmpty()) {
            return new Enough();
        }
        long free = scarce.getAsLong();
        String left = "only " + (free >> 20) + " MiB are free on that disk";
        return kept >= Math.max(WORTH_IT, Math.min(atFault, free))
                ? new LetGo("the slot keeps " + (kept >> 20) + " MiB of log, and " + left)
                : new Scarce("the slot keeps " + (kept >> 20) + " MiB of log, which is not why " + left);
    }
}
