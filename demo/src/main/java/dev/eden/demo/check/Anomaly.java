package dev.eden.demo.check;

/** The ways in which a store can break its word. */
public enum Anomaly {
    /** A write was acknowledged and is not there. */
    LOST,
    /** One write took effect twice, or one element was delivered twice. */
    DUPLICATED,
    /** Effects stand in another order than their clients were promised. */
    REORDERED,
    /** A value that was deleted, taken or had expired was there again. */
    RESURRECTED,
    /** A read showed something older than it may. */
    STALE,
    /** Half of an atomic change was visible. */
    TORN,
    /** Transactions that were promised an order of one after the other have none. */
    CYCLE,
    /** A value or answer that no history explains. */
    WRONG
}
