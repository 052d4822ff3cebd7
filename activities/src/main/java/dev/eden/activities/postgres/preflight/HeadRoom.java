package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.HostDisk;
import dev.eden.activities.postgres.HostDisk.Disk;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.replication.Retention;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Whether disks and memory hold what a migration adds. PostgreSQL tells neither, its host does: by {@code df} and {@code /proc/meminfo}, which a
 * superuser may read. Where that is not allowed, or no Linux, the finding says that it is not known.
 */
final class HeadRoom {
    /** Primary keys that are built side by side, one in each lane of the load; after it two indexes are. Tuning may want more lanes. */
    private static final int BUILDERS = 4;
    /** What each of Eden's sessions that build has at least, however little the server gives others. */
    private static final long LEAST = 128 << 20;

    private final PostgresSession source;
    private final PostgresSession target;
    private final Findings findings;

    HeadRoom(PostgresSession source, PostgresSession target, Findings findings) {
        this.source = source;
        this.target = target;
        this.findings = findings;
    }

    /** {@code filled}: the target has the rows by other means. */
    void check(PostgresPreflight.Limits limits, boolean filled) {
        long size = source.number("SELECT pg_database_size(current_database())");
        if (!filled) {
            target(size, limits.disk());
        }
        targetLog(filled ? 0 : size, limits.log());
        OptionalLong kept = HostDisk.free(source, "pg_wal");
        if (kept.isPresent() && kept.getAsLong() < Math.max(limits.log(), size / 10)) {
            findings.warning(
                    "postgres.source.disk",
                    "The disk of the source's log has " + mib(kept.getAsLong())
                            + " MiB free. Until the target has caught up, and as long as the way back is open, the log is kept there.",
                    "Give it more room, and set max_slot_wal_keep_size to what it can spare.");
        }
        memory();
    }

    private void target(long size, double disk) {
        OptionalLong free = HostDisk.free(target, ".");
        if (free.isEmpty()) {
            findings.info(
                    "postgres.target.disk",
                    "The source's database takes " + mib(size)
                            + " MiB; the target needs that much and its log besides. How much is free there is not known.");
        } else if (free.getAsLong() < disk * size) {
            findings.failure(
                    "postgres.target.disk",
                    "The source's database takes " + mib(size) + " MiB, and the target's disk has "
                            + mib(free.getAsLong()) + " MiB free; " + mib((long) (disk * size)) + " are needed.",
                    "Give the target a larger disk.");
        } else {
            findings.info(
                    "postgres.target.disk",
                    "The source's database takes " + mib(size) + " MiB, and the target's disk has "
                            + mib(free.getAsLong()) + " MiB free.");
        }
    }

    /** Where rows and log share a disk, the rows that are still to come come first. */
    private void targetLog(long load, long least) {
        Optional<Disk> log = HostDisk.of(target, "pg_wal");
        Optional<Disk> rows = HostDisk.of(target, ".");
        if (log.isEmpty() || rows.isEmpty()) {
            return;
        }
        boolean shared = log.get().mount().equals(rows.get().mount());
        long left = Math.max(0, log.get().free() - (shared ? load : 0));
        if (left < Retention.needed(target, least, 0)) {
            findings.warning(
                    "postgres.target.log_disk",
                    "The disk of the target's log "
                            + (load == 0
                                    ? "has " + mib(left) + " MiB free"
                                    : "will have " + mib(left) + " MiB free after the load")
                            + ". After a cutover the log for the way back is kept there; nothing cuts over while less than "
                            + mib(Retention.DEFAULT.needed(target)) + " MiB are free.",
                    "Give it more room, or set max_slot_wal_keep_size so that it and max_wal_size together are less than is free.");
        }
    }

    private void memory() {
        OptionalLong available = available(target);
        long builder = target.number("SELECT pg_size_bytes(current_setting('maintenance_work_mem'))");
        if (available.isPresent() && available.getAsLong() < forBuilding(builder)) {
            findings.warning(
                    "postgres.target.memory",
                    "The target's host has " + mib(available.getAsLong())
                            + " MiB of memory left, and building primary keys and indexes may take "
                            + mib(forBuilding(builder)) + " (maintenance_work_mem, or " + mib(LEAST)
                            + " where that is less, for each of " + BUILDERS + "; more with more lanes).",
                    (builder > LEAST
                                    ? "Lower maintenance_work_mem of the target to " + mib(LEAST)
                                            + "MB (less has no effect here), let the load have fewer lanes,"
                                    : "Let the load have fewer lanes,")
                            + " or give the target's host more memory.");
        }
    }

    /** Bytes that sorting may take with that {@code maintenance_work_mem}. */
    static long forBuilding(long setting) {
        return BUILDERS * Math.max(setting, LEAST);
    }

    /** Bytes. */
    private static OptionalLong available(PostgresSession session) {
        try {
            return session.text("SELECT substring(pg_read_file('/proc/meminfo') FROM 'MemAvailable: +([0-9]+) kB')")
                    .map(kib -> OptionalLong.of(Long.parseLong(kib) << 10))
                    .orElse(OptionalLong.empty());
        } catch (PostgresException | NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    private static long mib(long bytes) {
        return bytes >> 20;
    }
}
