package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;

/**
 * The slot of the way back, on the side that is written by replication only, under the epoch of one route. There it keeps nothing that anybody needs:
 * it may be moved, dropped and made at any time. The same slot on the owner of writes has what the other side lacks, and whoever made it anew there would
 * lose that without a word. So what the epoch allows is settled under {@link Appliers}' lock, and nothing is done that could be late after it.
 *
 * @param epoch of the committed route under which the server is the standby
 */
record StandbySlot(EdenObjects names, long epoch) {
    /** In one step, or as much as it has to read again first: what is cut off begins anew where the step began. Bytes. */
    private static final long STEP = 256L << 20;

    private static final Set<String> NEXT_TIME = Set.of("57014", "55006", "55000", "42704", "42710");

    enum Skip {
        /** A later route has been here. */
        LATE,
        /** There is none, or it has lost its log: {@link #ensure}. */
        GONE,
        /** There is more to skip. */
        MORE,
        /** For a while. */
        REST
    }

    /**
     * Makes what is missing or of no use any more.
     *
     * @return false when a later route has been here: nothing was made
     */
    boolean ensure(PostgresSession standby) {
        if (Links.usable(standby, names.main())) {
            return true;
        }
        // A new one waits for every open transaction of the server. That it does under another name, which goes with
        // this session, outside of the lock that a flip needs. A copy waits for nobody.
        String passing = names.passing() + "_"
                + String.format("%08x", ThreadLocalRandom.current().nextInt());
        standby.query("SELECT pg_create_logical_replication_slot(?, 'pgoutput', true)", row -> true, passing);
        boolean mine = Appliers.unlessLater(standby, names, epoch, () -> {
            if (!Links.usable(standby, names.main())) {
                Links.dropSlot(standby, names.main());
                standby.query(
                        "SELECT pg_copy_logical_replication_slot(?, ?, false)", row -> true, passing, names.main());
            }
        });
        standby.query("SELECT pg_drop_replication_slot(?)", row -> true, passing);
        return mine;
    }

    /**
     * One step towards this server's position of now, so that the log need not be kept, and nothing that came from the other server goes back to it. Where to is
     * read while the server is certainly the standby: getting there is right whenever it happens, so that it needs no lock, and no turn waits
     * for it. It takes as long as reading all log since the oldest transaction that was open where the slot stands.
     *
     * @param otherwise true: not now
     */
    Skip skip(PostgresSession standby, BooleanSupplier otherwise) {
        record Step(String to, boolean last) {}
        Optional<Optional<Step>> next = standby.transaction(() -> {
            if (!Appliers.standby(standby, names, epoch)) {
                return Optional.<Optional<Step>>empty();
            }
            return Optional.of(
                    standby.first("""
                    SELECT least(flushed, most), flushed <= most FROM (
                        SELECT pg_current_wal_flush_lsn() AS flushed, confirmed_flush_lsn + greatest(?::numeric, confirmed_flush_lsn - restart_lsn) AS most
                        FROM pg_replication_slots
                        WHERE slot_name = ? AND wal_status IS DISTINCT FROM 'lost') AS slot
                    """, row -> new Step(row.getString(1), row.getBoolean(2)), STEP, names.main()));
        });
        if (next.isEmpty()) {
            return Skip.LATE;
        }
        Step step = next.get().orElse(null);
        if (step == null) {
            return Skip.GONE;
        }
        if (otherwise.getAsBoolean()) {
            return Skip.REST;
        }
        standby.query("SELECT pg_replication_slot_advance(?, ?::pg_lsn)", row -> true, names.main(), step.to());
        return step.last() ? Skip.REST : Skip.MORE;
    }

    /** Cut off, or others have moved, dropped or made a slot meanwhile: the next look says what is the matter. */
    static boolean nextTime(PostgresException e) {
        return NEXT_TIME.contains(e.sqlState());
    }
}
