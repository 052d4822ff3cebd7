package dev.eden.activities.cutover;

import dev.eden.activities.redis.MemoryLimit;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.store.ServerRecords;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a Redis has evicted while it was the standby. The other side does not hear of that and has those keys still: no flip may follow that
 * brings writes there once more, because a key that clients have deleted since (there was none any more) would be back.
 */
final class Evictions {
    private static final Logger LOGGER = LoggerFactory.getLogger(Evictions.class);

    /** {@code run id:evicted keys}, before the server may become the standby. */
    private static final String BEFORE = "evicted:before";

    private static final String DROPPED = "evicted:standby";

    private final ServerRecords records;
    private final String migration;

    Evictions(ServerRecords records, String migration) {
        this.records = records;
        this.migration = migration;
    }

    /** Of the side that hands over. */
    void remember(String id, ServerInfo side) {
        records.put(migration, id, BEFORE, side.text("run_id") + ":" + side.number("evicted_keys"));
    }

    /**
     * Of the side that takes over: true where keys may be missing on it. Rather once too often, since a full server evicts between this and the
     * flip as well, and one that has begun to count anew since may have.
     */
    boolean judge(String id, ServerInfo side) {
        MemoryLimit memory = new MemoryLimit(side);
        boolean missing = evicted(id, side) || (memory.evicts() && (memory.scarce() || countedAnew(id, side)));
        if (missing) {
            records.put(migration, id, DROPPED, Long.toString(side.number("evicted_keys")));
            LOGGER.atWarn()
                    .addKeyValue("migration", migration)
                    .addKeyValue("endpoint", id)
                    .log(
                            "it has evicted keys while it was the standby, or may have: what it takes over is without them");
        }
        return missing;
    }

    /** Counts of a run before this one are gone, and so are those before {@code CONFIG RESETSTAT}. */
    private boolean evicted(String id, ServerInfo side) {
        String before = records.get(migration, id, BEFORE).orElse("");
        String run = side.text("run_id") + ":";
        long evicted = side.number("evicted_keys");
        if (!before.startsWith(run)) {
            return new MemoryLimit(side).evicts() && evicted > 0;
        }
        long known = Long.parseLong(before.substring(run.length()));
        return evicted > known || (evicted < known && evicted > 0);
    }

    private boolean countedAnew(String id, ServerInfo side) {
        String before = records.get(migration, id, BEFORE).orElse("");
        String run = side.text("run_id") + ":";
        return !before.startsWith(run) || side.number("evicted_keys") < Long.parseLong(before.substring(run.length()));
    }

    /** What keeps a target from taking over once more, in words: nobody has agreed to do without what it lacks. */
    Optional<String> lacking(String id, ServerInfo side) {
        boolean been = records.get(migration, id, BEFORE).isPresent();
        return records.get(migration, id, DROPPED).isPresent() || (been && evicted(id, side))
                ? Optional.of(lacking(id))
                : Optional.empty();
    }

    static String lacking(String id) {
        return id + " has evicted keys while it was the standby, and would take over without them: abort, and create"
                + " another migration";
    }

    /** What keeps writes on {@code id} from going to {@code other} again, in words. */
    Optional<String> blocker(String id, String other) {
        return records.get(migration, id, DROPPED)
                .map(_ -> id + " has evicted keys while it was the standby, and " + other
                        + " still has them: abort, and create another migration");
    }
}
