package dev.eden.demo.load;

import dev.eden.demo.check.Anomaly;
import java.util.Set;

/** A way in which {@link FaultyFront} lies, and the anomalies of which the checker must name at least one. */
enum Fault {
    NONE(Set.of()),
    /** Acknowledges a SET or HSET and forgets it. */
    DROP_SET(Set.of(Anomaly.LOST, Anomaly.STALE)),
    /** Acknowledges an RPUSH with the length that it would have and forgets it. */
    DROP_PUSH(Set.of(Anomaly.LOST)),
    DROP_INCREMENT(Set.of(Anomaly.LOST)),
    DROP_PERSIST(Set.of(Anomaly.LOST, Anomaly.STALE)),
    DOUBLE_APPEND(Set.of(Anomaly.DUPLICATED)),
    DOUBLE_PUSH(Set.of(Anomaly.DUPLICATED)),
    DOUBLE_INCREMENT(Set.of(Anomaly.DUPLICATED)),
    /** Acknowledges an RPUSH at once and runs it 50 ms later. */
    DELAY_PUSH(Set.of(Anomaly.REORDERED)),
    /** Brings a deleted key back 30 ms later. */
    RESURRECT_DELETED(Set.of(Anomaly.RESURRECTED)),
    /** Forgets the expiry of a SET. */
    RESURRECT_EXPIRED(Set.of(Anomaly.RESURRECTED)),
    /** Answers a GET with what the same key had 50 ms and more ago. */
    STALE_GET(Set.of(Anomaly.STALE, Anomaly.RESURRECTED, Anomaly.LOST)),
    STALE_RANGE(Set.of(Anomaly.STALE)),
    /** Shows half of a script's effect for 60 ms. */
    TORN_SCRIPT(Set.of(Anomaly.TORN)),
    /** Forgets WATCH. */
    NO_WATCH(Set.of(Anomaly.LOST)),
    /** Puts an element back that was handed out. */
    POP_TWICE(Set.of(Anomaly.DUPLICATED, Anomaly.RESURRECTED)),
    /** Takes an element and throws it away. */
    POP_LOST(Set.of(Anomaly.LOST)),
    /** Hands out the youngest element. */
    POP_YOUNGEST(Set.of(Anomaly.REORDERED)),
    /** Changes one byte of a value on its way out. */
    CORRUPT_GET(Set.of(Anomaly.WRONG));

    final Set<Anomaly> expected;

    Fault(Set<Anomaly> expected) {
        this.expected = expected;
    }
}
