package dev.eden.proxy.redis;

import java.util.List;
import java.util.Set;

/** What the proxy does with a command. */
enum Handling {
    /** Any shared connection will do. */
    SHARED,
    /** Stateless, read-only and by key: may be served by the standby. */
    READ,
    /** A script or function that only reads: any shared connection will do, but for the standby, where Eden's user runs none. */
    SCRIPT_READ,
    /** Script or function that may write: one exclusive connection for the one command. */
    SCRIPT,
    /** May block the connection. */
    BLOCKING,
    /** Cursor commands. */
    SCAN,
    MULTI,
    EXEC,
    DISCARD,
    WATCH,
    UNWATCH,
    SUBSCRIBE,
    MONITOR,
    AUTH,
    HELLO,
    SELECT,
    CLIENT,
    RESET,
    QUIT,
    /** {@code SCRIPT}: {@code SCRIPT LOAD} is remembered. */
    SCRIPT_ADMIN,
    /** Not for a proxy. */
    REFUSED,
    /** No table has it: a write on an exclusive connection. */
    UNKNOWN;

    /** Names and patterns of keys and channels by the thousand. */
    private static final int LISTS = 16 << 20;
    /** Words, names and passwords. */
    private static final int WORDS = 64 << 10;

    /** How many bytes of a request are collected that must be seen whole: it is answered here, rewritten, or changes what is known of the client. 0: it need not. */
    int whole() {
        return switch (this) {
            case SHARED, READ, SCRIPT_READ, SCRIPT, SCRIPT_ADMIN, UNKNOWN -> 0;
            case BLOCKING, SCAN, WATCH, SUBSCRIBE -> LISTS;
            case MULTI, EXEC, DISCARD, UNWATCH, MONITOR, AUTH, HELLO, SELECT, CLIENT, RESET, QUIT, REFUSED -> WORDS;
        };
    }

    static Handling of(String name, Set<String> flags, List<KeySpec> specs, int firstKey) {
        switch (name) {
            case "multi":
                return MULTI;
            case "exec":
                return EXEC;
            case "discard":
                return DISCARD;
            case "watch":
                return WATCH;
            case "unwatch":
                return UNWATCH;
            case "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe":
                return SUBSCRIBE;
            case "monitor":
                return MONITOR;
            case "auth":
                return AUTH;
            case "hello":
                return HELLO;
            case "select":
                return SELECT;
            case "client":
                return CLIENT;
            case "reset":
                return RESET;
            case "quit":
                return QUIT;
            case "script":
                return SCRIPT_ADMIN;
            case "sync", "psync", "replconf", "asking", "readonly", "readwrite":
                return REFUSED;
            case "eval", "evalsha", "fcall":
                return SCRIPT;
            case "eval_ro", "evalsha_ro", "fcall_ro":
                return SCRIPT_READ;
            case "scan", "hscan", "sscan", "zscan":
                return SCAN;
            case "wait", "waitaof":
                return BLOCKING; // blocks, though not flagged so
            case "pfcount", "sort_ro":
                return SHARED; // Eden's user on the standby may not run them
            case "debug", "shutdown", "failover":
                return UNKNOWN; // may hold up or end its connection
            default:
                break;
        }
        if (flags.contains("blocking")) {
            return BLOCKING;
        }
        boolean keyed = firstKey != 0 || !specs.isEmpty();
        return flags.contains("readonly") && keyed ? READ : SHARED;
    }
}
