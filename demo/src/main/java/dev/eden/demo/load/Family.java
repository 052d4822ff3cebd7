package dev.eden.demo.load;

import dev.eden.demo.check.CellModel.Kind;

/** The sorts of keys of the demo's data set: how many of them there are, and what each holds. */
enum Family {
    STRING("str", 0.560, 1, Kind.REGISTER),
    HASH("hash", 0.120, 4, Kind.REGISTER),
    ZSET("zset", 0.080, 4, Kind.REGISTER),
    SET("set", 0.080, 4, Kind.REGISTER),
    /** Strings with a time to live; each is written by one client only. */
    EXPIRING("ttl", 0.030, 1, Kind.REGISTER),
    LIST("list", 0.030, 1, Kind.SEQUENCE),
    /** Strings that grow by APPEND, in elements of fixed width. */
    LOG("log", 0.030, 1, Kind.SEQUENCE),
    COUNTER("cnt", 0.018, 1, Kind.COUNTER),
    HASH_COUNTER("hcnt", 0.005, 1, Kind.COUNTER),
    ZSET_COUNTER("zcnt", 0.005, 1, Kind.COUNTER),
    /** Counters that grow by WATCH, GET, MULTI, SET, EXEC. */
    WATCHED("watch", 0.001, 1, Kind.COUNTER),
    /** Two strings that are only written together; the third cell stands for reading both at once. */
    PAIR("pair", 0.010, 3, Kind.REGISTER),
    QUEUE("queue", 0.0001, 1, Kind.QUEUE),
    /** Every type and encoding; the load does not touch them. */
    STILL("still", 0.030, 0, Kind.REGISTER);

    final String prefix;
    final double share;
    final int cellsPerKey;
    final Kind kind;

    Family(String prefix, double share, int cellsPerKey, Kind kind) {
        this.prefix = prefix;
        this.share = share;
        this.cellsPerKey = cellsPerKey;
        this.kind = kind;
    }
}
