package dev.eden.activities.cutover;

import dev.eden.activities.redis.MemoryLimit;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.workflows.MigrationSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * What a flip needs of two Redis, by their INFO. Forwards more than back: what would end the way back is told while nothing depends on it, and
 * whoever wants the source back has reasons that weigh more than little room there.
 */
final class RedisReadiness {
    private RedisReadiness() {}

    /** {@code here} is the side that hands over. */
    static List<String> blockers(MigrationSpec spec, String fromId, ServerInfo here, String toId, ServerInfo there) {
        List<String> blockers = new ArrayList<>();
        if (!there.text("role").equals("master")) {
            blockers.add(toId + " is a replica");
        }
        if (!here.text("role").equals("master")) {
            blockers.add(fromId + " is a replica");
        }
        MemoryLimit memory = new MemoryLimit(there);
        if (toId.equals(spec.target())) {
            if (memory.evicts()) {
                blockers.add(toId + " evicts keys (maxmemory-policy " + memory.policy() + ")");
            }
            if (memory.scarce()) {
                blockers.add(toId + " has less than 5 % of its memory left");
            }
            beforeItIsTheWayBack(fromId, here, toId, blockers);
        } else if (memory.refuses()) {
            // That a source evicts was known when it was left (redis.source.eviction), and does not hold up its return.
            blockers.add(toId + " refuses writes, its memory is full: raise its maxmemory");
        }
        return blockers;
    }

    private static void beforeItIsTheWayBack(String fromId, ServerInfo here, String toId, List<String> blockers) {
        MemoryLimit memory = new MemoryLimit(here);
        if (memory.scarce() && memory.refusesWhenFull()) {
            blockers.add(fromId
                    + " has less than 5 % of its memory left, and finds too little to evict to make room: it could"
                    + " not take what is written on " + toId + ", which is the way back: raise its maxmemory");
        }
        long expiring = here.hashesWithExpiringFields();
        if (expiring > 0) {
            blockers.add(fromId + " has " + expiring + " hashes of which single fields expire, which are not copied");
        }
    }
}
