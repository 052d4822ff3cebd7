package dev.eden.demo.history;

/**
 * One operation on one cell by one client. A <em>cell</em> is the smallest thing with a state of its own: a string, one
 * field of a hash, one member of a set, a list.
 *
 * @param client who asked; ids at or above {@link #FIRST_FINAL_CLIENT} are readers of the final state
 * @param session the connection of that client, counted up with every reconnect
 * @param index place in the client's program order
 * @param invoked microseconds since the history began, rounded down
 * @param returned microseconds since the history began, rounded up; {@link #NEVER} where the outcome is in doubt
 */
public record Operation(
        int client,
        int session,
        int index,
        OperationKind kind,
        Outcome outcome,
        int cell,
        long value,
        long extra,
        long invoked,
        long returned) {

    /** The value of a cell that does not exist. */
    public static final long ABSENT = 0;

    /** A value that no client ever wrote in that form. */
    public static final long CORRUPT = -1;

    /** Later than every moment. */
    public static final long NEVER = Long.MAX_VALUE;

    /** The writer of what was there before the load began. */
    public static final int PRELOAD_CLIENT = 1023;

    /** Readers of the final state have ids from here on. */
    public static final int FIRST_FINAL_CLIENT = 1000;

    /** True where a reader of the final state saw this. */
    public boolean isFinal() {
        return client >= FIRST_FINAL_CLIENT && client != PRELOAD_CLIENT;
    }

    /** True where the effect of this one is certainly earlier than any effect of {@code other}. */
    public boolean precedes(Operation other) {
        return returned < other.invoked || (returned != NEVER && client == other.client && index < other.index);
    }

    /** True for an operation that was answered without error. */
    public boolean acknowledged() {
        return outcome == Outcome.OK;
    }
}
